package people_test

import (
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/people"
)

const nextPassword = "another horse battery"

// signedInAs returns the principal of a user who has signed in.
func (w *world) signedInAs(u access.User) access.Principal {
	w.t.Helper()
	p, err := w.users.InSession(w.t.Context(), people.Session{Tenant: u.Tenant, User: u.ID, Epoch: u.Epoch},
		adasAddress)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func TestPeopleChangeTheirOwnPassword(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ada := w.ada()
		p := w.signedInAs(ada)
		u, err := w.users.ChangePassword(ctx, p,
			people.PasswordChange{Old: adasPassword, New: nextPassword, From: adasAddress})
		if err != nil || u.ID != ada.ID || u.Epoch == ada.Epoch {
			t.Fatalf("%+v, %v", u, err)
		}
		_, err = w.users.InSession(ctx, people.Session{Tenant: ada.Tenant, User: ada.ID, Epoch: ada.Epoch}, adasAddress)
		wantFault(t, err, fault.Unauthenticated, "session.over")
		_, err = w.users.SignIn(ctx, w.attempt(ada.Email, adasPassword, adasAddress))
		wantFault(t, err, fault.Unauthenticated, "session.refused")
		if _, err = w.users.SignIn(ctx, w.attempt(ada.Email, nextPassword, adasAddress)); err != nil {
			t.Error(err)
		}
		audited := false
		for _, a := range w.audited(t) {
			audited = audited || a.Action == access.UserUpdated && a.Actor.UserID == ada.ID &&
				strings.Contains(string(a.Detail), `"changed":["password"]`)
			if strings.Contains(string(a.Detail), "horse") {
				t.Errorf("the audit has a password: %s", a.Detail)
			}
		}
		if !audited {
			t.Error("the audit lacks the change")
		}
	})
}

func TestAPasswordThatCantBeOneSaysWhatOneNeeds(t *testing.T) {
	w := start(t)
	ctx := t.Context()
	p := w.signedInAs(w.ada())
	for name, c := range map[string]struct {
		old, new, code, path, message string
	}{
		"short":     {adasPassword, "short", "password.invalid", "/new_password", "a password has 12 to 200"},
		"long":      {adasPassword, strings.Repeat("x", 201), "password.invalid", "/new_password", "a password has 12 to 200"},
		"the old":   {adasPassword, adasPassword, "password.invalid", "/new_password", "choose another"},
		"wrong old": {"wrong horse battery", nextPassword, "password.wrong", "/old_password", "is not your password"},
	} {
		_, err := w.users.ChangePassword(ctx, p, people.PasswordChange{Old: c.old, New: c.new, From: adasAddress})
		fields := wantFault(t, err, fault.Unprocessable, c.code).Fields
		if len(fields) != 1 || fields[0].Path != c.path || !strings.Contains(fields[0].Message, c.message) {
			t.Errorf("%s: %v", name, fields)
		}
	}
	_, err := w.users.ChangePassword(ctx, w.p, people.PasswordChange{Old: adasPassword, New: nextPassword})
	wantFault(t, err, fault.Conflict, "session.none")
	none, err := w.users.CreateUser(ctx, w.p, people.UserChange{Email: to("none@example.org"), Name: to("None")},
		authz.Once{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.users.ChangePassword(ctx, w.signedInAs(none), people.PasswordChange{New: nextPassword})
	wantFault(t, err, fault.Conflict, "password.none")
}

// A stolen session allows no faster guesses of the password than sign-in does.
func TestWrongOldPasswordsCountAsFailedSignIns(t *testing.T) {
	w := start(t)
	ctx := t.Context()
	ada := w.ada()
	p := w.signedInAs(ada)
	for range 6 {
		_, err := w.users.ChangePassword(ctx, p,
			people.PasswordChange{Old: "wrong horse battery", New: nextPassword, From: adasAddress})
		wantFault(t, err, fault.Unprocessable, "password.wrong")
	}
	_, err := w.users.ChangePassword(ctx, p,
		people.PasswordChange{Old: adasPassword, New: nextPassword, From: adasAddress})
	if held := wantFault(t, err, fault.TooMany, "session.too_many"); held.RetryAfter <= 0 {
		t.Errorf("%+v", held)
	}
	_, err = w.users.SignIn(ctx, w.attempt(ada.Email, adasPassword, adasAddress))
	wantFault(t, err, fault.TooMany, "session.too_many")
}
