package hooks

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/input"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/weburl"
	"github.com/casehook/casehook/internal/wire"
)

// Target is an endpoint that listens to a trigger.
type Target struct {
	Endpoint endpoint.Endpoint
	Created  bool // by this call: its secret may be shown
}

const maxTargets = 100

// Targets lists the endpoints that listen to a trigger, oldest first.
func (s *Endpoints) Targets(ctx context.Context, p access.Principal, trigger string) ([]Target, error) {
	if err := s.guard.Permit(ctx, p, access.GetTargets); err != nil {
		return nil, err
	}
	if !wire.Known(trigger) {
		return nil, triggerMissing(trigger)
	}
	all, err := s.store.Subscribers(ctx, p.Tenant, trigger)
	if err != nil {
		return nil, err
	}
	var targets []Target
	for _, e := range all {
		if p.Clearance.Sees(e.Clearance) {
			targets = append(targets, Target{Endpoint: e})
		}
	}
	return targets, nil
}

// SetTargets makes these URLs, and no others, the targets of a trigger. Endpoints with one of the URLs are
// subscribed; for other URLs endpoints are created. Endpoints with a URL that is not listed lose the trigger, and
// are deleted if it was their only one.
func (s *Endpoints) SetTargets(
	ctx context.Context, p access.Principal, trigger string, urls []string,
) ([]Target, error) {
	if err := s.guard.Permit(ctx, p, access.SetTargets); err != nil {
		return nil, err
	}
	if !wire.Known(trigger) {
		return nil, triggerMissing(trigger)
	}
	urls = canonical(urls)
	if err := checkTargets(trigger, urls); err != nil {
		return nil, err
	}
	var targets []Target
	err := authz.Retry("endpoint.version_conflict", func() error {
		return s.guard.Update(ctx, authz.NewMandate(p, access.SetTargets), func(tx *store.Tx) (err error) {
			if targets, err = s.setTargets(ctx, tx, p, trigger, urls); err != nil {
				return err
			}
			endpoints, of := make([]string, len(targets)), authz.Subject{Name: "trigger/" + trigger}
			for i, t := range targets {
				endpoints[i], of.Class = t.Endpoint.ID, casetype.Higher(of.Class, t.Endpoint.Clearance)
			}
			return s.guard.Record(ctx, tx, authz.Note{
				Who:     p,
				What:    access.TargetsSet,
				Subject: of,
				Detail:  map[string]any{"endpoints": endpoints},
			})
		})
	})
	if err != nil {
		return nil, err
	}
	return targets, nil
}

// canonical returns URLs in the form in which endpoints keep them.
func canonical(urls []string) []string {
	urls = slices.Clone(urls)
	for i, u := range urls {
		urls[i] = weburl.Stored(u)
	}
	return urls
}

func checkTargets(trigger string, urls []string) error {
	var wrong []fault.Field
	if len(urls) > maxTargets {
		wrong = append(wrong, fault.Field{Path: "/urls", Message: fmt.Sprintf("lists more than %d URLs", maxTargets)})
		urls = nil
	}
	for i, u := range urls {
		path := "/urls/" + strconv.Itoa(i)
		for _, f := range (endpoint.Endpoint{URL: u, Triggers: []string{trigger}}).Check(wire.Names()) {
			wrong = append(wrong, fault.Field{Path: path, Message: f.Message})
		}
		if slices.Contains(urls[:i], u) {
			wrong = append(wrong, fault.Field{Path: path, Message: "is listed twice"})
		}
	}
	if len(wrong) > 0 {
		return fault.In("endpoint.invalid", "The targets were not saved: see fields.", wrong...)
	}
	return nil
}

func (s *Endpoints) setTargets(
	ctx context.Context, tx *store.Tx, p access.Principal, trigger string, urls []string,
) ([]Target, error) {
	if err := tx.LockTargets(ctx, p.Tenant); err != nil {
		return nil, err
	}
	all, err := allEndpoints(ctx, tx, p)
	if err != nil {
		return nil, err
	}
	for _, e := range all {
		if subscribes(e, trigger) && !slices.Contains(urls, e.URL) {
			if err := s.unsubscribe(ctx, tx, p, e, trigger); err != nil {
				return nil, err
			}
		}
	}
	var targets []Target
	for _, u := range urls {
		found, err := s.target(ctx, tx, p, all, subscription{trigger: trigger, url: u})
		if err != nil {
			return nil, err
		}
		targets = append(targets, found...)
	}
	return targets, nil
}

// subscription is a trigger and a URL that listens to it.
type subscription struct{ trigger, url string }

// target makes a URL listen to a trigger. Endpoints that already do stay unchanged; if there are none, target
// subscribes the oldest endpoint with this URL, or else creates one.
func (s *Endpoints) target(
	ctx context.Context, tx *store.Tx, p access.Principal, all []endpoint.Endpoint, wanted subscription,
) ([]Target, error) {
	var listening []Target
	var others []endpoint.Endpoint
	for _, e := range all {
		switch {
		case e.URL != wanted.url:
		case subscribes(e, wanted.trigger):
			listening = append(listening, Target{Endpoint: e})
		default:
			others = append(others, e)
		}
	}
	if len(listening) > 0 {
		return listening, nil
	}
	if len(others) > 0 {
		e, err := s.changeEndpoint(ctx, tx, p, others[0], func(e *endpoint.Endpoint) {
			e.Triggers = append(e.Triggers, wanted.trigger)
		})
		return []Target{{Endpoint: e}}, err
	}
	e, err := s.newEndpoint(ctx, p, endpoint.Endpoint{URL: wanted.url, Triggers: []string{wanted.trigger}})
	if err != nil {
		return nil, err
	}
	return []Target{{Endpoint: e, Created: true}}, tx.CreateEndpoint(ctx, e, id.New("cur"))
}

func (s *Endpoints) unsubscribe(
	ctx context.Context, tx *store.Tx, p access.Principal, e endpoint.Endpoint, trigger string,
) error {
	if len(e.Triggers) == 1 {
		return tx.DeleteEndpoint(ctx, e.Tenant, e.ID)
	}
	_, err := s.changeEndpoint(ctx, tx, p, e, func(e *endpoint.Endpoint) {
		e.Triggers = slices.DeleteFunc(e.Triggers, func(t string) bool { return t == trigger })
	})
	return err
}

func subscribes(e endpoint.Endpoint, trigger string) bool {
	return slices.Contains(e.Triggers, trigger)
}

// allEndpoints lists the endpoints that the caller sees.
func allEndpoints(ctx context.Context, tx *store.Tx, p access.Principal) ([]endpoint.Endpoint, error) {
	var all []endpoint.Endpoint
	for after := ""; ; {
		found, err := tx.Endpoints(ctx, p.Tenant, after, input.MaxPage)
		for _, e := range found.Items {
			after = e.ID
			if p.Clearance.Sees(e.Clearance) {
				all = append(all, e)
			}
		}
		if err != nil || !found.More {
			return all, err
		}
	}
}

func triggerMissing(name string) error {
	return fault.New(fault.NotFound, "trigger.not_found", "There is no trigger %.100q; GET /v1/triggers lists them.",
		name)
}
