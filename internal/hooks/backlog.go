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
	var ids []string
	for _, e := range all {
		ids = append(ids, e.ID)
		if e.Status != endpoint.Active {
			b.Stopped++
		}
	}
	head, err := s.store.Head(ctx)
	if err != nil {
		return b, err
	}
	owed, err := s.store.OwedTo(ctx, p.Tenant, ids)
	if err != nil {
		return b, err
	}
	lowest := head
	for _, o := range owed {
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
