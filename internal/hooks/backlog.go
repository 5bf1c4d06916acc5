package hooks

import (
	"context"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/store"
)

// Backlog sums up what endpoints are owed.
type Backlog struct {
	Behind   int           // endpoints whose cursor is behind the journal
	Furthest store.Stretch // that the one which is furthest behind has not been served
	Parked   int64         // lanes that wait for their next try; at most 1,000 of each endpoint
	Dead     int64         // messages that were given up; at most 1,000 of each endpoint
	Stopped  int           // endpoints that are paused or disabled
	More     bool          // there are further endpoints, which it does not count
}

// maxBacklog bounds the endpoints of a backlog.
const maxBacklog = 100

// Backlog sums up what the oldest endpoints are owed that the caller sees, and returns them.
func (s *Endpoints) Backlog(ctx context.Context, p access.Principal) (b Backlog, all []endpoint.Endpoint, _ error) {
	if err := s.guard.Permit(ctx, p, access.GetBacklog); err != nil {
		return b, nil, err
	}
	found, err := s.seen(ctx, p, "", maxBacklog)
	if err != nil {
		return b, nil, err
	}
	b, err = s.sumUp(ctx, p, found.Items)
	b.More = found.More
	return b, found.Items, err
}

// sumUp sums up what endpoints are owed.
func (s *Endpoints) sumUp(ctx context.Context, p access.Principal, all []endpoint.Endpoint) (b Backlog, err error) {
	head, owed, err := s.owedTo(ctx, p.Tenant, all)
	if err != nil {
		return b, err
	}
	lowest := head
	for _, e := range all {
		if e.Status != endpoint.Active {
			b.Stopped++
		}
		o, ok := owed[e.ID]
		if !ok {
			continue
		}
		b.Parked += o.Parked
		b.Dead += o.Dead
		if o.Position < head {
			b.Behind++
		}
		lowest = min(lowest, o.Position)
	}
	if lowest < head {
		b.Furthest, err = s.store.Stretch(ctx, p.Tenant, lowest, head)
	}
	return b, err
}

// owedTo returns the head of the journal, and what endpoints are owed, by their ids.
func (s *Endpoints) owedTo(
	ctx context.Context, tenant int64, all []endpoint.Endpoint,
) (head int64, owed map[string]store.Owed, err error) {
	if head, err = s.store.Head(ctx); err != nil {
		return 0, nil, err
	}
	ids := make([]string, len(all))
	for i, e := range all {
		ids[i] = e.ID
	}
	found, err := s.store.OwedTo(ctx, tenant, ids)
	owed = map[string]store.Owed{}
	for _, o := range found {
		owed[o.Endpoint] = o
	}
	return head, owed, err
}

// Debt is a kind of what endpoints are owed.
type Debt string

// The kinds.
const (
	DebtEntries Debt = "behind"  // entries of the journal that the cursor has not passed
	DebtParked  Debt = "parked"  // messages that wait for their next try
	DebtDead    Debt = "dead"    // messages that were given up
	DebtStopped Debt = "stopped" // all, while the endpoint is paused or disabled
)

// of reports whether an endpoint is owed something of the kind. The journal ends at head.
func (d Debt) of(e endpoint.Endpoint, o store.Owed, head int64) bool {
	switch d {
	case DebtEntries:
		return o.Endpoint != "" && o.Position < head
	case DebtParked:
		return o.Parked > 0
	case DebtDead:
		return o.Dead > 0
	}
	return e.Status != endpoint.Active
}

// The bounds of a page of endpoints that are owed something.
const (
	owedPage   = 50  // it ends when it has as many, or more by those that are read at once
	owedBatch  = 200 // that are read at once
	owedRounds = 5
)

// EndpointsOwed lists the endpoints after one of them that are owed something of a kind, oldest first, and where the
// next page begins; empty: there is none. A page may have few endpoints, or none, and still a next.
func (s *Endpoints) EndpointsOwed(
	ctx context.Context, p access.Principal, kind Debt, after string,
) (shown []endpoint.Endpoint, next string, err error) {
	if err := s.guard.Permit(ctx, p, access.GetBacklog); err != nil {
		return nil, "", err
	}
	for range owedRounds {
		found, err := s.seen(ctx, p, after, owedBatch)
		if err != nil || len(found.Items) == 0 {
			return shown, "", err
		}
		head, owed, err := s.owedTo(ctx, p.Tenant, found.Items)
		if err != nil {
			return nil, "", err
		}
		for _, e := range found.Items {
			if after = e.ID; kind.of(e, owed[e.ID], head) {
				shown = append(shown, e)
			}
		}
		if !found.More {
			return shown, "", nil
		}
		if len(shown) >= owedPage {
			break
		}
	}
	return shown, after, nil
}
