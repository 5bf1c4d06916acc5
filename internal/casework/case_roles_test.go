package casework_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// owned is a type whose cases are read by clerks, and by those who made or own them.
const owned = `{"key": "owned",
	"roles": {"clerk": {}, "holder": {}, "[CREATOR]": {"of": "case"}, "[OWNER]": {"of": "case"}},
	"role_map": {"holder": ["[OWNER]"]},
	"access": {"read": ["clerk", "[CREATOR]", "holder"], "write": ["clerk", "[CREATOR]", "holder"],
		"states": {"closed": {"read": ["clerk", "[OWNER]"]}},
		"fields": {"pin": {"read": ["[OWNER]"]}}},
	"fields": {"type": "object", "properties": {"n": {"type": "integer"}, "pin": {"type": "string"}}},
	"states": [{"key": "open"}, {"key": "closed"}], "edit": "edit", "transitions": [
		{"key": "create", "to": "open"}, {"key": "edit", "from": ["open"], "roles": ["[OWNER]"]},
		{"key": "close", "from": ["open"], "to": "closed", "roles": ["clerk", "[CREATOR]"]}]}`

// someone returns a new user's principal, a caseworker.
func (w *world) someone(name string) access.Principal {
	return access.Principal{
		Tenant: w.p.Tenant, Role: access.Caseworker, Clearance: w.p.Clearance,
		Actor: event.Actor{Source: event.UI, UserID: w.user(w.p, name), Name: name},
	}
}

// X3: roles with of: case are there on the cases alone on which they were granted.
func TestX3RolesAreGrantedCaseByCase(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, owned)
		ada, bob, eve, clerk := w.someone("Ada"), w.someone("Bob"), w.someone("Eve"), w.someone("Kim")
		clerk.Further = "clerk"
		member := w.someone("Mo")
		member.Further = "family"
		create := casework.Submission{Type: "owned", Data: object(`{"n": 1}`)}
		made, err := w.submissions.Submit(t.Context(), ada, create, authz.Once{})
		if err != nil {
			t.Fatal(err)
		}
		other := w.submit(casework.Submission{Type: "owned", Data: object(`{"pin": "7"}`)})
		grant := func(id int64, r casework.CaseRoles) {
			t.Helper()
			if err := w.cases.SetCaseRoles(t.Context(), w.p, id, r); err != nil {
				t.Fatal(err)
			}
		}
		grant(made.ID, casework.CaseRoles{UserID: bob.Actor.UserID, Roles: []string{"[OWNER]"}})
		grant(made.ID, casework.CaseRoles{Group: "family", Roles: []string{"[OWNER]"}})
		for name, c := range map[string]struct {
			p     access.Principal
			lists string // the ids of the cases in a list
			moves string // "-": the case is not found
		}{
			"the creator": {ada, fmt.Sprint(made.ID), "close"}, "the owner": {bob, fmt.Sprint(made.ID), "edit"},
			"a member of the group": {member, fmt.Sprint(made.ID), "edit"}, "nobody": {eve, "", "-"},
			"a clerk": {clerk, fmt.Sprint(made.ID, other.ID), "close"},
		} {
			w.wantsOwned(name, c.p, made.ID, c.lists, c.moves)
		}
		w.submit(casework.Submission{CaseID: made.ID, Transition: "close"})
		for name, c := range map[string]struct {
			p     access.Principal
			lists string
			moves string
		}{
			"the creator": {ada, "", "-"}, "the owner": {bob, fmt.Sprint(made.ID), ""}, "nobody": {eve, "", "-"},
		} {
			w.wantsOwned(name+", when it is closed,", c.p, made.ID, c.lists, c.moves)
		}
		grant(made.ID, casework.CaseRoles{UserID: bob.Actor.UserID})
		w.wantsOwned("who owned it", bob, made.ID, "", "-")
		if err := w.cases.DeleteCase(t.Context(), w.p, casework.Deletion{CaseID: made.ID}); err != nil {
			t.Fatal(err)
		}
		if left, err := w.store.CaseGrants(t.Context(), w.p.Tenant, made.ID); err != nil || len(left) != 0 {
			t.Errorf("of a deleted case there are %v, %v", left, err)
		}
	})
}

