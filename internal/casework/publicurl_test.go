package casework_test

import (
	"strconv"
	"testing"

	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/store"
)

// setTenant changes a tenant as its operator.
func (w *world) setTenant(key string, c people.TenantChange) store.Tenant {
	w.t.Helper()
	t, err := w.tenants.ChangeTenant(w.t.Context(), people.Operator(""), key, c)
	if err != nil {
		w.t.Fatal(err)
	}
	return t
}

// Each entry about a case has the URL of the case, by its tenant's public URL of that time; earlier entries keep
// theirs.
func TestEveryEntryHasTheCasesURLOfItsTime(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx, second := t.Context(), w.tenant("second")
		w.put(w.p, loan("loan", ""))
		w.put(second, loan("loan", ""))
		w.put(second, loan("lease", ""))
		theirs, err := w.submissions.Submit(ctx, second,
			casework.Submission{Type: "loan", Transition: "open"}, authz.Once{})
		if err != nil {
			t.Fatal(err)
		}
		steps := map[string]func() error{
			"https://second.example": func() error {
				edit := casework.Submission{CaseID: theirs.ID, Edit: true, Name: text("New")}
				_, err := w.submissions.Submit(ctx, second, edit, authz.Once{})
				return err
			},
			"https://second.example:8443": func() error {
				_, err := w.comment(second, theirs.ID, "hello", authz.Once{})
				return err
			},
			"http://second.example/desk": func() error {
				_, err := w.switches.SwitchType(ctx, second,
					casework.Switch{CaseID: theirs.ID, Type: "lease"}, authz.Once{})
				return err
			},
			"https://other.example": func() error {
				if _, err := w.addLabel(second, theirs.ID, "urgent"); err != nil {
					return err
				}
				return w.cases.DeleteCase(ctx, second, casework.Deletion{CaseID: theirs.ID})
			},
		}
		path := "/cases/" + strconv.FormatInt(theirs.ID, 10)
		want := []string{"https://casehook.example" + path}
		if _, err := w.labels.CreateLabel(ctx, second, cases.Label{Slug: "urgent", Color: "red"},
			authz.Once{}); err != nil {
			t.Fatal(err)
		}
		for _, public := range []string{
			"https://second.example", "https://second.example:8443", "http://second.example/desk", "https://other.example",
		} {
			w.setTenant("second", people.TenantChange{PublicURL: text(public + "/")})
			shown, err := w.cases.Case(ctx, second, theirs.ID)
			if err != nil || shown.URL != public+path {
				t.Errorf("the case is shown at %s, %v", shown.URL, err)
			}
			if err := steps[public](); err != nil {
				t.Fatal(err)
			}
			want = append(want, public+path)
		}
		want = append(want, "https://other.example"+path) // the label, and the end
		entries, err := items(w.store.History(ctx, second.Tenant, "case/"+strconv.FormatInt(theirs.ID, 10), 1<<62, 100))
		if err != nil || len(entries) != len(want) {
			t.Fatalf("%d entries, %v", len(entries), err)
		}
		for i, e := range entries {
			if stored := e.Snapshot.Case.URL; stored != want[len(want)-1-i] {
				t.Errorf("version %d is at %s, want %s", e.Version, stored, want[len(want)-1-i])
			}
		}
		if v := w.open("loan"); v.URL != "https://casehook.example/cases/"+strconv.FormatInt(v.ID, 10) {
			t.Errorf("the other tenant's case is at %s", v.URL)
		}
	})
}
