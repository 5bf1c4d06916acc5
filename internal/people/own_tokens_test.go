package people_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/definitions"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/testworld"
	"github.com/casehook/casehook/internal/waits"
)

// person makes a user, and returns them as they have signed in.
func (w *world) person(
	email string, role access.Role, clearance casetype.Classification,
) (access.User, access.Principal) {
	w.t.Helper()
	name := "Ada"
	u, err := w.users.CreateUser(w.t.Context(), w.p,
		people.UserChange{Email: &email, Name: &name, Role: &role, Clearance: &clearance}, authz.Once{})
	if err != nil {
		w.t.Fatal(err)
	}
	return u, access.Principal{
		Tenant: u.Tenant, Role: u.Role, Clearance: u.Clearance,
		Actor: event.Actor{Source: event.UI, Name: u.Name, UserID: u.ID, Address: "192.0.2.9"},
	}
}

func (w *world) ownToken(p access.Principal, r people.TokenRequest) people.NewToken {
	w.t.Helper()
	made, err := w.tokens.CreateOwnToken(w.t.Context(), p, r, authz.Once{})
	if err != nil {
		w.t.Fatal(err)
	}
	return made
}

func (w *world) change(u access.User, c people.UserChange) {
	w.t.Helper()
	if _, err := w.users.UpdateUser(w.t.Context(), w.p, u.ID, c); err != nil {
		w.t.Fatal(err)
	}
}

// rights are the rights of a token by each way of asking.
func (w *world) rights(bearer string, before access.Principal) []access.Grant {
	w.t.Helper()
	ctx := w.t.Context()
	p, err := w.tokens.Authenticate(ctx, bearer, "192.0.2.7")
	if err != nil {
		w.t.Fatal(err)
	}
	again, err := w.guard.Again(ctx, before)
	if err != nil {
		w.t.Fatal(err)
	}
	standing, err := w.store.Standing(ctx, before, "", w.now())
	if err != nil {
		w.t.Fatal(err)
	}
	return []access.Grant{
		{Role: p.Role, Further: p.Further, Clearance: p.Clearance},
		{Role: again.Role, Further: again.Further, Clearance: again.Clearance},
		{Role: standing.Role, Further: standing.Further, Clearance: standing.Clearance},
	}
}

func TestATokensRightsFollowItsOwners(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ada, p := w.person("ada@example.org", access.Admin, casetype.Restricted)
		made := w.ownToken(p, people.TokenRequest{Name: "import", Role: access.Manager})
		before, err := w.tokens.Authenticate(ctx, made.Bearer, "192.0.2.7")
		if err != nil {
			t.Fatal(err)
		}
		want := event.Actor{
			Source: event.API, Name: "import", TokenID: made.Token.ID, Address: "192.0.2.7",
			Owner: event.Person{UserID: ada.ID, Name: "Ada"},
		}
		if before.Actor != want {
			t.Errorf("the actor is %+v", before.Actor)
		}
		for _, c := range []struct {
			role      access.Role
			clearance casetype.Classification
			want      access.Grant
		}{
			{access.Admin, casetype.Restricted, access.Grant{Role: access.Manager, Clearance: casetype.Restricted}},
			{access.Manager, casetype.Private, access.Grant{Role: access.Manager, Clearance: casetype.Private}},
			{access.Viewer, casetype.Public, access.Grant{Role: access.Viewer, Clearance: casetype.Public}},
			{access.Admin, casetype.Private, access.Grant{Role: access.Manager, Clearance: casetype.Private}},
			{access.Caseworker, casetype.Restricted, access.Grant{Role: access.Caseworker, Clearance: casetype.Restricted}},
		} {
			w.change(ada, people.UserChange{Role: &c.role, Clearance: &c.clearance})
			for i, got := range w.rights(made.Bearer, before) {
				if got != c.want {
					t.Errorf("of %s with %s, the %d. answer is %+v", c.role, c.clearance, i+1, got)
				}
			}
		}
		err = w.guard.Update(ctx, authz.NewMandate(before, access.CreateEndpoint), func(*store.Tx) error { return nil })
		wantFault(t, err, fault.Forbidden, "access.denied")
	})
}

func TestATokenOfADisabledUserIsRefused(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ada, p := w.person("ada@example.org", access.Manager, casetype.Private)
		made := w.ownToken(p, people.TokenRequest{Name: "import"})
		before, err := w.tokens.Authenticate(ctx, made.Bearer, "")
		if err != nil {
			t.Fatal(err)
		}
		disabled := true
		w.change(ada, people.UserChange{Disabled: &disabled})
		_, err = w.tokens.Authenticate(ctx, made.Bearer, "")
		wantFault(t, err, fault.Unauthenticated, "token.invalid")
		_, err = w.guard.Again(ctx, before)
		wantFault(t, err, fault.Unauthenticated, "token.invalid")
		err = w.guard.Update(ctx, authz.NewMandate(before, access.CreateCase), func(*store.Tx) error { return nil })
		wantFault(t, err, fault.Unauthenticated, "token.invalid")
		all, err := w.tokens.Tokens(ctx, w.p)
		if err != nil || len(all) != 1 || all[0].User != (event.Person{UserID: ada.ID, Name: "Ada"}) {
			t.Errorf("administrators see %+v, %v", all, err)
		}
	})
}

