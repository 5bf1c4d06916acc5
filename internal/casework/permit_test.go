package casework_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/testworld"
)

// Every use case with a principal refuses a principal without a role. They are enumerated by reflection.
func TestEveryUseCaseAsks(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		nobody := w.p
		nobody.Role = ""
		for _, service := range []any{
			w.cases, w.submissions, w.switches, w.questions, w.backtests, w.types, w.migrations, w.comments, w.labels, w.contacts,
			w.files, w.documents, w.users, w.tokens, w.tenants, w.endpoints, w.messages, w.journal,
		} {
			refusesAll(t, reflect.ValueOf(service), nobody)
		}
	})
}

// askNoRole are methods with a principal that are no use cases: they are parts of authentication or of other use cases.
var askNoRole = []string{"CheckHost", "KnownCase", "Confirmations"}

// refusesAll checks that every use case of a service refuses the principal.
func refusesAll(t *testing.T, service reflect.Value, nobody access.Principal) {
	t.Helper()
	for i := range service.NumMethod() {
		method := service.Type().Method(i)
		if method.Type.NumIn() < 3 || method.Type.In(2) != reflect.TypeFor[access.Principal]() ||
			slices.Contains(askNoRole, method.Name) {
			continue
		}
		in := []reflect.Value{reflect.ValueOf(t.Context()), reflect.ValueOf(nobody)}
		for n := 3; n < method.Type.NumIn(); n++ {
			in = append(in, reflect.Zero(method.Type.In(n)))
		}
		out := service.Method(i).Call(in)
		err, _ := out[len(out)-1].Interface().(error)
		code := "access.denied"
		if strings.Contains(method.Name, "Tenant") {
			code = "tenant.operator_required"
		}
		if !errors.Is(err, fault.Forbidden) || fault.As(err).Code != code {
			t.Errorf("%v.%s: %v", service.Type(), method.Name, err)
		}
	}
}

// as returns a principal of the world's tenant with a role.
func (w *world) as(role access.Role) access.Principal { return testworld.WithRole(w.p.Tenant, role) }

const guarded = `{"key": "guarded", "fields": {"type": "object", "properties": {
	"amount": {"type": "number"}, "client": {"type": "string"}, "email": {"type": "string"}}},
	"states": [{"key": "open"}, {"key": "done"}],
	"access": {"read": ["manager", "caseworker"], "write": ["caseworker", "viewer"]},
	"transitions": [{"key": "open", "to": "open"}, {"key": "edit", "from": ["open"]},
		{"key": "finish", "from": ["open"], "to": "done", "roles": ["manager"]}, {"key": "close", "from": ["open"], "to": "done", "roles": ["caseworker"]}],
	"edit": "edit", "proofs": [{"key": "bill"}]}`

// A definition narrows what roles may do with its cases, and never widens it.
func TestACaseTypeNarrowsTheRoles(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx, none := t.Context(), authz.Once{}
		w.put(w.p, guarded)
		w.put(w.p, loan("loan", ""))
		c := w.open("guarded")
		other := w.open("loan")
		drop := func(_ any, err error) error { return err }
		may := func(err error) bool {
			t.Helper()
			if errors.Is(err, fault.Forbidden) {
				wantFault(t, err, fault.Forbidden, "access.denied")
				return false
			}
			code := fault.As(err).Code // a caller who may not read gets NotFound
			return code != "case.not_found" && code != "case_type.not_found"
		}
		for role, want := range map[access.Role]struct{ read, write, finish, close bool }{
			access.Admin: {true, true, true, true}, access.Manager: {true, false, false, false},
			access.Caseworker: {true, true, false, true}, access.Viewer: {false, false, false, false},
		} {
			p := w.as(role)
			submit := func(transition string) bool { // an old revision: permitted, and then a conflict
				return may(drop(w.submissions.Submit(ctx, p,
					casework.Submission{CaseID: c.ID, Transition: transition, Data: object(`{"nonsense":1}`)}, none)))
			}
			for name, got := range map[string]bool{
				"get": may(drop(w.cases.Case(ctx, p, c.ID))), "history": may(drop(w.cases.History(ctx, p, c.ID, 0, 9))),
				"comments": may(drop(w.comments.Comments(ctx, p, c.ID, "", 9))), "proofs": may(drop(w.files.Attachments(ctx, p, store.AttachmentFilter{CaseID: c.ID, Kind: cases.Proof, Limit: 9}))),
			} {
				if got != want.read {
					t.Errorf("%s as %s: %v", name, role, got)
				}
			}
			for name, got := range map[string]bool{
				"create":  may(drop(w.submissions.Submit(ctx, p, casework.Submission{Type: "guarded", Data: object(`{"nonsense":1}`)}, none))),
				"edit":    may(drop(w.submissions.Submit(ctx, p, casework.Submission{CaseID: c.ID, Edit: true, Data: object(`{"nonsense":1}`)}, none))),
				"comment": may(drop(w.comment(p, c.ID, " ", none))), "delete": may(w.cases.DeleteCase(ctx, p, casework.Deletion{CaseID: c.ID, IfRevision: casework.Revisions{99}})),
				"upload": may(drop(w.files.UploadProof(ctx, p, c.ID, casework.Upload{Key: "none", Body: strings.NewReader("")}, none))),
			} {
				if got != want.write {
					t.Errorf("%s as %s: %v", name, role, got)
				}
			}
			if got := submit("finish"); got != want.finish {
				t.Errorf("finish as %s: %v", role, got)
			}
			if got := submit("close"); got != want.close {
				t.Errorf("close as %s: %v", role, got)
			}
			all, err := listed(w.cases.Cases(ctx, p, store.CaseFilter{}))
			if n := len(all); err != nil || (n == 2) != want.read || n == 0 ||
				all[n-1].ID != c.ID && all[0].ID != other.ID {
				t.Errorf("%s lists %d cases, %v", role, n, err)
			}
		}
		w.deniedIsAudited(ctx, c)
	})
}

func (w *world) deniedIsAudited(ctx context.Context, c casework.View) {
	w.t.Helper()
	_, err := w.submissions.Submit(ctx, w.as(access.Caseworker),
		casework.Submission{CaseID: c.ID, Transition: "finish"}, authz.Once{})
	wantFault(w.t, err, fault.Forbidden, "access.denied")
	all, _, err := w.guard.Records(ctx, w.p, authz.RecordQuery{Limit: 1})
	if err != nil || len(all) != 1 {
		w.t.Fatal(all, err)
	}
	r := all[0]
	if r.At.IsZero() {
		w.t.Error("the record has no time")
	}
	want := access.Record{
		Action: access.Denied, Subject: event.CaseSubject(c.ID), Actor: w.as(access.Caseworker).Actor,
	}
	got := access.Record{Action: r.Action, Subject: r.Subject, Actor: r.Actor}
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Error(diff)
	}
}

// Callers who may read a type may read the history of its deleted cases.
func TestTheHistoryOfADeletedCaseStaysGuarded(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, guarded)
		c := w.open("guarded")
		if err := w.cases.DeleteCase(t.Context(), w.p, casework.Deletion{CaseID: c.ID}); err != nil {
			t.Fatal(err)
		}
		_, err := items(w.cases.History(t.Context(), w.as(access.Viewer), c.ID, 0, 9))
		wantFault(t, err, fault.NotFound, "case.not_found")
		if all, err := items(w.cases.History(t.Context(), w.as(access.Manager), c.ID, 0, 9)); err != nil ||
			len(all) != 2 {
			t.Error(all, err)
		}
	})
}
