package people_test

import (
	"encoding/json"
	"errors"
	"strconv"
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

const (
	adasPassword = "correct horse battery"
	adasAddress  = "192.0.2.9"
)

func to[T any](v T) *T { return &v }

// ada is a user of the world's tenant.
func (w *world) ada() access.User {
	w.t.Helper()
	u, err := w.users.CreateUser(w.t.Context(), w.p, people.UserChange{
		Email: to("Ada@Example.org "), Name: to("Ada"), Role: to(access.Caseworker), Clearance: to(casetype.Private),
		Password: to(adasPassword),
	}, authz.Once{})
	if err != nil {
		w.t.Fatal(err)
	}
	return u
}

// attempt returns an attempt to sign in to the world's tenant.
func (w *world) attempt(email, password, from string) people.SignIn {
	return people.SignIn{Tenant: w.p.Tenant, Email: email, Password: password, From: from}
}

func TestAUserSignsInAndActsAsThemselves(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ada := w.ada()
		u, err := w.users.SignIn(ctx, w.attempt("ADA@example.org", adasPassword, adasAddress))
		if err != nil || u.ID != ada.ID {
			t.Fatal(u, err)
		}
		p, err := w.users.InSession(ctx, people.Session{Tenant: u.Tenant, User: u.ID, Epoch: u.Epoch}, adasAddress)
		p.Credential = access.Credential{}
		want := access.Principal{
			Tenant: w.p.Tenant, Role: access.Caseworker, Clearance: casetype.Private,
			Actor: event.Actor{Source: event.UI, Name: "Ada", UserID: ada.ID, Address: adasAddress},
		}
		if err != nil || p != want {
			t.Errorf("%+v, %v", p, err)
		}
	})
}

// Every failed sign-in has the same answer.
func TestSignInsAreRefusedAlike(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ada := w.ada()
		if _, err := w.users.CreateUser(ctx, w.p, people.UserChange{Email: to("none@example.org"), Name: to("None")},
			authz.Once{}); err != nil {
			t.Fatal(err)
		}
		gone, err := w.users.CreateUser(ctx, w.p,
			people.UserChange{Email: to("gone@example.org"), Name: to("Gone"), Password: to(adasPassword)},
			authz.Once{})
		if err == nil {
			_, err = w.users.UpdateUser(ctx, w.p, gone.ID, people.UserChange{Disabled: to(true)})
		}
		if err != nil {
			t.Fatal(err)
		}
		other := w.tenant("second").Tenant
		var details []string
		for _, try := range []struct {
			tenant          int64
			email, password string
		}{
			{w.p.Tenant, ada.Email, "wrong horse battery"}, {w.p.Tenant, ada.Email, ""}, {w.p.Tenant, "nobody@example.org", adasPassword},
			{w.p.Tenant, "none@example.org", ""}, {w.p.Tenant, gone.Email, adasPassword}, {other, ada.Email, adasPassword},
			{w.p.Tenant, "", ""}, {0, ada.Email, adasPassword}, {w.p.Tenant, "\x00", strings.Repeat("x", 9000)},
		} {
			_, err := w.users.SignIn(ctx,
				people.SignIn{Tenant: try.tenant, Email: try.email, Password: try.password, From: adasAddress})
			details = append(details, wantFault(t, err, fault.Unauthenticated, "session.refused").Detail)
		}
		for _, d := range details {
			if d != details[0] {
				t.Errorf("refusals differ: %q, %q", d, details[0])
			}
		}
		all, _, err := w.guard.Records(ctx, w.p, authz.RecordQuery{Limit: 1})
		if err != nil || all[0].Action != access.SignInFailed || all[0].Actor.Address != adasAddress {
			t.Errorf("%+v, %v", all, err)
		}
	})
}

func TestFailuresInARowHoldSignInsBack(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ada := w.ada()
		try := func(password, from string) error {
			_, err := w.users.SignIn(ctx, w.attempt(ada.Email, password, from))
			return err
		}
		for range 6 {
			wantFault(t, try("wrong horse battery", adasAddress), fault.Unauthenticated, "session.refused")
		}
		held := wantFault(t, try(adasPassword, adasAddress), fault.TooMany, "session.too_many")
		if held.RetryAfter <= 0 || held.RetryAfter > 2*time.Second {
			t.Errorf("held for %s", held.RetryAfter)
		}
		w.later(held.RetryAfter + time.Millisecond)
		wantFault(t, try("wrong horse battery", adasAddress), fault.Unauthenticated, "session.refused")
		longer := wantFault(t, try(adasPassword, adasAddress), fault.TooMany, "session.too_many")
		if longer.RetryAfter <= 2*time.Second || longer.RetryAfter > 4*time.Second {
			t.Errorf("then held for %s", longer.RetryAfter)
		}
		w.later(longer.RetryAfter + time.Millisecond)
		if err := try(adasPassword, adasAddress); err != nil {
			t.Fatal(err)
		}
		wantFault(t, try("wrong horse battery", adasAddress), fault.Unauthenticated, "session.refused")
		if err := try(adasPassword, adasAddress); err != nil {
			t.Error("a success forgets the failures:", err)
		}
	})
}

