package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

const nobody = "/v1/cases/1000000000000009" // a valid id that no case has

// unprovoked are the problems that no single client can cause at will: two requests must meet, or the server must
// fail. Tests of idempotency provoke the 422s.
var unprovoked = map[string]bool{
	// TestBadAnswersOfAProvider provokes the faults that need an OpenID Connect provider.
	"begin-oidc 401": true, "begin-oidc 502": true, "finish-oidc 403": true, "finish-oidc 502": true,

	"put-case-type 409": true, "add-comment 409": true, "generate-document 409": true, "upload-proof 409": true,
	"create-portal-link 409": true, // TestPortalLinksAreBounded
	"create-token 409":       true, "migrate-cases 409": true,
	"retire-case-type 409": true, "retire-case-type 422": true, "restore-case-type 409": true, "restore-case-type 422": true, "set-targets 409": true, "create-case 409": true,
	"poll-journal 410": true, "stream-journal 410": true, // TestAPlaceBelowWhatIsKeptIsGone provokes them
	"poll-journal 429": true, "stream-journal 429": true, // TestStreamsAreBounded provokes them
	"claim-question 429":  true,                              // likewise
	"answer-question 409": true, "answer-question 410": true, // TestAnAnswerBehindTheDeadlineIsNotUsed and its neighbours
	"test-endpoint 409": true, "test-endpoint 429": true, // TestTestsAreBounded
	"get-case-type-openapi 422": true, // TestACaseTypesDocumentIsBounded
	"retry-dead 409":            true, "drop-dead 409": true, "retry-parked 409": true, "drop-parked 409": true,
	"create-replay 409": true, "resend-message 409": true, "cancel-replay 409": true, // TestAReplayThatMakesNoSenseIsRefused
	"change-password 409": true, "change-password 429": true, // TestWrongOldPasswordsCountAsFailedSignIns, TestPeopleChangeTheirOwnPassword
	"create-contact 409": true, "link-contact 409": true, // full: proven in the store
}

// TestEveryDocumentedProblemHappens provokes each problem of each operation. Faults that all
// operations share are enumerated from the OpenAPI document.
func TestEveryDocumentedProblemHappens(t *testing.T) {
	t.Parallel()
	var ready error
	w := start(t, func(c *api.Config) { c.Ready = func(context.Context) error { return ready } })
	ready = fault.New(fault.Unavailable, "server.not_ready", "The database does not answer.")
	w.get("/readyz").is(503, "server.not_ready")
	ready = nil
	elsewhere := w.token(`{"name": "elsewhere", "allowed_addresses": ["192.0.2.1"]}`)
	for _, d := range w.operations() {
		w.do(d.method, d.concrete("nonsense"), nil).is(400, "request.invalid")
		if !strings.HasPrefix(d.path, "/v1/") {
			continue
		}
		if !d.open() {
			w.do(d.method, d.concrete(), nil, "Authorization", "").is(401, "token.missing")
			w.do(d.method, d.concrete(), nil, "Authorization", elsewhere).is(403, "token.address_not_allowed")
		}
		if d.op["requestBody"] == nil {
			continue
		}
		if d.hasResponse("415") && d.id != "upload-proof" {
			w.do(d.method, d.concrete(), "x", "Content-Type", "text/plain").is(415, "request.content_type")
			w.do(d.method, d.concrete(), strings.Repeat(" ", 65<<10)).is(413, "request.too_large")
		}
		if d.hasResponse("422") && d.id != "put-case-type" && d.id != "upload-proof" {
			g := w.do(d.method, d.concrete(), `{"nonsense": 1}`).is(422, "request.body_invalid")
			if !strings.Contains(string(g.body), `{"path":"/nonsense","message":"unexpected property`) {
				t.Errorf("%s: %s", d.id, g.body)
			}
			w.do(d.method, d.concrete(), `{"data": `).is(400, "json.malformed")
			w.do(d.method, d.concrete(), `[1]`).is(400, "json.malformed")
		}
	}
	w.putTypes()
	w.problemsOfCases()
	w.problemsOfFields()
	w.problemsOfCallbacks()
	w.problemsOfContacts()
	w.problemsOfTheRest()
	w.problemsOfPeople()
	for _, path := range []string{"/v1/oidc/login", "/v1/oidc/callback"} {
		w.get(path, "Authorization", "").is(404, "oidc.off")
	}
	for _, d := range w.operations() {
		for status := range d.responses() {
			if key := d.id + " " + status; status >= "400" && status != "500" && !unprovoked[key] && !w.seen[key] {
				t.Errorf("%s was never provoked", key)
			}
		}
	}
}

// provoke is one request and the problem that it meets.
type provoke struct {
	method, path, body string
	status             int
	code               string
}

func (w *world) provoke(all []provoke) {
	w.t.Helper()
	for _, p := range all {
		var body any
		if p.body != "" {
			body = p.body
		}
		w.do(p.method, p.path, body).is(p.status, p.code)
	}
}