// Another node may have the token in memory.
func TestATokenOfADisabledUserIsRefusedByAllNodes(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		if !w.store.Nodes() {
			return // there is one
		}
		ada, p := w.person("ada@example.org", access.Manager, casetype.Private)
		made := w.ownToken(p, people.TokenRequest{Name: "import"})
		st := testworld.Open(t, store.Options{URL: w.url})
		guard := authz.New(st, definitions.NewCatalog(st), authz.Config{Now: w.clock.Now})
		other := people.New(people.Config{Store: st, Guard: guard}).Tokens
		if _, err := other.Authenticate(t.Context(), made.Bearer, ""); err != nil {
			t.Fatal(err)
		}
		disabled := true
		w.change(ada, people.UserChange{Disabled: &disabled})
		waits.Poll(t, "the other node refuses the token", func() bool {
			_, err := other.Authenticate(t.Context(), made.Bearer, "")
			return errors.Is(err, fault.Unauthenticated)
		})
	})
}

func TestATokenOfOnesOwn(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ada, p := w.person("ada@example.org", access.Caseworker, casetype.Private)
		_, bob := w.person("bob@example.org", access.Admin, casetype.Restricted)
		_, err := w.tokens.CreateOwnToken(ctx, p,
			people.TokenRequest{Name: "x", Role: access.Manager, Clearance: casetype.Restricted}, authz.Once{})
		wantFields(t, wantFault(t, err, fault.Unprocessable, "token.unusable"), "/role", "/clearance")
		made := w.ownToken(p, people.TokenRequest{Name: "import", Expires: w.now().Add(time.Hour)})
		if made.Token.Role != access.Caseworker || made.Token.Clearance != casetype.Private {
			t.Errorf("its rights are not its owner's: %+v", made.Token)
		}
		program, err := w.tokens.Authenticate(ctx, made.Bearer, "")
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.tokens.CreateOwnToken(ctx, program, people.TokenRequest{Name: "more"}, authz.Once{})
		wantFault(t, err, fault.Conflict, "session.none")
		for _, stranger := range []access.Principal{bob, program, w.p} {
			if all, err := w.tokens.OwnTokens(ctx, stranger); err != nil || len(all) != 0 {
				t.Errorf("%s has the tokens %+v, %v", stranger.Actor.Name, all, err)
			}
			wantFault(t, w.tokens.DeleteOwnToken(ctx, stranger, made.Token.ID), fault.NotFound, "token.not_found")
		}
		viewer := access.Viewer
		w.change(ada, people.UserChange{Role: &viewer})
		p.Role = access.Viewer
		if err := w.tokens.DeleteOwnToken(ctx, p, made.Token.ID); err != nil {
			t.Errorf("its owner has fewer rights, and can't revoke it: %v", err)
		}
		_, err = w.tokens.Authenticate(ctx, made.Bearer, "")
		wantFault(t, err, fault.Unauthenticated, "token.invalid")
	})
}

// A user's token goes with the user, and so it keeps no tenant from losing its last administrator.
func TestAnOwnTokenIsNoAdministratorByItself(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ada, p := w.person("ada@example.org", access.Admin, casetype.Restricted)
		made := w.ownToken(p, people.TokenRequest{Name: "import"})
		all, err := w.store.Administrators(ctx, w.p.Tenant, ada.Owner(), w.now())
		if err != nil || len(all) != 0 {
			t.Errorf("without Ada there are the administrators %v, %v", all, err)
		}
		if err := w.tokens.DeleteToken(ctx, w.p, made.Token.ID); err != nil {
			t.Error(err)
		}
	})
}

func TestManyRequestsAtOnceMakeABoundedNumberOfTokens(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		_, p := w.person("ada@example.org", access.Viewer, casetype.Public)
		errs := make([]error, 30)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() {
				_, errs[i] = w.tokens.CreateOwnToken(t.Context(), p,
					people.TokenRequest{Name: fmt.Sprint("number ", i)}, authz.Once{})
			})
		}
		all.Wait()
		errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
		for _, err := range errs {
			wantFault(t, err, fault.Conflict, "token.too_many")
		}
		if len(errs) != 10 {
			t.Errorf("%d were refused", len(errs))
		}
	})
}

func TestFurtherRolesOfATokenAreAtMostItsOwners(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ada, p := w.person("ada@example.org", access.Caseworker, casetype.Private)
		w.change(ada, people.UserChange{Further: &[]string{"officer", "clerk", "officer"}})
		p.Further = "clerk officer"
		for _, c := range []struct {
			asked []string
			want  access.FurtherRoles
		}{{nil, "clerk officer"}, {[]string{}, ""}, {[]string{"officer"}, "officer"}} {
			w.change(ada, people.UserChange{Further: &[]string{"officer", "clerk"}})
			made := w.ownToken(p, people.TokenRequest{Name: "import", Further: c.asked})
			before, err := w.tokens.Authenticate(t.Context(), made.Bearer, "")
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				for i, got := range w.rights(made.Bearer, before) {
					if got.Further != c.want {
						t.Errorf("of %q, the %d. answer is %q, want %q", c.asked, i+1, got.Further, c.want)
					}
				}
				w.change(ada, people.UserChange{Further: &[]string{"clerk"}})
				c.want = c.want.Within("clerk")
			}
		}
		_, err := w.tokens.CreateOwnToken(t.Context(), p, people.TokenRequest{
			Name: "import", Further: []string{"auditor", "admin", "[OWNER]"},
		}, authz.Once{})
		f := wantFault(t, err, fault.Unprocessable, "token.unusable")
		wantFields(t, f, "/further_roles/0", "/further_roles/1", "/further_roles/2")
		name, many := "Bob", make([]string, access.MaxFurtherRoles+1)
		change := people.UserChange{Email: &name, Name: &name, Further: &many}
		_, err = w.users.CreateUser(t.Context(), w.p, change, authz.Once{})
		wantFields(t, wantFault(t, err, fault.Unprocessable, "user.invalid"), "/email", "/further_roles")
	})
}
