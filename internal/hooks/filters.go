package hooks

import (
	"context"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/filter"
	"github.com/casehook/casehook/internal/wire"
)

// FilterResult is a message, and the result of a filter for it.
type FilterResult struct {
	Message string // its webhook-id
	Trigger string
	Subject string
	Version int64 // of the subject
	At      time.Time
	Passes  bool
	Err     error // the filter failed; it quotes no data
}

// PreviewFilter evaluates a filter for the messages of up to limit recent entries, newest first. An empty source
// means the filter of the endpoint that the selection names. The filter sees what the caller sees, or what the
// endpoint sees if that is less. Looked counts the entries that the caller sees.
func (s *Journal) PreviewFilter(
	ctx context.Context, p access.Principal, source string, l JournalSelection, limit int,
) (all []FilterResult, looked int, err error) {
	a, _, err := s.audience(ctx, p, access.PreviewFilter, l)
	if err != nil {
		return nil, 0, err
	}
	if source != "" {
		a = a.With(source)
	}
	if a.Fault != nil {
		refused := fault.New(fault.Invalid, "filter.invalid", "The filter is not valid: see fields.")
		refused.Fields = []fault.Field{{Path: "query.filter", Message: a.Fault.Error()}}
		return nil, 0, refused
	}
	recent, err := s.store.Recent(ctx, p.Tenant, limit)
	if err != nil {
		return nil, 0, err
	}
	reader, err := s.guard.Reader(ctx, p)
	if err != nil {
		return nil, 0, err
	}
	for i, e := range recent {
		recent[i] = nil // large, and no longer needed
		if _, visible := e.As(p.Clearance.SeesClass); visible && reader.Reads(e) {
			looked++
		}
		if err := ctx.Err(); err != nil {
			return nil, 0, fault.Cancelled(err)
		}
		all = append(all, preview(&a, e)...)
	}
	return all, looked, nil
}

// preview lists the messages of an entry that an audience subscribes to, and
// whether each passes the filter.
func preview(a *filter.Audience, e *event.Entry) (all []FilterResult) {
	seen := filter.NewEntry(e, a.Clearance)
	for _, m := range wire.Messages(e, "", a.Clearance) {
		if !a.Subscribes(e, &m) {
			continue
		}
		passes, err := a.Passes(seen.Message(&m))
		all = append(all, FilterResult{
			Message: m.ID,
			Trigger: m.Trigger,
			Subject: e.Subject,
			Version: e.Version,
			At:      e.At,
			Passes:  passes,
			Err:     err,
		})
	}
	return all
}
