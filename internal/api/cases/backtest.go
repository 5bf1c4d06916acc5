package cases

import (
	"context"
	"net/http"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
)

// NewBacktest is the body that runs a backtest.
type NewBacktest struct {
	Type       string    `json:"type" minLength:"1" maxLength:"100" doc:"The key of the case type." example:"kyc"`
	Transition string    `json:"transition" minLength:"1" maxLength:"100" doc:"The key of the transition whose submissions are asked about." example:"approve"`
	Callback   string    `json:"callback,omitempty" maxLength:"2000" doc:"The URL of the callback to ask, without variables. It is shown what you may see." example:"https://callbacks.example.com/kyc/next"`
	Secret     string    `json:"secret,omitempty" maxLength:"200" doc:"Signs the questions to that URL, which the callback's own secret never does; absent: a random one." example:"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"`
	Definition string    `json:"definition,omitempty" maxLength:"16000000" doc:"A definition of the type, in YAML or JSON, which takes the place of callback: its schema, its conditions and its callbacks judge."`
	Rule       string    `json:"rule,omitempty" maxLength:"20000" doc:"A rule of the transition, in YAML or JSON, which takes the place of callback: the newest definition judges with this rule after its own, and asks no callback." example:"{refuse: data.amount > 1000, message: Too much.}"`
	Since      time.Time `json:"since,omitzero" doc:"Submissions that were asked about then or later." example:"2026-01-31T08:00:00Z"`
	Until      time.Time `json:"until,omitzero" doc:"Submissions that were asked about before." example:"2026-02-01T00:00:00Z"`
	Limit      int       `json:"limit,omitempty" minimum:"1" maximum:"50" doc:"The number of submissions to ask about; absent: 50." example:"50"`
	Cursor     string    `json:"cursor,omitempty" maxLength:"500" doc:"The next of the answer before."`
}

// Backtest is what would come of some submissions of the past.
type Backtest struct {
	Asked       int              `json:"asked" doc:"How many submissions were asked about." example:"50"`
	WouldRefuse int              `json:"would_refuse" doc:"How many of them would be refused." example:"2"`
	WouldChange int              `json:"would_change" doc:"How many would be saved with other data, or in another state, than submitted." example:"11"`
	Disagree    int              `json:"disagree" doc:"How many would end otherwise than they did: saved and not refused, refused and not saved, or saved with another content." example:"3"`
	Failed      int              `json:"failed" doc:"About how many there was no usable answer." example:"0"`
	LeftOut     int              `json:"left_out" doc:"How many could not be asked about again." example:"0"`
	Items       []BacktestedCase `json:"items" doc:"The submissions that would be refused or changed, or end otherwise than they did, and those without an answer; the newest first."`
	Next        *string          `json:"next" doc:"Send it as cursor to go on with older submissions; null: there are none."`
}

// BacktestedCase is what would come of one submission of the past.
type BacktestedCase struct {
	Question    string           `json:"question" doc:"The id of the question that was asked then." example:"qst_4be71e2b9ab9d2bb7bd7c8f3a1f0c3d2"`
	At          rest.Time        `json:"at" doc:"When it was submitted."`
	CaseID      *int64           `json:"case_id" doc:"The case; null: the creation of one, which was refused." example:"4539148803436467"`
	Version     *int64           `json:"version" doc:"The version that it led to; null: nothing was saved." example:"7"`
	Live        *string          `json:"live_code" doc:"The code of the problem that it was answered with then; null: it was accepted." example:"callback.errors"`
	LeftOut     *string          `json:"left_out" doc:"Why it could not be asked about again: not_kept, too_large, or lost from the journal; null: it was." example:"not_kept"`
	Allowed     bool             `json:"allowed" doc:"It would be saved." example:"false"`
	Failed      bool             `json:"failed" doc:"There was no usable answer." example:"false"`
	Code        *string          `json:"code" doc:"The code of the problem that it would be answered with; null: none." example:"callback.errors"`
	Detail      *string          `json:"detail" doc:"The detail of that problem."`
	Errors      []string         `json:"errors" doc:"The errors that the callback answered with."`
	Warnings    []string         `json:"warnings" doc:"The warnings that the callback answered with, if they refuse it."`
	Changes     []CallbackChange `json:"changes" doc:"The differences between what was submitted and what would be saved; the first 50, as far as you may see them."`
	More        int              `json:"more_changes" doc:"How many more there are." example:"0"`
	Disagrees   bool             `json:"disagrees" doc:"It would end otherwise than it did." example:"true"`
	Against     []CallbackChange `json:"against" doc:"The differences between what was saved then and what would be saved; the first 50, as far as you may see them."`
	MoreAgainst int              `json:"more_against" doc:"How many more there are." example:"0"`
}

