package api_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// storyOfQuestions is about a case that was created with a callback's data, and moved in spite of its warnings.
func (w *world) storyOfQuestions(path string) {
	t := w.t
	all := w.get("/v1/questions?case="+strip(path)).is(200, "").items()
	if len(all) != 2 {
		t.Fatalf("the questions are %v", all)
	}
	newest, oldest := all[0].(map[string]any), all[1].(map[string]any)
	hasMembers(t, "the newest", newest, members{"case_id": strip(path), "version": "4", "case_type": "loan",
		"transition": "submit", "verdict": "warnings", "status": "200", "attempts": "1",
		"url": "${CASEHOOK_VAR_CALLBACKS}/submit"})
	hasMembers(t, "it is by", newest["by"], members{"name": "admin", "source": "api", "address": "127.0.0.1"})
	created := w.get("/v1/questions/"+oldest["id"].(string)).is(200, "")
	created.has(members{"version": "1", "verdict": "accepted", "transition": "open_asked"})
	var paths []any
	for _, change := range created.json()["changes"].([]any) {
		paths = append(paths, change.(map[string]any)["path"])
	}
	if diff := cmp.Diff([]any{"name", "data/amount", "data/client"}, paths); diff != "" {
		t.Error(diff)
	}
	w.answers(200, `{"errors": ["No."]}`)
	w.post("/v1/case-types/loan/cases", `{"transition": "open_asked"}`).is(422, "callback.errors")
	refused := w.get("/v1/questions?type=loan&verdict=errors").is(200, "").items()
	if len(refused) != 1 {
		t.Fatalf("the refused are %v", refused)
	}
	first := refused[0].(map[string]any)
	hasMembers(t, "the refused", first, members{"code": "callback.errors", "transition": "open_asked"})
	if first["case_id"] != nil || first["version"] != nil {
		t.Errorf("it has a case: %v", first)
	}
	answer := w.get("/v1/questions/"+first["id"].(string)).is(200, "").json()["answer"].(map[string]any)
	if answer["body"] != `{"errors": ["No."]}` {
		t.Errorf("the answer is %v", answer)
	}
	w.storyOfDryRuns(path)
	if n := len(w.get("/v1/questions?limit=200").items()); n != 3 {
		t.Errorf("there are %d questions", n)
	}
}

func (w *world) storyOfDryRuns(path string) {
	t := w.t
	version := w.get(path).text("version")
	edit := w.post("/v1/dry-runs", `{"case": `+strip(path)+`, "data": {"email": "x@example.com"}}`).is(200, "").json()
	if edit["allowed"] != true || edit["state"] != "review" || edit["asked"] != nil {
		t.Errorf("an edit: %v", edit)
	}
	refused := w.post("/v1/dry-runs", `{"type": "loan", "transition": "open_asked"}`).is(200, "").json()
	want := map[string]any{"allowed": false, "code": "callback.errors", "state": nil, "errors": []any{"No."}}
	for name, value := range want {
		if diff := cmp.Diff(value, refused[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	w.answers(200, `{"data": {"client": "Cleo"}}`)
	asked := w.post("/v1/dry-runs",
		`{"type": "loan", "transition": "open_asked", "data": {"client": "Ann"}}`).is(200, "").json()["asked"]
	changes, err := json.Marshal(asked.(map[string]any)["changes"])
	if err != nil || string(changes) != `[{"after":"Cleo","before":"Ann","path":"name"},`+
		`{"after":"Cleo","before":"Ann","path":"data/client"}]` {
		t.Errorf("it changes %s, %v", changes, err)
	}
	w.post("/v1/dry-runs", `{"case": `+strip(path)+`, "transition": "nothing"}`).is(404, "transition.not_found")
	for body, fault := range map[string]string{
		`{}`: "/case", `{"case": 1, "type": "loan"}`: "/type", `{"type": "loan", "secret": "x"}`: "/secret",
		`{"type": "loan", "transition": "open", "callback": "x"}`:                                "/callback",
		`{"type": "loan", "transition": "open", "callback": "https://x.example", "secret": "x"}`: "/secret",
	} {
		g := w.post("/v1/dry-runs", body).is(422, "dry_run.invalid")
		if !strings.Contains(string(g.body), `"path":"`+fault+`"`) {
			t.Errorf("%s: %s", body, g.body)
		}
	}
	if now := w.get(path).text("version"); now != version {
		t.Errorf("the case is at version %s, not %s", now, version)
	}
}

// The pages of questions hold still while others are asked.
func TestQuestionsHavePages(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		w.putTypes()
		w.answers(200, `{"errors": ["No."]}`)
		const n = 5
		for range n {
			w.post("/v1/case-types/loan/cases", `{"transition": "open_asked"}`).is(422, "callback.errors")
		}
		seen := map[string]bool{}
		pages := 0
		for next := "/v1/questions?limit=2"; next != ""; pages++ {
			g := w.get(next).is(200, "")
			for _, item := range g.items() {
				seen[item.(map[string]any)["id"].(string)] = true
			}
			cursor, more := g.json()["next"].(string)
			if next = ""; more {
				next = "/v1/questions?limit=2&cursor=" + cursor
			}
			w.post("/v1/case-types/loan/cases", `{"transition": "open_asked"}`).is(422, "callback.errors")
		}
		if len(seen) != n || pages != 3 {
			t.Errorf("%d questions on %d pages", len(seen), pages)
		}
		if got := w.get("/v1/questions?until=2020-01-01T00:00:00Z").is(200, "").items(); len(got) != 0 {
			t.Errorf("long ago: %v", got)
		}
	})
}
