package callback

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/store"
)

// Pull says who may pull a question that no URL is called with.
type Pull struct {
	Store     *store.Store            // has the questions that wait
	OtherType string                  // the key of the case's other type, in a switch; empty: there is none
	Class     casetype.Classification // the highest of what the question shows, and that of the case
}

// The times of questions that are pulled.
const (
	lookForAnswer = time.Second     // between two looks for an answer of which no signal came
	closeWithin   = 5 * time.Second // to record that nobody waits any more
)

// outcome is what came of one attempt.
type outcome struct {
	outbound.Result
	answerer *store.Answerer // of a question that was pulled; nil: nobody answered it
	failure  string          // completes "The callback of kyc/submit ..."; empty: by the class of the result
}

// pull puts a question into a queue, and waits until a worker has answered it, or the time of the attempt is over.
// Meanwhile it holds no connection to the database.
func (c *Client) pull(ctx context.Context, q Question, queue string, r outbound.Request) outcome {
	limited, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	st := q.Pull.Store
	id, err := st.AddOpenQuestion(limited, store.OpenQuestion{
		Tenant: q.Tenant, Queue: queue, CaseType: q.Type, OtherType: q.Pull.OtherType,
		Level: cmp.Or(q.Pull.Class, casetype.Public).Level(), Callback: q.Name, Header: c.out.Headers(r), Body: q.Body,
	}, r.Timeout)
	if err != nil {
		return outcome{
			Result:  outbound.Result{Class: outbound.Ours, Err: err},
			failure: "was not asked: the database does not answer",
		}
	}
	awaitAnswer(limited, st, id)
	closing, done := context.WithTimeout(context.WithoutCancel(ctx), closeWithin)
	defer done()
	open, err := st.CloseQuestion(closing, id)
	if err == nil && open.Answer != nil {
		return answered(open)
	}
	return unanswered(open, err)
}

// awaitAnswer waits until a question is answered, or ctx ends.
func awaitAnswer(ctx context.Context, st *store.Store, id int64) {
	look := time.NewTicker(lookForAnswer)
	defer look.Stop()
	for {
		wake, done := st.AwaitAnswer(id)
		open, err := st.QuestionOutcome(ctx, id)
		if err == nil && open.Answered {
			done()
			return
		}
		select {
		case <-wake:
		case <-look.C:
		case <-ctx.Done():
			done()
			return
		}
		done()
	}
}

// answered returns a worker's answer as that of a URL.
func answered(open store.OpenQuestion) outcome {
	result := outbound.Result{
		Status: open.Answer.Status, Header: http.Header{}, Body: open.Answer.Body, Connected: true,
	}
	for name, value := range open.Answer.Header {
		result.Header.Set(name, value)
	}
	return outcome{Result: result, answerer: &store.Answerer{Actor: *open.Answerer}}
}

// unanswered returns the failure of a question that no worker answered in time. Err says why that is not known; nil: it
// is.
func unanswered(open store.OpenQuestion, err error) outcome {
	claimed := !open.ClaimedUntil.IsZero()
	o := outcome{Result: outbound.Result{
		Class: outbound.Timeout, Err: errors.Join(errUnanswered, err), Connected: claimed,
	}}
	if !claimed {
		o.failure = "was pulled by no worker in time"
	}
	return o
}

var errUnanswered = errors.New("no worker answered in time")
