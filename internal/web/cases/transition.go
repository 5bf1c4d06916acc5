package cases

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/web/ui"
)

// transitionPage is the page of a transition that has fields.
type transitionPage struct {
	Case   casework.View
	Form   submissionForm
	Guided *guidedForm // nil: the form is a plain one
	Reason string      // why it can't be taken as the case is
	To     string      // the states that it may lead to; empty: it stays
	Danger bool        // it may lead to a final state
	Sure   bool        // it leads to one state, whatever the data are
}

func (h handler) transitionOf(ctx context.Context, r *ui.Request) (casework.View, casetype.Transition, error) {
	id, err := h.caseID(r)
	if err != nil {
		return casework.View{}, casetype.Transition{}, err
	}
	view, err := h.services.Cases.Case(ctx, r.Principal, id)
	if err != nil {
		return view, casetype.Transition{}, err
	}
	tr, ok := view.Definition.Transition(r.Path("transition"))
	if !ok {
		return view, tr, fault.New(fault.NotFound, "transition.not_found",
			"The case type %q has no transition %q.", view.Type, r.Path("transition"))
	}
	return view, tr, nil
}

func (h handler) showTransition(ctx context.Context, r *ui.Request) (ui.View, error) {
	view, tr, err := h.transitionOf(ctx, r)
	if err != nil {
		return ui.View{}, err
	}
	if isGuided(tr) {
		return h.guided(ctx, r, subject{view.Definition, tr, view})
	}
	return h.transitionPage(r, view, tr, sent{})
}

func (h handler) transitionPage(
	r *ui.Request, view casework.View, tr casetype.Transition, s sent,
) (ui.View, error) {
	page := transitionPage{Case: view}
	var err error
	if page.Form, err = formOf(view, r.Principal, tr, s); err != nil {
		return ui.View{}, err
	}
	if i := slices.IndexFunc(view.Blocked, func(b casework.BlockedTransition) bool { return b.Key == tr.Key }); i >= 0 {
		page.Reason = view.Blocked[i].Reason
	}
	page.lead(tr)
	out := ui.View{
		Title: page.Form.Title + " · " + view.Reference, Section: "/cases", Body: transitionPageTemplate(page),
		Call: "POST /v1/cases/" + strconv.FormatInt(view.ID, 10) + "/transitions/" + tr.Key,
	}
	if s.err != nil {
		out.Status = http.StatusUnprocessableEntity
	}
	return out, nil
}

// lead sets where a transition leads.
func (p *transitionPage) lead(tr casetype.Transition) {
	t := p.Case.Definition
	p.To, p.Sure = strings.Join(stateNames(t, tr.To.States()), " or "), !tr.Conditional()
	for _, key := range tr.To.States() {
		state, _ := t.State(key)
		p.Danger = p.Danger || state.Final
	}
}

// sentence says where the transition leads.
func (p transitionPage) sentence() string {
	leads := p.Case.Name + " goes to " + p.To
	switch {
	case p.To == "":
		return p.Case.Name
	case !p.Sure:
		return leads + ", as the data decide."
	case p.Danger:
		return leads + ", where it ends."
	}
	return leads + "."
}

// transition submits a transition.
func (h handler) transition(ctx context.Context, r *ui.Request) (ui.View, error) {
	view, tr, err := h.transitionOf(ctx, r)
	if err != nil {
		return ui.View{}, err
	}
	if isGuided(tr) {
		return h.guided(ctx, r, subject{view.Definition, tr, view})
	}
	in, data := h.submission(r, view, tr)
	saved, err := h.services.Submissions.Submit(ctx, r.Principal, in, authz.Once{})
	if err != nil {
		if fault.As(err).Code == "case.version_conflict" {
			if view, err = h.services.Cases.Case(ctx, r.Principal, view.ID); err != nil {
				return ui.View{}, err
			}
			err = overtaken()
		}
		return h.transitionPage(r, view, tr, sent{data, err})
	}
	return ui.Redirect(savedPath(saved)), nil
}