func (w *world) problemsOfCases() {
	ann := w.open(`{"client": "Ann"}`)
	anonymous := w.open(`{}`)
	written := w.post("/v1/case-types/note/cases", `{"data": {"text": "x"}}`).is(201, "").header.Get("Location")
	w.provoke([]provoke{
		{"GET", "/v1/cases/4242", "", 404, "case.not_found"},
		{"GET", "/v1/cases/nonsense", "", 404, "case.not_found"},
		{"GET", nobody, "", 404, "case.not_found"},
		{"GET", claimOf(nobody), "", 404, "case.not_found"},
		{"GET", claimOf(ann), "", 404, "claim.not_found"},
		{"PATCH", nobody, `{"name": "x"}`, 404, "case.not_found"},
		{"DELETE", nobody, "", 404, "case.not_found"},
		{"GET", nobody + "/history", "", 404, "case.not_found"},
		{"GET", nobody + "/comments", "", 404, "case.not_found"},
		{"POST", nobody + "/comments", `{"text": "x"}`, 404, "case.not_found"},
		{"GET", nobody + "/case-roles", "", 404, "case.not_found"},
		{"PUT", nobody + "/case-roles", `{"group": "x", "roles": []}`, 404, "case.not_found"},
		{"PUT", ann + "/case-roles", `{"group": "x", "roles": ["[OWNER]"]}`, 422, "case.roles_invalid"},
		{"POST", nobody + "/transitions/submit", `{}`, 404, "case.not_found"},
		{"POST", "/v1/case-types/nobody/cases", `{}`, 404, "case_type.not_found"},
		{"GET", "/v1/case-types/nothing/openapi", "", 404, "case_type.not_found"},
		{"POST", "/v1/case-types/loan/cases", `{}`, 422, "case.transition_required"},
		{"POST", "/v1/case-types/loan/cases", `{"transition": "nonsense"}`, 404, "transition.not_found"},
		{"POST", "/v1/case-types/loan/cases", `{"transition": "open", "data": {"nonsense": 1}}`, 422, ""},
		{"POST", "/v1/case-types/loan/cases", `{"transition": "open", "data": {"amount": "much"}}`, 422, "case.data_invalid"},
		{"POST", "/v1/case-types/nobody/retire", "", 404, "case_type.not_found"},
		{"POST", "/v1/case-types/nobody/restore", "", 404, "case_type.not_found"},
		{"POST", "/v1/case-types/nobody/migrate", `{}`, 404, "case_type.not_found"},
		{"POST", "/v1/case-types/loan/migrate", `{"to": 99}`, 422, "case_type.migration_refused"},
		{"POST", "/v1/case-types/loan/migrate", `{"after": "nonsense"}`, 422, "request.cursor_invalid"},
		{"POST", ann + "/transitions/nonsense", `{}`, 404, "transition.not_found"},
		{"POST", ann + "/transitions/finish", "", 409, "case.transition_not_allowed"},
		{"POST", "/v1/dry-runs", `{"case": ` + strip(ann) + `, "transition": "finish"}`, 409, "case.transition_not_allowed"},
		{"POST", "/v1/dry-runs", `{"case": ` + strip(nobody) + `}`, 404, "case.not_found"},
		{"POST", "/v1/backtests", `{"type": "nobody", "transition": "open", "callback": "https://x.example"}`, 404, "case_type.not_found"},
		{"GET", "/v1/questions/nonsense", "", 404, "question.not_found"},
		{"GET", "/v1/case-types/nobody/callbacks/open/shadow", "", 404, "case_type.not_found"},
		{"POST", "/v1/questions/nonsense/answer", `{}`, 404, "question.not_found"},
		{"POST", "/v1/views", `{"name": " ", "page": "//elsewhere.example"}`, 422, "view.invalid"},
		{"DELETE", "/v1/views/none", "", 404, "view.not_found"},
		{"DELETE", "/v1/sessions/none", "", 404, "session.not_found"},
		{"DELETE", "/v1/sessions", "", 409, "session.none"},
		{"DELETE", "/v1/own-tokens/none", "", 404, "token.not_found"},
		{"POST", "/v1/own-tokens", `{"name": "x"}`, 409, "session.none"},
		{"POST", "/v1/portal-links", `{"endpoint": "ep_none"}`, 422, "portal_link.invalid"},
		{"DELETE", "/v1/portal-links/none", "", 404, "portal_link.not_found"},
		{"POST", "/v1/jobs", `{"action": {"kind": "unassign"}}`, 422, "job.invalid"},
		{"POST", "/v1/jobs", `{"action": {"kind": "assign"}, "cases": [1]}`, 422, "job.invalid"},
		{"GET", "/v1/jobs/none", "", 404, "job.not_found"},
		{"GET", "/v1/jobs/none/cases", "", 404, "job.not_found"},
		{"PUT", nobody + "/presence", `{}`, 404, "case.not_found"},
		{"GET", nobody + "/presence", "", 404, "case.not_found"},
		{"DELETE", nobody + "/presence", "", 404, "case.not_found"},
		{"DELETE", "/v1/jobs/none", "", 404, "job.not_found"},
		{"POST", "/v1/jobs", `{"action": {"kind": "unassign"}, "select": {}, "at_most": 1}`, 409, "job.more_cases"},
		{"POST", ann + "/transitions/submit", `{"data": {"email": "a@b.example"}}`, 422, "case.fields_not_allowed"},
		{"POST", anonymous + "/transitions/submit", "", 422, "case.precondition_failed"},
		{"PATCH", written, `{"name": "x"}`, 403, "case.no_edit"},
		{"POST", ann + "/comments", `{"text": " "}`, 422, "comment.invalid"},
	})
	for range 100 {
		w.post("/v1/views", `{"name": "x", "page": "/cases"}`).is(201, "")
	}
	w.post("/v1/views", `{"name": "x", "page": "/cases"}`).is(409, "view.too_many")
	w.problemsOfMarks(ann)
	for method, path := range map[string]string{"PATCH": ann, "POST": ann + "/transitions/submit", "DELETE": ann} {
		var body any
		if method != "DELETE" {
			body = `{}`
		}
		w.do(method, path, body, "If-Match", `"r7"`).is(409, "case.version_conflict")
		for _, wrong := range []string{`r1`, `"r1`, `w/"r1"`, `"r1" "r2"`, `*, "r1"`} {
			w.do(method, path, body, "If-Match", wrong).is(400, "request.if_match")
		}
	}
	w.get(ann).is(200, "")
	for _, list := range []string{"/v1/cases", ann + "/history", ann + "/comments", ann + "/documents", ann + "/proofs",
		"/v1/endpoints"} {
		w.get(list+"?cursor=nonsense").is(400, "request.cursor_invalid")
		w.get(list+"?limit=0").is(400, "request.invalid")
	}
}

