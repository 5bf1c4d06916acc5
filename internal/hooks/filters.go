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

// Judged is a message, and what a filter makes of it.
type Judged struct {
	Message string // its webhook-id
	Trigger string
	Subject string
	Version int64 // of the subject
	At      time.Time
	Passes  bool
	Err     error // why that can't be computed; it quotes no data
}

// PreviewFilter says what a filter makes of the messages of up to limit recent
// entries that somebody could listen to, the newest first; without a source it is
// that of the endpoint which Listening names. It sees what the caller sees, or the
// endpoint if that is less. Looked counts the entries among them that the caller sees.
func (s *Journal) PreviewFilter(
	ctx context.Context, p access.Principal, source string, l Listening, limit int,
) (all []Judged, looked int, err error) {
	a, _, err := s.audience(ctx, p, access.PreviewFilter, l)
	if err != nil {
		return nil, 0, err
	}
	if source != "" {
		a = a.With(source)
	}
	if a.Fault != nil {
		refused := fault.New(fault.Invalid, "filter.invalid", "The filter can't be used.")
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
		recent[i] = nil // it is large, and not needed any more
		if _, visible := e.As(p.Clearance.SeesClass); visible && reader.Reads(e) {
			looked++
		}
		if err := ctx.Err(); err != nil {
			return nil, 0, fault.Wrap(err, fault.Unavailable, "request.cancelled", "The request was given up before it was carried out.")
		}
		all = append(all, preview(&a, e)...)
	}
	return all, looked, nil
}

// preview lists the messages of an entry that an audience subscribes to, and
// whether each passes the filter.
func preview(a *filter.Audience, e *event.Entry) (all []Judged) {
	seen := filter.NewEntry(e, a.Clearance)
	for _, m := range wire.Messages(e, "", a.Clearance) {
		if !a.Subscribes(e, &m) {
			continue
		}
		passes, err := a.Passes(seen.Message(&m))
		all = append(all, Judged{
			Message: m.ID, Trigger: m.Trigger, Subject: e.Subject, Version: e.Version, At: e.At,
			Passes: passes, Err: err,
		})
	}
	return all
}
