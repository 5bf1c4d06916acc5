package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/pgtest"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/waits"
)

// pulled is a case type whose callback is asked by workers.
func pulled(timeout string) string {
	return `
key: pulled
edit: edit
fields: { type: object, properties: { text: { type: string } } }
states: [{ key: new }]
transitions:
  - key: open
    to: new
    about_to_submit: { url: "pull:checks", timeout: ` + timeout + `, retries: [], budget: 60s }
  - { key: edit, from: [new] }
`
}

// claimed is a question as a worker gets it.
type claimed struct {
	ID, Queue, Callback, Path string
	CaseType                  string    `json:"case_type"`
	Deadline                  time.Time `json:"deadline"`
	ClaimedUntil              time.Time `json:"claimed_until"`
	Headers                   map[string]string
	Body                      json.RawMessage
}

// claim returns the next question of the queue; nil: there is none.
func (w *world) claim(body string, header ...string) *claimed {
	w.t.Helper()
	var out struct{ Question *claimed }
	got := w.post("/v1/questions/claim", body, header...).is(200, "")
	if err := json.Unmarshal(got.body, &out); err != nil {
		w.t.Fatal(err)
	}
	return out.Question
}

// mustClaim waits for the next question of the queue.
func (w *world) mustClaim(header ...string) claimed {
	w.t.Helper()
	for {
		if q := w.claim(`{"queue": "checks", "wait": 30}`, header...); q != nil {
			return *q
		}
	}
}

// submitting sends a submission, which a worker has to answer.
func (w *world) submitting(path, body string) <-chan answer {
	done := make(chan answer, 1)
	go func() { done <- w.post(path, body) }()
	return done
}

const openPulled = "/v1/case-types/pulled/cases"

func TestAWorkerAnswersTheQuestionThatItPulls(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		put := w.do("PUT", "/v1/case-types/pulled", pulled("60s"), "Content-Type", "application/yaml").is(201, "")
		key, err := outbound.ParseKey(put.json()["callback_secrets"].(map[string]any)["open"].(string))
		must(t, err)
		if q := w.claim(`{"queue": "checks"}`); q != nil {
			t.Fatalf("there is a question before any is asked: %v", q)
		}
		worker := w.token(`{"name": "checker", "role": "manager"}`)
		done := w.submitting(openPulled, `{"data": {"text": "<é> & 1"}}`)
		q := w.mustClaim("Authorization", worker)
		hasMembers(t, "the question", map[string]any{"queue": q.Queue, "case_type": q.CaseType, "callback": q.Callback},
			members{"queue": "checks", "case_type": "pulled", "callback": "pulled/open"})
		at, err := strconv.ParseInt(q.Headers["webhook-timestamp"], 10, 64)
		must(t, err)
		signature := outbound.Sign(key, q.Headers["webhook-id"], time.Unix(at, 0), q.Body)
		if got := q.Headers["webhook-signature"]; got != signature {
			t.Errorf("the signature is %s, want %s", got, signature)
		}
		hasMembers(t, "the headers", map[string]any{"t": q.Headers["Casehook-Transition"], "q": q.Headers["Casehook-Question"],
			"type": q.Headers["Content-Type"]}, members{"t": "open", "q": "about_to_submit", "type": "application/json"})
		if other := w.claim(`{"queue": "checks"}`); other != nil {
			t.Errorf("it is claimed twice: %v", other)
		}
		answerTo := "/v1/questions/" + q.ID + "/answer"
		w.post(answerTo, `{"body": {"data": {"text": "checked"}}}`, "Authorization", worker).is(204, "")
		made := (<-done).is(201, "")
		if data := made.json()["data"].(map[string]any); data["text"] != "checked" {
			t.Errorf("the case has %v", data)
		}
		w.post(answerTo, `{"body": {"errors": ["No."]}}`).is(409, "question.answered")
		asked := w.get("/v1/questions").is(200, "").items()
		if len(asked) != 1 {
			t.Fatalf("the questions are %v", asked)
		}
		record := asked[0].(map[string]any)
		hasMembers(t, "the record", record, members{"url": "pull:checks", "verdict": "accepted", "attempts": "1",
			"status": "200", "webhook_id": q.Headers["webhook-id"]})
		hasMembers(t, "who answered", record["answered_by"], members{"name": "checker", "source": "api"})
	})
}

