package web

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/hooks"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/web/ui"
)

// overviewPage shows at a glance how the tenant's cases and webhooks are.
type overviewPage struct {
	Types     []typeStates
	Recent    []activity
	Endpoints endpointSummary
	Backlog   []linkedFigure
	Hour      *deliveryHour // nil: the reader may not see deliveries
	Webhooks  bool          // the reader may see endpoints
	Steps     []firstStep   // from nothing to the first webhook; none: all are taken, or by others
	Now       time.Time
}

// firstStep is something to do before the first webhook is sent.
type firstStep struct {
	Done             bool
	Href, Link, Text string
}

// typeStates counts the cases of a type by their states.
type typeStates struct {
	Key, Name string
	Count     string
	States    []stateCount
}

type stateCount struct {
	Key, Name, Color, Count string
	Share                   int // of the largest, in percent
}

// activity is the last activity of a case.
type activity struct {
	ID                   int64
	Reference, Name      string
	StateName, StateTone string
	At                   time.Time
}

// endpointSummary sums up the endpoints, and names those in trouble.
type endpointSummary struct {
	All     int
	More    bool
	Trouble []endpointTrouble
}

type endpointTrouble struct{ ID, Name, Reason, Color string }

type overview struct{ services api.Services }

func (o overview) show(ctx context.Context, r *ui.Request) (ui.View, error) {
	if r.Portal() {
		return ui.Redirect("/messages"), nil
	}
	page := overviewPage{
		Now: o.services.Guard.Now(), Webhooks: r.Principal.Role.Permits(access.ListEndpoints),
	}
	for _, read := range []func(context.Context, access.Principal, *overviewPage) error{
		o.cases, o.recent, o.endpoints, o.deliveries, o.steps,
	} {
		if err := read(ctx, r.Principal, &page); err != nil {
			return ui.View{}, err
		}
	}
	return ui.View{Title: "Overview", Section: "/", Body: overviewTemplate(page), Call: "GET /v1/cases/facets"}, nil
}

// cases counts the cases by type and state.
func (o overview) cases(ctx context.Context, p access.Principal, page *overviewPage) error {
	types, err := o.services.Casework.CaseTypes.CaseTypes(ctx, p)
	if err != nil {
		return err
	}
	for _, t := range types {
		full, err := o.services.Casework.CaseTypes.CaseType(ctx, p, t.Key, 0)
		if err != nil {
			return err
		}
		found, err := o.services.Casework.Cases.Facets(ctx, p, store.CaseFilter{Type: t.Key})
		if err != nil {
			return err
		}
		if found.Cases == 0 {
			continue
		}
		more := ""
		if !found.Complete {
			more = "+"
		}
		counted := typeStates{Key: t.Key, Name: t.Name, Count: ui.Number(int(found.Cases)) + more}
		most := int64(1)
		for _, n := range found.States {
			most = max(most, n)
		}
		for _, s := range full.Type.States {
			if n := found.States[s.Key]; n > 0 {
				counted.States = append(counted.States, stateCount{
					s.Key, cmp.Or(s.Name, s.Key), ui.Color(cmp.Or(s.Color, full.Type.Color)), ui.Number(int(n)) + more,
					int(n * 100 / most),
				})
			}
		}
		page.Types = append(page.Types, counted)
	}
	return nil
}

// steps tells who sets Casehook up what is still to be done, until there is a case to tell of.
func (o overview) steps(ctx context.Context, p access.Principal, page *overviewPage) error {
	if !p.Role.Permits(access.PutCaseType) || len(page.Recent) > 0 && page.Endpoints.All > 0 {
		return nil
	}
	types, err := o.services.Casework.CaseTypes.CaseTypes(ctx, p)
	page.Steps = []firstStep{
		{len(types) > 0, "/types/new", "Upload a case type",
			"which fields, states and transitions cases have. An example is offered there."},
		{page.Endpoints.All > 0, "/endpoints/new", "Add an endpoint",
			"the URL of the system that is to be told, and of what."},
		{len(page.Recent) > 0, "/cases/new", "Create a case",
			"its message arrives a moment later, and is listed under Messages."},
	}
	return err
}

