package storetest

import (
	"testing"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// opened puts a question into the queue checks.
func (f *fixture) opened(change func(*store.OpenQuestion)) int64 {
	f.t.Helper()
	q := store.OpenQuestion{
		Tenant: f.tenant, Queue: "checks", CaseType: "kyc", Level: 2, Callback: "kyc/submit",
		Header: map[string]string{"webhook-id": "msg_1"}, Body: []byte(`{"a":"<é>"}`),
	}
	change(&q)
	return must[int64](f)(f.store.AddOpenQuestion(f.t.Context(), q, time.Hour))
}

// claims claims a question and returns its id; 0: there is none.
func (f *fixture) claims(c store.QuestionClaim) (q store.OpenQuestion) {
	f.t.Helper()
	f.update(func(tx *store.Tx) (err error) {
		q, _, err = tx.ClaimQuestion(f.t.Context(), c)
		return err
	})
	waits := must[bool](f)(f.store.QuestionWaits(f.t.Context(), c))
	if q.ID == 0 && waits {
		f.t.Error("a question waits that can't be claimed")
	}
	return q
}

// answers answers a question, and reports whether the answer counts.
func (f *fixture) answers(tenant, id int64, body string) (won bool) {
	f.t.Helper()
	f.update(func(tx *store.Tx) (err error) {
		won, err = tx.AnswerQuestion(f.t.Context(), store.OpenQuestion{
			Tenant: tenant, ID: id, Answer: &store.PulledAnswer{Status: 200, Body: []byte(body)},
			Answerer: &event.Actor{Source: event.API, Name: "worker"},
		})
		return err
	})
	return won
}

var openQuestionTests = map[string]func(*fixture){
	"a question is claimed once until its claim is over, the oldest first": func(f *fixture) {
		claim := store.QuestionClaim{Tenant: f.tenant, Queue: "checks", Level: 3, Lease: time.Minute}
		f.equal(f.claims(claim).ID, int64(0))
		first := f.opened(func(*store.OpenQuestion) {})
		second := f.opened(func(*store.OpenQuestion) {})
		got := f.claims(claim)
		f.equal(got.ID, first)
		f.equal(string(got.Body), `{"a":"<é>"}`)
		f.equal(got.Header, map[string]string{"webhook-id": "msg_1"})
		f.equal(got.Deadline.Sub(got.ClaimedUntil) > time.Minute, true)
		f.equal(f.claims(claim).ID, second)
		f.equal(f.claims(claim).ID, int64(0))
		short := claim
		short.Lease = -time.Second // it is over at once
		third := f.opened(func(*store.OpenQuestion) {})
		f.equal(f.claims(short).ID, third)
		f.equal(f.claims(claim).ID, third)
	},
	"a worker claims what its tenant, its queue and its rights allow": func(f *fixture) {
		f.opened(func(q *store.OpenQuestion) { q.OtherType = "loan" })
		f.opened(func(q *store.OpenQuestion) { q.Listener = access.Owner("user/7") })
		claim := store.QuestionClaim{Tenant: f.tenant, Queue: "checks", Level: 2, Lease: time.Minute}
		for what, change := range map[string]func(*store.QuestionClaim){
			"another tenant":  func(c *store.QuestionClaim) { c.Tenant = f.other },
			"another queue":   func(c *store.QuestionClaim) { c.Queue = "other" },
			"a low clearance": func(c *store.QuestionClaim) { c.Level = 1 },
			"a hidden type":   func(c *store.QuestionClaim) { c.Without = []string{"a", "kyc"} },
			"another's type":  func(c *store.QuestionClaim) { c.Without = []string{"loan"} },
			"another's":       func(c *store.QuestionClaim) { c.Listener = access.Owner("user/8") },
		} {
			f.t.Run(what, func(t *testing.T) {
				c := claim
				change(&c)
				if got := f.claims(c); got.ID != 0 {
					t.Errorf("it claims %+v", got)
				}
			})
		}
		f.equal(f.claims(claim).Listener, access.Owner(""))
		claim.Listener = "user/7"
		f.equal(f.claims(claim).Listener, access.Owner("user/7"))
	},
	"the first answer wins, and closes the question": func(f *fixture) {
		ctx := f.t.Context()
		id := f.opened(func(*store.OpenQuestion) {})
		wake, done := f.store.AwaitAnswer(id)
		defer done()
		f.equal(f.answers(f.other, id, "theirs"), false)
		f.equal(f.answers(f.tenant, id, "first"), true)
		<-wake
		f.equal(f.answers(f.tenant, id, "second"), false)
		q := must[store.OpenQuestion](f)(f.store.CloseQuestion(ctx, id))
		f.equal(string(q.Answer.Body), "first")
		f.equal(q.Answerer.Name, "worker")
		kept := must[store.OpenQuestion](f)(f.store.OpenQuestion(ctx, f.tenant, id))
		f.equal([]any{kept.Answered, kept.Closed, len(kept.Body), kept.Answer == nil}, []any{true, true, 0, true})
		_, err := f.store.OpenQuestion(ctx, f.other, id)
		f.wantFault(err, fault.NotFound, "question.not_found")
	},
	"a question that is closed, or whose deadline is over, takes no answer": func(f *fixture) {
		ctx := f.t.Context()
		id := f.opened(func(*store.OpenQuestion) {})
		q := must[store.OpenQuestion](f)(f.store.CloseQuestion(ctx, id))
		f.equal(q.Answered, false)
		f.equal(f.answers(f.tenant, id, "late"), false)
		over := must[int64](f)(f.store.AddOpenQuestion(ctx, store.OpenQuestion{Tenant: f.tenant, Queue: "checks"}, 0))
		f.equal(f.answers(f.tenant, over, "late"), false)
		claim := store.QuestionClaim{Tenant: f.tenant, Queue: "checks", Level: 3, Lease: time.Minute}
		f.equal(f.claims(claim).ID, int64(0))
	},
	"questions are removed a minute after their deadlines": func(f *fixture) {
		ctx := f.t.Context()
		q := store.OpenQuestion{Tenant: f.tenant, Queue: "checks"}
		old := must[int64](f)(f.store.AddOpenQuestion(ctx, q, -2*time.Minute))
		fresh := must[int64](f)(f.store.AddOpenQuestion(ctx, q, -time.Second)) // which removes the old one
		older := must[int64](f)(f.store.AddOpenQuestion(ctx, q, -2*time.Minute))
		f.update(func(tx *store.Tx) error { _, err := tx.PurgeOpenQuestions(ctx); return err })
		for id, kept := range map[int64]bool{old: false, fresh: true, older: false} {
			_, err := f.store.OpenQuestion(ctx, f.tenant, id)
			f.equal(err == nil, kept)
		}
	},
	"a question wakes those who wait for its queue": func(f *fixture) {
		wake, done := f.store.AwaitQuestion(store.QuestionClaim{Tenant: f.tenant, Queue: "checks"})
		defer done()
		other, leave := f.store.AwaitQuestion(store.QuestionClaim{Tenant: f.tenant, Queue: "other"})
		leave()
		f.opened(func(*store.OpenQuestion) {})
		<-wake
		select {
		case <-other:
			f.t.Error("the other queue is woken")
		default:
		}
	},
}
