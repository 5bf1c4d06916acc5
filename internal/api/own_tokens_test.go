package api_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// storyOfOwnTokens follows storyOfPeople.
func (w *world) storyOfOwnTokens() {
	t := w.t
	as := []string{"Authorization", "", "Cookie", w.signIn("ada@example.org")}
	made := w.post("/v1/own-tokens", `{"name": "import", "role": "viewer"}`, as...).is(201, "")
	bearer := "Bearer " + made.text("token")
	all := w.get("/v1/own-tokens", as...).is(200, "")
	if len(all.items()) != 1 || bytes.Contains(all.body, []byte("chk_")) {
		t.Errorf("the own tokens are %s", all.body)
	}
	w.get("/v1/cases", "Authorization", bearer).is(200, "")
	if listed := w.get("/v1/tokens").is(200, ""); !bytes.Contains(listed.body, []byte(`"owner":{"user_id":`)) {
		t.Errorf("administrators see the tokens %s", listed.body)
	}
	w.do("DELETE", made.header.Get("Location"), nil, as...).is(204, "")
	w.get("/v1/cases", "Authorization", bearer).is(401, "token.invalid")
	w.do("DELETE", "/v1/session", nil, as...).is(204, "")
}

func TestAUsersTokensAreTheirsAlone(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.putTypes()
	ada := w.person("ada@example.org", "caseworker")
	w.person("bob@example.org", "admin")
	as := func(email string) []string { return []string{"Authorization", "", "Cookie", w.signIn(email)} }
	first, other := as("ada@example.org"), as("bob@example.org")
	w.post("/v1/own-tokens", `{"name": "x", "role": "manager"}`, first...).is(422, "token.unusable")
	made := w.post("/v1/own-tokens", `{"name": "import"}`, first...).is(201, "")
	made.has(members{"name": "import", "role": "caseworker", "clearance": "PRIVATE"})
	bearer := "Bearer " + made.text("token")

	if all := w.get("/v1/own-tokens", other...).is(200, ""); len(all.items()) != 0 {
		t.Errorf("another user sees %s", all.body)
	}
	w.do("DELETE", made.header.Get("Location"), nil, other...).is(404, "token.not_found")
	w.post("/v1/own-tokens", `{"name": "more"}`, "Authorization", bearer).is(409, "session.none")
	w.post("/v1/tokens", `{"name": "more"}`, "Authorization", bearer).is(403, "access.denied")
	if all := w.get("/v1/own-tokens", "Authorization", bearer).is(200, ""); len(all.items()) != 0 {
		t.Errorf("a token sees the own tokens %s", all.body)
	}

	note := w.post("/v1/case-types/note/cases", `{"data": {"text": "x"}}`, "Authorization", bearer).is(201, "")
	history := w.get(note.header.Get("Location")+"/history").is(200, "")
	by := history.items()[0].(map[string]any)["by"].(map[string]any)
	delete(by, "address")
	want := fmt.Sprintf("map[name:import owner:map[name:Ada user_id:%s] source:api token_id:%s]",
		strip(ada), made.text("id"))
	if got := fmt.Sprint(by); got != want {
		t.Errorf("the case was created by %s, want %s", got, want)
	}

	w.do("PATCH", ada, `{"role": "viewer"}`).is(200, "")
	w.post("/v1/case-types/note/cases", `{"data": {"text": "x"}}`, "Authorization", bearer).is(403, "access.denied")
	w.get("/v1/cases", "Authorization", bearer).is(200, "")
	w.do("PATCH", ada, `{"disabled": true}`).is(200, "")
	w.get("/v1/cases", "Authorization", bearer).is(401, "token.invalid")
	w.do("DELETE", "/v1/tokens/"+made.text("id"), nil, other...).is(204, "")
	if all := w.get("/v1/tokens").is(200, ""); bytes.Contains(all.body, []byte(made.text("id"))) {
		t.Errorf("the revoked token is among %s", all.body)
	}
	if audit := string(w.get("/v1/audit").is(200, "").body); !strings.Contains(audit, `"token.created"`) ||
		!strings.Contains(audit, `"token.revoked"`) {
		t.Errorf("the audit is %s", audit)
	}
}

func TestAUserHasABoundedNumberOfTokens(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.person("ada@example.org", "viewer")
	as := []string{"Authorization", "", "Cookie", w.signIn("ada@example.org")}
	var last string
	for range 20 {
		last = w.post("/v1/own-tokens", `{"name": "x"}`, as...).is(201, "").header.Get("Location")
	}
	w.post("/v1/own-tokens", `{"name": "x"}`, as...).is(409, "token.too_many")
	w.do("DELETE", last, nil, as...).is(204, "")
	w.post("/v1/own-tokens", `{"name": "x"}`, as...).is(201, "")
}
