package hooks

import (
	"context"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/store"
)

// retainedFor is how long entries are retained for an endpoint that is paused or disabled.
const retainedFor = 30 * 24 * time.Hour

// Purge removes attempts, questions to callbacks, and entries that are older than the configuration keeps them, and
// that no cursor needs. It also removes old counts of attempts. It removes them in portions, so that other writers
// get their turn.
func (s *Journal) Purge(ctx context.Context) error {
	now := s.now()
	if s.keepAttempts > 0 {
		if err := s.purgeAttempts(ctx, now.Add(-s.keepAttempts)); err != nil {
			return err
		}
	}
	if err := s.purgeCounts(ctx, now); err != nil {
		return err
	}
	for more := s.keepJournal > 0; more; {
		var r store.Removal
		err := s.store.Update(ctx, func(tx *store.Tx) (err error) {
			r, err = s.expireJournal(ctx, tx, now)
			return err
		})
		if err == nil && r.UpTo > 0 {
			err = s.store.PurgeJournal(ctx, r.UpTo)
		}
		if err != nil {
			return err
		}
		more = r.More
	}
	return nil
}

// purgeAttempts removes the attempts that began before a time, and the questions that were asked before it, those to
// shadows included.
func (s *Journal) purgeAttempts(ctx context.Context, before time.Time) error {
	for after, first := int64(0), true; first || after > 0; first = false {
		err := s.store.Update(ctx, func(tx *store.Tx) (err error) {
			after, err = tx.PurgeAttempts(ctx, after, before)
			return err
		})
		if err != nil {
			return err
		}
	}
	for more := true; more; {
		err := s.store.Update(ctx, func(tx *store.Tx) (err error) {
			if more, err = tx.PurgeQuestions(ctx, before); err != nil {
				return err
			}
			shadows, err := tx.PurgeShadowDifferences(ctx, before)
			more = more || shadows
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// purgeCounts removes counts of attempts that are no longer kept.
func (s *Journal) purgeCounts(ctx context.Context, now time.Time) error {
	for more := true; more; {
		err := s.store.Update(ctx, func(tx *store.Tx) (err error) {
			more, err = tx.PurgeCounts(ctx, now)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// expireJournal finds the next portion to remove, and records which endpoints lose entries by it.
func (s *Journal) expireJournal(ctx context.Context, tx *store.Tx, now time.Time) (store.Removal, error) {
	expired, r, err := tx.ExpireJournal(ctx, now.Add(-s.keepJournal), now.Add(-retainedFor))
	if err != nil {
		return r, err
	}
	for _, lost := range expired {
		e, err := tx.Endpoint(ctx, lost.Tenant, lost.Endpoint)
		if err != nil {
			return r, err
		}
		err = s.guard.Record(ctx, tx, authz.Note{
			Who:     authz.System(e.Tenant),
			What:    access.EndpointExpired,
			Subject: authz.AboutEndpoint(e),
			Detail:  map[string]any{"from": lost.From, "to": lost.To},
		})
		if err != nil {
			return r, err
		}
	}
	return r, nil
}
