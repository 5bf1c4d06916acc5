package api_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/wire"
)

// dent is a type of claims with a field that not everybody sees. The name is made of it.
const dent = `{"key": "dent", "kind": "claim", "edit": "amend", "name_template": "{text} {secret}", "fields": {"type": "object", "properties": {
	"text": {"type": "string"}, "cost": {"type": "number"}, "secret": {"type": "string", "x-classification": "PRIVATE"}}},
	"states": [{"key": "open"}, {"key": "closed", "final": true}], "transitions": [{"key": "report", "to": "open"}, {"key": "record", "to": "closed"},
	{"key": "amend", "from": ["open"]}, {"key": "close", "from": ["open"], "to": "closed"}, {"key": "reopen", "from": ["closed"], "to": "open"}]}`

const dented = `{"transition": "report", "data": {"text": "<b> & \u2028 Ü", "cost": 1.50e2, "secret": "s"}}`

// claimOf returns the claim's path for a case's path.
func claimOf(path string) string { return strings.Replace(path, "/cases/", "/claims/", 1) }

// claimsOf is claimOf for several.
func claimsOf(paths []string) (claims []string) {
	for _, path := range paths {
		claims = append(claims, claimOf(path))
	}
	return claims
}

// storyOfClaims reports a claim, closes it and has it opened again.
func (w *world) storyOfClaims() {
	t := w.t
	w.do("PUT", "/v1/case-types/dent", dent).is(201, "")
	path := w.post("/v1/case-types/dent/cases", dented).is(201, "").header.Get("Location")
	made := w.get(claimOf(path)).is(200, "")
	made.has(members{
		"ETag": `"r1"`, "status": "open", "opened_at": made.text("created_at"), "claim_duration": "0",
		"assigned_at": nil, "last_activity_by": nil,
	})
	w.post(path+"/transitions/close", "").is(200, "")
	w.post(path+"/transitions/reopen", "").is(200, "")
	again := w.get(claimOf(path)).is(200, "")
	if again.text("opened_at") != again.text("last_activity_at") || again.json()["closed_at"] != nil ||
		again.text("created_at") != made.text("created_at") {
		t.Errorf("reopened: %s", again.body)
	}
	w.do("DELETE", path, nil).is(204, "")
	w.get(claimOf(path)).is(404, "case.not_found")
}

// comparison compares what the API answers with what events carry.
type comparison struct {
	world    *world
	bearer   map[casetype.Classification]string
	compared map[casetype.Classification]int // how many messages were compared
	triggers []string                        // the triggers that were
}

func (w *world) comparison() *comparison {
	a := &comparison{w, map[casetype.Classification]string{}, map[casetype.Classification]int{}, nil}
	for _, c := range []casetype.Classification{casetype.Restricted, casetype.Public} {
		a.bearer[c] = w.token(`{"name": "reader", "role": "viewer", "clearance": "` + string(c) + `"}`)
	}
	return a
}

// same checks that each message about the subject since the last call, under triggers
// that begin with kind, carries the object that the path answers with.
func (a *comparison) same(kind, path string, triggers ...string) {
	a.world.t.Helper()
	for clearance, bearer := range a.bearer {
		answer := a.world.get(path, "Authorization", bearer).is(200, "")
		all := a.world.messages(clearance)
		var got []string
		for _, m := range all[a.compared[clearance]:] {
			var body map[string]json.RawMessage
			must(a.world.t, json.Unmarshal([]byte(m.Body), &body))
			if object, ok := body[kind]; ok {
				if got = append(got, m.Trigger); !bytes.Equal(object, bytes.TrimSpace(answer.body)) {
					a.world.t.Errorf("%s as %s tells %s\nand GET %s answers %s", m.Trigger, clearance, object,
						path, answer.body)
				}
			}
		}
		if a.compared[clearance] = len(all); !slices.Equal(got, triggers) {
			a.world.t.Errorf("got %v, want %v", got, triggers)
		}
	}
	a.triggers = append(a.triggers, triggers...)
}

func TestTheAPIAnswersWithTheVeryObjectThatEveryClaimAndContactEventCarries(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		a := w.comparison()
		a.claims()
		a.contacts()
		for _, f := range []wire.Format{wire.ClaimEvents, wire.ContactEvents} {
			for _, trigger := range f.Triggers {
				if trigger.Name != "claim.deleted" && !slices.Contains(a.triggers, trigger.Name) {
					t.Errorf("%s was not compared", trigger.Name)
				}
			}
		}
	})
}

