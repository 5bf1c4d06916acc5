package hooks

import (
	"context"
	"math"
	"net/url"

	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/hooks"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/web/ui"
)

// failedSince has the messages to an endpoint that were given up since one of them.
type failedSince struct {
	Attempt, Name string // the attempt's id; the endpoint's name
	Dead          []store.DeadMessage
	Shown         []deadRow // the first of them
	More          bool
	Subjects      int
}

// maxSince bounds how many messages are replayed at a time.
const maxSince = 1000

// sample is how many of them are shown.
const sample = 10

// showReplayFailed shows which messages would be sent again.
func (h handler) showReplayFailed(ctx context.Context, r *ui.Request) (ui.View, error) {
	f, _, err := h.failedSince(ctx, r)
	if err != nil {
		return ui.View{}, err
	}
	return ui.View{Title: "Replay failed messages", Section: "/messages", Body: replayFailedPage(f)}, nil
}

// replayFailed sends them again.
func (h handler) replayFailed(ctx context.Context, r *ui.Request) (ui.View, error) {
	f, a, err := h.failedSince(ctx, r)
	if err != nil {
		return ui.View{}, err
	}
	which := hooks.MessageSelection{}
	for _, d := range f.Dead {
		which.Messages = append(which.Messages, d.Message)
	}
	if _, err := h.services.Messages.RetryDead(ctx, r.Principal, a.Endpoint, which, authz.Once{}); err != nil {
		return ui.View{}, err
	}
	return ui.Redirect("/messages/" + url.PathEscape(f.Attempt) + "?done=replay"), nil
}

// failedSince finds the dead messages of the attempt's endpoint, from the attempt's own on.
func (h handler) failedSince(ctx context.Context, r *ui.Request) (f failedSince, a store.Attempt, err error) {
	d, err := h.services.Messages.AttemptDetail(ctx, r.Principal, h.attempt(r))
	if err != nil {
		return f, a, err
	}
	f.Attempt, f.Name = r.Path("attempt"), "(deleted endpoint)"
	if d.Endpoint.ID == "" {
		return f, d.Attempt, nil
	}
	f.Name = nameOf(d.Endpoint)
	subjects := map[string]bool{}
	for after := (store.Place{Seq: d.Seq - 1, Part: math.MaxInt32}); ; {
		found, next, err := h.services.Messages.DeadMessages(ctx, r.Principal, hooks.DeadSelection{
			Endpoint: d.Endpoint.ID, State: store.Given, After: after, Limit: maxSince - len(f.Dead),
		})
		if err != nil {
			return f, a, err
		}
		for _, m := range found {
			subjects[m.Subject] = true
		}
		f.Dead, f.Subjects = append(f.Dead, found...), len(subjects)
		if next == nil || len(f.Dead) >= maxSince {
			f.More = next != nil
			return f, d.Attempt, h.sampleDead(ctx, r, &f)
		}
		after = *next
	}
}

// sampleDead adds the messages that are shown.
func (h handler) sampleDead(ctx context.Context, r *ui.Request, f *failedSince) error {
	var named []*subject
	for _, m := range f.Dead[:min(sample, len(f.Dead))] {
		f.Shown = append(f.Shown, deadRow{m, subjectOf(m.Subject)})
	}
	for i := range f.Shown {
		named = append(named, &f.Shown[i].About)
	}
	return h.nameSubjects(ctx, r, named...)
}
