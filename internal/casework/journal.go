package casework

import (
	"context"
	"path"
	"slices"
	"strconv"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/filter"
	"github.com/casehook/casehook/internal/wire"
)

// Listening says what of the journal somebody wants to hear. What it names
// narrows the rest.
type Listening struct {
	Endpoint string   // an endpoint's id: what this one would be told
	Triggers []string // names, or patterns of them with *; none: all
	Sources  []string // whose activity; none: everybody's
}

// Audience is who listens: what they see of an entry, and what they want of it.
type Audience struct {
	Clearance casetype.Classification
	Filter    string // of the endpoint, if one was named
	Wants     func(*event.Entry, *wire.Message, *filter.Message) bool

	// Holds reports whether all this is still so: nobody may read more or less than then.
	Holds func(context.Context) (bool, error)
}

// Audience says what somebody hears who listens, for one of the operations that
// give the journal. Cases of types whose cases they may not read are left out. It
// is as of now: who listens for long asks again.
func (s *Service) Audience(ctx context.Context, p access.Principal, o access.Operation, l Listening) (Audience, error) {
	a, err := s.listeners(ctx, p, o, l)
	if err != nil {
		return Audience{}, err
	}
	return a.filtered()
}

// RightsChanged returns a channel that is closed when what somebody may read, or do, may
// have changed.
func (s *Service) RightsChanged(p access.Principal) <-chan struct{} {
	return s.store.RightsChanged(p.Tenant)
}

// RightsHeld reports whether somebody may surely do what they could when they were
// authenticated.
func (s *Service) RightsHeld(p access.Principal) bool {
	return s.store.RightsHeld(p.Tenant, p.Credential.Moment, p.Credential.At)
}

// listeners is an Audience before the endpoint's filter.
func (s *Service) listeners(ctx context.Context, p access.Principal, o access.Operation, l Listening) (Audience, error) {
	if err := s.Permit(ctx, p, o); err != nil {
		return Audience{}, err
	}
	triggers, err := matching(l.Triggers)
	if err != nil {
		return Audience{}, err
	}
	before, err := s.store.Reader(ctx, p.Tenant, p.Owner())
	if err != nil {
		return Audience{}, err
	}
	reader, err := s.reader(ctx, p)
	if err != nil {
		return Audience{}, err
	}
	whose := endpoint.Endpoint{Sources: l.Sources}
	a := Audience{Clearance: p.Clearance, Wants: func(e *event.Entry, m *wire.Message, _ *filter.Message) bool {
		return triggers[m.Trigger] && whose.Hears(e.Actor) && reader.Reads(e)
	}, Holds: func(ctx context.Context) (bool, error) {
		now, err := s.store.Reader(ctx, p.Tenant, p.Owner())
		return now.Same(before), err
	}}
	if l.Endpoint == "" {
		return a, nil
	}
	told, err := s.Endpoint(ctx, p, l.Endpoint)
	if err != nil {
		return Audience{}, err
	}
	owner, err := s.ownersReader(ctx, told)
	if err != nil {
		return Audience{}, err
	}
	asked := a.Wants
	a.Clearance, a.Filter, a.Wants = owner.Clearance, told.Filter, func(e *event.Entry, m *wire.Message, judged *filter.Message) bool {
		return slices.Contains(told.Triggers, m.Trigger) && told.Hears(e.Actor) && owner.Reads(e) && asked(e, m, judged)
	}
	mine := a.Holds
	a.Holds = func(ctx context.Context) (bool, error) {
		now, err := s.ownersReader(ctx, told)
		if err != nil || !now.Same(owner) {
			return false, err
		}
		return mine(ctx)
	}
	return a, nil
}

// filtered lets through what passes the endpoint's filter.
func (a Audience) filtered() (Audience, error) {
	passing, wrong := filter.Compile(a.Filter)
	if wrong != nil {
		return Audience{}, fault.In("endpoint.invalid", "The endpoint's filter can't be used; change the endpoint.",
			fault.Field{Path: "/filter", Message: wrong.Error()})
	}
	asked := a.Wants
	a.Wants = func(e *event.Entry, m *wire.Message, judged *filter.Message) bool {
		if !asked(e, m, judged) {
			return false
		}
		passes, err := passing.Passes(judged)
		return passes && err == nil // what can't be computed is dead, and not told
	}
	return a, nil
}

// matching returns the triggers that match one of the patterns.
func matching(patterns []string) (map[string]bool, error) {
	found := map[string]bool{}
	var wrong []fault.Field
	for _, pattern := range patterns {
		known := false
		for _, t := range wire.Triggers() {
			if ok, err := path.Match(pattern, t.Name); ok && err == nil {
				found[t.Name], known = true, true
			}
		}
		if !known {
			wrong = append(wrong, fault.Field{Path: "query.triggers", Message: strconv.Quote(pattern) + " matches no trigger; GET /v1/triggers lists them"})
		}
	}
	if len(wrong) > 0 {
		refused := fault.New(fault.Invalid, "journal.triggers_unknown", "There is no such trigger to listen to.")
		refused.Fields = wrong
		return nil, refused
	}
	if len(patterns) == 0 {
		for _, t := range wire.Triggers() {
			found[t.Name] = true
		}
	}
	return found, nil
}