func (w *world) problemsOfFields() {
	w.do("PUT", "/v1/case-types/invoice", invoice).is(201, "")
	must(w.t, w.store.Update(w.t.Context(), func(tx *store.Tx) error {
		return tx.IndexAgain(w.t.Context(), 1, "invoice", []string{"client"}, time.Now())
	}))
	for _, list := range []string{"/v1/cases", "/v1/cases/facets"} {
		w.provoke([]provoke{
			{"GET", list + "?where=data.client=ada", "", 422, "case.field_not_indexed"},
			{"GET", list + "?type=invoice&where=data.client=ada", "", 503, "case.field_being_indexed"},
			{"GET", list + "?type=invoice&where=data.amount=1", "", 200, ""},
		})
	}
}

func (w *world) problemsOfMarks(path string) {
	w.post("/v1/labels", `{"slug": "taken"}`).is(201, "")
	w.do("PUT", path+"/labels/taken", nil).is(200, "")
	w.do("PUT", "/v1/case-types/claim",
		`{"key": "claim", "kind": "claim", "fields": {"type": "object", "properties": {}},
		"states": [{"key": "reported"}], "transitions": [{"key": "report", "to": "reported"}]}`).is(201, "")
	w.provoke([]provoke{
		{"POST", "/v1/labels", `{"slug": "Odd one"}`, 422, "request.body_invalid"},
		{"POST", "/v1/labels", `{"slug": "odd", "color": "Odd one"}`, 422, "label.invalid"},
		{"POST", "/v1/labels", `{"slug": "taken"}`, 409, "label.slug_taken"},
		{"GET", "/v1/labels/none", "", 404, "label.not_found"},
		{"GET", "/v1/labels/%00", "", 404, "label.not_found"},
		{"PATCH", "/v1/labels/none", `{"name": "x"}`, 404, "label.not_found"},
		{"PATCH", "/v1/labels/taken", `{"color": "Odd one"}`, 422, "label.invalid"},
		{"DELETE", "/v1/labels/none", "", 404, "label.not_found"},
		{"DELETE", "/v1/labels/taken", "", 409, "label.in_use"},
		{"PUT", path + "/labels/none", "", 404, "label.not_found"},
		{"PUT", nobody + "/labels/taken", "", 404, "case.not_found"},
		{"DELETE", nobody + "/labels/taken", "", 404, "case.not_found"},
		{"PUT", path + "/assignee", `{"user_id": 999999}`, 422, "case.assignee_unknown"},
		{"PUT", path + "/assignee", `{"user_id": 0}`, 422, "request.body_invalid"},
		{"PUT", nobody + "/assignee", `{"user_id": 1}`, 404, "case.not_found"},
		{"DELETE", nobody + "/assignee", "", 404, "case.not_found"},
		{"POST", nobody + "/switch-type", `{"type": "note"}`, 404, "case.not_found"},
		{"POST", path + "/switch-type", `{"type": "none"}`, 422, "case.switch_refused"},
		{"POST", path + "/switch-type", `{"type": "claim"}`, 422, "case.switch_refused"},
		{"POST", path + "/switch-type", `{"type": "note", "state": "draft"}`, 422, "case.switch_state"},
		{"POST", path + "/switch-type", `{"type": "note"}`, 422, "case.switch_data"},
	})
	w.do("POST", path+"/switch-type", `{"type": "note"}`, "If-Match", `"r7"`).is(409, "case.version_conflict")
	w.get("/v1/cases?assignee=me").is(400, "request.invalid")
}

func (w *world) problemsOfCallbacks() {
	path := w.open(`{"client": "Ann", "amount": 1}`)
	creation := "/v1/case-types/loan/cases"
	for _, p := range []struct {
		name, body, answer string
		says               int
		code               string
		status             int
	}{
		{"errors", `{"ignore_warning": true}`, `{"errors": ["No."], "warnings": ["Hm."]}`, 200, "callback.errors", 422},
		{"warnings", `{}`, `{"warnings": ["Hm."]}`, 200, "callback.warnings", 422},
		{"data of a wrong type", `{}`, `{"data": {"client": 1, "amount": 1}}`, 200, "callback.data_invalid", 422},
		{"an unknown state", `{}`, `{"override_state": "nonsense"}`, 200, "callback.state_unknown", 422},
		{"dropped fields", `{}`, `{"data": {}}`, 200, "callback.guard", 422},
		{"a failure", `{}`, `oops`, 500, "callback.failed", 502},
	} {
		w.answers(p.says, p.answer)
		w.post(path+"/transitions/submit", p.body).is(p.status, p.code)
	}
	w.answers(200, "nonsense")
	w.post(creation, `{"transition": "open_asked"}`).is(502, "callback.failed")
	w.problemsOfStarts()
	w.answers(404, "") // its host is there, and does not rest
	w.post(creation, `{"transition": "open_asked"}`).is(502, "callback.failed")
	w.silent()
	w.post(creation, `{"transition": "open_asked"}`).is(504, "callback.timeout")
	w.post(path+"/transitions/submit", `{}`).is(504, "callback.timeout")
	if g := w.get(path).is(200, ""); g.text("version") != "1" {
		w.t.Errorf("something was saved: %s", g.body)
	}
	asked := strings.Replace(loan, "{ key: edit, from: [draft, review] }",
		`{ key: edit, from: [draft, review], about_to_submit: { url: "${CASEHOOK_VAR_CALLBACKS}/edit", timeout: 1s,
			retries: [] } }`, 1)
	w.do("PUT", "/v1/case-types/loan", asked, "Content-Type", "application/yaml").is(200, "")
	path = w.open(`{"client": "Bob"}`)
	w.do("PATCH", path, `{"data": {"amount": 2}}`).is(504, "callback.timeout")
	w.answers(404, "")
	w.do("PATCH", path, `{"data": {"amount": 2}}`).is(502, "callback.failed")
	w.problemsOfAsking()
}

