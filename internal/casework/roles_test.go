package casework_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// X3: roles of the type stand for those of users and tokens that they are mapped to, and for nobody else.
func TestX3RolesOfATypeAreThoseThatTheyAreMappedTo(t *testing.T) {
	const staffed = `{"key": "staffed", "fields": {"type": "object", "properties": {"n": {"type": "integer"}}},
		"roles": {"officer": {}, "reader": {}, "[OWNER]": {}},
		"role_map": {"officer": ["manager"], "reader": ["manager", "caseworker"]},
		"access": {"read": ["reader"]},
		"states": [{"key": "draft"}], "edit": "edit", "transitions": [
			{"key": "open", "to": "draft"}, {"key": "edit", "from": ["draft"]},
			{"key": "decide", "from": ["draft"], "roles": ["officer"]},
			{"key": "own", "from": ["draft"], "roles": ["[OWNER]"]}]}`
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, staffed)
		c := w.submit(casework.Submission{Type: "staffed"})
		as := func(role access.Role) access.Principal {
			p := w.p
			p.Role = role
			return p
		}
		submit := func(role access.Role, transition string) error {
			_, err := w.submissions.Submit(t.Context(), as(role),
				casework.Submission{CaseID: c.ID, Transition: transition}, authz.Once{})
			return err
		}
		for role, want := range map[access.Role]string{
			access.Admin: "edit decide own", access.Manager: "edit decide", access.Caseworker: "edit",
		} {
			v, err := w.cases.Case(t.Context(), as(role), c.ID)
			if got := strings.Join(v.Transitions, " "); err != nil || got != want {
				t.Errorf("the role %s may submit %s, %v", role, got, err)
			}
			for _, tr := range []string{"decide", "own"} {
				if err := submit(role, tr); (err == nil) != strings.Contains(want, tr) {
					t.Errorf("the role %s submits %s: %v", role, tr, err)
				}
			}
		}
		wantFault(t, submit(access.Manager, "own"), fault.Forbidden, "access.denied")
		_, err := w.cases.Case(t.Context(), as(access.Viewer), c.ID)
		wantFault(t, err, fault.NotFound, "case.not_found")
		for role, want := range map[access.Role]int{access.Caseworker: 1, access.Viewer: 0} {
			found, err := listed(w.cases.Cases(t.Context(), as(role), store.CaseFilter{}))
			if err != nil || len(found) != want {
				t.Errorf("the role %s finds %d cases, %v", role, len(found), err)
			}
		}
	})
}

// X3: further roles of users and tokens are those that role_map names, or those of the type itself.
func TestX3FurtherRolesHaveTheRolesOfAType(t *testing.T) {
	const staffed = `{"key": "staffed", "fields": {"type": "object", "properties": {"n": {"type": "integer"},
			"m": {"type": "integer"}}},
		"roles": {"officer": {}, "reader": {}, "clerk": {}, "[OWNER]": {}},
		"role_map": {"officer": ["town-officer"], "reader": ["town-officer", "town-reader", "manager"]},
		"access": {"read": ["reader", "clerk"], "fields": {"n": {"update": ["officer"]}, "m": {"update": ["clerk"]}}},
		"states": [{"key": "draft"}], "edit": "edit", "transitions": [
			{"key": "open", "to": "draft"}, {"key": "edit", "from": ["draft"]},
			{"key": "decide", "from": ["draft"], "roles": ["officer"]},
			{"key": "file", "from": ["draft"], "roles": ["clerk", "manager"]}]}`
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, staffed)
		c := w.submit(casework.Submission{Type: "staffed"})
		value := 0 // a new one each time
		submit := func(p access.Principal, in casework.Submission) error {
			_, err := w.submissions.Submit(t.Context(), p, in, authz.Once{})
			return err
		}
		for _, test := range []struct {
			role    access.Role
			further []string
			want    string // the transitions; "-": the case is not found
			fields  string // those that may be changed
		}{
			{access.Caseworker, nil, "-", ""},
			{access.Caseworker, []string{"officer", "reader", "[OWNER]"}, "-", ""},
			{access.Caseworker, []string{"town-reader"}, "edit", ""},
			{access.Caseworker, []string{"town-officer"}, "edit decide", "n"},
			{access.Caseworker, []string{"clerk"}, "edit file", "m"},
			{access.Caseworker, []string{"town-officer", "clerk"}, "edit decide file", "mn"},
			{access.Viewer, []string{"town-officer", "clerk"}, "", ""},
			{access.Manager, nil, "edit file", ""}, {access.Admin, nil, "edit decide file", "mn"},
		} {
			p := w.p
			p.Role, p.Further = test.role, access.NewFurtherRoles(test.further)
			v, err := w.cases.Case(t.Context(), p, c.ID)
			got := strings.Join(v.Transitions, " ")
			if fault.As(err).Kind == fault.NotFound {
				got = "-"
			}
			found, listErr := listed(w.cases.Cases(t.Context(), p, store.CaseFilter{}))
			if got != test.want || listErr != nil || len(found) != strings.Count("-"+test.want, "-")%2 {
				t.Errorf("%s with %q: %q, %v; %d listed, %v", test.role, test.further, got, err, len(found), listErr)
			}
			for _, tr := range []string{"edit", "decide", "file"} {
				err := submit(p, casework.Submission{CaseID: c.ID, Transition: tr})
				if (err == nil) != strings.Contains(test.want, tr) {
					t.Errorf("%s with %q submits %s: %v", test.role, test.further, tr, err)
				}
			}
			for _, name := range []string{"m", "n", "mn"} {
				data := map[string]any{}
				for _, one := range name {
					value++
					data[string(one)] = value
				}
				err := submit(p, casework.Submission{CaseID: c.ID, Edit: true, Data: data})
				if may := strings.Contains(test.fields, name); (err == nil) != may {
					t.Errorf("%s with %q changes %s: %v", test.role, test.further, name, err)
				}
			}
		}
	})
}

