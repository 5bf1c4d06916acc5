package people_test

import (
	"testing"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
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
		w.setTenant("second", people.TenantChange{Hosts: texts("a.example", "b.example"), PublicURL: to(public)})
		for header, want := range map[string]string{
			"b.example:8080": public, "B.example.": public, "a.example": "http://a.example:8080/desk",
			"casehook.example": "", "nobody.example": "", "": "", "[::1]:80": "",
		} {
			if got := at(second.Tenant, header); got != want {
				t.Errorf("the tenant at %q is at %q, want %q", header, got, want)
			}
			if got := at(0, header); got != want {
				t.Errorf("the people at %q are at %q, want %q", header, got, want)
			}
		}
	})
}

func TestABadPublicURLIsRefusedWithAReason(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx, operator := t.Context(), people.Operator("")
		w.tenant("second")
		for _, raw := range []string{
			"acme.example", "ftp://acme.example", "https://acme.example?a=b", "https://acme.example/#x",
			"https://me:secret@acme.example", "https://", "https://acme.example:99999", "https://127.1", "https://acme.example/%zz",
		} {
			_, err := w.tenants.ChangeTenant(ctx, operator, "second", people.TenantChange{PublicURL: to(raw)})
			if f := fault.As(err); f.Code != "tenant.invalid" || len(f.Fields) != 1 ||
				f.Fields[0].Path != "/public_url" {
				t.Errorf("%s: %v", raw, err)
			}
		}
		change := people.TenantChange{Hosts: texts("b.example"), PublicURL: to("HTTPS://B.Example:443/a b/")}
		saved := w.setTenant("second", change)
		if saved.PublicURL != "https://b.example/a%20b" {
			t.Errorf("it is kept as %s", saved.PublicURL)
		}
		if same := w.setTenant("second", people.TenantChange{Name: to("Second")}); same.PublicURL != saved.PublicURL {
			t.Errorf("another change makes it %q", same.PublicURL)
		}
		// A tenant's public URL can't have another tenant's host.
		_, err := w.tenants.ChangeTenant(ctx, operator, "first",
			people.TenantChange{PublicURL: to("http://b.example:81")})
		wantFault(t, err, fault.Conflict, "tenant.host_taken")
		w.setTenant("second", people.TenantChange{Hosts: texts()})
		_, err = w.tenants.CreateTenant(ctx, operator, "third", people.TenantChange{Hosts: texts("b.example")},
			authz.Once{})
		wantFault(t, err, fault.Conflict, "tenant.host_taken")
		if gone := w.setTenant("second", people.TenantChange{PublicURL: to("")}); gone.PublicURL != "" {
			t.Errorf("it stays %q", gone.PublicURL)
		}
		noted, _, err := w.guard.Records(ctx,
			access.Principal{Tenant: saved.ID, Role: access.Admin, Clearance: casetype.Public}, authz.RecordQuery{Limit: 1})
		if err != nil || len(noted) != 1 || noted[0].Action != access.TenantUpdated {
			t.Errorf("the audit has %+v, %v", noted, err)
		}
	})
}
