package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/api"
)

func TestC8TheNoteOfASubmissionIsInTheHistory(t *testing.T) {
	w := start(t)
	w.putTypes()
	made := w.post("/v1/case-types/loan/cases",
		`{"transition": "open", "data": {"client": "Ann"}, "summary": "By phone", "description": "She\ncalled."}`)
	path := made.is(201, "").header.Get("Location")
	w.do("PATCH", path, `{"data": {"amount": 5}, "summary": "The sum"}`).is(200, "")
	w.post(path+"/transitions/edit", `{"description": "Nothing changed."}`).is(200, "").
		has(members{"version": "3", "revision": "2", "ETag": `"r2"`})
	w.post(path+"/transitions/edit", `{}`).is(200, "").has(members{"version": "3"})
	w.do("PATCH", path, `{"data": {"amount": 6}}`).is(200, "")
	var got []string
	for _, item := range w.get(path+"/history").is(200, "").items() {
		e := item.(map[string]any)
		facts := len(e["facts"].([]any))
		summary, _ := e["summary"].(string)
		description, _ := e["description"].(string)
		got = append(got, fmt.Sprintf("%v %v %q %q", e["version"], facts, summary, description))
	}
	want := `4 1 "" "", 3 0 "" "Nothing changed.", 2 1 "The sum" "", 1 2 "By phone" "She\ncalled."`
	if joined := strings.Join(got, ", "); joined != want {
		t.Errorf("%s, want %s", joined, want)
	}
	journal := string(w.get("/v1/journal?after=beginning").is(200, "").body)
	if strings.Contains(journal, "By phone") || !strings.Contains(journal, "case_created") {
		t.Errorf("receivers get %s", journal)
	}
}

func TestT3ANoteThatIsTooLongIsRefused(t *testing.T) {
	w := start(t, func(c *api.Config) { c.MaxBody = 1 << 20 })
	w.putTypes()
	path := w.open(`{"client": "Ann"}`)
	for field, most := range map[string]int{"summary": 1024, "description": 65_536} {
		note := func(length int) string {
			raw, err := json.Marshal(map[string]string{field: strings.Repeat("ü", length)})
			must(t, err)
			return string(raw)
		}
		for _, refused := range []answer{
			w.do("PATCH", path, note(most+1)),
			w.post(path+"/transitions/edit", note(most+1)),
			w.post("/v1/case-types/loan/cases", note(most+1)),
		} {
			if fields := fmt.Sprint(refused.is(422, "").json()["fields"]); !strings.Contains(fields, "/"+field) {
				t.Errorf("%s names %s", refused.op, fields)
			}
		}
		w.do("PATCH", path, note(most)).is(200, "")
	}
}
