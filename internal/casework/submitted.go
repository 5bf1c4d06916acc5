package casework

import (
	"context"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
)

// Confirmation is what a Submitted callback answered about a submission that is saved. It changes nothing.
type Confirmation struct {
	Header, Body string // in Markdown
	Status       int    // of its last attempt's answer; 0: there was none
	Failure      string // why there is no usable answer; empty: there is one
}

// confirm asks the Submitted callback of the transition, once the change is visible to all. It is asked although the
// submitter has gone, and its failure is no failure of the submission.
func (s *questioner) confirm(ctx context.Context, pl *plan) *Confirmation {
	guards := guardsAt(pl.typ, pl.maker, confirms(pl.tr.Key), pl.tr.Submitted)
	if len(guards) == 0 {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	done := *pl
	done.after, done.questions, done.callback = pl.saved, nil, nil
	if err := s.configure(ctx, &done, guards); err != nil {
		return &Confirmation{Failure: fault.As(err).Detail}
	}
	g := guards[0]
	answer, _, err := s.askOne(ctx, &done, g)
	confirmation := &Confirmation{Header: answer.ConfirmationHeader, Body: answer.ConfirmationBody}
	if err != nil {
		confirmation.Failure = fault.As(err).Detail
	}
	if g.Messages == casetype.Cleared && !pl.p.Clearance.Sees(done.highestShown(g)) {
		confirmation.Header, confirmation.Body = "", ""
	}
	for i := range done.questions {
		q := &done.questions[i]
		q.Case, q.Version, confirmation.Status = pl.saved.ID, pl.saved.Version, q.Status
	}
	s.keepAlone(ctx, &done, nil)
	pl.context = done.context
	return confirmation
}

// confirms is the point at which a submission of a transition was saved.
func confirms(transition string) casetype.Point {
	return casetype.Point{Name: transition, Question: casetype.Submitted}
}
