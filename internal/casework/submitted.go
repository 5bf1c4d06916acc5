package casework

import (
	"context"

	"github.com/casehook/casehook/internal/access"
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
		withheld := g.Messages == casetype.Cleared && !pl.p.Sight().Sees(done.highestShown(g))
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

// holdsBack refuses a submission about which a Submitted callback would be asked, if the server asks none.
func (s *questioner) holdsBack(ctx context.Context, pl *plan) error {
	if !s.hold {
		return nil
	}
	for _, g := range guardsAt(pl.typ, pl.maker, confirms(pl.tr.Key), pl.tr.Submitted) {
		asked := *pl
		if wanted, err := s.wanted(ctx, &asked, g); wanted || err != nil {
			return callbackHeld(g)
		}
	}
	return nil
}

// Confirmations returns what was answered about the submissions that led to some versions of a case, by version. The
// caller has to see the case. Of a callback that was shown more than the caller sees, there is nothing, except what it
// told the caller before.
func (s *Cases) Confirmations(
	ctx context.Context, p access.Principal, id, from, to int64,
) (map[int64]Confirmation, error) {
	asked, err := s.store.Confirmations(ctx, p.Tenant, id, from, to)
	found := map[int64]Confirmation{}
	for _, q := range asked {
		told := q.Confirmation != nil && q.Confirmation.Told && p.Actor.UserID != 0 && q.Actor.UserID == p.Actor.UserID
		if !p.Sight().Sees(q.CaseClass) || !told && !p.Sight().Sees(q.Class) {
			continue
		}
		c := found[q.Version]
		if said := q.Confirmation; said != nil && c.Header == "" && c.Body == "" {
			c.Header, c.Body = said.Header, said.Body
		}
		if c.Status == 0 {
			c.Status = q.Status
		}
		if q.Failure != "" {
			c.Failure = q.Failure
		}
		found[q.Version] = c
	}
	return found, err
}

// confirms is the point at which a submission of a transition was saved.
func confirms(transition string) casetype.Point {
	return casetype.Point{Name: transition, Question: casetype.Submitted}
}
