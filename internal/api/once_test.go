package api_test

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"testing"
)

// TestAKeyMakesEveryPostHappenOnce covers every POST of the OpenAPI document.
func TestAKeyMakesEveryPostHappenOnce(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.putTypes()
	path, switched := w.open(`{"client": "Ann"}`), w.open(`{"client": "Bob"}`)
	w.aging()
	refused, dropped, parked := w.refused(`{"retries": []}`), w.refused(`{"retries": []}`), w.refused(`{}`)
	w.deliverAll()
	resend := `{"message": "` + w.get(refused + "/attempts").items()[0].(map[string]any)["message"].(string) + `"`
	file, formType := form("key", "passport", "@file", "contents")
	other, otherType := form("key", "passport", "@file", "contents!")
	endpoint := w.post("/v1/endpoints", `{"url": "https://w.example", "triggers": ["case_created"]}`).is(201, "").
		header.Get("Location")
	bodies := map[string]struct{ path, body, contentType, other, otherType string }{
		"create-case":            {"/v1/case-types/loan/cases", `{"transition": "open"}`, "", `{"transition": "open", "data": {}}`, ""},
		"submit-transition":      {path + "/transitions/submit", `{}`, "", `{"ignore_warning": true}`, ""},
		"add-comment":            {path + "/comments", `{"text": "x"}`, "", `{"text": "y"}`, ""},
		"generate-document":      {path + "/documents", `{"key": "summary"}`, "", `{"key":  "summary"}`, ""},
		"upload-proof":           {path + "/proofs", file, formType, other, otherType},
		"create-endpoint":        {"/v1/endpoints", `{"url": "https://x.example", "triggers": ["case_created"]}`, "", `{"url": "https://y.example", "triggers": ["case_created"]}`, ""},
		"rotate-endpoint-secret": {endpoint + "/secrets", `{}`, "", `{"kind": "v1a"}`, ""},
		"create-replay":          {refused + "/replays", `{"since": "beginning"}`, "", `{"since": "now"}`, ""},
		"resend-message":         {refused + "/resend", resend + "}", "", resend + " }", ""},
		"retry-dead":             {refused + "/dead/retry", `{"all": true}`, "", `{"all":  true}`, ""},
		"test-endpoint":          {refused + "/test", `{"trigger": "case_created"}`, "", `{"trigger": "case_changed"}`, ""},
		"drop-dead":              {dropped + "/dead/drop", `{"all": true}`, "", `{"all":  true}`, ""},
		"retry-parked":           {parked + "/parked/retry", `{"all": true}`, "", `{"all":  true}`, ""},
		"drop-parked":            {parked + "/parked/drop", `{"all": true}`, "", `{"all":  true}`, ""},
		"create-contact":         {"/v1/contacts", `{"is_business": true, "business_name": "x"}`, "", `{"is_business": true, "business_name": "y"}`, ""},
		"rotate-callback-secret": {"/v1/case-types/loan/callbacks/open_asked/secret", `{}`, "", `{"overlap": "1h"}`, ""},
		"migrate-cases":          {"/v1/case-types/aging/migrate", `{}`, "", `{"dry_run": true}`, ""},
		"retire-case-type":       {"/v1/case-types/aging/retire", "", "", "", ""},
		"restore-case-type":      {"/v1/case-types/aging/restore", "", "", "", ""},
		"create-tenant":          {"/v1/tenants", `{"key": "acme"}`, "", `{"key": "other"}`, ""},
		"create-administrator":   {"/v1/tenants/default/administrators", "", "", "", ""},
		"create-label":           {"/v1/labels", `{"slug": "x"}`, "", `{"slug": "y"}`, ""},
		"switch-type":            {switched + "/switch-type", `{"type": "note", "drop": true}`, "", `{"type": "note"}`, ""},
		"create-user":            {"/v1/users", `{"email": "a@x.example", "name": "x"}`, "", `{"email": "b@x.example", "name": "x"}`, ""},
		"create-job":             {"/v1/jobs", `{"cases": [1], "action": {"kind": "unassign"}}`, "", `{"cases": [2], "action": {"kind": "unassign"}}`, ""},
		"create-view":            {"/v1/views", `{"name": "x", "page": "/cases"}`, "", `{"name": "y", "page": "/cases"}`, ""},
		"create-portal-link":     {"/v1/portal-links", `{"endpoint": "` + strip(endpoint) + `"}`, "", `{"endpoint": "` + strip(endpoint) + `", "hours": 1}`, ""},
		"create-token":           {"/v1/tokens", `{"name": "x"}`, "", `{"name": "y"}`, ""},
		"create-own-token":       {"/v1/own-tokens", `{"name": "x"}`, "", `{"name": "y"}`, ""},
	}
	w.person("ada@example.org", "viewer")
	inSession := []string{"Authorization", "", "Cookie", w.signIn("ada@example.org")}
	w.post("/v1/tenants", `{"key": "second"}`).is(201, "")
	for _, d := range w.operations() {
		// each begins a new session, saves nothing, or happens once by itself
		if d.method != "POST" || d.id == "create-session" || d.id == "change-password" || d.id == "dry-run-transition" ||
			d.id == "check-page" || d.id == "run-backtest" || d.id == "claim-question" || d.id == "answer-question" {
			continue
		}
		c, ok := bodies[d.id]
		if !ok {
			t.Errorf("%s is not tried here", d.id)
			continue
		}
		if c.contentType == "" {
			c.contentType, c.otherType = "application/json", "application/json"
		}
		var as []string
		if slices.Contains(ofSessions, d.id) {
			as = inSession
		}
		post := func(body, contentType string, header ...string) answer {
			return w.post(c.path, body, slices.Concat(as, header, []string{"Content-Type", contentType})...)
		}
		first := post(c.body, c.contentType, "Idempotency-Key", "key 1")
		again := post(c.body, c.contentType, "Idempotency-Key", "key 1")
		if first.status > 201 || again.status != first.status || !bytes.Equal(first.body, again.body) {
			t.Errorf("%s: %d %s, then %d %s", d.id, first.status, first.body, again.status, again.body)
		}
		for _, name := range []string{"ETag", "Location", "Content-Type"} {
			if first.header.Get(name) != again.header.Get(name) {
				t.Errorf("%s: %s was %q and is %q", d.id, name, first.header.Get(name), again.header.Get(name))
			}
		}
		if first.header.Get("Idempotency-Replayed") != "" || again.header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("%s does not say which is the replay", d.id)
		}
		if c.other == "" { // without a body, another request has another path
			other := strings.NewReplacer("open_asked", "submit", "default", "second", "aging/re",
				"loan/re").Replace(c.path)
			w.post(other, "", "Idempotency-Key", "key 1").is(422, "idempotency.key_reused")
			continue
		}
		post(c.other, c.otherType, "Idempotency-Key", "key 1").is(422, "idempotency.key_reused")
		w.post(switched+"/comments", `{"text": "x"}`) // so that it differs from the first answer
		fresh := post(c.body, c.contentType)
		if bytes.Equal(fresh.body, first.body) && !strings.HasSuffix(d.id, "-parked") { // these count the same again
			t.Errorf("%s: without the key it is the same again", d.id)
		}
	}
	if n := len(w.get(path + "/comments").items()); n != 2 {
		t.Errorf("there are %d comments, not 2", n)
	}
	w.post("/v1/tokens", `{"name": "x"}`, "Idempotency-Key", strings.Repeat("k", 256)).is(400, "request.invalid")
}

