package api_test

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"
)

// Every kind of body may be compressed with gzip. Other codings are refused, and so is a body that decompresses to more
// than a body may have.
func TestBodiesMayBeGzip(t *testing.T) {
	t.Parallel()
	w := start(t)
	zip := func(text string) string {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, err := z.Write([]byte(text))
		must(t, err)
		must(t, z.Close())
		return b.String()
	}
	w.do("PUT", "/v1/case-types/loan", zip(loan), "Content-Type", "application/yaml", "Content-Encoding",
		"gzip").is(201, "")
	create := "/v1/case-types/loan/cases"
	ann := `{"transition": "open", "data": {"client": "Änn"}}`
	path := w.post(create, zip(ann), "Content-Encoding", "GZIP").is(201, "").header.Get("Location")
	w.post(create, zip(ann[:10])+zip(ann[10:]), "Content-Encoding", "x-gzip").is(201, "")
	w.post(create, ann, "Content-Encoding", "identity").is(201, "")
	if name := w.get(path).is(200, "").text("name"); name != "Änn" {
		t.Errorf("it is called %q", name)
	}

	file := w.do("POST", path+"/proofs?key=passport&filename=p.txt", zip("passport"), "Content-Type", "text/plain",
		"Content-Encoding", "gzip").is(201, "")
	if content := w.get(file.header.Get("Location")).is(200, ""); string(content.body) != "passport" {
		t.Errorf("the proof is %q", content.body)
	}

	w.post(create, zip(`"`+strings.Repeat("a", 64<<10)+`"`), "Content-Encoding", "gzip").is(413, "request.too_large")
	endless := strings.Repeat(zip(""), 16<<10) // which decompresses to nothing
	w.post(create, endless, "Content-Encoding", "gzip").is(413, "request.too_large")
	w.post(create, ann, "Content-Encoding", "gzip").is(400, "request.not_gzip")
	broken := []byte(zip(ann))
	broken[len(broken)-5] ^= 1
	w.post(create, string(broken), "Content-Encoding", "gzip").is(400, "request.not_gzip")
	w.post(create, zip(ann)[:40], "Content-Encoding", "gzip").is(400, "request.incomplete")
	for _, coding := range []string{"br", "deflate", "gzip, gzip", "zstd", "nonsense"} {
		refused := w.post(create, zip(ann), "Content-Encoding", coding).is(415, "request.content_encoding")
		if taken := refused.header.Get("Accept-Encoding"); taken != "gzip" {
			t.Errorf("%s: it names %q", coding, taken)
		}
	}
}