func (a *comparison) claims() {
	a.world.do("PUT", "/v1/case-types/dent", dent).is(201, "")
	a.world.do("PUT", "/v1/case-types/scratch", strings.Replace(dent, `"dent"`, `"scratch"`, 1)).is(201, "")
	a.world.post("/v1/labels", `{"slug": "urgent"}`).is(201, "")
	grace := a.world.post("/v1/users", `{"email": "grace@example.org", "name": "Grace <Hopper>"}`).is(201, "").
		text("id")
	path := a.world.post("/v1/case-types/dent/cases", dented).is(201, "").header.Get("Location")
	a.same("claim", claimOf(path), "claim.created")
	for _, step := range []struct {
		method, path, body string
		triggers           []string
	}{
		{"PUT", "/labels/urgent", "", []string{"claim.label_added", "claim.label.added"}},
		{"PUT", "/assignee", `{"user_id": ` + grace + `}`, []string{"claim.assigned"}},
		{"DELETE", "/labels/urgent", "", []string{"claim.label_removed", "claim.label.removed"}},
		{"POST", "/transitions/close", `{}`, []string{"claim.closed"}},
		{"POST", "/transitions/reopen", `{}`, []string{"claim.reopened"}},
		{"POST", "/switch-type", `{"type": "scratch"}`, []string{"claim.switched_type"}},
		{"DELETE", "/assignee", "", []string{"claim.unassigned"}},
		{"PATCH", "", `{"data": {"cost": 1.5}}`, nil},
		{"POST", "/comments", `{"text": "well"}`, nil},
		{"PUT", "/labels/urgent", "", []string{"claim.label_added", "claim.label.added"}},
	} {
		var body any
		if step.body != "" {
			body = step.body
		}
		if g := a.world.do(step.method, path+step.path, body); g.status > 299 {
			a.world.t.Fatalf("%s: %s", g.op, g.body)
		}
		a.same("claim", claimOf(path), step.triggers...)
	}
	born := a.world.post("/v1/case-types/dent/cases", `{"transition": "record"}`).is(201, "").header.Get("Location")
	a.same("claim", claimOf(born), "claim.created", "claim.closed")
}

func (a *comparison) contacts() {
	made := a.world.post("/v1/contacts", `{"first_name": "Ada <&>", "last_name": "Lovelace", "state": "Ü"}`).is(201, "")
	path := made.header.Get("Location")
	a.same("contact", path, "contact.created")
	object := bytes.TrimSpace(a.world.get(path).is(200, "").body)
	for _, g := range []answer{made, a.world.get("/v1/contacts").is(200, ""),
		a.world.do("PATCH", path, `{}`).is(200, "")} {
		if !bytes.Contains(g.body, object) {
			a.world.t.Errorf("%s answers %s, not with %s", g.op, g.body, object)
		}
	}
}

func TestAClaimIsReadByWhoMayReadItsCase(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		w.putTypes()
		w.do("PUT", "/v1/case-types/dent", dent).is(201, "")
		w.do("PUT", "/v1/case-types/closed", strings.Replace(strings.Replace(dent, `"dent"`, `"closed"`, 1), `"fields"`,
			`"access": {"read": ["manager"]}, "fields"`, 1)).is(201, "")
		plain := claimOf(w.open(`{"client": "Ann"}`))
		path := claimOf(w.post("/v1/case-types/dent/cases", dented).is(201, "").header.Get("Location"))
		closed := claimOf(w.post("/v1/case-types/closed/cases", `{"transition": "report"}`).is(201, "").
			header.Get("Location"))
		viewer := w.token(`{"name": "v", "role": "viewer", "clearance": "PUBLIC"}`)
		if problem := w.get(plain).is(404, "claim.not_found"); !strings.Contains(problem.text("detail"), "kind case") {
			t.Errorf("a case is refused with %s", problem.body)
		}
		w.get(path, "Authorization", "").is(401, "token.missing")
		w.get(closed, "Authorization", viewer).is(404, "case.not_found")
		w.get(closed, "Authorization", w.token(`{"name": "m", "role": "manager"}`)).is(200, "")
		shown := w.get(path, "Authorization", viewer).is(200, "")
		if _, there := shown.json()["secret"]; there || shown.text("title") != shown.text("claim_ref") {
			t.Errorf("a viewer sees %s", shown.body)
		}
		elsewhere := w.post("/v1/tenants", `{"key": "acme", "name": "Acme"}`).is(201, "").text("token")
		w.get(path, "Authorization", "Bearer "+elsewhere).is(404, "case.not_found")
		w.do("PUT", "/v1/case-types/dark", strings.Replace(strings.Replace(dent, `"dent"`, `"dark"`, 1), `"kind"`,
			`"security_classification": "PRIVATE", "kind"`, 1)).is(201, "")
		dark := claimOf(w.post("/v1/case-types/dark/cases", `{"transition": "report"}`).is(201, "").
			header.Get("Location"))
		w.get(dark, "Authorization", viewer).is(404, "case.not_found")
	})
}

func TestTheVersionOfAContactIsInItsETag(t *testing.T) {
	t.Parallel()
	w := start(t)
	made := w.post("/v1/contacts", `{"first_name": "Ada", "last_name": "Lovelace"}`, "Idempotency-Key", "k").is(201, "")
	again := w.post("/v1/contacts", `{"first_name": "Ada", "last_name": "Lovelace"}`, "Idempotency-Key",
		"k").is(201, "")
	changed := w.do("PATCH", made.header.Get("Location"), `{"city": "Bern"}`, "If-Match",
		made.header.Get("ETag")).is(200, "")
	made.has(members{"ETag": `"r1"`})
	again.has(members{"ETag": `"r1"`})
	changed.has(members{"ETag": `"r2"`})
}
