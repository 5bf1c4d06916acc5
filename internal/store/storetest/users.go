package storetest

import (
	"net/netip"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

func (f *fixture) newUser(tenant int64, email string) (u access.User) {
	f.t.Helper()
	f.update(func(tx *store.Tx) (err error) {
		u, err = tx.CreateUser(f.t.Context(), access.User{
			Tenant: tenant, Email: email, Name: "Ada", Role: access.Caseworker, Further: "clerk officer",
			Clearance: casetype.Private, Password: "$argon2id$x", CreatedAt: start, UpdatedAt: start,
		})
		return err
	})
	return u
}

var userTests = map[string]func(*fixture){
	"users are found by id, address and identity in their tenant alone": func(f *fixture) {
		ada, bob, far := f.newUser(f.tenant, "ada@example.org"), f.newUser(f.tenant, "bob@example.org"), f.newUser(f.other, "ada@example.org")
		f.equal([]int64{ada.ID, bob.ID, far.ID}, []int64{1, 2, 1}) // each tenant counts its own
		get := must[access.User](f)
		f.equal(get(f.store.User(f.t.Context(), f.tenant, ada.ID)), ada)
		f.equal(get(f.store.User(f.t.Context(), f.other, far.ID)), far)
		f.equal(get(f.store.UserByEmail(f.t.Context(), f.other, "ada@example.org")), far)
		bob.Issuer, bob.Subject, bob.Disabled, bob.Epoch = "https://id.example.org", "b", true, 3
		f.update(func(tx *store.Tx) (err error) { bob, err = tx.UpdateUser(f.t.Context(), bob); return err })
		f.equal(get(f.store.UserByIdentity(f.t.Context(), f.tenant, "https://id.example.org", "b")), bob)
		for _, miss := range []func() (access.User, error){
			func() (access.User, error) { return f.store.User(f.t.Context(), f.other, bob.ID) },
			func() (access.User, error) { return f.store.UserByEmail(f.t.Context(), f.other, "bob@example.org") },
			func() (access.User, error) {
				return f.store.UserByIdentity(f.t.Context(), f.other, "https://id.example.org", "b")
			},
			func() (access.User, error) { return f.store.UserByIdentity(f.t.Context(), f.tenant, "", "") },
		} {
			_, err := miss()
			f.wantFault(err, fault.NotFound, "user.not_found")
		}
		list := must[[]access.User](f)
		f.equal(list(f.store.Users(f.t.Context(), f.tenant, 0, 10)), []access.User{ada, bob})
		f.equal(list(f.store.Users(f.t.Context(), f.tenant, ada.ID, 1)), []access.User{bob})
		f.equal(list(f.store.Users(f.t.Context(), f.other, 0, 1)), []access.User{far})
	},
	"an address and an identity belong to one user": func(f *fixture) {
		ada, bob := f.newUser(f.tenant, "ada@example.org"), f.newUser(f.tenant, "bob@example.org")
		f.refused(fault.Conflict, "user.taken", func(tx *store.Tx) error {
			_, err := tx.CreateUser(f.t.Context(), access.User{Tenant: f.tenant, Email: "ada@example.org"})
			return err
		})
		ada.Issuer, ada.Subject = "https://id.example.org", "a"
		f.update(func(tx *store.Tx) (err error) { _, err = tx.UpdateUser(f.t.Context(), ada); return err })
		bob.Issuer, bob.Subject = ada.Issuer, ada.Subject
		f.refused(fault.Conflict, "user.taken", func(tx *store.Tx) error {
			_, err := tx.UpdateUser(f.t.Context(), bob)
			return err
		})
	},
	"of two changes to a user at once the second is refused": func(f *fixture) {
		ada := f.newUser(f.tenant, "ada@example.org")
		f.update(func(tx *store.Tx) (err error) { _, err = tx.UpdateUser(f.t.Context(), ada); return err })
		f.refused(fault.Conflict, "user.version_conflict", func(tx *store.Tx) error {
			_, err := tx.UpdateUser(f.t.Context(), ada)
			return err
		})
		ada.Tenant = f.other
		f.refused(fault.NotFound, "user.not_found", func(tx *store.Tx) error {
			_, err := tx.UpdateUser(f.t.Context(), ada)
			return err
		})
	},
	"a token's use is noted once in a while": func(f *fixture) {
		token := access.Token{ID: "tok_1", Tenant: f.tenant, Name: "robot", Hash: []byte{1}, Role: access.Viewer, Clearance: casetype.Public,
			Allowed: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}, CreatedAt: start}
		f.update(func(tx *store.Tx) error { return tx.CreateToken(f.t.Context(), token) })
		used := func(tenant int64, at time.Time) time.Time {
			f.update(func(tx *store.Tx) error {
				return tx.TokenUsed(f.t.Context(), tenant, token.ID, at, at.Add(-time.Minute))
			})
			found := must[access.Token](f)(f.store.Token(f.t.Context(), token.ID))
			if diff := cmp.Diff(token.Allowed, found.Allowed, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
				f.t.Error(diff)
			}
			return found.LastUsed
		}
		f.equal(used(f.other, start).IsZero(), true)
		f.equal(used(f.tenant, start), start)
		f.equal(used(f.tenant, start.Add(time.Second)), start)
		f.equal(used(f.tenant, start.Add(2*time.Minute)), start.Add(2*time.Minute))
	},
	"a user's own token has the user's present rights as its bound": func(f *fixture) {
		ctx := f.t.Context()
		ada := f.newUser(f.tenant, "ada@example.org")
		f.newUser(f.other, "eve@example.org") // with Ada's id
		add := func(id string, tenant, user int64) {
			token := access.Token{
				ID: id, Tenant: tenant, Name: "robot", Hash: []byte{1}, Role: access.Admin, Further: "auditor officer",
				Clearance: casetype.Restricted, User: event.Person{UserID: user}, CreatedAt: start,
			}
			f.update(func(tx *store.Tx) error { return tx.CreateToken(ctx, token) })
		}
		add("tok_1", f.tenant, 0)
		add("tok_2", f.tenant, ada.ID)
		add("tok_3", f.other, ada.ID)
		list := must[[]access.Token](f)
		own := list(f.store.TokensOf(ctx, f.tenant, ada.ID))
		f.equal(len(own), 1)
		f.equal(len(list(f.store.Tokens(ctx, f.tenant))), 2)
		f.equal(len(list(f.store.TokensOf(ctx, f.tenant, 0))), 0)
		find := func(id string) access.Token { return must[access.Token](f)(f.store.Token(ctx, id)) }
		f.equal(find("tok_2"), own[0])
		f.equal(own[0].User, event.Person{UserID: ada.ID, Name: "Ada"})
		standing := func(id string) access.Grant {
			p := access.Principal{Tenant: f.tenant, Actor: event.Actor{TokenID: id}}
			s := must[access.Standing](f)(f.store.Standing(ctx, p, "", start))
			return access.Grant{Role: s.Role, Further: s.Further, Clearance: s.Clearance}
		}
		all := access.Grant{Role: access.Admin, Further: "auditor officer", Clearance: casetype.Restricted}
		for _, grant := range []func(string) access.Grant{
			standing, func(id string) access.Grant { return find(id).Grant() },
		} {
			f.equal(grant("tok_1"), all)
			f.equal(grant("tok_2"), access.Grant{Role: access.Caseworker, Further: "officer", Clearance: casetype.Private})
		}
		ada.Disabled = true
		f.update(func(tx *store.Tx) (err error) { ada, err = tx.UpdateUser(ctx, ada); return err })
		f.equal(standing("tok_2"), access.Grant{})
		f.equal(find("tok_2").Grant(), access.Grant{})
		f.equal(find("tok_1").Grant(), all)
		userStanding := func(id int64) access.FurtherRoles {
			p := access.Principal{Tenant: f.tenant, Actor: event.Actor{UserID: id}}
			return must[access.Standing](f)(f.store.Standing(ctx, p, "", start)).Further
		}
		bob := f.newUser(f.tenant, "bob@example.org")
		f.equal(userStanding(bob.ID), access.FurtherRoles("clerk officer"))
		bob.Further = ""
		f.update(func(tx *store.Tx) (err error) { bob, err = tx.UpdateUser(ctx, bob); return err })
		f.equal(userStanding(bob.ID), access.FurtherRoles(""))
	},
}
