package people_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/people"
)

func TestTokens(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		made, err := w.tokens.CreateToken(ctx, w.p,
			people.TokenRequest{Name: "billing", Expires: w.now().Add(time.Hour)}, authz.Once{})
		token, bearer := made.Token, made.Bearer
		if err != nil {
			t.Fatal(err)
		}
		p, err := w.tokens.Authenticate(ctx, bearer, "192.0.2.7")
		p.Credential = access.Credential{}
		want := access.Principal{
			Tenant: w.p.Tenant, Role: access.Admin, Clearance: casetype.Restricted,
			Actor: event.Actor{Source: event.API, Name: "billing", TokenID: token.ID, Address: "192.0.2.7"},
		}
		if err != nil || p != want {
			t.Errorf("%+v, %v", p, err)
		}
		var refusals []string
		refuse := func(bearer string) {
			t.Helper()
			p, err := w.tokens.Authenticate(ctx, bearer, "")
			refusals = append(refusals, wantFault(t, err, fault.Unauthenticated, "token.invalid").Detail)
			if p != (access.Principal{}) {
				t.Errorf("%q is %+v", bearer, p)
			}
		}
		for _, wrong := range []string{
			"", "x", bearer + "x", strings.Replace(bearer, "chk_tok", "chk_tik", 1), "chk_a\x00.b",
			bearer + strings.Repeat("x", 300),
		} {
			refuse(wrong)
		}
		w.later(time.Hour)
		refuse(bearer)
		made, err = w.tokens.CreateToken(ctx, w.p, people.TokenRequest{Name: "second", Role: access.Manager},
			authz.Once{})
		bearer = made.Bearer
		if err != nil {
			t.Fatal(err)
		}
		all, err := w.tokens.Tokens(ctx, w.p)
		if err != nil || len(all) != 2 || all[1].Name != "second" {
			t.Fatalf("%+v, %v", all, err)
		}
		if err := w.tokens.DeleteToken(ctx, w.p, all[1].ID); err != nil {
			t.Fatal(err)
		}
		refuse(bearer)
		for _, r := range refusals {
			if r != refusals[0] {
				t.Errorf("refusals differ: %q, %q", r, refusals[0])
			}
		}
		wantFault(t, w.tokens.DeleteToken(ctx, w.p, all[1].ID), fault.NotFound, "token.not_found")
		_, err = w.tokens.CreateToken(ctx, w.p, people.TokenRequest{Expires: w.now()}, authz.Once{})
		wantFields(t, wantFault(t, err, fault.Unprocessable, "token.unusable"), "/name", "/expires_at")
	})
}

func TestATokenWorksFromItsAddressesAndNotesItsUse(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		made, err := w.tokens.CreateToken(ctx, w.p, people.TokenRequest{
			Name: "near", Role: access.Viewer, Clearance: casetype.Public,
			Allowed: []string{"192.0.2.0/24", "2001:db8::1"},
		}, authz.Once{})
		if err != nil {
			t.Fatal(err)
		}
		for address, ok := range map[string]bool{
			"192.0.2.200": true, "2001:db8::1": true, "::ffff:192.0.2.1": true, "198.51.100.1": false,
			"2001:db8::2": false, "": false,
		} {
			p, err := w.tokens.Authenticate(ctx, made.Bearer, address)
			if (err == nil) != ok {
				t.Errorf("from %q: %v", address, err)
			}
			if err == nil && (p.Role != access.Viewer || p.Clearance != casetype.Public) {
				t.Errorf("%+v", p)
			}
		}
		used := func() access.Token {
			token, err := w.store.Token(ctx, made.Token.ID)
			if err != nil {
				t.Fatal(err)
			}
			return token
		}
		first := used().LastUsed
		if first.IsZero() {
			t.Fatal("no use is recorded")
		}
		w.tokens.Authenticate(ctx, made.Bearer, "192.0.2.1")
		if again := used().LastUsed; again.Sub(first) > 0 {
			t.Errorf("it is recorded again after %s", again.Sub(first))
		}
		w.later(2 * 60e9)
		w.tokens.Authenticate(ctx, made.Bearer, "192.0.2.1")
		if later := used().LastUsed; later.Sub(first) < 60e9 {
			t.Errorf("it is not recorded after two minutes")
		}
		_, err = w.tokens.CreateToken(ctx, w.p,
			people.TokenRequest{
				Name: "x", Role: "king", Clearance: "SECRET", Allowed: []string{"1.2.3.4/8", "x", "fe80::1%eth0"},
			}, authz.Once{})
		wantFields(t, wantFault(t, err, fault.Unprocessable, "token.unusable"), "/role", "/clearance",
			"/allowed_addresses/1", "/allowed_addresses/2")
	})
}

func TestTheFirstStartMakesOneAdmin(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		var all sync.WaitGroup
		bearers := make(chan string, 4)
		for range 4 {
			all.Go(func() {
				bearer, err := w.tenants.Bootstrap(t.Context(), nil)
				if err != nil {
					t.Error(err)
				}
				bearers <- bearer
			})
		}
		all.Wait()
		close(bearers)
		var admin string
		for bearer := range bearers {
			if admin != "" && bearer != "" {
				t.Fatal("two starts made a token each")
			}
			admin += bearer
		}
		if p, err := w.tokens.Authenticate(t.Context(), admin, ""); err != nil || p.Actor.Name != "admin" ||
			p.Tenant == w.p.Tenant {
			t.Errorf("%+v, %v", p, err)
		}
	})
}
