package api_test

import (
	"strings"
	"testing"
)

func TestARequestNamesOneDocumentOrAList(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.do("PUT", "/v1/case-types/loan", loan, "Content-Type", "application/yaml").is(201, "")
	path := w.open(`{"client": "Ann"}`)
	for _, c := range []struct{ body, code, field string }{
		{`{}`, "request.body_invalid", "/key"},
		{`{"key": "summary", "keys": ["letter"]}`, "request.body_invalid", "/key"},
		{`{"keys": []}`, "request.body_invalid", "/keys"},
		{`{"keys": null}`, "request.body_invalid", "/key"},
		{`{"keys": "summary"}`, "request.body_invalid", "/keys"},
		{`{"keys": ["summary", 7]}`, "request.body_invalid", "/keys/1"},
		{`{"keys": ["summary", "` + strings.Repeat("x", 101) + `"]}`, "request.body_invalid", "/keys/1"},
		{`{"keys": ["a"` + strings.Repeat(`, "a"`, 100) + `]}`, "request.body_invalid", "/keys"},
		{`{"keys": ["summary", "none"]}`, "document.unknown_key", "/keys/1"},
		{`{"keys": ["summary", "letter", "summary"]}`, "document.keys_invalid", "/keys/2"},
		{`{"key": "none"}`, "document.unknown_key", "/key"},
	} {
		g := w.post(path+"/documents", c.body).is(422, c.code)
		fields := g.json()["fields"].([]any)
		if got := fields[0].(map[string]any)["path"]; len(fields) != 1 || got != c.field {
			t.Errorf("%.60s: the fields are %v", c.body, fields)
		}
	}
	if n := len(w.get(path + "/documents").items()); n != 0 || w.get(path).text("version") != "1" {
		t.Errorf("%d documents were made", n)
	}
	made := w.post(path+"/documents", `{"keys": ["letter", "summary"]}`).is(201, "")
	if l := made.header.Get("Location"); l != path+"/documents" || len(made.items()) != 2 {
		t.Errorf("at %s: %s", l, made.body)
	}
	one := w.post(path+"/documents", `{"key": "letter"}`).is(201, "")
	one.has(members{"key": "letter", "Location": one.text("content_path"), "case_version": "3"})
	w.do("DELETE", path+"/documents", nil).is(400, "request.invalid")
	w.do("DELETE", path+"/documents?id=doc_none", nil).is(404, "document.not_found")
	w.do("DELETE", path+"/documents?id="+one.text("id")+"&id="+one.text("id"), nil).is(400, "document.ids_invalid")
	w.do("DELETE", path+"/documents?id="+one.text("id")+"&id=doc_none", nil).is(404, "document.not_found")
	if n := len(w.get(path + "/documents").items()); n != 3 {
		t.Errorf("%d documents are left", n)
	}
	w.do("DELETE", path+"/documents?id="+one.text("id"), nil).is(204, "")
}
