package casework

import (
	"context"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
)

// Confirmation is what a Submitted callback answered about a submission that is saved. It changes nothing.
type Confirmation struct {
	Header, Body string // in Markdown
	Status       int    // of the last attempt's answer; 0: there was none
	Failure      string // why the first that failed has no usable answer; empty: all have one
}

// confirm asks the Submitted callbacks of the transition, once the change is visible to all. They are asked although
// the submitter has gone, and their failure is no failure of the submission: the others are asked all the same. The
// last one that says something confirms.
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
	confirmation := &Confirmation{}
	for _, g := range guards {
		answer, _, err := s.askOne(ctx, &done, g)
		if err != nil && confirmation.Failure == "" {
			confirmation.Failure = fault.As(err).Detail
		}
		withheld := g.Messages == casetype.Cleared && !pl.p.Clearance.Sees(done.highestShown(g))
		if says := answer.ConfirmationHeader + answer.ConfirmationBody; says != "" && !withheld {
			confirmation.Header, confirmation.Body = answer.ConfirmationHeader, answer.ConfirmationBody
		}
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
