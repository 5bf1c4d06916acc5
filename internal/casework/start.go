package casework

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
)

// Start asks for what the form of a transition begins with.
type Start struct {
	CaseID        int64  // 0: the transition creates a case
	Type          string // of the case to create
	Transition    string // its key
	IgnoreWarning bool   // the callback's warnings do not stop it
	Context       string // Client-Context: base64 of JSON, for the callback; empty: none
}

// StartRef identifies a start: the content of a token, which a submission may present.
type StartRef struct {
	Tenant     int64  `json:"t"`
	By         string `json:"b"` // who started
	Type       string `json:"c"`
	Transition string `json:"e"`
	Case       int64  `json:"i,omitempty"` // 0: a creation
	Revision   int64  `json:"r,omitempty"` // of its content then
	// Put has the fingerprints of the fields with values that the start put in and the submitter may not choose: a
	// submission may bring them as they are.
	Put string `json:"p,omitempty"`
}

// Started is a transition that was started: nothing is saved.
type Started struct {
	Ref        StartRef
	Case       cases.Case // with the data that the form shows, as the caller sees it; of a creation with nothing else
	Definition *casetype.Type
	Transition casetype.Transition
	Context    string // Client-Context, with what the callback answered
}

// Start prepares the form of a transition: it puts the transition's defaults in and asks its AboutToStart callback.
func (s *Submissions) Start(ctx context.Context, p access.Principal, in Start) (Started, error) {
	pl, err := s.begin(ctx, p, Submission{
		CaseID: in.CaseID, Type: in.Type, Transition: in.Transition, IgnoreWarning: in.IgnoreWarning,
		Context: in.Context, operates: access.StartTransition,
	})
	if err != nil {
		return Started{}, err
	}
	pl.after.Data = casetype.Merge(pl.before.Data, nil)
	if pl.creates() {
		pl.after.Data = pl.typ.Complete(pl.after.Data, nil)
	}
	pl.after.Data = pl.typ.Begin(pl.tr, pl.after.Data)
	point := casetype.Point{Name: pl.tr.Key, Question: casetype.AboutToStart}
	if err := s.inquire(ctx, pl, guardsAt(pl.typ, pl.maker, point, pl.tr.AboutToStart)); err != nil {
		return Started{}, err
	}
	shown, _ := pl.after.As(p.Sight(), pl.typ)
	ref := pl.ref()
	ref.Put = pl.fingerprints(shown.Data)
	return Started{
		Ref: ref, Case: shown, Definition: pl.typ, Transition: pl.tr, Context: pl.context,
	}, nil
}

// FilledPage is a page of a transition's form that somebody has filled in.
type FilledPage struct {
	CaseID        int64          // 0: the transition creates a case
	Type          string         // of the case to create
	Transition    string         // its key
	Page          string         // its key; empty, or unknown: no callback is asked
	Data          map[string]any // of the page
	FormData      map[string]any // of all pages so far; nil: Data
	IgnoreWarning bool
	Context       string // Client-Context: base64 of JSON, for the callback; empty: none
}

// CheckedPage is the result of a page that was left: nothing is saved.
type CheckedPage struct {
	Data    map[string]any // that the form shows next
	Context string         // Client-Context, with what the callback answered
}

// CheckPage checks the data of a form, and asks the MidEvent callback of the page.
func (s *Submissions) CheckPage(ctx context.Context, p access.Principal, in FilledPage) (CheckedPage, error) {
	pl, err := s.begin(ctx, p, Submission{
		CaseID: in.CaseID, Type: in.Type, Transition: in.Transition, IgnoreWarning: in.IgnoreWarning,
		Context: in.Context, operates: access.CheckPage, Data: in.form(),
	})
	if err != nil {
		return CheckedPage{}, err
	}
	if err := pl.fillIn(); err != nil {
		return CheckedPage{}, err
	}
	page, _ := pl.tr.Page(in.Page)
	if len(page.MidEvent) == 0 {
		return CheckedPage{in.Data, in.Context}, nil
	}
	point := casetype.Point{Name: pl.tr.Key, Question: casetype.MidEvent, Page: page.Key}
	if err := s.inquire(ctx, pl, guardsAt(pl.typ, pl.maker, point, page.MidEvent)); err != nil {
		return CheckedPage{}, err
	}
	return CheckedPage{pl.typ.Shown(pl.after.Data, p.Sight()), pl.context}, nil
}

// form returns the data of all pages so far: of a creation, those of this page too.
func (in FilledPage) form() map[string]any {
	if in.FormData == nil {
		return in.Data
	}
	if in.CaseID != 0 {
		return in.FormData
	}
	return casetype.Merge(in.Data, in.FormData)
}

