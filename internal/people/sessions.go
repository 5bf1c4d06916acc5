package people

import (
	"context"
	"slices"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/session"
	"github.com/casehook/casehook/internal/store"
)

// Sessions lists the caller's own sessions, those that last longest first. A token has none.
func (s *Users) Sessions(ctx context.Context, p access.Principal) ([]session.Open, error) {
	if err := s.guard.Permit(ctx, p, access.ListSessions); err != nil {
		return nil, err
	}
	return s.sessions(ctx, p)
}

func (s *Users) sessions(ctx context.Context, p access.Principal) (all []session.Open, err error) {
	stored, err := s.store.SessionsOf(ctx, p.Tenant, p.Actor.UserID, s.now())
	if err != nil {
		return nil, err
	}
	for _, one := range stored {
		open, err := session.Read(one)
		if err != nil {
			return nil, err
		}
		all = append(all, open)
	}
	return all, nil
}

// EndSession ends one of the caller's own sessions at once.
func (s *Users) EndSession(ctx context.Context, p access.Principal, sessionID string) error {
	if err := s.guard.Permit(ctx, p, access.EndSession); err != nil {
		return err
	}
	all, err := s.sessions(ctx, p)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(o session.Open) bool { return o.ID == sessionID })
	if i < 0 {
		return fault.New(fault.NotFound, "session.not_found",
			"You have no session with this id. GET /v1/sessions lists your sessions.")
	}
	if all[i].Key == p.Credential.Session {
		return fault.New(fault.Conflict, "session.own",
			"The request itself is of this session. DELETE /v1/session ends it.")
	}
	return s.endSessions(ctx, p, access.EndSession, func(tx *store.Tx) error {
		return tx.EndSessionOf(ctx, p.Tenant, p.Actor.UserID, all[i].Key)
	}, map[string]any{"session": sessionID})
}

// EndOtherSessions ends all of the caller's own sessions, except the one of the request.
func (s *Users) EndOtherSessions(ctx context.Context, p access.Principal) error {
	if err := s.guard.Permit(ctx, p, access.EndOtherSessions); err != nil {
		return err
	}
	if p.Actor.UserID == 0 {
		return fault.New(fault.Conflict, "session.none",
			"A token has no sessions. Sign in as the user whose sessions they are.")
	}
	return s.endSessions(ctx, p, access.EndOtherSessions, func(tx *store.Tx) error {
		return tx.EndSessionsBut(ctx, p.Tenant, p.Actor.UserID, p.Credential.Session)
	}, map[string]any{"others": true})
}

// endSessions ends sessions of the caller, records it, and wakes their requests.
func (s *Users) endSessions(
	ctx context.Context, p access.Principal, o access.Operation, end func(*store.Tx) error, detail map[string]any,
) error {
	err := s.guard.Update(ctx, authz.NewMandate(p, o), func(tx *store.Tx) error {
		if err := end(tx); err != nil {
			return err
		}
		return s.guard.Record(ctx, tx, authz.Note{
			Who: p, What: access.SignedOut, Subject: authz.AboutUser(p.Actor.UserID), Detail: detail,
		})
	})
	if err == nil {
		s.store.SessionEnded(p.Tenant)
	}
	return err
}
