package casework_test

import (
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