// aging makes a case type and a case of its first version, which is not the newest.
func (w *world) aging() (path string) {
	w.t.Helper()
	definition := strings.Replace(note, `"note"`, `"aging"`, 1)
	w.do("PUT", "/v1/case-types/aging", definition).is(201, "")
	path = w.post("/v1/case-types/aging/cases", `{"data": {"text": "x"}}`).is(201, "").header.Get("Location")
	w.do("PUT", "/v1/case-types/aging", strings.Replace(definition, `"aging"`, `"aging", "name": "Newer"`, 1)).
		is(200, "")
	return path
}

// A client that repeats an upload encodes the form anew.
func TestARepeatedFormMayHaveAnotherBoundary(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.putTypes()
	path := w.open(`{}`)
	var answers []string
	for range 2 {
		body, contentType := form("key", "passport", "@file", "contents")
		answers = append(answers,
			w.post(path+"/proofs", body, "Content-Type", contentType, "Idempotency-Key", "k").is(201, "").text("id"))
	}
	if answers[0] != answers[1] || len(w.get(path+"/proofs").items()) != 1 {
		t.Errorf("it was done twice: %v", answers)
	}
}

func TestOfManyAtOnceOneHappens(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.putTypes()
	var wait sync.WaitGroup
	answers := make([]answer, 8)
	for i := range answers {
		wait.Go(func() {
			answers[i] = w.post("/v1/case-types/note/cases", `{"data": {"text": "x"}}`, "Idempotency-Key", "k")
		})
	}
	wait.Wait()
	for _, a := range answers {
		if a.status != 201 || !bytes.Equal(a.body, answers[0].body) {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	if n := len(w.get("/v1/cases").items()); n != 1 {
		t.Errorf("there are %d cases", n)
	}
}