// A worker may answer with any status and any text, as a URL does.
func TestAWorkersAnswerMeansWhatThatOfAURLDoes(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.do("PUT", "/v1/case-types/pulled", pulled("60s"), "Content-Type", "application/yaml").is(201, "")
	for _, c := range []struct {
		answer, code string
		status       int
	}{
		{`{"body": {"errors": ["No."]}}`, "callback.errors", 422},
		{`{"body": {"warnings": ["Hm."]}}`, "callback.warnings", 422},
		{`{"body": {"data": {"text": 7}}}`, "callback.data_invalid", 422},
		{`{"body": "<html>"}`, "callback.failed", 502},
		{`{"status": 404}`, "callback.failed", 502},
		{`{"status": 204}`, "", 201},
		{`{}`, "", 201},
		{`{"body": null}`, "", 201},
		{`{"body": "{\"data\": {\"text\": \"x\"}}"}`, "", 201},
	} {
		done := w.submitting(openPulled, `{}`)
		q := w.mustClaim()
		w.post("/v1/questions/"+q.ID+"/answer", c.answer).is(204, "")
		(<-done).is(c.status, c.code)
	}
	w.post("/v1/questions/opn_x/answer", `{}`).is(404, "question.not_found")
	w.post("/v1/questions/opn_x/answer", `{"status": 100}`).is(422, "request.body_invalid")
	w.post("/v1/questions/claim", `{}`).is(422, "question.claim_invalid")
	w.post("/v1/questions/claim", `{"queue": "checks", "wait": 31}`).is(422, "request.body_invalid")
}

func TestAQuestionOfAWorkerThatIsGoneIsClaimedAgain(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		w.do("PUT", "/v1/case-types/pulled", pulled("8s"), "Content-Type", "application/yaml").is(201, "")
		done := w.submitting(openPulled, `{}`)
		first := w.mustClaim()
		if first.Deadline.Sub(first.ClaimedUntil) < time.Second {
			t.Errorf("it is claimed until %s, and its deadline is %s", first.ClaimedUntil, first.Deadline)
		}
		second := w.mustClaim() // which waits for the end of the first claim
		if second.ID != first.ID || second.Headers["webhook-id"] != first.Headers["webhook-id"] {
			t.Errorf("another question is claimed: %+v", second)
		}
		w.post("/v1/questions/"+first.ID+"/answer", `{}`).is(204, "") // it was only slow
		w.post("/v1/questions/"+second.ID+"/answer", `{}`).is(409, "question.answered")
		(<-done).is(201, "")
	})
}

func TestAnAnswerBehindTheDeadlineIsNotUsed(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		w.do("PUT", "/v1/case-types/pulled", pulled("1s"), "Content-Type", "application/yaml").is(201, "")
		done := w.submitting(openPulled, `{}`)
		q := w.mustClaim()
		late := (<-done).is(504, "callback.timeout")
		if detail := late.text("detail"); !strings.Contains(detail, "did not answer in time") {
			t.Errorf("the detail is %q", detail)
		}
		w.post("/v1/questions/"+q.ID+"/answer", `{}`).is(410, "question.expired")
		if left := w.claim(`{"queue": "checks"}`); left != nil {
			t.Errorf("it is still there: %v", left)
		}
		nobody := w.post(openPulled, `{}`).is(504, "callback.timeout")
		if detail := nobody.text("detail"); !strings.Contains(detail, "was pulled by no worker in time") {
			t.Errorf("the detail is %q", detail)
		}
		w.post(openPulled, `{}`).is(504, "callback.timeout")
		w.post(openPulled, `{}`).is(502, "callback.resting") // a queue that nobody pulls rests, as a dead host does
	})
}

func TestNobodyWaitsForAnAnswerOnceTheSubmitterHasLeft(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		w.do("PUT", "/v1/case-types/pulled", pulled("60s"), "Content-Type", "application/yaml").is(201, "")
		ctx, leave := context.WithCancel(t.Context())
		left := make(chan struct{})
		go func() {
			defer close(left)
			r := w.request(request{method: "POST", path: openPulled, body: `{}`}).WithContext(ctx)
			w.handler.ServeHTTP(httptest.NewRecorder(), r)
		}()
		q := w.mustClaim()
		leave()
		<-left
		w.post("/v1/questions/"+q.ID+"/answer", `{}`).is(410, "question.expired")
		asked := w.get("/v1/questions").is(200, "").items()
		hasMembers(t, "the record", asked[0], members{"verdict": "cancelled", "url": "pull:checks"})
	})
}