// The parts of kept that a test leaves out.
const (
	ofScore = `"score": {"create": ["officer"], "update": ["officer"]}, `
	score   = `"score": {"type": "integer"},`
)

// kept is a case type whose field score managers alone may set, and note when it is created.
const kept = `{"key": %q, "roles": {"officer": {}}, "role_map": {"officer": ["manager"]},
	"access": {"fields": {"score": {"create": ["officer"], "update": ["officer"]}, "note": {"create": ["manager"]}}},
	"fields": {"type": "object", "properties": {
		"score": {"type": "integer"}, "note": {"type": "string"}, "free": {"type": "string"}%s}},
	"states": [{"key": "draft"}], "edit": "edit", "transitions": [
		{"key": "open", "to": "draft"}, {"key": "edit", "from": ["draft"]}]}`

// F2: a field that the caller may not change is accepted as it is, and refused if it is changed.
func TestF2AFieldIsSetByTheRolesThatItsAccessLists(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, fmt.Sprintf(kept, "kept", ""))
		worker, manager := w.p, w.p
		worker.Role, manager.Role = access.Caseworker, access.Manager
		made := w.submit(casework.Submission{Type: "kept", Data: object(`{"score": 1, "note": "a"}`)})
		for _, test := range []struct {
			p      access.Principal
			create bool
			data   string
			wrong  []string
		}{
			{worker, true, `{"score": 1, "note": "a", "free": "x"}`, []string{"/data/note", "/data/score"}},
			{worker, true, `{"score": null, "free": "x"}`, nil},
			{manager, true, `{"score": 1, "note": "a"}`, nil},
			{worker, false, `{"score": 2, "free": "x"}`, []string{"/data/score"}},
			{worker, false, `{"score": null}`, []string{"/data/score"}},
			{worker, false, `{"score": 1.0, "note": "b", "free": "x"}`, nil},
			{manager, false, `{"score": 3}`, nil},
		} {
			in := casework.Submission{CaseID: made.ID, Edit: true, Data: object(test.data)}
			if test.create {
				in = casework.Submission{Type: "kept", Data: object(test.data)}
			}
			_, err := w.submissions.Submit(t.Context(), test.p, in, authz.Once{})
			switch {
			case test.wrong != nil:
				wantFields(t, wantFault(t, err, fault.Unprocessable, "case.fields_not_allowed"), test.wrong...)
			case err != nil:
				t.Errorf("%s %s: %v", test.p.Role, test.data, err)
			}
		}
		if got := w.load(made.ID); encode(t, got.Data) != `{"free":"x","note":"b","score":3}` {
			t.Errorf("it has %s", encode(t, got.Data))
		}
	})
}

// A switch there and back is no way to set a field, or to clear one.
func TestASwitchSetsNoFieldThatTheRoleMayNot(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, fmt.Sprintf(kept, "kept", ""))
		w.put(w.p, strings.Replace(fmt.Sprintf(kept, "open", ""), ofScore, "", 1))
		w.put(w.p, strings.NewReplacer(ofScore, "", score, "").Replace(fmt.Sprintf(kept, "bare", "")))
		worker := w.p
		worker.Role = access.Caseworker
		for _, test := range []struct{ from, to, want string }{
			{"open", "kept", "/data/score"}, {"kept", "bare", "/data/score"}, {"open", "bare", ""},
		} {
			made := w.submit(casework.Submission{Type: test.from, Data: object(`{"score": 1, "free": "x"}`)})
			_, err := w.switches.SwitchType(t.Context(), worker,
				casework.Switch{CaseID: made.ID, Type: test.to, Drop: true}, authz.Once{})
			switch {
			case test.want != "":
				wantFields(t, wantFault(t, err, fault.Unprocessable, "case.switch_data"), test.want)
			case err != nil:
				t.Errorf("from %s to %s: %v", test.from, test.to, err)
			}
		}
	})
}
