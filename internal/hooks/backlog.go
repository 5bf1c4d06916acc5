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

// Owing is a way in which an endpoint is behind.
type Owing string

// The ways.
const (
	OwingEntries Owing = "behind"  // its cursor is behind the journal
	OwingParked  Owing = "parked"  // lanes wait for their next try
	OwingDead    Owing = "dead"    // messages were given up
	OwingStopped Owing = "stopped" // it is paused or disabled
)

// The bounds of a page of endpoints that are behind.
const (
	owingPage   = 50  // it ends when it has this many
	owingRead   = 200 // that are read at once
	owingRounds = 5
)

// EndpointsOwing lists the endpoints after one of them that are behind in a way, oldest first, and where the next page
// begins; empty: there is none. A page may have fewer endpoints than fit, and more than that by those read at once.
func (s *Endpoints) EndpointsOwing(
	ctx context.Context, p access.Principal, how Owing, after string,
) (shown []endpoint.Endpoint, next string, err error) {
	if err := s.guard.Permit(ctx, p, access.GetBacklog); err != nil {
		return nil, "", err
	}
	head, err := s.store.Head(ctx)
	for range owingRounds {
		if err != nil {
			return nil, "", err
		}
		var found store.Page[endpoint.Endpoint]
		if found, err = s.seen(ctx, p, after, owingRead); err != nil || len(found.Items) == 0 {
			return shown, "", err
		}
		var some []endpoint.Endpoint
		some, err = s.owing(ctx, p.Tenant, found.Items, how, head)
		shown = append(shown, some...)
		after = found.Items[len(found.Items)-1].ID
		if !found.More {
			return shown, "", err
		}
		if len(shown) >= owingPage {
			break
		}
	}
	return shown, after, err
}

// owing returns those of some endpoints that are behind in a way.
func (s *Endpoints) owing(
	ctx context.Context, tenant int64, all []endpoint.Endpoint, how Owing, head int64,
) (some []endpoint.Endpoint, _ error) {
	ids := make([]string, len(all))
	for i, e := range all {
		ids[i] = e.ID
	}
	found, err := s.store.OwedTo(ctx, tenant, ids)
	owed := map[string]store.Owed{}
	for _, o := range found {
		owed[o.Endpoint] = o
	}
	for _, e := range all {
		o, known := owed[e.ID]
		if is := map[Owing]bool{
			OwingEntries: known && o.Position < head, OwingParked: o.Parked > 0, OwingDead: o.Dead > 0,
			OwingStopped: e.Status != endpoint.Active,
		}; is[how] {
			some = append(some, e)
		}
	}
	return some, err
}