// Workers of another tenant, of a lower role or of a lower clearance get nothing.
func TestAWorkerGetsOnlyWhatItMaySee(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		definition := strings.NewReplacer("edit: edit", "security_classification: PRIVATE\nedit: edit",
			"properties: {", "properties: { secret: { type: string, x-classification: RESTRICTED },").
			Replace(pulled("60s"))
		w.do("PUT", "/v1/case-types/pulled", definition, "Content-Type", "application/yaml").is(201, "")
		theirs := "Bearer " + w.post("/v1/tenants", `{"key": "acme"}`).is(201, "").text("token")
		low := w.token(`{"name": "low", "role": "manager", "clearance": "PRIVATE"}`)
		done := w.submitting(openPulled, `{}`)
		q := w.mustClaim()
		answerTo := "/v1/questions/" + q.ID + "/answer"
		for _, bearer := range []string{theirs, low} {
			w.post(answerTo, `{}`, "Authorization", bearer).is(404, "question.not_found")
		}
		worker := w.token(`{"name": "clerk", "role": "caseworker"}`)
		w.post("/v1/questions/claim", `{"queue": "checks"}`, "Authorization", worker).is(403, "access.denied")
		w.post(answerTo, `{}`, "Authorization", worker).is(403, "access.denied")
		w.post(answerTo, `{"status": 500}`).is(204, "")
		(<-done).is(502, "callback.failed")

		waiting := w.submitting(openPulled, `{}`)
		any := store.QuestionClaim{Tenant: 1, Queue: "checks", Level: casetype.Restricted.Level()}
		waits.Poll(t, "a question, of whose coming nobody here is told", func() bool {
			found, err := w.store.QuestionWaits(t.Context(), any)
			must(t, err)
			return found
		})
		for _, bearer := range []string{theirs, low} {
			if got := w.claim(`{"queue": "checks"}`, "Authorization", bearer); got != nil {
				t.Errorf("it gets %v", got)
			}
		}
		w.post("/v1/questions/"+w.mustClaim().ID+"/answer", `{}`).is(204, "")
		(<-waiting).is(201, "")
	})
}

// The node that asks is not the one of the worker.
func TestAWorkerAnswersAQuestionOfAnotherNode(t *testing.T) {
	t.Parallel()
	w := startOn(t, "pgx", pgtest.URL(t))
	w.deliver()
	other := startOn(t, "pgx", w.dsn)
	other.deliver()
	other.bearer = w.bearer
	w.do("PUT", "/v1/case-types/pulled", pulled("60s"), "Content-Type", "application/yaml").is(201, "")
	for range 3 {
		done := w.submitting(openPulled, `{}`)
		q := other.mustClaim()
		other.post("/v1/questions/"+q.ID+"/answer", `{"body": {"data": {"text": "there"}}}`).is(204, "")
		if made := (<-done).is(201, ""); !bytes.Contains(made.body, []byte(`"there"`)) {
			t.Errorf("the case is %s", made.body)
		}
	}
}

// A dry run is asked as one, and of a queue that is named in place of a URL, too.
func TestWorkersPullDryRuns(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.do("PUT", "/v1/case-types/pulled", pulled("60s"), "Content-Type", "application/yaml").is(201, "")
	for _, body := range []string{
		`{"type": "pulled", "transition": "open"}`, `{"type": "pulled", "transition": "open", "callback": "pull:checks"}`,
	} {
		done := w.submitting("/v1/dry-runs", body)
		q := w.mustClaim()
		if q.Headers["dry-run"] != "true" {
			t.Errorf("the headers are %v", q.Headers)
		}
		w.post("/v1/questions/"+q.ID+"/answer", `{"body": {"warnings": ["Hm."]}}`).is(204, "")
		(<-done).is(200, "").has(members{"code": "callback.warnings"})
	}
}

// openQuestions puts some questions into a queue of each tenant, and claims one.
func (w *world) openQuestions(queue, caseType string) claimed {
	w.t.Helper()
	tenants, err := w.store.Tenants(w.t.Context())
	must(w.t, err)
	for i := range 30 * len(tenants) {
		_, err := w.store.AddOpenQuestion(w.t.Context(), store.OpenQuestion{
			Tenant: tenants[i%len(tenants)].ID, Queue: queue, CaseType: caseType, Callback: caseType + "/open",
			Level: casetype.Restricted.Level(), Header: map[string]string{"webhook-id": "msg_1"}, Body: []byte(`{}`),
		}, time.Hour)
		must(w.t, err)
	}
	q := w.claim(`{"queue": "` + queue + `"}`)
	if q == nil {
		w.t.Fatal("none of the questions is claimed")
	}
	return *q
}

// storyOfWorkers pulls a question, and answers it.
func (w *world) storyOfWorkers() {
	q := w.openQuestions("checks", "loan")
	w.post("/v1/questions/"+q.ID+"/answer", `{"body": {"errors": ["No."]}}`).is(204, "")
	w.get("/v1/case-types/loan/callbacks/submit/shadow").is(200, "")
}
