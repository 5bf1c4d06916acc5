package api_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// With ?pretty, every JSON answer is indented: lists, single objects, problems and pages. Texts and numbers keep their
// bytes.
func TestPrettyAnswersComeInLines(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.putTypes()
	made := w.open(`{"client": "Ann {\"x\": [1,2]} \\ \"quoted\""}`)
	for _, path := range []string{
		made, "/v1/cases", "/v1/case-types/loan", "/v1/journal?after=beginning", "/v1/session", "/v1/labels", "/healthz",
		"/v1/nothing", "/v1/cases/7", "/v1/cases?limit=0", "/openapi.json", "/v1/case-types/loan/openapi",
	} {
		join := "?"
		if strings.Contains(path, "?") {
			join = "&"
		}
		plain, pretty := w.get(path), w.get(path+join+"pretty")
		want := bytes.Buffer{}
		must(t, json.Indent(&want, bytes.TrimSpace(plain.body), "", "  "))
		got := bytes.TrimSpace(pretty.body)
		if path == "/v1/journal?after=beginning" { // places in it are sealed anew each time
			if bytes.Count(got, []byte("\n")) < 10 || !json.Valid(got) {
				t.Errorf("%s: %s", path, got)
			}
			continue
		}
		if !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%s in lines is\n%s\nwant\n%s", path, got, want.Bytes())
		}
		if pretty.status != plain.status || pretty.header.Get("Content-Type") != plain.header.Get("Content-Type") {
			t.Errorf("%s: %d %s", path, pretty.status, pretty.header.Get("Content-Type"))
		}
	}
	for query, status := range map[string]int{"pretty=true": 200, "pretty=": 200, "pretty=false": 200,
		"limit=1&pretty": 200, "pretty=7": 400} {
		w.get("/v1/cases?"+query).is(status, map[int]string{400: "request.invalid"}[status])
	}
}

// The same key serves a request with and without ?pretty; the stored answer is not indented. Streams are never
// indented.
func TestPrettyIsNoPartOfARequest(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.putTypes()
	const path, body = "/v1/case-types/loan/cases", `{"transition": "open", "data": {"client": "Ann"}}`
	first := w.post(path+"?pretty", body, "Idempotency-Key", "k").is(201, "")
	again := w.post(path, body, "Idempotency-Key", "k").is(201, "")
	if again.header.Get("Idempotency-Replayed") != "true" {
		t.Error("the key is not known without pretty")
	}
	if bytes.Count(first.body, []byte("\n")) < 10 || bytes.Count(again.body, []byte("\n")) != 1 {
		t.Errorf("the answers are\n%s\nand\n%s", first.body, again.body)
	}
	for line := range strings.Lines(string(w.get("/v1/stream?after=beginning&pretty").is(200, "").body)) {
		if data, ok := strings.CutPrefix(line, "data: "); ok && !json.Valid([]byte(data)) {
			t.Errorf("an event's data is %q", data)
		}
	}
}
