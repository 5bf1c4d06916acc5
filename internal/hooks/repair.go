package hooks

import (
	"context"
	"slices"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/input"
	"github.com/casehook/casehook/internal/store"
)

// Which names messages of an endpoint: some, or all there are.
type Which struct {
	Messages []string
	All      bool
}

// names returns the messages as the store takes them: nil stands for all.
func (w Which) names() ([]string, error) {
	message := ""
	switch {
	case w.All && len(w.Messages) > 0:
		message = "are named although all are meant"
	case !w.All && len(w.Messages) == 0:
		message = "names none; send some, or \"all\": true"
	}
	if message != "" {
		return nil, fault.In("message.which", "It is not clear which messages are meant.", fault.Field{Path: "/messages", Message: message})
	}
	if w.All {
		return nil, nil
	}
	known := make([]string, 0, len(w.Messages))
	for _, m := range w.Messages {
		if input.Word(m) {
			known = append(known, m)
		}
	}
	slices.Sort(known)
	return slices.Compact(known), nil
}

// told finds an endpoint whose messages somebody may see. Of one that was told
// more before than they see, they see none.
func (s *Messages) told(
	ctx context.Context, p access.Principal, o access.Operation, endpointID string,
) (e endpoint.Endpoint, visible bool, err error) {
	if err := s.guard.Permit(ctx, p, o); err != nil {
		return e, false, err
	}
	e, err = s.knownEndpoint(ctx, p, endpointID)
	return e, p.Clearance.Sees(e.Reached), err
}

// DeadMessages lists what was given up for an endpoint and is in a state, after a
// place, in the order in which it happened, and where to go on; nil: that is all.
func (s *Messages) DeadMessages(
	ctx context.Context, p access.Principal, endpointID string, state store.DeadState, after store.Place, limit int,
) ([]store.Dead, *store.Place, error) {
	_, visible, err := s.told(ctx, p, access.ListDead, endpointID)
	if err != nil || !visible {
		return nil, nil, err
	}
	return seen(ctx, s, p, after, limit, func(after store.Place, limit int) ([]store.Dead, error) {
		return s.store.Dead(ctx, p.Tenant, endpointID, state, after, limit)
	}, func(d store.Dead) (string, store.Place) { return d.Subject, d.Place })
}

