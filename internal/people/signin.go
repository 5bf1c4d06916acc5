package people

import (
	"context"
	"errors"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// maxHashing bounds how many passwords are hashed at once: each takes 19 MiB.
const maxHashing = 4

// SignIn is an attempt to sign in with an address and a password.
type SignIn struct {
	Tenant   int64  // 0: no tenant has this key
	Key      string // of the tenant, as it was sent
	Email    string
	Password string
	From     string  // the IP address
	Browser  Browser // zero: an unknown one
}

// SignIn returns the user of a tenant with an address and a password. All failures have the same error and take as
// long, even without such a tenant. It refuses too many failures in a row before it checks the password.
func (s *Users) SignIn(ctx context.Context, in SignIn) (access.User, error) {
	email, password := access.NormalEmail(in.Email), in.Password
	if emailProblem(email) != "" || len(password) > 4*access.MaxPassword {
		email, password = "", "" // no user has it
	}
	who := access.Principal{Tenant: in.Tenant, Actor: event.Actor{Source: event.UI, Name: email, Address: in.From}}
	counters := in.counters(email)
	if err := s.countSignIn(ctx, who, counters); err != nil {
		return access.User{}, err
	}
	u, err := s.store.UserByEmail(ctx, in.Tenant, email)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return access.User{}, err
	}
	same, err := s.passwordIs(ctx, u, password)
	if err != nil {
		return access.User{}, err
	}
	if !same || u.Disabled {
		s.guard.NoteStranger(ctx, who, access.SignInFailed, subjectOf(u), map[string]any{"by": "password"})
		return access.User{}, refused()
	}
	return u, s.signedIn(ctx, u, in.From, "password", counters...)
}

// signedIn takes back the failure that was counted beforehand, and records the success.
func (s *Users) signedIn(ctx context.Context, u access.User, from, by string, counters ...counter) error {
	p := principal(u, from)
	return s.store.Update(ctx, func(tx *store.Tx) error {
		for _, c := range counters {
			if err := c.forgive(ctx, tx); err != nil {
				return err
			}
		}
		return s.guard.Record(ctx, tx, authz.Note{
			Who:     p,
			What:    access.SignedIn,
			Subject: authz.AboutUser(u.ID),
			Detail:  map[string]any{"by": by},
		})
	})
}

// SignInIdentity returns the user of a tenant with an identity: the user who signed in with it before, or else the
// user with the address that the provider has verified, if they have no other identity. The identity is that user's
// from then on.
func (s *Users) SignInIdentity(ctx context.Context, tenant int64, i access.Identity, from string) (access.User, error) {
	u, err := s.store.UserByIdentity(ctx, tenant, i.Issuer, i.Subject)
	if email := access.NormalEmail(i.Email); errors.Is(err, fault.NotFound) && i.Verified && emailProblem(email) == "" {
		u, err = s.store.UserByEmail(ctx, tenant, email)
	}
	if err != nil && !errors.Is(err, fault.NotFound) {
		return access.User{}, err
	}
	another := u.Issuer != "" && (u.Issuer != i.Issuer || u.Subject != i.Subject)
	if err != nil || u.Disabled || another || i.Issuer == "" || i.Subject == "" {
		who := access.Principal{Tenant: tenant, Actor: event.Actor{Source: event.UI, Name: i.Email, Address: from}}
		s.guard.NoteStranger(ctx, who, access.SignInFailed, subjectOf(u),
			map[string]any{"by": "oidc", "issuer": i.Issuer, "identity": i.Subject})
		return access.User{}, fault.New(fault.Forbidden, "oidc.unknown_user",
			"No user has this identity. Ask an administrator to create a user with its email address.")
	}
	if u.Issuer == "" {
		if u, err = s.link(ctx, u, i, from); err != nil {
			return access.User{}, err
		}
	}
	return u, s.signedIn(ctx, u, from, "oidc")
}

// link adds an identity to a user.
func (s *Users) link(ctx context.Context, u access.User, i access.Identity, from string) (access.User, error) {
	after := u
	after.Issuer, after.Subject = i.Issuer, i.Subject
	var saved access.User
	err := s.store.Update(ctx, func(tx *store.Tx) (err error) {
		saved, err = s.saveUser(ctx, tx, principal(u, from), u, after)
		return err
	})
	return saved, err
}

func refused() error {
	return fault.New(fault.Unauthenticated, "session.refused",
		"The address or the password is wrong, or the user is disabled.")
}

func subjectOf(u access.User) authz.Subject {
	if u.ID == 0 {
		return authz.Subject{}
	}
	return authz.AboutUser(u.ID)
}

// hashing calls do, which hashes a password, once fewer than maxHashing others run.
func (s *Users) hashing(ctx context.Context, do func() error) error {
	select {
	case s.hashes <- struct{}{}:
		defer func() { <-s.hashes }()
		if s.onHash != nil {
			s.onHash()
		}
		return do()
	case <-ctx.Done():
		return fault.Cancelled(ctx.Err())
	}
}

// Session is a session in the store.
type Session struct {
	Tenant, User, Epoch int64
	PortalLink          string // of a receiver's session, which has no user
	Key                 string // in the store

	Rights store.Rights // from before the session was read; zero: it was just made
}

// InSession returns the principal of a session: its user as of now. A session is over once the user's epoch has
// changed.
func (s *Users) InSession(ctx context.Context, session Session, from string) (access.Principal, error) {
	rights := session.Rights
	if rights.Looked.IsZero() {
		rights = s.store.Rights()
	}
	u, err := s.store.User(ctx, session.Tenant, session.User)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return access.Principal{}, err
	}
	if err != nil || u.Disabled || u.Epoch != session.Epoch {
		return access.Principal{}, authz.SessionOver()
	}
	p := principal(u, from)
	p.Credential = access.Credential{At: rights.Looked, Moment: rights.Moment, Session: session.Key, Epoch: u.Epoch}
	return p, nil
}

func principal(u access.User, from string) access.Principal {
	return access.Principal{
		Tenant: u.Tenant, Role: u.Role, Further: u.Further, Clearance: u.Clearance,
		Actor: event.Actor{Source: event.UI, Name: u.Name, UserID: u.ID, Address: from},
	}
}

// SignedOut records that somebody ended a session.
func (s *Users) SignedOut(ctx context.Context, p access.Principal) error {
	if err := s.guard.Permit(ctx, p, access.DeleteSession); err != nil {
		return err
	}
	of := authz.AboutUser(p.Actor.UserID)
	if p.Role == access.Receiver {
		of = authz.AboutPortalLink(access.PortalLink{ID: p.Actor.TokenID, Clearance: p.Clearance})
	}
	s.guard.Note(ctx, authz.Note{Who: p, What: access.SignedOut, Subject: of})
	return nil
}

// Clean removes sessions and portal links that are over, and old counts of failed sign-ins.
func (s *Users) Clean(ctx context.Context) error {
	now := s.now()
	return s.store.Update(ctx, func(tx *store.Tx) error {
		return tx.PurgeSessions(ctx, now, now.Add(-authz.FailuresLast))
	})
}