// However many strangers guess, from however many addresses, the owner of an account can sign in from another address,
// and in a known browser even from the same one.
func TestGuessesDoNotKeepTheOwnerOut(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.clock.Stop()
		ada := w.ada()
		try := func(email, password, from, browser string) error {
			in := w.attempt(email, password, from)
			if browser != "" {
				in.Browser = people.Browser{ID: browser, Tenant: w.p.Tenant, Email: ada.Email}
			}
			_, err := w.users.SignIn(t.Context(), in)
			return err
		}
		const stranger, neighbour, network = "2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"
		for range 6 {
			wantFault(t, try(ada.Email, "wrong horse battery", stranger, ""), fault.Unauthenticated, "session.refused")
		}
		for _, from := range []string{stranger, neighbour} {
			wantFault(t, try(ada.Email, adasPassword, from, ""), fault.TooMany, "session.too_many")
		}
		for i := range 14 { // until the address is held
			wantFault(t, try(string(rune('a'+i))+"@example.org", "wrong horse battery", neighbour, ""),
				fault.Unauthenticated, "session.refused")
		}
		wantFault(t, try("x@example.org", "wrong horse battery", stranger, ""), fault.Unauthenticated,
			"session.refused")
		wantFault(t, try("y@example.org", "wrong horse battery", stranger, ""), fault.TooMany, "session.too_many")
		for from, browser := range map[string]string{network: "", adasAddress: "", stranger: "known"} {
			if err := try(ada.Email, adasPassword, from, browser); err != nil {
				t.Errorf("the owner at %s in the browser %q: %v", from, browser, err)
			}
		}
		for range 6 { // a browser has its own counter
			wantFault(t, try(ada.Email, "wrong horse battery", adasAddress, "stolen"), fault.Unauthenticated,
				"session.refused")
		}
		wantFault(t, try(ada.Email, adasPassword, adasAddress, "stolen"), fault.TooMany, "session.too_many")
		// it is known for ada alone
		wantFault(t, try("y@example.org", adasPassword, stranger, "known"), fault.TooMany, "session.too_many")
		if err := try(ada.Email, adasPassword, adasAddress, ""); err != nil {
			t.Error(err)
		}
	})
}

// A refusal that strangers repeat is recorded once, and then with the number of repetitions.
func TestTheAuditGrowsWithTimeNotWithStrangers(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ada := w.ada()
		before := len(w.audited(t))
		for i := range 500 {
			from := "198.51.100.7"
			if i%2 == 0 {
				from = "192.0.2." + strconv.Itoa(i%250)
			}
			if _, err := w.users.SignIn(ctx, w.attempt(ada.Email, "wrong horse battery", from)); err == nil {
				t.Fatal("a wrong password is accepted")
			}
		}
		told := len(w.audited(t)) - before
		if told > 130 {
			t.Errorf("500 attempts made %d records", told)
		}
		w.later(2 * time.Minute)
		if err := w.guard.SumUp(ctx, false); err != nil {
			t.Fatal(err)
		}
		sum := 0
		for _, r := range w.audited(t)[:len(w.audited(t))-before] {
			var detail struct{ Times int }
			if err := json.Unmarshal(r.Detail, &detail); err != nil {
				t.Fatal(err)
			}
			sum += max(1, detail.Times)
		}
		if sum != 500 {
			t.Errorf("the audit has %d attempts", sum)
		}
		after := len(w.audited(t))
		w.later(2 * time.Hour)
		if err := w.guard.SumUp(ctx, true); err != nil || len(w.audited(t)) != after {
			t.Errorf("nothing was repeated, and there is a record: %v", err)
		}
	})
}

// Each refusal of a known principal is recorded, up to a bound.
func TestTheAuditOfDenialsIsBounded(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		for range 1200 {
			_, err := w.users.CreateUser(t.Context(), w.as(access.Viewer), people.UserChange{}, authz.Once{})
			wantFault(t, err, fault.Forbidden, "access.denied")
		}
		if n := len(w.audited(t)); n < 1000 || n > 1010 {
			t.Errorf("1200 denials made %d records", n)
		}
	})
}

// An address that tries many accounts is held back too, however many it tries at once.
func TestOneAddressIsHeldBack(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ada := w.ada()
		var all sync.WaitGroup
		errs := make(chan error, 40)
		for i := range 40 {
			all.Go(func() {
				_, err := w.users.SignIn(t.Context(),
					w.attempt(string(rune('a'+i))+"@example.org", "wrong horse battery", "198.51.100.7"))
				errs <- err
			})
		}
		all.Wait()
		close(errs)
		looked := 0
		for err := range errs {
			if !errors.Is(err, fault.TooMany) {
				looked++
			}
		}
		if looked > 21 {
			t.Errorf("%d passwords were looked at", looked)
		}
		if _, err := w.users.SignIn(t.Context(), w.attempt(ada.Email, adasPassword, adasAddress)); err != nil {
			t.Error("others are held back too:", err)
		}
	})
}

