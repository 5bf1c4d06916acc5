package casework

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/callback"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// Workers pull questions to callbacks, and answer them. It is safe for concurrent use.
type Workers struct {
	store *store.Store
	guard *authz.Guard
}

// The times of claims.
const (
	MaxClaimWait  = 30 * time.Second
	claimLease    = 10 * time.Second // at most; then another worker may claim the question
	listenerGrace = 5 * time.Second  // between two claims of a listener
	lookForClaims = time.Second      // between two looks for a question of which no signal came
)

// Claim is a worker's wish for a question.
type Claim struct {
	Queue string
	Own   bool            // in place of a queue: the questions that the caller's own submissions cause
	Wait  time.Duration   // for a question, if there is none; at most MaxClaimWait
	Stop  <-chan struct{} // ends the wait
}

// Claim leaves the oldest question of a queue to the caller, for a time; nil: there is none. Its answer counts until
// the deadline, also after that time, unless another worker answers first. The caller sees all that the question shows.
//
// A caller who claims their own questions listens: until a moment after the claim ends, their machine is asked in place
// of URLs.
func (s *Workers) Claim(ctx context.Context, p access.Principal, in Claim) (*store.OpenQuestion, error) {
	if err := s.guard.Permit(ctx, p, access.ClaimQuestion); err != nil {
		return nil, err
	}
	if in.Own == (in.Queue != "") {
		return nil, fault.In("question.claim_invalid", "Nothing was claimed: see fields.",
			fault.Field{Path: "/queue", Message: "send either the name of a queue or own: true"})
	}
	if in.Own {
		if err := s.listen(ctx, p, in.Wait); err != nil {
			return nil, err
		}
		defer s.leave(ctx, p)
	}
	return s.wait(ctx, p, in)
}

// listen records that the caller listens.
func (s *Workers) listen(ctx context.Context, p access.Principal, wait time.Duration) error {
	return s.guard.Update(ctx, authz.NewMandate(p, access.ClaimQuestion), func(tx *store.Tx) error {
		return tx.SetListener(ctx, p.Tenant, p.Owner(), wait+listenerGrace)
	})
}

// leave records that the caller listens no more, if they are gone. A failure does no harm: their time ends.
func (s *Workers) leave(ctx context.Context, p access.Principal) {
	if ctx.Err() == nil {
		return
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), listenerGrace)
	defer cancel()
	_ = s.store.DropListener(limited, p.Tenant, p.Owner())
}

// wait claims a question, and waits for one if there is none.
func (s *Workers) wait(ctx context.Context, p access.Principal, in Claim) (*store.OpenQuestion, error) {
	limited, cancel := context.WithTimeout(ctx, min(in.Wait, MaxClaimWait))
	defer cancel()
	look := time.NewTicker(lookForClaims)
	defer look.Stop()
	m := authz.NewMandate(p, access.ClaimQuestion)
	for {
		wish, err := s.wish(ctx, p, in)
		if err != nil {
			return nil, err
		}
		wake, done := s.store.AwaitQuestion(wish)
		q, err := s.next(ctx, m, wish)
		if q != nil || err != nil {
			done()
			return q, err
		}
		select {
		case <-wake:
		case <-look.C:
		case <-limited.Done():
			done()
			return nil, ctx.Err()
		case <-in.Stop:
			done()
			return nil, nil
		}
		done()
		m.Waited = true
	}
}

// wish returns which questions the caller may have now.
func (s *Workers) wish(ctx context.Context, p access.Principal, in Claim) (store.QuestionClaim, error) {
	reader, err := s.guard.Reader(ctx, p)
	wish := store.QuestionClaim{
		Tenant: p.Tenant, Queue: in.Queue, Level: callback.WorkerLevel(p.Sight()), Without: reader.Types(),
		Lease: claimLease,
	}
	if in.Own {
		wish.Listener = p.Owner()
	}
	return wish, err
}

// next claims a question; nil: there is none. It writes only if there may be one.
func (s *Workers) next(
	ctx context.Context, m *authz.Mandate, wish store.QuestionClaim,
) (claimed *store.OpenQuestion, err error) {
	waits, err := s.store.QuestionWaits(ctx, wish)
	if err != nil || !waits {
		return nil, err
	}
	err = s.guard.Update(ctx, m, func(tx *store.Tx) error {
		q, found, err := tx.ClaimQuestion(ctx, wish)
		if claimed = nil; found {
			claimed = &q
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return claimed, nil
}

// Answer answers a question that a worker has claimed. The first answer wins.
func (s *Workers) Answer(ctx context.Context, p access.Principal, id int64, a store.PulledAnswer) error {
	if err := s.guard.Permit(ctx, p, access.AnswerQuestion); err != nil {
		return err
	}
	if err := s.answerable(ctx, p, id); err != nil {
		return err
	}
	won := false
	err := s.guard.Update(ctx, authz.NewMandate(p, access.AnswerQuestion), func(tx *store.Tx) (err error) {
		won, err = tx.AnswerQuestion(ctx, store.OpenQuestion{
			Tenant: p.Tenant, ID: id, Answer: &a, Answerer: &p.Actor,
		})
		return err
	})
	if err != nil || won {
		return err
	}
	q, err := s.store.OpenQuestion(ctx, p.Tenant, id)
	switch {
	case errors.Is(err, fault.NotFound):
		return questionExpired()
	case err != nil:
		return err
	case q.Answered:
		return fault.New(fault.Conflict, "question.answered",
			"Another worker has answered this question. Nothing is left to do.")
	}
	return questionExpired()
}

func questionExpired() error {
	return fault.New(fault.Gone, "question.expired",
		"The deadline of this question is over, or its submitter has left. The answer was not used; if the callback is "+
			"tried again, the next claim returns it.")
}

// answerable refuses the answer to a question that the caller may not see.
func (s *Workers) answerable(ctx context.Context, p access.Principal, id int64) error {
	q, err := s.store.OpenQuestion(ctx, p.Tenant, id)
	if err != nil {
		return err
	}
	wish, err := s.wish(ctx, p, Claim{})
	if err != nil {
		return err
	}
	ofAnother := q.Listener != "" && q.Listener != p.Owner()
	hidden := slices.Contains(wish.Without, q.CaseType) || slices.Contains(wish.Without, q.OtherType)
	if ofAnother || hidden || q.Level > wish.Level {
		return store.OpenQuestionMissing()
	}
	return nil
}

// Clean removes questions whose deadlines are over, and listeners whose time is.
func (s *Workers) Clean(ctx context.Context) error {
	for more := true; more; {
		err := s.store.Update(ctx, func(tx *store.Tx) error {
			questions, err := tx.PurgeOpenQuestions(ctx)
			if err != nil {
				return err
			}
			listeners, err := tx.PurgeListeners(ctx)
			more = questions || listeners
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
