package hooks

import (
	"context"
	"path"
	"strconv"
	"strings"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/filter"
	"github.com/casehook/casehook/internal/wire"
)

// JournalSelection selects messages of the journal. Its fields narrow each other.
type JournalSelection struct {
	Endpoint string   // an endpoint's id: the messages that it would receive
	Triggers []string // names, or patterns of them with *; none: all
	Sources  []string // of the activity; none: all
}

// Audience returns the audience of a client that follows the journal by one of the operations that read it. It
// excludes cases of types that the client may not read. A client that follows for long calls unchanged to learn
// whether the audience is still right.
func (s *Journal) Audience(
	ctx context.Context, p access.Principal, o access.Operation, l JournalSelection,
) (a filter.Audience, unchanged func(context.Context) (bool, error), err error) {
	if a, unchanged, err = s.audience(ctx, p, o, l); err == nil && a.Fault != nil {
		err = fault.In("endpoint.invalid", "The endpoint's filter is not valid: see fields. Change the endpoint first.",
			fault.Field{Path: "/filter", Message: a.Fault.Error()})
	}
	return a, unchanged, err
}

// audience is Audience, except that the endpoint's filter may be unusable.
func (s *Journal) audience(
	ctx context.Context, p access.Principal, o access.Operation, l JournalSelection,
) (a filter.Audience, unchanged func(context.Context) (bool, error), err error) {
	if err := s.guard.Permit(ctx, p, o); err != nil {
		return a, nil, err
	}
	triggers, err := matching(l.Triggers)
	if err != nil {
		return a, nil, err
	}
	before, err := s.store.Reader(ctx, p.Tenant, p.Owner())
	if err != nil {
		return a, nil, err
	}
	reader, err := s.guard.Reader(ctx, p)
	if err != nil {
		return a, nil, err
	}
	client := filter.ForClient(p.Tenant, reader, triggers, l.Sources)
	clientUnchanged := func(ctx context.Context) (bool, error) {
		now, err := s.store.Reader(ctx, p.Tenant, p.Owner())
		return now.Same(before), err
	}
	if l.Endpoint == "" {
		return client, clientUnchanged, nil
	}
	e, err := s.endpoints.known(ctx, p, l.Endpoint)
	if err != nil {
		return a, nil, err
	}
	owner, err := s.guard.OwnersReader(ctx, e)
	if err != nil {
		return a, nil, err
	}
	return filter.ForEndpoint(e, owner).ReadBy(client), func(ctx context.Context) (bool, error) {
		now, err := s.guard.OwnersReader(ctx, e)
		if err != nil || !now.Same(owner) {
			return false, err
		}
		return clientUnchanged(ctx)
	}, nil
}

// matching returns the triggers that match one of the patterns. A pattern that begins with a wildcard names none of
// an optional format, whose messages report again what others do.
func matching(patterns []string) (map[string]bool, error) {
	found := map[string]bool{}
	var wrong []fault.Field
	for _, pattern := range patterns {
		known := false
		for _, t := range wire.Triggers() {
			if wire.IsOptional(t.Name) && strings.IndexAny(pattern, `*?[\`) == 0 {
				continue
			}
			if ok, err := path.Match(pattern, t.Name); ok && err == nil {
				found[t.Name], known = true, true
			}
		}
		if !known {
			wrong = append(wrong, fault.Field{
				Path:    "query.triggers",
				Message: strconv.Quote(pattern) + " matches no trigger; GET /v1/triggers lists them",
			})
		}
	}
	if len(wrong) > 0 {
		refused := fault.New(fault.Invalid, "journal.triggers_unknown",
			"The request names a trigger that does not exist: see fields.")
		refused.Fields = wrong
		return nil, refused
	}
	if len(patterns) == 0 {
		for _, f := range wire.Formats() {
			for _, t := range f.Triggers {
				found[t.Name] = !f.Optional
			}
		}
	}
	return found, nil
}
