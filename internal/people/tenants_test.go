package people_test

import (
	"slices"
	"testing"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/people"
)

func TestATenantIsMadeWithItsTokenAndFoundByItsHosts(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		if _, err := w.tenants.Bootstrap(ctx, nil); err != nil {
			t.Fatal(err)
		}
		hosts := []string{"Acme.Example", "acme.example.", "a.example"}
		made, err := w.tenants.CreateTenant(ctx, people.Operator("192.0.2.9"), "acme",
			people.TenantChange{Hosts: &hosts}, authz.Once{})
		if err != nil || made.Tenant.Name != "acme" ||
			!slices.Equal(made.Tenant.Hosts, []string{"a.example", "acme.example"}) {
			t.Fatalf("%+v, %v", made.Tenant, err)
		}
		p, err := w.tokens.Authenticate(ctx, made.Token.Bearer, "192.0.2.7")
		if err != nil || p.Tenant != made.Tenant.ID || p.Role != access.Admin {
			t.Errorf("its token is %+v's, %v", p, err)
		}
		noted, _, err := w.guard.Records(ctx, p, authz.RecordQuery{Limit: 9})
		if err != nil || len(noted) != 2 || noted[1].Action != access.TenantCreated ||
			noted[1].Actor.Address != "192.0.2.9" {
			t.Errorf("its audit has %+v, %v", noted, err)
		}
		first, err := w.tenants.TenantAt(ctx, "nobody.example")
		if err != nil || first == p.Tenant {
			t.Errorf("a host that nobody has is %d's, %v", first, err)
		}
		for header, own := range map[string]bool{
			"acme.example": true, "ACME.example:8080": true, "a.example.": true, "a.example.:443": true,
			"b.example": false, "": false, "[::1]:8080": false, "a.example:": true, "a b": false, "\xff": false,
		} {
			want := map[bool]int64{true: p.Tenant, false: first}[own]
			if got, err := w.tenants.TenantAt(ctx, header); err != nil || got != want {
				t.Errorf("%q is %d's, want %d's, %v", header, got, want, err)
			}
			if err := w.tenants.CheckHost(ctx, p, header); err != nil {
				t.Errorf("its own token at %q: %v", header, err)
			}
			stranger := access.Principal{Tenant: first}
			if err := w.tenants.CheckHost(ctx, stranger, header); (err == nil) == own ||
				err != nil && fault.As(err).Code != "token.invalid" {
				t.Errorf("another's token at %q: %v", header, err)
			}
		}
		if _, err := w.tenants.CreateTenant(ctx, people.Operator(""), "second", people.TenantChange{Hosts: &hosts},
			authz.Once{}); fault.As(err).Code != "tenant.host_taken" {
			t.Errorf("its host names are another's too: %v", err)
		}
		if all, err := w.tenants.Tenants(ctx, people.Operator("192.0.2.9")); err != nil || len(all) < 2 ||
			all[len(all)-1].Key != "acme" {
			t.Errorf("the tenants are %+v, %v", all, err)
		}
	})
}
