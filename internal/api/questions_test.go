package api_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strconv"
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
	w.storyOfStarts(path)
	w.storyOfBacktests()
	w.storyOfWorkers()
	if n := len(w.get("/v1/questions?limit=200").items()); n != 3 {
		t.Errorf("there are %d questions", n)
	}
}

// storyOfStarts starts transitions that have no callbacks before their submission.
func (w *world) storyOfStarts(path string) {
	begun := w.get("/v1/starts?case="+strip(path)+"&transition=edit").is(200, "")
	begun.has(members{"case_id": strip(path), "state": "review", "transition": "edit"})
	if begun.text("token") == "" {
		w.t.Errorf("there is no token: %s", begun.body)
	}
	w.get("/v1/starts?type=loan&transition=open").is(200, "").has(members{"transition": "open"})
	checked := w.post("/v1/page-checks",
		`{"type": "loan", "transition": "open", "page": "1", "data": {"client": "Ann"}}`).is(200, "")
	if data, ok := checked.json()["data"].(map[string]any); !ok || data["client"] != "Ann" {
		w.t.Errorf("the page is %s", checked.body)
	}
}

// permitForm is a case type whose callbacks are asked before a submission, and after.
const permitForm = `
key: form
edit: edit
fields: { type: object, properties: { text: { type: string } } }
states: [{ key: new }]
transitions:
  - key: open
    to: new
    about_to_start: { url: "${CASEHOOK_VAR_CALLBACKS}/start", timeout: 1s, retries: [] }
    pages: [{ key: "1", mid_event: { url: "${CASEHOOK_VAR_CALLBACKS}/page", timeout: 1s, retries: [] } }]
    submitted: { url: "${CASEHOOK_VAR_CALLBACKS}/done", timeout: 1s, retries: [] }
  - { key: edit, from: [new] }
`

// TestAStartedTransitionIsSubmittedWithItsToken: the token is of one start, and the submission is confirmed.
func TestAStartedTransitionIsSubmittedWithItsToken(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.do("PUT", "/v1/case-types/form", permitForm, "Content-Type", "application/yaml").is(201, "")
	w.answers(200, `{"data": {"text": "begun"}}`)
	token := w.get("/v1/starts?type=form&transition=open").is(200, "").text("token")
	w.answers(200, `{"confirmation_header": "# Done"}`)
	create := func() answer {
		return w.post("/v1/case-types/form/cases", `{"start_token": "`+token+`", "data": {"text": "x"}}`,
			"Idempotency-Key", "k").is(201, "")
	}
	made := create()
	if c, ok := made.json()["confirmation"].(map[string]any); !ok || c["header"] != "# Done" {
		t.Errorf("it is not confirmed: %s", made.body)
	}
	if again := create(); !bytes.Equal(again.body, made.body) {
		t.Errorf("the repeated answer is %s", again.body)
	}
	path := made.header.Get("Location")
	w.post("/v1/case-types/form/cases", `{"start_token": "`+token+`", "transition": "edit"}`).is(404, "start.not_found")
	w.do("PATCH", path, `{"start_token": "`+token+`"}`).is(404, "start.not_found")
	for _, e := range w.get(path + "/history").items() {
		if c, ok := e.(map[string]any)["confirmation"].(map[string]any); !ok || c["header"] != "# Done" {
			t.Errorf("the history has %v", e)
		}
	}
	w.do("PATCH", path, `{"start_token": "nonsense"}`).is(404, "start.not_found")
	token = w.get("/v1/starts?case="+strip(path)+"&transition=edit").is(200, "").text("token")
	w.do("PATCH", path, `{"start_token": "`+token+`", "data": {"text": "y"}}`).is(200, "")
	w.do("PATCH", path, `{"start_token": "`+token+`", "data": {"text": "z"}}`).is(409, "case.version_conflict")
	context := base64.StdEncoding.EncodeToString([]byte(`{"task":7}`))
	w.get("/v1/starts?type=form&transition=open", "Client-Context", context).is(200, "").
		has(members{"Client-Context": context})
	w.get("/v1/starts?type=form&transition=open", "Client-Context", "x").is(400, "request.client_context")
	w.get("/v1/starts?type=form&transition=open&case=1").is(400, "request.invalid")
	w.post("/v1/page-checks", `{"transition": "open"}`).is(400, "request.body_invalid")
	w.post("/v1/page-checks", `{"type": "form", "transition": "open", "data": {"text": 7}}`).is(422,
		"case.data_invalid")
}

// problemsOfStarts provokes the problems of what comes before a submission.
func (w *world) problemsOfStarts() {
	w.do("PUT", "/v1/case-types/form", permitForm, "Content-Type", "application/yaml").is(201, "")
	ask := func(status int, code string) {
		w.get("/v1/starts?type=form&transition=open").is(status, code)
		w.post("/v1/page-checks", `{"type": "form", "transition": "open", "page": "1"}`).is(status, code)
	}
	w.answers(200, `{"errors": ["No."]}`)
	ask(422, "callback.errors")
	w.answers(500, "")
	ask(502, "callback.failed")
	w.silent()
	ask(504, "callback.timeout")
	w.get("/v1/starts?type=form&transition=nothing").is(404, "transition.not_found")
	w.get("/v1/starts?type=form&transition=edit").is(409, "case.transition_not_allowed")
	w.post("/v1/page-checks", `{"type": "nothing", "transition": "edit"}`).is(404, "case_type.not_found")
	w.post("/v1/page-checks", `{"type": "form", "transition": "edit"}`).is(409, "case.transition_not_allowed")
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

// storyOfBacktests asks about the submissions that were asked about before.
func (w *world) storyOfBacktests() {
	t := w.t
	w.answers(200, `{"data": {"client": "Cleo"}}`)
	definition, err := json.Marshal(w.get("/v1/case-types/loan").is(200, "").json()["definition"])
	if err != nil {
		t.Fatal(err)
	}
	in := `{"type": "loan", "transition": "open_asked", "limit": 1, "definition": ` + strconv.Quote(string(definition))
	var cursor string
	asked := 0
	for range 9 {
		page := w.post("/v1/backtests", in+cursor+`}`).is(200, "").json()
		n, err := page["asked"].(json.Number).Int64()
		asked += int(n)
		if err != nil || page["items"] == nil {
			t.Errorf("it answers %v, %v", page, err)
		}
		if page["next"] == nil {
			break
		}
		cursor = `, "cursor": "` + page["next"].(string) + `"`
	}
	if asked == 0 {
		t.Error("nothing was asked about")
	}
	w.post("/v1/backtests", in+`, "cursor": "nonsense"}`).is(422, "request.cursor_invalid")
	w.post("/v1/backtests", `{"type": "loan", "transition": "open_asked"}`).is(422, "backtest.invalid")
	w.post("/v1/backtests", `{"type": "loan", "transition": "x", "callback": "https://x.example"}`).
		is(404, "transition.not_found")
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
