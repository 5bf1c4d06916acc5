package casework_test

import (
	"strconv"
	"testing"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
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

func texts(all ...string) *[]string { return &all }

// Each entry about a case holds the address of the case, by the public URL of its tenant at that
// moment; earlier entries keep theirs.
func TestEveryEntrySaysWhereItsTenantsPeopleFoundTheCaseThen(t *testing.T) {
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
				_, err := w.comments.AddComment(ctx, second, theirs.ID, "hello", authz.Once{})
				return err
			},
			"http://second.example/desk": func() error {
				_, err := w.switches.SwitchType(ctx, second,
					casework.Switch{CaseID: theirs.ID, Type: "lease"}, authz.Once{})
				return err
			},
			"https://other.example": func() error {
				if _, err := w.labels.AddLabel(ctx, second, theirs.ID, "urgent"); err != nil {
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
			if told := e.Snapshot.Case.URL; told != want[len(want)-1-i] {
				t.Errorf("version %d is at %s, want %s", e.Version, told, want[len(want)-1-i])
			}
		}
		if v := w.open("loan"); v.URL != "https://casehook.example/cases/"+strconv.FormatInt(v.ID, 10) {
			t.Errorf("the other tenant's case is at %s", v.URL)
		}
	})
}

func TestAPublicURLFollowsFromTheHostsWhereNoneIsSet(t *testing.T) {
	t.Parallel()
	hosts := []string{"a.example", "b.example"}
	for _, test := range []struct {
		installation string
		tenant       store.Tenant
		want         string
	}{
		{"https://cases.example:8443/desk", store.Tenant{}, "https://cases.example:8443/desk"},
		{"https://cases.example:8443/desk", store.Tenant{Hosts: hosts}, "https://a.example:8443/desk"},
		{"http://127.0.0.1:8080", store.Tenant{Hosts: []string{"b.example"}}, "http://b.example:8080"},
		{"http://[::1]", store.Tenant{Hosts: []string{"b.example"}}, "http://b.example"},
		{"https://cases.example", store.Tenant{Hosts: []string{"a.example", "cases.example"}}, "https://cases.example"},
		{"https://cases.example", store.Tenant{PublicURL: "http://x.example/a", Hosts: hosts}, "http://x.example/a"},
	} {
		tenants := people.New(people.Config{PublicURL: test.installation}).Tenants
		if got := tenants.PublicURLOf(test.tenant); got != test.want {
			t.Errorf("%+v of %s is at %s, want %s", test.tenant, test.installation, got, test.want)
		}
	}
}

func TestPeopleFindTheServerUnderTheNameByWhichTheyCame(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		if _, err := w.tenants.Bootstrap(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		second := w.tenant("second")
		at := func(tenant int64, header string) string {
			t.Helper()
			found, err := w.tenants.PlaceAt(t.Context(), tenant, header)
			if err != nil || found.Set != (found.URL != "") {
				t.Errorf("%+v, %v", found, err)
			}
			return found.URL
		}
		const public = "http://b.example:8080/desk"
		w.setTenant("second", people.TenantChange{Hosts: texts("a.example", "b.example"), PublicURL: text(public)})
		for header, want := range map[string]string{
			"b.example:8080": public, "B.example.": public, "a.example": "http://a.example:8080/desk",
			"casehook.example": "", "nobody.example": "", "": "", "[::1]:80": "",
		} {
			if got := at(second.Tenant, header); got != want {
				t.Errorf("the tenant at %q is at %q, want %q", header, got, want)
			}
			if got := at(0, header); got != want {
				t.Errorf("whoever is at %q is at %q, want %q", header, got, want)
			}
		}
	})
}

func TestWhatIsNoPublicURLIsRefusedWithTheReason(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx, operator := t.Context(), people.Operator("")
		w.tenant("second")
		for _, raw := range []string{
			"acme.example", "ftp://acme.example", "https://acme.example?a=b", "https://acme.example/#x",
			"https://me:secret@acme.example", "https://", "https://acme.example:99999", "https://127.1", "https://acme.example/%zz",
		} {
			_, err := w.tenants.ChangeTenant(ctx, operator, "second", people.TenantChange{PublicURL: text(raw)})
			if f := fault.As(err); f.Code != "tenant.invalid" || len(f.Fields) != 1 ||
				f.Fields[0].Path != "/public_url" {
				t.Errorf("%s: %v", raw, err)
			}
		}
		change := people.TenantChange{Hosts: texts("b.example"), PublicURL: text("HTTPS://B.Example:443/a b/")}
		saved := w.setTenant("second", change)
		if saved.PublicURL != "https://b.example/a%20b" {
			t.Errorf("it is kept as %s", saved.PublicURL)
		}
		if same := w.setTenant("second", people.TenantChange{Name: text("Second")}); same.PublicURL != saved.PublicURL {
			t.Errorf("another change makes it %q", same.PublicURL)
		}
		// Nobody is sent to a name at which others are at home.
		_, err := w.tenants.ChangeTenant(ctx, operator, "first",
			people.TenantChange{PublicURL: text("http://b.example:81")})
		wantFault(t, err, fault.Conflict, "tenant.host_taken")
		w.setTenant("second", people.TenantChange{Hosts: texts()})
		_, err = w.tenants.CreateTenant(ctx, operator, "third", people.TenantChange{Hosts: texts("b.example")},
			authz.Once{})
		wantFault(t, err, fault.Conflict, "tenant.host_taken")
		if gone := w.setTenant("second", people.TenantChange{PublicURL: text("")}); gone.PublicURL != "" {
			t.Errorf("it stays %q", gone.PublicURL)
		}
		noted, err := items(w.guard.Records(ctx,
			access.Principal{Tenant: saved.ID, Role: access.Admin, Clearance: casetype.Public}, 0, 1))
		if err != nil || len(noted) != 1 || noted[0].Action != access.TenantUpdated {
			t.Errorf("the audit notes %+v, %v", noted, err)
		}
	})
}