// problemsOfAsking provokes the problems of operations with a callback.
func (w *world) problemsOfAsking() {
	const ask = `{"about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/ask", "timeout": "1s", "retries": []}}`
	for _, key := range []string{"asking", "asking_too"} {
		own := strings.Replace(note, `"key": "note"`, fmt.Sprintf(`"key": %q, "edit": "edit", "switch": %[2]s, "delete": %[2]s,
			"assign": %[2]s, "label": %[2]s, "comment": %[2]s`, key, ask), 1)
		own = strings.Replace(own, `"to": "open"}`, `"to": "open"}, {"key": "edit", "from": ["open"]}`, 1)
		w.do("PUT", "/v1/case-types/"+key, own).is(201, "")
	}
	w.post("/v1/labels", `{"slug": "asked"}`).is(201, "")
	user := strip(w.person(address(), "caseworker"))
	path := w.post("/v1/case-types/asking/cases", `{}`).is(201, "").header.Get("Location")
	outside := []request{
		{"PUT", path + "/assignee", `{"user_id": ` + user + `}`, nil}, {"DELETE", path + "/assignee", nil, nil},
		{"PUT", path + "/labels/asked", nil, nil}, {"DELETE", path + "/labels/asked", nil, nil},
		{"POST", path + "/comments", `{"text": "x"}`, nil},
	}
	for i, r := range outside {
		w.whenAsked(func() { w.sends("PATCH", path, fmt.Sprintf(`{"data": {"text": "%d"}}`, i)) })
		w.do(r.method, r.path, r.body).is(409, "case.version_conflict")
		for _, answer := range []struct {
			says, status int
			code         string
		}{{500, 502, "callback.failed"}, {0, 504, "callback.timeout"}, {200, 200 + i/4, ""}} {
			if w.silent(); answer.says != 0 {
				w.answers(answer.says, "")
			}
			w.do(r.method, r.path, r.body).is(answer.status, answer.code)
		}
	}
	for _, p := range []struct {
		says   int
		answer string
		status int
		code   string
	}{
		{200, `{"errors": ["No."]}`, 422, "callback.errors"}, {200, `{"warnings": ["Hm."]}`, 422, "callback.warnings"}, {500, "", 502, "callback.failed"},
	} {
		w.answers(p.says, p.answer)
		w.post(path+"/switch-type", `{"type": "asking_too"}`).is(p.status, p.code)
		w.do("DELETE", path, nil).is(p.status, p.code)
	}
	w.silent()
	w.post(path+"/switch-type", `{"type": "asking_too"}`).is(504, "callback.timeout")
	w.do("DELETE", path, nil).is(504, "callback.timeout")
	w.answers(200, `{"warnings": ["Hm."]}`)
	w.post(path+"/switch-type", `{"type": "asking_too", "ignore_warning": true}`).is(200, "")
	w.do("DELETE", path+"?ignore_warning=true", nil).is(204, "")
}