// seen reads a list until there are as many as wanted of those whose subject
// somebody sees. Where much is not to be seen it ends before.
func seen[T, P any](ctx context.Context, s *Messages, p access.Principal, after P, limit int,
	read func(after P, limit int) ([]T, error), about func(T) (subject string, place P)) (shown []T, next *P, err error) {
	sees, err := s.sightOfSubjects(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	limit = input.Page(limit)
	for round := 1; ; round++ {
		wanted := limit - len(shown)
		found, err := read(after, wanted+1) // one more tells whether it goes on
		if err != nil {
			return nil, nil, err
		}
		for _, one := range found[:min(wanted, len(found))] {
			var subject string
			subject, after = about(one)
			visible, err := sees.subject(ctx, subject)
			if err != nil {
				return nil, nil, err
			}
			if visible {
				shown = append(shown, one)
			}
		}
		if len(found) <= wanted {
			return shown, nil, nil
		}
		if len(shown) == limit || round == attemptRounds {
			return shown, &after, nil
		}
	}
}

// nameable returns those of an endpoint's messages whose subject somebody sees: the
// others are not there. Nil, which stands for all, stays nil.
func (s *Messages) nameable(
	ctx context.Context, p access.Principal, endpointID string, names []string,
) ([]string, error) {
	if names == nil {
		return nil, nil
	}
	sees, err := s.sightOfSubjects(ctx, p)
	if err != nil {
		return nil, err
	}
	subjects, err := s.store.GivenUpOrWaiting(ctx, p.Tenant, endpointID, names)
	if err != nil {
		return nil, err
	}
	visible := []string{}
	for _, name := range names {
		if subject, found := subjects[name]; found {
			ok, err := sees.subject(ctx, subject)
			if err != nil {
				return nil, err
			}
			if ok {
				visible = append(visible, name)
			}
		}
	}
	return visible, nil
}

// RetryDead tries dead messages again, in their order. Those that are delivered
// are dead no more.
func (s *Messages) RetryDead(
	ctx context.Context, p access.Principal, endpointID string, which Which, once authz.Once,
) (Replay, error) {
	_, visible, err := s.told(ctx, p, access.RetryDead, endpointID)
	if err != nil {
		return Replay{}, err
	}
	names, err := which.names()
	if err != nil {
		return Replay{}, err
	}
	if !visible {
		return Replay{}, messageMissing()
	}
	if names, err = s.nameable(ctx, p, endpointID, names); err != nil {
		return Replay{}, err
	}
	var made Replay
	err = s.changing(ctx, authz.NewMandate(p, access.RetryDead), endpointID, once, func(tx *store.Tx, e endpoint.Endpoint) (any, error) {
		if err := tx.CatchUp(ctx); err != nil { // nothing is removed meanwhile
			return nil, err
		}
		if err := roomForReplay(ctx, tx, e); err != nil {
			return nil, err
		}
		r := store.Replay{ID: id.New("rpl"), Tenant: e.Tenant, Endpoint: e.ID, Kind: store.ReplayRetry, State: store.ReplayRunning, AskedBy: p.Actor.Name, CreatedAt: s.now()}
		r, err := tx.RetryDead(ctx, r, names)
		if err != nil {
			return nil, err
		}
		if made, err = measured(ctx, tx, r); err != nil {
			return nil, err
		}
		return made, s.guard.Record(ctx, tx, authz.Note{
			Who:     p,
			What:    access.ReplayStarted,
			Subject: authz.AboutEndpoint(e),
			Detail:  map[string]any{"replay": r.ID, "kind": r.Kind, "messages": r.Messages},
		})
	})
	return made, err
}

// DropDead gives up dead messages for good, and returns how many. They stay listed
// as dropped.
func (s *Messages) DropDead(
	ctx context.Context, p access.Principal, endpointID string, which Which, once authz.Once,
) (int64, error) {
	return s.dispose(ctx, p, access.DropDead, endpointID, which, once, access.MessagesDropped, func(tx *store.Tx, names []string) (int64, error) {
		return tx.DropDead(ctx, p.Tenant, endpointID, names)
	})
}

// Parked lists an endpoint's lanes that wait for another try, after a place, and
// where to go on; nil: that is all.
func (s *Messages) Parked(
	ctx context.Context, p access.Principal, endpointID string, after store.LanePlace, limit int,
) ([]store.Waiting, *store.LanePlace, error) {
	_, visible, err := s.told(ctx, p, access.ListParked, endpointID)
	if err != nil || !visible {
		return nil, nil, err
	}
	return seen(ctx, s, p, after, limit, func(after store.LanePlace, limit int) ([]store.Waiting, error) {
		return s.store.WaitingLanes(ctx, p.Tenant, endpointID, after, limit)
	}, func(w store.Waiting) (string, store.LanePlace) { return w.Subject, w.Place() })
}

// RetryParked lets parked messages be tried at once, and returns how many.
func (s *Messages) RetryParked(
	ctx context.Context, p access.Principal, endpointID string, which Which, once authz.Once,
) (int64, error) {
	return s.dispose(ctx, p, access.RetryParked, endpointID, which, once, access.MessagesHurried, func(tx *store.Tx, names []string) (int64, error) {
		return tx.AskParked(ctx, p.Tenant, endpointID, names, false)
	})
}

// DropParked gives parked messages up, and returns how many. What waits behind
// them goes on. One that is under way is given up unless it is taken.
func (s *Messages) DropParked(
	ctx context.Context, p access.Principal, endpointID string, which Which, once authz.Once,
) (int64, error) {
	return s.dispose(ctx, p, access.DropParked, endpointID, which, once, access.MessagesDropped, func(tx *store.Tx, names []string) (int64, error) {
		return tx.AskParked(ctx, p.Tenant, endpointID, names, true)
	})
}

// dispose does something about messages that are named, and notes it.
func (s *Messages) dispose(ctx context.Context, p access.Principal, o access.Operation, endpointID string, which Which, once authz.Once,
	action access.Action, do func(*store.Tx, []string) (int64, error)) (n int64, err error) {
	_, visible, err := s.told(ctx, p, o, endpointID)
	if err != nil {
		return 0, err
	}
	names, err := which.names()
	if err != nil {
		return 0, err
	}
	if !visible {
		return 0, messageMissing()
	}
	if names, err = s.nameable(ctx, p, endpointID, names); err != nil {
		return 0, err
	}
	err = s.changing(ctx, authz.NewMandate(p, o), endpointID, once, func(tx *store.Tx, e endpoint.Endpoint) (any, error) {
		if n, err = do(tx, names); err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, messageMissing()
		}
		return n, s.guard.Record(ctx, tx, authz.Note{
			Who:     p,
			What:    action,
			Subject: authz.AboutEndpoint(e),
			Detail:  map[string]any{"operation": o, "messages": n},
		})
	})
	return n, err
}

// changing carries something out once, in a transaction in which the endpoint is
// there.
func (s *Messages) changing(ctx context.Context, m *authz.Mandate, endpointID string, once authz.Once, do func(*store.Tx, endpoint.Endpoint) (any, error)) error {
	return s.guard.Once(ctx, m.Principal, once, func() error {
		return s.guard.Update(ctx, m, func(tx *store.Tx) error {
			e, err := findEndpoint(ctx, tx, m.Principal, endpointID)
			if err != nil {
				return err
			}
			result, err := do(tx, e)
			if err != nil {
				return err
			}
			return s.guard.Keep(ctx, tx, m.Principal, once, result)
		})
	})
}
