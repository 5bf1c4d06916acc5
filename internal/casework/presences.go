package casework

import (
	"context"
	"slices"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/store"
)

// Presences tell who looks at a case, or edits it. It is safe for concurrent use.
type Presences struct {
	store *store.Store
	guard *authz.Guard
	now   func() time.Time
	cases *Cases
}

// SetPresence reports that the caller is at a case, for store.PresenceLasts, and lists the others who are.
func (s *Presences) SetPresence(
	ctx context.Context, p access.Principal, caseID int64, editing bool,
) ([]store.Presence, error) {
	if err := s.found(ctx, p, access.SetPresence, caseID); err != nil {
		return nil, err
	}
	here := store.Presence{
		Owner: p.Owner(), Person: event.Person{UserID: p.Actor.UserID, Name: p.Actor.Name}, Editing: editing,
		Since: s.now(),
	}
	err := s.guard.Update(ctx, authz.NewMandate(p, access.SetPresence), func(tx *store.Tx) error {
		return tx.SetPresence(ctx, p.Tenant, caseID, here)
	})
	if err != nil {
		return nil, err
	}
	return s.others(ctx, p, caseID)
}

// Presences lists the others who are at a case, those who have been there longest first.
func (s *Presences) Presences(ctx context.Context, p access.Principal, caseID int64) ([]store.Presence, error) {
	if err := s.found(ctx, p, access.ListPresences, caseID); err != nil {
		return nil, err
	}
	return s.others(ctx, p, caseID)
}

// DeletePresence reports that the caller has left a case.
func (s *Presences) DeletePresence(ctx context.Context, p access.Principal, caseID int64) error {
	if err := s.found(ctx, p, access.DeletePresence, caseID); err != nil {
		return err
	}
	return s.guard.Update(ctx, authz.NewMandate(p, access.DeletePresence), func(tx *store.Tx) error {
		return tx.DeletePresence(ctx, p.Tenant, caseID, p.Owner())
	})
}

// found checks that there is such a case for the caller.
func (s *Presences) found(ctx context.Context, p access.Principal, o access.Operation, caseID int64) error {
	p, err := s.guard.PermitCase(ctx, p, o, caseID)
	if err != nil {
		return err
	}
	_, _, err = s.cases.core.find(ctx, s.store, p, caseID)
	return err
}

func (s *Presences) others(ctx context.Context, p access.Principal, caseID int64) ([]store.Presence, error) {
	all, err := s.store.Presences(ctx, p.Tenant, caseID)
	all = slices.DeleteFunc(all, func(one store.Presence) bool { return one.Owner == p.Owner() })
	for i := range all {
		all[i].Person = p.RedactPerson(all[i].Person)
	}
	return all, err
}

// Clean removes presences that are over.
func (s *Presences) Clean(ctx context.Context) error {
	for more := true; more; {
		err := s.store.Update(ctx, func(tx *store.Tx) (err error) {
			more, err = tx.PurgePresences(ctx)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