func (w *world) problemsOfTheRest() {
	w.post("/v1/tenants/default/administrators", "", "Idempotency-Key", "k").is(201, "")
	w.post("/v1/tenants/nobody/administrators", "", "Idempotency-Key", "k").is(422, "idempotency.key_reused")
	path := w.open(`{"client": "Ann"}`)
	w.post("/v1/endpoints", `{"name": "taken", "url": "https://a.example/", "triggers": ["case_created"]}`).is(201, "")
	other := w.post("/v1/endpoints", `{"url": "https://b.example/", "triggers": ["case_created"]}`).is(201, "").
		header.Get("Location")
	w.do("PUT", "/v1/case-types/shared",
		`{"key": "shared", "callback_secret": "type", "fields": {"type": "object", "properties": {}},
		"states": [{"key": "open"}], "transitions": [{"key": "write", "to": "open", "about_to_submit": {"url": "https://c.example/"}}]}`).is(201, "")
	w.provoke([]provoke{
		{"GET", "/v1/case-types/nobody", "", 404, "case_type.not_found"},
		{"GET", "/v1/case-types/loan?version=99", "", 404, "case_type.not_found"},
		{"PUT", "/v1/case-types/loan", "key: loan\nnonsense: 1\n", 422, "case_type.invalid"},
		{"POST", "/v1/case-types/loan/callbacks/finish/secret", "", 404, "transition.not_found"},
		{"POST", path + "/documents", `{"key": "nonsense"}`, 422, "document.unknown_key"},
		{"POST", nobody + "/documents", `{"key": "summary"}`, 404, "case.not_found"},
		{"DELETE", nobody + "/documents?id=doc_1", "", 404, "case.not_found"},
		{"GET", nobody + "/documents", "", 404, "case.not_found"},
		{"GET", nobody + "/proofs", "", 404, "case.not_found"},
		{"GET", path + "/documents/doc_1/content", "", 404, "document.not_found"},
		{"GET", path + "/proofs/prf_1/content", "", 404, "proof.not_found"},
		{"DELETE", path + "/documents/doc_1", "", 404, "document.not_found"},
		{"DELETE", path + "/proofs/prf_1", "", 404, "proof.not_found"},
		{"POST", "/v1/endpoints", `{"url": "ftp://x", "triggers": ["nonsense"]}`, 422, "endpoint.invalid"},
		{"POST", "/v1/endpoints", `{"url": "https://x.example", "triggers": ["case_created"], "policy": {"timeout": "soon"}}`, 422, "endpoint.invalid"},
		{"POST", "/v1/endpoints", `{"url": "https://x.example", "triggers": ["case_created"], "policy": {"order": "random"}}`, 422, "request.body_invalid"},
		{"POST", "/v1/endpoints", `{"url": "https://x.example", "triggers": ["case_created"], "policy": {"rate_limit": 0.001}}`, 422, "endpoint.invalid"},
		{"POST", "/v1/endpoints", `{"url": "https://x.example", "triggers": ["case_created"], "sources": ["mail"]}`, 422, "request.body_invalid"},
		{"POST", "/v1/endpoints", `{"url": "https://x.example", "triggers": ["case_created"], "sources": []}`, 422, "request.body_invalid"},
		{"PATCH", other, `{"token": "tok_1"}`, 422, "endpoint.invalid"},
		{"PATCH", other, `{"headers": {"Webhook-Id": "x"}}`, 422, "endpoint.invalid"},
		{"PATCH", other, `{"headers": {"X-A": "(hidden)"}}`, 422, "endpoint.invalid"},
		{"PATCH", other, `{"headers": {"X-A": 1}}`, 422, "request.body_invalid"},
		{"PATCH", other, `{"metadata": {"": "x"}}`, 422, "endpoint.invalid"},
		{"PATCH", other, `{"auth": {"type": "digest"}}`, 422, "request.body_invalid"},
		{"PATCH", other, `{"auth": {"type": "bearer", "token": "a b"}}`, 422, "endpoint.invalid"},
		{"PATCH", other, `{"tls": {"certificate": "x", "key": "y"}}`, 422, "endpoint.invalid"},
		{"POST", "/v1/endpoints", `{"url": "https://x.example", "triggers": ["case_created"], "filter": "1 + 1"}`, 422, "endpoint.invalid"},
		{"PATCH", other, `{"filter": "case.type == "}`, 422, "endpoint.invalid"},
		{"POST", "/v1/endpoints", `{"name": "taken", "url": "https://x.example", "triggers": ["case_created"]}`, 409, "endpoint.name_taken"},
		{"PATCH", other, `{"name": "taken"}`, 409, "endpoint.name_taken"},
		{"PATCH", other, `{"status": "disabled"}`, 422, "request.body_invalid"},
		{"GET", "/v1/endpoints/ep_1", "", 404, "endpoint.not_found"},
		{"GET", "/v1/endpoints/ep_1/lag", "", 404, "endpoint.not_found"},
		{"GET", "/v1/endpoints/ep_1/health", "", 404, "endpoint.not_found"},
		{"GET", "/v1/journal?endpoint=ep_x", "", 404, "endpoint.not_found"},
		{"GET", "/v1/filter-preview?endpoint=ep_x", "", 404, "endpoint.not_found"},
		{"GET", "/v1/filter-preview?filter=1", "", 400, "filter.invalid"},
		{"GET", "/v1/stream?endpoint=ep_x", "", 404, "endpoint.not_found"},
		{"POST", "/v1/endpoints/ep_1/replays", `{"since": "beginning"}`, 404, "endpoint.not_found"},
		{"GET", "/v1/endpoints/ep_1/replays", "", 404, "endpoint.not_found"},
		{"POST", other + "/test", `{"trigger": "none"}`, 404, "trigger.not_found"},
		{"GET", "/v1/endpoints/ep_1/dead", "", 404, "endpoint.not_found"},
		{"GET", "/v1/endpoints/ep_1/parked", "", 404, "endpoint.not_found"},
		{"POST", other + "/dead/retry", `{"all": true}`, 404, "message.not_dead"},
		{"POST", other + "/dead/drop", `{"all": true}`, 404, "message.not_found"},
		{"POST", other + "/parked/retry", `{"all": true}`, 404, "message.not_found"},
		{"POST", other + "/parked/drop", `{"all": true}`, 404, "message.not_found"},
		{"GET", other + "/replays/rpl_1", "", 404, "replay.not_found"},
		{"DELETE", other + "/replays/rpl_1", "", 404, "replay.not_found"},
		{"POST", other + "/replays", `{"since": "soon"}`, 422, "request.body_invalid"},
		{"POST", other + "/resend", `{"message": "msg_1"}`, 404, "message.not_found"},
		{"PATCH", "/v1/endpoints/ep_1", `{"name": "x"}`, 404, "endpoint.not_found"},
		{"DELETE", "/v1/endpoints/ep_1", "", 404, "endpoint.not_found"},
		{"GET", "/v1/endpoints/ep_1/attempts", "", 404, "endpoint.not_found"},
		{"GET", "/v1/attempts/att_00000000000000000000000000000000", "", 404, "attempt.not_found"},
		{"GET", nobody + "/deliveries", "", 404, "case.not_found"},
		{"GET", "/v1/contacts/1000000000000009/deliveries", "", 404, "contact.not_found"},
		{"GET", "/v1/attempts/att_1", "", 404, "attempt.not_found"},
		{"GET", "/v1/attempts?case=1&subject=contact/1", "", 400, "request.invalid"},
		{"GET", "/v1/endpoints/ep_1/secrets", "", 404, "endpoint.not_found"},
		{"POST", "/v1/endpoints/ep_1/secrets", "", 404, "endpoint.not_found"},
		{"DELETE", "/v1/endpoints/ep_1/secrets/sec_1", "", 404, "endpoint.not_found"},
		{"DELETE", other + "/secrets/sec_1", "", 404, "endpoint.secret_not_found"},
		{"POST", other + "/secrets", `{"overlap": "169h"}`, 422, "endpoint.invalid"},
		{"POST", other + "/secrets", `{"overlap": "-1s"}`, 422, "endpoint.invalid"},
		{"POST", other + "/secrets", `{"overlap": "soon"}`, 422, "endpoint.invalid"},
		{"POST", other + "/secrets", `{"secret": "whsec_c2hvcnQ="}`, 422, "endpoint.invalid"},
		{"POST", other + "/secrets", `{"kind": "v1a", "secret": "whsec_c2VzYW1lc2VzYW1lc2VzYW1lc2VzYW1l"}`, 422, "endpoint.invalid"},
		{"POST", "/v1/endpoints", `{"url": "https://x.example", "triggers": ["case_created"], "secret": "sesame"}`, 422, "endpoint.invalid"},
		{"POST", "/v1/case-types/shared/callbacks/write/secret", "", 409, "callback.secret_shared"},
		{"GET", "/v1/case-types/loan/callbacks/open/secrets", "", 404, "transition.not_found"},
		{"POST", "/v1/case-types/loan/callbacks/open/secret", "", 404, "transition.not_found"},
		{"DELETE", "/v1/case-types/loan/callbacks/submit/secrets/sec_1", "", 404, "callback.secret_not_found"},
		{"DELETE", "/v1/case-types/loan/callbacks/submit/secrets/" + w.secretOf("submit"), "", 409, "callback.last_secret"},
		{"GET", "/v1/case-types/loan/callbacks/submit/credentials", "", 404, "callback.no_credentials"},
		{"DELETE", "/v1/case-types/loan/callbacks/submit/credentials", "", 404, "callback.no_credentials"},
		{
			"PUT", "/v1/case-types/loan/callbacks/none/credentials", `{"origin": "https://x.example"}`, 404,
			"transition.not_found",
		},
		{
			"PUT", "/v1/case-types/loan/callbacks/submit/credentials", `{"origin": "x"}`, 422,
			"callback.credentials_invalid",
		},
		{"POST", "/v1/case-types/loan/callbacks/submit/secret", `{"overlap": "169h"}`, 422, "callback.secret_invalid"},
		{"POST", "/v1/case-types/loan/callbacks/submit/secret", `{"overlap": "soon"}`, 422, "callback.secret_invalid"},
		{"POST", "/v1/case-types/loan/callbacks/submit/secret", `{"secret": "whsec_c2hvcnQ="}`, 422, "callback.secret_invalid"},
		{"GET", "/v1/triggers/nonsense/targets", "", 404, "trigger.not_found"},
		{"PUT", "/v1/triggers/nonsense/targets", `{"urls": []}`, 404, "trigger.not_found"},
		{"PUT", "/v1/triggers/case_created/targets", `{"urls": ["nonsense"]}`, 422, "endpoint.invalid"},
		{"POST", "/v1/tokens", `{"name": "x", "expires_at": "2001-01-01T00:00:00Z"}`, 422, ""},
		{"POST", "/v1/tokens", `{"name": "x", "expires_at": "tomorrow"}`, 422, "request.body_invalid"},
		{"POST", "/v1/tokens", `{"name": "x", "role": "king"}`, 422, "request.body_invalid"},
		{"POST", "/v1/tokens", `{"name": "x", "allowed_addresses": ["10.0.0.0/8", "nonsense"]}`, 422, "token.unusable"},
		{"DELETE", "/v1/tokens/tok_1", "", 404, "token.not_found"},
	})
	only := w.get(other+"/secrets").is(200, "").items()[0].(map[string]any)
	w.do("DELETE", other+"/secrets/"+only["id"].(string), nil).is(409, "endpoint.last_secret")
	for range 7 {
		w.post(other+"/secrets", "").is(201, "")
	}
	w.post(other+"/secrets", "").is(409, "endpoint.too_many_secrets")
	w.problemsOfTenants()
	w.problemsOfUploads(path)
	for _, file := range []answer{
		w.post(path+"/documents", `{"key": "summary"}`), w.do("POST", path+"/proofs?key=passport&filename=x", "x", "Content-Type", "text/plain"),
	} {
		w.get(file.is(201, "").header.Get("Location"), "Range", "bytes=9000000-").is(416, "request.range")
		w.get(file.header.Get("Location"), "If-Match", `"x"`).is(412, "request.precondition")
	}
}

