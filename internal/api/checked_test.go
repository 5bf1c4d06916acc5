package api_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/casehook/casehook/internal/access"
)

func (w *world) noteChecked(o access.Operation) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.checked = append(w.checked, o)
}

// takeChecked returns the operations that a role was checked for since it was last called.
func (w *world) takeChecked() []access.Operation {
	w.mu.Lock()
	defer w.mu.Unlock()
	checked := w.checked
	w.checked = nil
	return checked
}

// A role is checked once per request: by the kernel, whose permission the use case finds. In the story every operation
// succeeds, and each of its requests checks its own operation alone.
func TestARoleIsCheckedOncePerRequest(t *testing.T) {
	t.Parallel()
	w := start(t)
	counted := map[access.Operation]bool{}
	w.around = func(s request) answer {
		w.takeChecked()
		g := w.direct(s)
		checked := w.takeChecked()
		var want []access.Operation
		if d, ok := w.operation(s.method, s.path); ok && d.inTenant() && g.status != 401 {
			o := access.Operation(d.id)
			want = []access.Operation{o}
			counted[o] = counted[o] || g.status < 300
		}
		if !slices.Equal(checked, want) {
			t.Errorf("%s %s: %d, having checked the role for %v", s.method, s.path, g.status, checked)
		}
		return g
	}
	w.story()
	w.storyOfASession()
	w.storyOfSessions()
	w.storyOfOwnTokens()
	for _, o := range access.Operations() {
		if !counted[o] {
			t.Errorf("%s was never counted", o)
		}
	}
}

// Every operation that a role may not carry out is checked once, and is in the audit once, under
// its own name.
func TestADenialIsAuditedOnceUnderItsOwnName(t *testing.T) {
	t.Parallel()
	w := start(t)
	bearers := map[access.Role]string{}
	for _, role := range access.Roles() {
		bearers[role] = w.token(fmt.Sprintf(`{"name": "a %s", "role": %q}`, role, role))
	}
	for _, d := range w.operations() {
		for _, role := range access.Roles() {
			if o := access.Operation(d.id); d.inTenant() && !role.Permits(o) {
				w.deniedOnce(o, d.method, d.concrete(), "", bearers[role])
			}
		}
	}
}

// The same holds for an operation that a case type denies to a role, whether the role may read its cases or not.
func TestADenialByACaseTypeIsAuditedUnderItsOwnName(t *testing.T) {
	t.Parallel()
	w := start(t)
	read := bytes.Replace([]byte(note), []byte(`"key": "note",`),
		[]byte(`"key": "note", "access": {"read": ["manager"], "write": ["admin"]},`), 1)
	w.do("PUT", "/v1/case-types/note", string(read)).is(201, "")
	path := w.post("/v1/case-types/note/cases", `{"transition": "write"}`).is(201, "").header.Get("Location")
	for _, role := range []access.Role{access.Manager, access.Caseworker} {
		bearer := w.token(fmt.Sprintf(`{"name": "a %s", "role": %q}`, role, role))
		w.deniedOnce(access.CreateCase, "POST", "/v1/case-types/note/cases", `{"transition": "write"}`, bearer)
		w.deniedOnce(access.SubmitTransition, "POST", path+"/transitions/write", `{}`, bearer)
		w.deniedOnce(access.AddComment, "POST", path+"/comments", `{"text": "x"}`, bearer)
		w.deniedOnce(access.GenerateDocument, "POST", path+"/documents", `{"key": "summary"}`, bearer)
		w.deniedOnce(access.UploadProof, "POST", path+"/proofs?key=passport&filename=a.txt", "x", bearer)
	}
	caseworker := w.token(`{"name": "a caseworker", "role": "caseworker"}`)
	w.deniedOnce(access.GetCaseType, "GET", "/v1/case-types/note", "", caseworker)
	w.deniedOnce(access.GetCaseTypeOpenAPI, "GET", "/v1/case-types/note/openapi", "", caseworker)
	w.deniedOnce(access.GetCase, "GET", path, "", caseworker)
}

// deniedOnce sends a request, and checks that it is refused, with one check of the role and one
// record in the audit, both of this operation.
func (w *world) deniedOnce(o access.Operation, method, path, body, bearer string) {
	w.t.Helper()
	before := w.lastAudit()
	w.takeChecked()
	var sent any
	if body != "" {
		sent = body
	}
	g := w.do(method, path, sent, "Authorization", bearer)
	if checked := w.takeChecked(); !slices.Equal(checked, []access.Operation{o}) {
		w.t.Errorf("%s: the role was checked for %v", o, checked)
	}
	if g.status != 403 && g.status != 404 {
		w.t.Errorf("%s: %d %s", o, g.status, g.body)
	}
	var recorded []any
	for _, item := range w.get("/v1/audit?limit=9").is(200, "").items() {
		record := item.(map[string]any)
		if record["id"] == before {
			break
		}
		recorded = append(recorded, record["action"], record["detail"].(map[string]any)["operation"])
	}
	if !slices.Equal(recorded, []any{string(access.Denied), string(o)}) {
		w.t.Errorf("%s: the audit tells %v", o, recorded)
	}
}

// lastAudit returns the id of the newest record of the audit.
func (w *world) lastAudit() any {
	return w.get("/v1/audit?limit=1").is(200, "").items()[0].(map[string]any)["id"]
}
