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

// MessageSelection selects messages of an endpoint: some, or all.
type MessageSelection struct {
	Messages []string
	All      bool
}

// names returns the selected messages; nil stands for all.
func (w MessageSelection) names() ([]string, error) {
	message := ""
	switch {
	case w.All && len(w.Messages) > 0:
		message = "can't be sent together with \"all\": true"
	case !w.All && len(w.Messages) == 0:
		message = "is empty; send at least one id, or \"all\": true"
	}
	if message != "" {
		return nil, fault.In("message.which",
			"The request does not say which messages it is about. Send their ids as messages, or \"all\": true.",
			fault.Field{Path: "/messages", Message: message})
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

// receiver returns an endpoint, and reports whether the caller may see its messages: they may not if it ever reached
// above their clearance.
func (s *Messages) receiver(
	ctx context.Context, p access.Principal, o access.Operation, endpointID string,
) (e endpoint.Endpoint, visible bool, err error) {
	if err := s.guard.Permit(ctx, p, o); err != nil {
		return e, false, err
	}
	e, err = s.knownEndpoint(ctx, p, endpointID)
	return e, p.Clearance.Sees(e.Reached), err
}

// DeadSelection selects dead messages of an endpoint.
type DeadSelection struct {
	Endpoint string // its id
	State    store.DeadState
	After    store.Place // of the message before the page
	Limit    int
}

// DeadMessages lists dead messages in the order of their commits, and returns the place after which the next page
// begins; nil: there is none.
func (s *Messages) DeadMessages(
	ctx context.Context, p access.Principal, in DeadSelection,
) ([]store.DeadMessage, *store.Place, error) {
	_, visible, err := s.receiver(ctx, p, access.ListDead, in.Endpoint)
	if err != nil || !visible {
		return nil, nil, err
	}
	return listing[store.DeadMessage, store.Place]{
		read: func(after store.Place, limit int) ([]store.DeadMessage, error) {
			return s.store.Dead(ctx, p.Tenant, store.DeadFilter{
				Endpoint: in.Endpoint, State: in.State, After: after, Limit: limit,
			})
		},
		about: func(d store.DeadMessage) (string, store.Place) { return d.Subject, d.Place },
	}.page(ctx, s, p, in.After, in.Limit)
}

// listing is a list of an endpoint's messages. A caller sees the messages whose subjects they see.
type listing[T, P any] struct {
	read  func(after P, limit int) ([]T, error)
	about func(T) (subject string, place P)
}

// page reads the list until it has limit items that the caller sees. It ends earlier if they see few of the items.
func (l listing[T, P]) page(
	ctx context.Context, s *Messages, p access.Principal, after P, limit int,
) (shown []T, next *P, err error) {
	sees, err := s.subjectVisibility(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	limit = input.Page(limit)
	for round := 1; ; round++ {
		wanted := limit - len(shown)
		found, err := l.read(after, wanted+1) // one more shows whether the list goes on
		if err != nil {
			return nil, nil, err
		}
		for _, one := range found[:min(wanted, len(found))] {
			var subject string
			subject, after = l.about(one)
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
		if len(shown) == limit || round == maxRounds {
			return shown, &after, nil
		}
	}
}

// nameable returns those of an endpoint's messages whose subjects the caller sees. It returns nil, which stands for
// all, unchanged.
func (s *Messages) nameable(
	ctx context.Context, p access.Principal, endpointID string, names []string,
) ([]string, error) {
	if names == nil {
		return nil, nil
	}
	sees, err := s.subjectVisibility(ctx, p)
	if err != nil {
		return nil, err
	}
	subjects, err := s.store.DeadOrParked(ctx, p.Tenant, endpointID, names)
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

// RetryDead tries dead messages again, in their order. Messages that are delivered then are no longer dead.
func (s *Messages) RetryDead(
	ctx context.Context, p access.Principal, endpointID string, which MessageSelection, once authz.Once,
) (Replay, error) {
	_, visible, err := s.receiver(ctx, p, access.RetryDead, endpointID)
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
	m := authz.NewMandate(p, access.RetryDead)
	err = s.changing(ctx, m, endpointID, once, func(tx *store.Tx, e endpoint.Endpoint) (any, error) {
		if err := tx.CatchUp(ctx); err != nil { // nothing is removed meanwhile
			return nil, err
		}
		if err := roomForReplay(ctx, tx, e); err != nil {
			return nil, err
		}
		r, err := tx.RetryDead(ctx, store.Replay{
			ID:          id.New("rpl"),
			Tenant:      e.Tenant,
			Endpoint:    e.ID,
			Kind:        store.ReplayRetry,
			State:       store.ReplayRunning,
			RequestedBy: p.Actor.Name,
			CreatedAt:   s.now(),
		}, names)
		if err != nil {
			return nil, err
		}
		if made, err = measured(ctx, tx, p, r); err != nil {
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

// DropDead drops dead messages, and returns how many. They stay listed as dropped.
func (s *Messages) DropDead(
	ctx context.Context, p access.Principal, endpointID string, which MessageSelection, once authz.Once,
) (int64, error) {
	return s.repair(ctx, p, which, once, repair{
		operation: access.DropDead,
		action:    access.MessagesDropped,
		endpoint:  endpointID,
		do: func(tx *store.Tx, names []string) (int64, error) {
			return tx.DropDead(ctx, p.Tenant, endpointID, names)
		},
	})
}

// Parked lists the parked lanes of an endpoint after a place, and returns the place after which the next page begins;
// nil: there is none.
func (s *Messages) Parked(
	ctx context.Context, p access.Principal, endpointID string, after store.LanePlace, limit int,
) ([]store.ParkedLane, *store.LanePlace, error) {
	_, visible, err := s.receiver(ctx, p, access.ListParked, endpointID)
	if err != nil || !visible {
		return nil, nil, err
	}
	return listing[store.ParkedLane, store.LanePlace]{
		read: func(after store.LanePlace, limit int) ([]store.ParkedLane, error) {
			return s.store.ParkedLanes(ctx, p.Tenant, endpointID, after, limit)
		},
		about: func(w store.ParkedLane) (string, store.LanePlace) { return w.Subject, w.Place() },
	}.page(ctx, s, p, after, limit)
}

// RetryParked makes parked messages due at once, and returns how many.
func (s *Messages) RetryParked(
	ctx context.Context, p access.Principal, endpointID string, which MessageSelection, once authz.Once,
) (int64, error) {
	return s.repair(ctx, p, which, once, repair{
		operation: access.RetryParked,
		action:    access.MessagesHurried,
		endpoint:  endpointID,
		do: func(tx *store.Tx, names []string) (int64, error) {
			return tx.RequestRepairs(ctx, p.Tenant, endpointID, names, false)
		},
	})
}

// DropParked drops parked messages, and returns how many. The messages behind them go on. A message that is being sent
// is dropped unless the receiver accepts it.
func (s *Messages) DropParked(
	ctx context.Context, p access.Principal, endpointID string, which MessageSelection, once authz.Once,
) (int64, error) {
	return s.repair(ctx, p, which, once, repair{
		operation: access.DropParked,
		action:    access.MessagesDropped,
		endpoint:  endpointID,
		do: func(tx *store.Tx, names []string) (int64, error) {
			return tx.RequestRepairs(ctx, p.Tenant, endpointID, names, true)
		},
	})
}

// repair is a change of an endpoint's messages. Do returns how many messages it changed; nil names stand for all.
type repair struct {
	operation access.Operation
	action    access.Action
	endpoint  string // its id
	do        func(tx *store.Tx, names []string) (int64, error)
}

// repair changes the selected messages, and records the change.
func (s *Messages) repair(
	ctx context.Context, p access.Principal, which MessageSelection, once authz.Once, r repair,
) (n int64, err error) {
	_, visible, err := s.receiver(ctx, p, r.operation, r.endpoint)
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
	if names, err = s.nameable(ctx, p, r.endpoint, names); err != nil {
		return 0, err
	}
	m := authz.NewMandate(p, r.operation)
	err = s.changing(ctx, m, r.endpoint, once, func(tx *store.Tx, e endpoint.Endpoint) (any, error) {
		if n, err = r.do(tx, names); err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, messageMissing()
		}
		return n, s.guard.Record(ctx, tx, authz.Note{
			Who:     p,
			What:    r.action,
			Subject: authz.AboutEndpoint(e),
			Detail:  map[string]any{"operation": r.operation, "messages": n},
		})
	})
	return n, err
}

// changing calls do once, in a transaction, with the endpoint, and keeps its result for repeated requests.
func (s *Messages) changing(
	ctx context.Context, m *authz.Mandate, endpointID string, once authz.Once,
	do func(*store.Tx, endpoint.Endpoint) (any, error),
) error {
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