// begin loads the case, and chooses the transition that is started or filled in.
func (s *Submissions) begin(ctx context.Context, p access.Principal, in Submission) (*plan, error) {
	if err := s.guard.Permit(ctx, p, in.operates); err != nil {
		return nil, err
	}
	pl, err := s.load(ctx, p, in)
	if err != nil {
		return nil, err
	}
	if err := pl.choose(); err != nil {
		return nil, err
	}
	if pl.creates() { // nothing of it exists yet
		pl.after.Version, pl.after.Revision, pl.after.CreatedAt = 0, 0, pl.before.CreatedAt
		pl.after.StateSince = pl.before.StateSince
	}
	pl.partial = true
	return pl, s.permitTransition(ctx, pl)
}

// fillIn merges the data of a form. Its error lists the values that do not fit; what is missing may come later.
func (pl *plan) fillIn() error {
	wrong := pl.typ.Disallowed(casetype.Transition{}, pl.in.Data, "/data", pl.p.Sight())
	pl.after.Data = casetype.Merge(pl.before.Data, pl.seen(pl.in.Data))
	unusable, err := pl.settle(pl.before.Data, false, pl.typ.Shown(pl.before.Data, pl.p.Sight()))
	if err != nil {
		return err
	}
	invalid, err := pl.invalid()
	if err != nil {
		return err
	}
	if wrong = append(wrong, pl.readable(append(unusable, invalid...))...); len(wrong) > 0 {
		return fault.In("case.data_invalid", "The data does not fit the case type.", wrong...)
	}
	return nil
}

// inquire asks about a change that is not to be saved, and keeps the questions.
func (s *Submissions) inquire(ctx context.Context, pl *plan, guards []guard) error {
	err := s.questioner.configure(ctx, pl, guards)
	if err == nil {
		err = s.questioner.askAll(ctx, pl, guards)
	}
	s.questioner.keepAlone(ctx, pl, err)
	if err != nil {
		return err
	}
	return s.core.documents.offer(ctx, pl)
}

// ref identifies the start.
func (pl *plan) ref() StartRef {
	return StartRef{
		Tenant: pl.p.Tenant, By: starter(pl.p), Type: pl.typ.Key, Transition: pl.tr.Key,
		Case: pl.before.ID, Revision: pl.before.Revision,
	}
}

// fingerprints returns those of the fields of a form whose values the start put in, and that the submitter may not
// choose.
func (pl *plan) fingerprints(form map[string]any) string {
	var all strings.Builder
	for _, name := range slices.Sorted(maps.Keys(form)) {
		if !pl.mayChoose(name) && !casetype.Equal(pl.before.Data[name], form[name]) {
			all.WriteString(casetype.Fingerprint(name, form[name]))
		}
	}
	return all.String()
}

// chosen returns those of the submitted data that the submitter answers for: all but what the start put in.
func (pl *plan) chosen(submitted map[string]any) map[string]any {
	if pl.in.Start == nil || pl.in.Start.Put == "" {
		return submitted
	}
	put := map[string]bool{}
	for all := range slices.Chunk([]byte(pl.in.Start.Put), casetype.FingerprintLength) {
		put[string(all)] = true
	}
	chosen := maps.Clone(submitted)
	maps.DeleteFunc(chosen, func(name string, value any) bool {
		return !pl.mayChoose(name) && put[casetype.Fingerprint(name, value)]
	})
	return chosen
}

// starter names the user or the token that starts transitions.
func starter(p access.Principal) string {
	if p.Actor.UserID != 0 {
		return "user/" + strconv.FormatInt(p.Actor.UserID, 10)
	}
	return "token/" + p.Actor.TokenID
}

// StartMissing returns the error of a token that is not from the start of what is submitted.
func StartMissing() error {
	return fault.New(fault.NotFound, "start.not_found",
		"The token is not from a start of this transition by you. Start it again, and send the new token.")
}

// startedAs checks the token that a submission presents, if it does: whether it is of this start, and whether the
// content of the case is still that of then.
func (pl *plan) startedAs() error {
	started := pl.in.Start
	if started == nil {
		return nil
	}
	now := StartRef{
		Tenant: pl.p.Tenant, By: starter(pl.p), Type: pl.typ.Key, Transition: pl.in.Transition,
		Case: pl.before.ID, Revision: started.Revision, Put: started.Put,
	}
	switch {
	case pl.in.Edit:
		now.Transition = pl.typ.Edit
	case pl.in.Transition == "": // the type has one creation
		now.Transition = started.Transition
	}
	if *started != now {
		return StartMissing()
	}
	if started.Revision != pl.before.Revision {
		return versionConflict()
	}
	return nil
}