// wantsOwned checks what a principal reads of the cases of owned.
func (w *world) wantsOwned(name string, p access.Principal, id int64, lists, moves string) {
	w.t.Helper()
	found, err := listed(w.cases.Cases(w.t.Context(), p, store.CaseFilter{Type: "owned"}))
	var ids []string
	for _, v := range found {
		ids = append(ids, fmt.Sprint(v.ID))
	}
	if got := len(ids); err != nil || got != len(strings.Fields(lists)) {
		w.t.Errorf("%s finds %v, want %s; %v", name, ids, lists, err)
	}
	v, err := w.cases.Case(w.t.Context(), p, id)
	got := strings.Join(v.Transitions, " ")
	if fault.As(err).Kind == fault.NotFound {
		got = "-"
	}
	if got != moves {
		w.t.Errorf("%s may submit %q, want %q; %v", name, got, moves, err)
	}
	for _, tr := range []string{"edit", "close"} {
		_, err := w.submissions.DryRun(w.t.Context(), p,
			casework.DryRun{Submission: casework.Submission{CaseID: id, Transition: tr}})
		if (err == nil) != strings.Contains(moves, tr) {
			w.t.Errorf("%s tries %s: %v", name, tr, err)
		}
	}
	if _, err := w.cases.History(w.t.Context(), p, id, 0, 10); (err == nil) != (moves != "-") {
		w.t.Errorf("%s reads the history: %v", name, err)
	}
}

// A field is read by who was granted a role of its list, and a role that is lost while a callback answers is not there
// at the commit.
func TestRolesOnACaseAreThoseOfTheCommit(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, owned)
		bob := w.someone("Bob")
		made := w.submit(casework.Submission{Type: "owned", Data: object(`{"pin": "7"}`)})
		own := casework.CaseRoles{UserID: bob.Actor.UserID, Roles: []string{"[OWNER]"}}
		if err := w.cases.SetCaseRoles(t.Context(), w.p, made.ID, own); err != nil {
			t.Fatal(err)
		}
		if v, err := w.cases.Case(t.Context(), bob, made.ID); err != nil || encode(t, v.Data) != `{"pin":"7"}` {
			t.Errorf("the owner sees %v, %v", v.Data, err)
		}
		all, err := w.cases.CaseRoles(t.Context(), w.p, made.ID)
		if err != nil || fmt.Sprint(all) != fmt.Sprintf("[{%d  [[OWNER]]}]", bob.Actor.UserID) {
			t.Errorf("granted are %v, %v", all, err)
		}
		for _, c := range []struct {
			in   casework.CaseRoles
			path string
		}{
			{casework.CaseRoles{Roles: []string{"[OWNER]"}}, "/user_id"}, {casework.CaseRoles{UserID: 99}, "/user_id"},
			{casework.CaseRoles{UserID: 1, Group: "x"}, "/user_id"}, {casework.CaseRoles{Group: "[OWNER]"}, "/group"},
			{casework.CaseRoles{Group: "admin"}, "/group"}, {casework.CaseRoles{Group: "x", Roles: []string{"clerk"}}, "/roles/0"},
		} {
			err := w.cases.SetCaseRoles(t.Context(), w.p, made.ID, c.in)
			wantFields(t, wantFault(t, err, fault.Unprocessable, "case.roles_invalid"), c.path)
		}
		manager := w.someone("Max")
		manager.Role = access.Manager
		err = w.cases.SetCaseRoles(t.Context(), manager, made.ID, own)
		wantFault(t, err, fault.NotFound, "case.not_found") // nor may who does not read the case
	})
}