func (w *world) problemsOfTenants() {
	theirs := w.post("/v1/tenants", `{"key": "acme", "hosts": ["acme.example"], "variables": ["CALLBACKS"]}`).
		is(201, "").text("token")
	last, _, _ := access.ParseBearer(theirs)
	w.do("DELETE", "/v1/tokens/"+last, nil, "Authorization", "Bearer "+theirs).is(409, "access.last_administrator")
	w.post("/v1/tenants", `{"key": "other"}`).is(201, "")
	w.provoke([]provoke{
		{"POST", "/v1/tenants", `{"key": "acme"}`, 409, "tenant.key_taken"},
		{"POST", "/v1/tenants", `{"key": "next", "hosts": ["acme.example"]}`, 409, "tenant.host_taken"},
		{"POST", "/v1/tenants", `{"key": "Next", "name": "\n", "hosts": ["a b"]}`, 422, "tenant.invalid"},
		{"PATCH", "/v1/tenants/other", `{"hosts": ["acme.example"]}`, 409, "tenant.host_taken"},
		{"PATCH", "/v1/tenants/other", `{"hosts": ["https://acme.example"]}`, 422, "tenant.invalid"},
		{"PATCH", "/v1/tenants/nobody", `{"name": "x"}`, 404, "tenant.not_found"},
		{"PATCH", "/v1/tenants/%00", `{"name": "x"}`, 404, "tenant.not_found"},
		{"POST", "/v1/tenants/nobody/administrators", "", 404, "tenant.not_found"},
	})
	if all := w.get("/v1/tenants").items(); len(all) != 3 {
		w.t.Errorf("something was saved: %v", all)
	}
	operator := "Bearer " + w.bearerFor("/v1/tenants")
	for _, d := range w.operations() {
		switch {
		case strings.HasPrefix(d.path, "/v1/tenants"):
			w.do(d.method, d.concrete(), nil, "Authorization", "Bearer "+w.bearer).is(403, "tenant.operator_required")
		case strings.HasPrefix(d.path, "/v1/") && !d.open():
			w.do(d.method, d.concrete(), nil, "Authorization", operator).is(401, "token.invalid")
		}
	}
}

