package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/api"
)

func TestBodiesMayHave16MiBAndAMillionValues(t *testing.T) {
	t.Parallel()
	w := start(t, func(c *api.Config) { c.MaxBody = 0 })
	const definition = `{"key": "note", "states": [{"key": "s"}], "transitions": [{"key": "t", "to": "s"}], "fields":
		{"type": "object", "properties": {"text": {"type": "string"}, "list": {"type": "array"}}}`
	put := func(size int) answer {
		source := definition + strings.Repeat(" ", size-len(definition)-1) + "}"
		return w.do("PUT", "/v1/case-types/note", source)
	}
	put(16<<20).is(201, "")
	put(16<<20+1).is(413, "request.too_large").has(members{"detail": fmt.Sprintf(
		"The request's body is larger than %d bytes. Send a smaller one.", 16<<20)})
	create := func(size int) answer {
		const begin, end = `{"data": {"text": "`, `"}}`
		return w.post("/v1/case-types/note/cases", begin+strings.Repeat("x", size-len(begin)-len(end))+end)
	}
	path := "/v1/cases/" + create(16<<20).is(201, "").text("id")
	create(16<<20+1).is(413, "request.too_large")
	whole := w.get(path).is(200, "").json()["data"].(map[string]any)["text"].(string)
	if len(whole) < 16<<20-100 {
		t.Errorf("the case has %d bytes", len(whole))
	}
	w.get("/v1/cases").is(200, "")
	list := func(n int) answer {
		return w.post("/v1/case-types/note/cases", `{"data": {"list": [`+strings.Repeat("1,", n-1)+`1]}}`)
	}
	list(999_997).is(201, "")
	list(999_998).is(400, "json.malformed")
}
