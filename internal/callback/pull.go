package callback

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/store"
)

// Pull says who may pull a question.
type Pull struct {
	Store     *store.Store            // has the questions that wait
	Listener  access.Owner            // whose machine is asked in place of the URL, while it listens; empty: nobody's
	OtherType string                  // the key of the case's other type, in a switch; empty: there is none
	Class     casetype.Classification // the highest of what the callback may be told, and that of the case
}

// The times of questions that are pulled.
const (
	lookForAnswer = time.Second     // between two looks for an answer of which no signal came
	closeWithin   = 5 * time.Second // to record that nobody waits any more
	listenerTakes = 2 * time.Second // to claim a question; a listener that does not is gone
)

// outcome is what came of one attempt.
type outcome struct {
	outbound.Result
	answerer *store.Answerer // of a question that was pulled; nil: nobody answered it
	failure  string          // completes "The callback of kyc/submit ..."; empty: by the class of the result
}

// limitedLevel is the level of questions that show fields which only some roles may read: administrators' tokens alone
// may have them.
const limitedLevel = 4

// WorkerLevel returns the level of the questions that a worker may have who sees this.
func WorkerLevel(sight casetype.Classification) int {
	if level := sight.Level(); level < limitedLevel-1 || !sight.Sees(casetype.Public.LimitedTo(nil)) {
		return level
	}
	return limitedLevel
}

// levelOf returns the level of a question that shows data of a classification.
func levelOf(shown casetype.Classification) int {
	if shown.Limited() {
		return limitedLevel
	}
	return cmp.Or(shown, casetype.Public).Level()
}

// send makes the request of an attempt, or has it pulled. The URL is asked if the submitter's machine, which listened,
// is gone.
func (c *Client) send(ctx context.Context, q Question, r outbound.Request) outcome {
	if of, handled := c.askListener(ctx, q, &r); handled {
		return of
	}
	if queue, ok := casetype.PullQueue(q.URL); ok {
		return c.pull(ctx, q, line{queue: queue}, r)
	}
	return outcome{Result: c.post(ctx, q, r)}
}

// askListener lets the submitter's machine pull the question, if it listens. It reports false if it does not or is
// gone, and leaves the rest of the time to the URL.
func (c *Client) askListener(ctx context.Context, q Question, r *outbound.Request) (of outcome, handled bool) {
	if q.Pull == nil || q.Pull.Listener == "" {
		return of, false
	}
	listens, err := q.Pull.Store.Listens(ctx, q.Tenant, q.Pull.Listener)
	if err != nil || !listens {
		return of, false
	}
	begun := time.Now()
	of = c.pull(ctx, q, line{listener: q.Pull.Listener}, *r)
	if of.answerer != nil {
		of.answerer.Listener = true
		return of, true
	}
	r.Timeout -= time.Since(begun)
	return of, r.Timeout <= 0
}

// line is where a question waits: in a queue, or for somebody's machine.
type line struct {
	queue    string
	listener access.Owner
}

// pull lets a question wait until it is answered, or the time of the attempt is over, or the listener is gone.
// Meanwhile it holds no connection to the database.
func (c *Client) pull(ctx context.Context, q Question, at line, r outbound.Request) outcome {
	limited, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	st := q.Pull.Store
	id, err := st.AddOpenQuestion(limited, store.OpenQuestion{
		Tenant: q.Tenant, Queue: at.queue, Listener: at.listener, CaseType: q.Type, OtherType: q.Pull.OtherType,
		Level: levelOf(q.Pull.Class), Callback: q.Name, Path: casetype.URLPath(q.Settings.URL),
		Header: c.out.Headers(r), Body: q.Body,
	}, r.Timeout)
	if err != nil {
		return outcome{
			Result:  outbound.Result{Class: outbound.Ours, Err: err},
			failure: "was not asked: the database does not answer",
		}
	}
	var takes time.Duration // of a queue: as long as it likes
	if at.listener != "" {
		takes = min(listenerTakes, r.Timeout/2)
	}
	awaitAnswer(limited, st, id, takes)
	closing, done := context.WithTimeout(context.WithoutCancel(ctx), closeWithin)
	defer done()
	open, err := st.CloseQuestion(closing, id)
	if err == nil && open.Answer != nil {
		return answered(open)
	}
	if at.listener != "" && open.ClaimedUntil.IsZero() {
		_ = st.DropListener(closing, q.Tenant, at.listener) // or its time ends by itself
	}
	return unanswered(open, err)
}

// awaitAnswer waits until a question is answered, or ctx ends. With a time to claim it in, it waits no longer than for
// that, and for the end of the claim.
func awaitAnswer(ctx context.Context, st *store.Store, id int64, takes time.Duration) {
	begun := time.Now()
	look := time.NewTicker(lookForAnswer)
	defer look.Stop()
	for {
		wake, done := st.AwaitAnswer(id)
		open, err := st.QuestionOutcome(ctx, id)
		until := open.ClaimedUntil
		if until.IsZero() {
			until = begun.Add(takes)
		}
		if err == nil && (open.Answered || takes > 0 && time.Now().After(until)) {
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