func (w *world) problemsOfUploads(path string) {
	upload := func(path, contentType, body string) answer {
		w.t.Helper()
		return w.do("POST", path, body, "Content-Type", contentType)
	}
	for _, fields := range [][]string{
		{"@file", "contents", "key", "passport"}, {"key", "passport"}, {"key", "passport", "nonsense", "1", "@file", "x"},
		{"key", "passport", "key", "passport", "@file", "x"}, {"key", "passport", "@file", "x", "more", "1"}, {"key", "", "@file", "x"},
	} {
		body, contentType := form(fields...)
		upload(path+"/proofs", contentType, body).is(422, "upload.invalid")
	}
	body, contentType := form("key", "passport", "@file", "contents")
	upload(path+"/proofs", contentType, body[:len(body)-20]).is(400, "proof.incomplete")
	upload(path+"/proofs?filename=x", "text/plain", "x").is(422, "upload.invalid")
	upload(path+"/proofs?key=passport", "text/plain", "x").is(422, "upload.invalid")
	upload(path+"/proofs?key=nonsense&filename=x", "text/plain", "x").is(422, "proof.unknown_key")
	upload(path+"/proofs?key=passport&filename=x", "nonsense;;", "x").is(415, "request.content_type")
	upload(nobody+"/proofs?key=passport&filename=x", "text/plain", "x").is(404, "case.not_found")
	w.do("POST", path+"/proofs?key=passport&filename=x", zeros(64<<20+1), "Content-Type",
		"text/plain").is(413, "blob.too_large")
	w.do("POST", path+"/proofs?key=passport&filename=x", zeros(65<<20), "Content-Type", "text/plain").is(413, "")
	if all := w.get(path + "/proofs").items(); len(all) != 0 {
		w.t.Errorf("something was saved: %v", all)
	}
}

// TestProblemsLookLikeThis fixes the shape of problems.
func TestProblemsLookLikeThis(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.putTypes()
	path := w.open(`{"client": "Ann", "amount": 1}`)
	var out bytes.Buffer
	show := func(name string, g answer) {
		t.Helper()
		if g.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: it is %s", name, g.header.Get("Content-Type"))
		}
		var indented bytes.Buffer
		must(t, json.Indent(&indented, bytes.TrimSpace(g.body), "", "  "))
		fmt.Fprintf(&out, "%s\n%s\n\n", name, indented.Bytes())
	}
	show("no token", w.get("/v1/cases", "Authorization", ""))
	show("no such path", w.get("/v1/nothing"))
	show("another method", w.do("DELETE", "/v1/cases", nil))
	show("a wrong parameter", w.get("/v1/cases?limit=1000&nonsense=1"))
	show("no JSON", w.post("/v1/tokens", `{"name": `))
	show("names that come twice",
		w.post("/v1/case-types/loan/cases", `{"data": {"client": "a", "client": "b"}, "data": {}}`))
	show("wrong fields of a body",
		w.post("/v1/endpoints", `{"triggers": [1], "Url": "x", "policy": {"retries": [true]}}`))
	show("wrong data",
		w.post("/v1/case-types/loan/cases", `{"transition": "open", "data": {"email": "x", "client": 1}}`))
	show("a wrong content type", w.post("/v1/tokens", "x", "Content-Type", "text/plain"))
	w.answers(200, `{"errors": ["The client is unknown."], "warnings": ["The amount is small."]}`)
	show("errors of a callback", w.post(path+"/transitions/submit", `{}`))
	show("a conflict", w.do("PATCH", path, `{"name": "x"}`, "If-Match", `"r9"`))
	show("a wrong definition", w.do("PUT", "/v1/case-types/loan?file=loan.yaml", "key: loan\nkinds: case\n",
		"Content-Type", "application/yaml"))
	golden(t, "problems.txt", out.Bytes())
}

// An answer does not show why the server failed; the log does, once.
func TestFailuresAreLoggedAndNotShown(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.unchecked = true
	must(t, w.store.Close())
	g := w.get("/v1/cases").is(500, "internal")
	if strings.Contains(string(g.body), "sql") || strings.Contains(string(g.body), "database") {
		t.Errorf("it shows %s", g.body)
	}
	if log := w.log.String(); strings.Count(log, g.header.Get("X-Request-Id")) != 2 ||
		!strings.Contains(log, "request failed") {
		t.Errorf("the log is %s", log)
	}
}