const maxRecent = 12

// recent lists the cases with the latest activity.
func (o overview) recent(ctx context.Context, p access.Principal, page *overviewPage) error {
	found, err := o.services.Casework.Cases.Cases(ctx, p, store.CaseFilter{Sort: "-last_activity", Limit: maxRecent})
	if err != nil {
		return err
	}
	for c, err := range found.All(ctx) {
		if errors.Is(err, casework.ErrPageEnds) {
			break
		}
		if err != nil {
			return err
		}
		state, _ := c.Definition.State(c.State)
		page.Recent = append(page.Recent, activity{
			c.ID, c.Reference, c.Name, cmp.Or(state.Name, c.State), ui.Color(c.EffectiveColor(c.Definition)),
			c.LastActivity.At,
		})
	}
	return nil
}

// endpoints finds the endpoints that are in trouble.
func (o overview) endpoints(ctx context.Context, p access.Principal, page *overviewPage) error {
	if !page.Webhooks {
		return nil
	}
	backlog, all, err := o.services.Hooks.Endpoints.Backlog(ctx, p)
	if err != nil {
		return err
	}
	page.Endpoints.All, page.Endpoints.More = len(all), backlog.More
	page.Backlog = backlogFigures(backlog)
	for _, e := range all {
		if color, reason := trouble(e); reason != "" {
			page.Endpoints.Trouble = append(page.Endpoints.Trouble, endpointTrouble{
				e.ID, cmp.Or(e.Name, e.ID), reason, color,
			})
		}
	}
	slices.SortStableFunc(page.Endpoints.Trouble, func(a, b endpointTrouble) int {
		return cmp.Compare(b.Color, a.Color) // those that fail before those that rest
	})
	return nil
}

// linkedFigure is a number that leads to the list of what it counts.
type linkedFigure struct{ Name, Value, Tone, Note, Href string }

// backlogFigures shows what the endpoints are owed.
func backlogFigures(b hooks.Backlog) []linkedFigure {
	const most = 1000 // that are counted of each endpoint
	count := func(n int64) string {
		if b.More || n >= most {
			return ui.Number(int(n)) + "+"
		}
		return ui.Number(int(n))
	}
	behind := linkedFigure{"Waiting", ui.Number(int(b.Furthest.Entries)), "", "all is sent", "/endpoints?show=behind"}
	if b.Behind > 0 {
		behind.Note = "commits, at " + ui.Count(b.Behind, "endpoint")
		if b.Behind > 1 {
			behind.Note = "commits at the furthest of " + ui.Number(b.Behind)
		}
	}
	if b.Furthest.Estimated {
		behind.Value = "~" + behind.Value
	}
	all := []linkedFigure{
		behind,
		{"Parked", count(b.Parked), "", "wait for a next try", "/endpoints?show=parked"},
		{"Dead", count(b.Dead), "", "given up", "/endpoints?show=dead"},
		{"Stopped", ui.Number(b.Stopped), "", "paused or disabled", "/endpoints?show=stopped"},
	}
	if b.Dead > 0 {
		all[2].Tone = "bad"
	}
	return all
}

// trouble says what is wrong with an endpoint; no reason: nothing is.
func trouble(e endpoint.Endpoint) (color, reason string) {
	switch {
	case !e.Health.Since.IsZero():
		return "red", "fails since " + e.Health.Since.UTC().Format("2 Jan 15:04 UTC") + ": " + e.Health.Reason
	case e.Status != endpoint.Active:
		return "orange", string(e.Status)
	}
	return "", ""
}

// wellSentence says that all endpoints are well.
func wellSentence(e endpointSummary) string {
	switch {
	case e.More:
		return "The endpoints take their messages."
	case e.All == 1:
		return "The endpoint takes its messages."
	}
	return "All " + ui.Count(e.All, "endpoint") + " take their messages."
}

func caseHref(id int64) string { return "/cases/" + strconv.FormatInt(id, 10) }