type shownBacktest struct{ Body rest.Reply[Backtest] }

// backtestHandler has the operation that asks about submissions of the past.
type backtestHandler struct {
	kernel  *rest.Kernel
	service *casework.Backtests
	ids     rest.SealedIDs
}

func (h backtestHandler) register() {
	rest.HandleBody(h.kernel, rest.Operation{
		ID: access.RunBacktest, Pattern: "POST /v1/backtests", Tag: "questions",
		Summary: "Ask about submissions of the past",
		Description: "Asks another callback, or has another definition or rule judge, about past submissions of a " +
			"transition, refused ones included, as far as their questions are kept. Callbacks are asked once about " +
			"each, with the header dry-run: true. Nothing is saved, and nobody is told. An answer is about up to 50 " +
			"submissions, and after 15 seconds about those that were asked about by then: repeat the request with " +
			"next as cursor.",
		Problems: []int{http.StatusNotFound},
	}, h.run)
}

const backtestCursor = "backtest"

func (h backtestHandler) run(ctx context.Context, _ *struct{}, body NewBacktest) (*shownBacktest, error) {
	in := casework.Backtest{
		Type:       body.Type,
		Transition: body.Transition,
		URL:        body.Callback,
		Secret:     body.Secret,
		Definition: body.Definition,
		Rule:       body.Rule,
		Since:      body.Since,
		Until:      rest.PeriodEnd(body.Until),
		Limit:      body.Limit,
	}
	if in.Limit == 0 {
		in.Limit = casework.MaxBacktest
	}
	if h.kernel.Open(backtestCursor, body.Cursor, &in.Before) != nil {
		return nil, fault.In("request.cursor_invalid", "Nothing was asked: see fields.",
			fault.Field{Path: "/cursor", Message: "is not the next of an earlier answer"})
	}
	page, err := h.service.Run(ctx, rest.PrincipalOf(ctx), in)
	if err != nil {
		return nil, err
	}
	out := h.show(page)
	if page.Next != 0 {
		next, err := h.kernel.Seal(backtestCursor, page.Next)
		if err != nil {
			return nil, err
		}
		out.Next = &next
	}
	reply, err := rest.NewReply(out)
	return &shownBacktest{reply}, err
}

func (h backtestHandler) show(page casework.BacktestPage) Backtest {
	out := Backtest{Items: []BacktestedCase{}}
	for _, o := range page.Outcomes {
		changes, refuses := len(o.Changes.Changes) > 0, o.Refusal != nil
		out.Asked += one(o.LeftOut == "")
		out.LeftOut += one(o.LeftOut != "")
		out.Failed += one(o.Failed)
		out.WouldRefuse += one(refuses && !o.Failed)
		out.WouldChange += one(changes)
		out.Disagree += one(o.Disagrees)
		if changes || refuses || o.Disagrees || o.LeftOut != "" {
			out.Items = append(out.Items, h.showCase(o))
		}
	}
	return out
}

func one(holds bool) int {
	if holds {
		return 1
	}
	return 0
}

func (h backtestHandler) showCase(o casework.BacktestOutcome) BacktestedCase {
	out := BacktestedCase{
		Question:    h.ids.Seal(o.Live.Tenant, o.Live.ID),
		At:          rest.Time(o.Live.At),
		CaseID:      rest.OrNull(o.Live.Case),
		Version:     rest.OrNull(o.Live.Version),
		Live:        rest.OrNull(o.Live.Code),
		LeftOut:     rest.OrNull(o.LeftOut),
		Allowed:     o.Refusal == nil && o.LeftOut == "",
		Failed:      o.Failed,
		Errors:      []string{},
		Warnings:    []string{},
		Changes:     showChanges(o.Changes),
		More:        o.Changes.More,
		Disagrees:   o.Disagrees,
		Against:     showChanges(o.Against),
		MoreAgainst: o.Against.More,
	}
	if e := o.Refusal; e != nil {
		out.Code, out.Detail = &e.Code, &e.Detail
		out.Errors, out.Warnings = append(out.Errors, e.Errors...), append(out.Warnings, e.Warnings...)
	}
	return out
}