func TestAPanicIsA500(t *testing.T) {
	t.Parallel()
	w := start(t)
	handler := api.New(api.Services{}, api.Config{Log: w.logger()})
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/v1/cases", nil)
	r.Header.Set("Authorization", "Bearer "+w.bearer)
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, r)
	if answer.Code != http.StatusInternalServerError ||
		answer.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %s", answer.Code, answer.Header())
	}
	for _, secret := range []string{"nil pointer", "goroutine", ".go"} {
		if strings.Contains(answer.Body.String(), secret) {
			t.Errorf("it shows %s", answer.Body)
		}
	}
	if !strings.Contains(w.log.String(), "goroutine") {
		t.Errorf("the log has no stack: %s", w.log)
	}
}

func TestSecretsAndDataStayOutOfTheLog(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.putTypes()
	path := w.open(`{"client": "Zebedee"}`)
	w.do("PATCH", path, `{"data": {"amount": "Zebedee"}}`).is(422, "")
	w.get("/v1/cases?q=Zebedee").is(200, "")
	w.post("/v1/tokens", `{"name": "Zebedee"}`).is(201, "")
	log := w.log.String()
	for _, secret := range []string{"Zebedee", w.bearer, "chk_", "whsec_"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log has %s:\n%s", secret, log)
		}
	}
}

func TestEachRequestIsALogLineWithItsCallerAndOutcome(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.putTypes()
	line := func() string {
		lines := strings.Split(strings.TrimSpace(w.log.String()), "\n")
		return lines[len(lines)-1]
	}
	ours := []string{"User-Agent", "crm/2 (" + strings.Repeat("x", 10_000)}
	for _, c := range []struct {
		method, path, body string
		status             int
		parts              []string
	}{
		{"POST", "/v1/case-types/loan/cases", `{"transition": "open", "data": {"client": "Ann"}}`, 201, []string{"operation=create-case", "method=POST"}},
		{"POST", "/v1/case-types/loan/cases", `{"transition": "fly"}`, 404, []string{"code=transition.not_found"}},
		{"GET", "/v1/cases?limit=x", "", 400, []string{"code=request.invalid", "path=/v1/cases "}},
		{"GET", "/v1/none/" + strings.Repeat("a", 9999), "", 404, []string{"code=route.not_found"}},
		{"POST", "/v1/labels", "{", 400, []string{"code=json.malformed"}},
	} {
		w.do(c.method, c.path, c.body, ours...).is(c.status, "")
		parts := append(c.parts, fmt.Sprintf("status=%d", c.status), "path=/v1/", "duration_ms=", "request_id=req_",
			"token_id=tok_", "tenant=1",
			`client="crm/2 (xx`, "address=127.0.0.1")
		for _, part := range parts {
			if !strings.Contains(line(), part) {
				t.Errorf("%s %.40s: the line lacks %s: %s", c.method, c.path, part, line())
			}
		}
		if len(line()) > 1500 {
			t.Errorf("the line has %d bytes", len(line()))
		}
	}
	path := w.open(`{"client": "Ann"}`)
	w.do("PUT", path+"/labels/zebedee", nil).is(404, "")
	if want := " path=" + path + "/labels/{slug} "; !strings.Contains(line(), want) {
		t.Errorf("the line lacks %s: %s", want, line())
	}
	w.get("/v1/cases", "Authorization", "Bearer chk_wrong").is(401, "")
	if !strings.Contains(line(), "code=token.") || strings.Contains(line(), "chk_wrong") {
		t.Error(line())
	}
}

func TestAnswersCarryCarefulHeaders(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, path := range []string{"/v1/cases", "/v1/nothing", "/healthz", "/docs", "/openapi.json"} {
		h := w.get(path).header
		if h.Get("X-Content-Type-Options") != "nosniff" ||
			!strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: %s", path, h)
		}
	}
	if c := w.get("/v1/cases").header.Get("Cache-Control"); c != "no-store" {
		t.Errorf("cases may be stored: %s", c)
	}
}

func TestPagesFollowEachOther(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.putTypes()
	var want []string
	for range 5 {
		want = append(want, strings.TrimPrefix(w.open(`{}`), "/v1/cases/"))
	}
	slices.Reverse(want)
	var got []string
	cursor := ""
	for pages := 0; pages < 3; pages++ {
		g := w.get("/v1/cases?limit=2"+cursor).is(200, "")
		for _, item := range g.items() {
			got = append(got, item.(map[string]any)["id"].(json.Number).String())
		}
		next, _ := g.json()["next"].(string)
		if (next == "") != (pages == 2) {
			t.Fatalf("page %d is followed by %q", pages, next)
		}
		cursor = "&cursor=" + next
	}
	if !slices.Equal(got, want) {
		t.Errorf("the pages list %v, not %v", got, want)
	}
	other := w.open(`{}`)
	for range 3 {
		w.post(other+"/comments", `{"text": "x"}`).is(201, "")
	}
	for _, list := range []string{other + "/comments", other + "/history"} {
		first := w.get(list+"?limit=2").is(200, "")
		second := w.get(list+"?limit=2&cursor="+first.text("next")).is(200, "")
		if bytes.Contains(second.body, first.body[10:60]) {
			t.Errorf("%s: the second page repeats the first", list)
		}
		w.get("/v1/cases?cursor="+first.text("next")).is(400, "request.cursor_invalid")
	}
}

// A refusal names the right place of a field that was sent beside data, and the member that was probably meant.
func TestAnUnknownMemberOfABodySaysWhatWasMeant(t *testing.T) {
	w := start(t)
	w.putTypes()
	for body, want := range map[string]string{
		`{"applicant": "Ada"}`:      "unexpected property; the fields of a case go below data",
		`{"ignore_warnings": true}`: `unexpected property (did you mean \"ignore_warning\"?)`,
	} {
		g := w.do("POST", "/v1/case-types/loan/cases", body).is(422, "request.body_invalid")
		if !strings.Contains(string(g.body), want) {
			t.Errorf("%s: %s", body, g.body)
		}
	}
}
