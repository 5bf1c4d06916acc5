package hooks

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/hooks"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/web/ui"
)

// registerReplays registers the pages about replays.
func (h handler) registerReplays(s *ui.Site) {
	s.Page("GET /replays", access.ListReplays, h.listReplays)
	s.Page("POST /endpoints/{id}/replays", access.CreateReplay, h.createReplay)
	s.Page("POST /endpoints/{id}/replays/{replay}/cancel", access.CancelReplay, h.cancelReplay)
}

// replayRow is a replay in a list.
type replayRow struct {
	hooks.Replay
	Name    string // of the endpoint
	Stands  string // why it does not go on; empty: it does
	Percent int
}

// what describes the messages that a replay sends.
func (r replayRow) what() string {
	switch r.Kind {
	case store.ReplayResend:
		return "One message"
	case store.ReplayRetry:
		return ui.Count(int(r.Messages), "dead message")
	}
	text := "All of a time"
	if len(r.Triggers) > 0 {
		text += ": " + strings.Join(r.Triggers, ", ")
	}
	if r.Subject != "" {
		text += " about " + r.Subject
	}
	return text
}

func replayRowOf(r hooks.Replay, e endpoint.Endpoint) replayRow {
	row := replayRow{Replay: r, Name: nameOf(e), Percent: 100}
	if span := r.Until - r.After; r.State != store.ReplayDone && span > 0 {
		row.Percent = int(100 * (r.Position - r.After) / span)
	}
	if r.State == store.ReplayRunning {
		switch {
		case e.Status == endpoint.Paused:
			row.Stands = "the endpoint is paused"
		case e.Status == endpoint.Disabled:
			row.Stands = "the endpoint is disabled"
		case e.Condition() == endpoint.Failing:
			row.Stands = "waits until the endpoint is back"
		}
	}
	return row
}

// replaysOf returns the newest replays of an endpoint.
func (h handler) replaysOf(
	ctx context.Context, r *ui.Request, e endpoint.Endpoint, limit int,
) (rows []replayRow, err error) {
	all, err := h.services.Messages.Replays(ctx, r.Principal, e.ID, "", limit)
	for _, one := range all {
		rows = append(rows, replayRowOf(one, e))
	}
	return rows, err
}

// The bounds of the list of replays.
const (
	replayedEndpoints  = 100
	replaysPerEndpoint = 10
)

// listReplays shows the newest replays of all endpoints.
func (h handler) listReplays(ctx context.Context, r *ui.Request) (ui.View, error) {
	_, endpoints, err := h.endpointNames(ctx, r)
	if err != nil {
		return ui.View{}, err
	}
	var all []replayRow
	for _, e := range endpoints[:min(replayedEndpoints, len(endpoints))] {
		rows, err := h.replaysOf(ctx, r, e, replaysPerEndpoint)
		if err != nil {
			return ui.View{}, err
		}
		all = append(all, rows...)
	}
	slices.SortFunc(all, func(a, b replayRow) int { return strings.Compare(b.ID, a.ID) })
	return ui.View{
		Title: "Replays", Section: "/replays", Body: replaysPage(all), Call: "GET /v1/endpoints/ID/replays",
	}, nil
}

// createReplay starts a replay of a time.
func (h handler) createReplay(ctx context.Context, r *ui.Request) (ui.View, error) {
	in := hooks.ReplayRequest{Subject: strings.TrimSpace(r.Form("subject"))}
	in.Since.At, in.Until = moment(r.Form("since")), moment(r.Form("until"))
	in.Since.Beginning = in.Since.At.IsZero()
	if t := r.Form("trigger"); t != "" {
		in.Triggers = []string{t}
	}
	_, err := h.services.Messages.CreateReplay(ctx, r.Principal, r.Path("id"), in, authz.Once{})
	if err == nil {
		return ui.Redirect(pathOf(r.Path("id"), "replay", "replays")), nil
	}
	faults, err := ui.FaultsOf(err, replayField)
	if err != nil {
		return ui.View{}, err
	}
	d, err := h.endpointDetail(ctx, r)
	if err != nil {
		return ui.View{}, err
	}
	d.ReplayFaults = faults
	view := d.view()
	view.Status = http.StatusUnprocessableEntity
	return view, nil
}

// replayField names the field of the form for a replay that a fault is about.
func replayField(path string) (id, title string) {
	switch name, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/"); name {
	case "since":
		return "replay-since", "Since"
	case "until":
		return "replay-until", "Until"
	case "subject":
		return "replay-subject", "About"
	case "triggers":
		return "replay-trigger", "Trigger"
	}
	return "", path
}

// moment reads a moment of a form, in UTC; zero: there is none.
func moment(text string) time.Time {
	at, err := time.Parse(momentForm, text)
	if err != nil {
		return time.Time{}
	}
	return at
}

// cancelReplay ends a replay.
func (h handler) cancelReplay(ctx context.Context, r *ui.Request) (ui.View, error) {
	err := h.services.Messages.CancelReplay(ctx, r.Principal, r.Path("id"), r.Path("replay"))
	if r.Form("back") == "list" {
		return ui.Redirect("/replays"), err
	}
	return ui.Redirect(pathOf(r.Path("id"), "cancel", "replays")), err
}
