package hooks

import (
	"context"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/input"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/wire"
)

// Start is a position in the journal that a client names. The zero value is now.
type Start struct {
	Beginning bool      // the oldest entry that is kept
	At        time.Time // the first entry that was committed then or later
}

// positions finds positions in the journal.
type positions interface {
	Floor(ctx context.Context) (int64, time.Time, error)
	Before(ctx context.Context, at time.Time) (int64, error)
	Head(ctx context.Context) (int64, error)
}

// position returns the position right before a Start. It refuses a time from which entries have been removed: a
// caller who accepts that starts at the beginning.
func position(ctx context.Context, r positions, from Start, path string) (int64, error) {
	if !from.Beginning && from.At.IsZero() {
		return r.Head(ctx)
	}
	floor, oldest, err := r.Floor(ctx)
	if err != nil || from.Beginning {
		return floor, err
	}
	if floor > 0 && from.At.Before(oldest) {
		kept := wire.Timestamp(oldest.Truncate(time.Minute).Add(time.Minute)).String()
		return 0, fault.In("journal.removed",
			"Entries from before "+kept+" have been removed. Start at that time or later, or at \"beginning\", which "+
				"is the oldest entry that is left.",
			fault.Field{Path: path, Message: "is before " + kept + ", and entries from that time have been removed"})
	}
	return r.Before(ctx, from.At)
}

// startAt moves the cursor of an endpoint that was just created into the past.
func startAt(ctx context.Context, tx *store.Tx, e endpoint.Endpoint, from Start) error {
	if from == (Start{}) {
		return nil
	}
	at, err := position(ctx, tx, from, "/start")
	if err != nil {
		return err
	}
	return tx.StartAt(ctx, e.Tenant, e.ID, at)
}

// skip moves an endpoint to the head of the journal, and records how many entries it skips.
func (s *Endpoints) skip(ctx context.Context, tx *store.Tx, p access.Principal, e endpoint.Endpoint) error {
	if e.Status != endpoint.Active {
		return fault.In("endpoint.invalid", "The endpoint was not saved: see fields.",
			fault.Field{Path: "/resume", Message: "is only for an endpoint whose status is active or becomes active"})
	}
	lag, err := tx.Lag(ctx, e.Tenant, e.ID)
	if err != nil {
		return err
	}
	if err := tx.Skip(ctx, e.Tenant, e.ID); err != nil {
		return err
	}
	return s.guard.Record(ctx, tx, authz.Note{
		Who:     p,
		What:    access.EndpointSkipped,
		Subject: authz.AboutEndpoint(e),
		Detail:  map[string]any{"entries": lag.Entries, "estimated": lag.Estimated, "parked": lag.Parked},
	})
}

// Lag returns how far an endpoint is behind the journal.
func (s *Endpoints) Lag(ctx context.Context, p access.Principal, endpointID string) (store.Lag, error) {
	if err := s.guard.Permit(ctx, p, access.GetLag); err != nil {
		return store.Lag{}, err
	}
	if !input.Word(endpointID) {
		return store.Lag{}, endpointMissing()
	}
	if _, err := findEndpoint(ctx, s.store, p, endpointID); err != nil {
		return store.Lag{}, err
	}
	return s.store.Lag(ctx, p.Tenant, endpointID)
}
