package people

import (
	"context"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// PasswordChange is a user's change of their own password.
type PasswordChange struct {
	Old, New string
	From     string  // the IP address
	Browser  Browser // zero: an unknown one
}

// ChangePassword changes the password of somebody who has signed in, and returns the user as
// saved. All of the user's sessions end. A wrong old password counts as a failed sign-in.
func (s *Users) ChangePassword(ctx context.Context, p access.Principal, c PasswordChange) (access.User, error) {
	if err := s.guard.Permit(ctx, p, access.ChangePassword); err != nil {
		return access.User{}, err
	}
	if p.Actor.UserID == 0 {
		return access.User{}, fault.New(fault.Conflict, "session.none",
			"A token has no password. Sign in as the user whose password it is, or change it by PATCH /v1/users/{id}.")
	}
	before, err := s.store.User(ctx, p.Tenant, p.Actor.UserID)
	if err != nil {
		return access.User{}, err
	}
	if err := c.check(before); err != nil {
		return access.User{}, err
	}
	counters := SignIn{Tenant: p.Tenant, From: c.From, Browser: c.Browser}.counters(before.Email)
	if err := s.checkPassword(ctx, p, before, c.Old, counters); err != nil {
		return access.User{}, err
	}
	after := before
	if err := s.setPassword(ctx, &after, &c.New); err != nil {
		return access.User{}, err
	}
	var saved access.User
	err = s.guard.Update(ctx, authz.NewMandate(p, access.ChangePassword), func(tx *store.Tx) error {
		for _, counter := range counters {
			if err := counter.forgive(ctx, tx); err != nil {
				return err
			}
		}
		saved, err = s.saveUser(ctx, tx, p, before, after)
		return err
	})
	return saved, err
}

// check refuses a new password that the user can't have.
func (c PasswordChange) check(u access.User) error {
	if u.Password == "" {
		return fault.New(fault.Conflict, "password.none",
			"You have no password, because you sign in with OpenID Connect. Ask an administrator to set one.")
	}
	problem := access.PasswordProblem(c.New)
	if problem == "" && c.New == c.Old {
		problem = "is the old one; choose another"
	}
	if problem == "" {
		return nil
	}
	return fault.In("password.invalid",
		"The new password is not acceptable: see fields. Your password has not changed.",
		fault.Field{Path: "/new_password", Message: problem})
}

// checkPassword fails unless a password is the user's. Like SignIn, it counts failures, and refuses too many in a
// row.
func (s *Users) checkPassword(
	ctx context.Context, p access.Principal, u access.User, password string, counters []counter,
) error {
	if err := s.countSignIn(ctx, p, counters); err != nil {
		return err
	}
	same, err := s.passwordIs(ctx, u, password)
	if err != nil || same {
		return err
	}
	s.guard.NoteStranger(ctx, p, access.SignInFailed, authz.AboutUser(u.ID), map[string]any{"by": "password"})
	return fault.In("password.wrong", "The old password is wrong. Your password has not changed.",
		fault.Field{Path: "/old_password", Message: "is not your password"})
}

// passwordIs reports whether a password is the user's. It takes as long for the zero user.
func (s *Users) passwordIs(ctx context.Context, u access.User, password string) (same bool, err error) {
	err = s.hashing(ctx, func() error {
		same = access.PasswordIs(u.Password, s.passwordCost, password)
		return nil
	})
	return same, err
}