// A session ends when its user is disabled, or the password or address changes.
func TestSessionsEndWithWhatTheyCameFrom(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		for name, c := range map[string]struct {
			change people.UserChange
			over   bool
		}{
			"disabled": {people.UserChange{Disabled: to(true)}, true}, "password": {people.UserChange{Password: to("another horse battery")}, true},
			"no password": {people.UserChange{Password: to("")}, true}, "email": {people.UserChange{Email: to("new@example.org")}, true},
			"role": {people.UserChange{Role: to(access.Viewer)}, false}, "name": {people.UserChange{Name: to("Ada King")}, false},
		} {
			u, err := w.users.CreateUser(ctx, w.p,
				people.UserChange{
					Email: to(strings.ReplaceAll(name, " ", "-") + "@example.org"), Name: to("A"),
					Password: to(adasPassword),
				}, authz.Once{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.users.UpdateUser(ctx, w.p, u.ID, c.change); err != nil {
				t.Fatal(err)
			}
			p, err := w.users.InSession(ctx, people.Session{Tenant: u.Tenant, User: u.ID, Epoch: u.Epoch}, adasAddress)
			if (err != nil) != c.over {
				t.Errorf("%s: %v", name, err)
			}
			if name == "role" && p.Role != access.Viewer {
				t.Errorf("the role stays %s", p.Role)
			}
		}
		_, err := w.users.InSession(ctx, people.Session{Tenant: w.p.Tenant, User: 4711}, adasAddress)
		wantFault(t, err, fault.Unauthenticated, "session.over")
	})
}

func TestUsersAreJudged(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ada := w.ada()
		_, err := w.users.CreateUser(ctx, w.p, people.UserChange{
			Email: to("nonsense"), Name: to(""), Role: to(access.Role("king")),
			Clearance: to(casetype.Classification("SECRET")), Password: to("short"),
		}, authz.Once{})
		wantFields(t, wantFault(t, err, fault.Unprocessable, "user.invalid"), "/email", "/name", "/role", "/clearance",
			"/password")
		_, err = w.users.CreateUser(ctx, w.p, people.UserChange{Email: to("ada@EXAMPLE.org"), Name: to("Another")},
			authz.Once{})
		wantFault(t, err, fault.Conflict, "user.taken")
		low := w.as(access.Admin)
		low.Clearance = casetype.Public
		_, err = w.users.CreateUser(ctx, low,
			people.UserChange{Email: to("b@example.org"), Name: to("B"), Clearance: to(casetype.Private)}, authz.Once{})
		wantFields(t, wantFault(t, err, fault.Unprocessable, "user.invalid"), "/clearance")
		_, err = w.users.UpdateUser(ctx, low, ada.ID, people.UserChange{Password: to("my horse battery")})
		wantFault(t, err, fault.Forbidden, "access.denied")
		other := w.tenant("second")
		_, err = w.users.UpdateUser(ctx, other, ada.ID, people.UserChange{Name: to("x")})
		wantFault(t, err, fault.NotFound, "user.not_found")
		_, err = w.users.User(ctx, other, ada.ID)
		wantFault(t, err, fault.NotFound, "user.not_found")
		if all, err := w.users.Users(ctx, w.p, 0, 10); err != nil || len(all) != 1 ||
			!strings.HasPrefix(all[0].Password, "$argon2id$") {
			t.Error(all, err)
		}
		records, _, err := w.guard.Records(ctx, w.p, authz.RecordQuery{Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			if strings.Contains(string(r.Detail), "horse") || strings.Contains(string(r.Detail), "argon2") {
				t.Errorf("the audit has %s", r.Detail)
			}
		}
	})
}

// Nobody signs in by an address that merely folds to a user's address by Unicode, and no second user gets it.
func TestAnAddressThatLooksLikeAnothersIsNotTheirs(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		create := func(email string) error {
			_, err := w.users.CreateUser(t.Context(), w.p, people.UserChange{Email: to(email), Name: to("x")},
				authz.Once{})
			return err
		}
		if err := create("Kim@Example.org"); err != nil {
			t.Fatal(err)
		}
		kelvin := access.Identity{
			Issuer: "https://id.example", Subject: "1", Email: "\u212aim@example.org", Verified: true,
		}
		_, err := w.users.SignInIdentity(t.Context(), w.p.Tenant, kelvin, "192.0.2.1")
		wantFault(t, err, fault.Forbidden, "oidc.unknown_user")
		wantFields(t, wantFault(t, create("\u212aim@example.org"), fault.Unprocessable, "user.email_alike"), "/email")
		if err := create("ſam@example.org"); err != nil {
			t.Fatal(err)
		}
		wantFields(t, wantFault(t, create("sam@example.org"), fault.Unprocessable, "user.email_alike"), "/email")
		kim := access.Identity{Issuer: "https://id.example", Subject: "2", Email: "KIM@example.org", Verified: true}
		if u, err := w.users.SignInIdentity(t.Context(), w.p.Tenant, kim, "192.0.2.1"); err != nil ||
			u.Email != "kim@example.org" {
			t.Errorf("%+v, %v", u, err)
		}
	})
}
