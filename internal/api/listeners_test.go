package api_test

import (
	"strings"
	"testing"
)

// heard is a case type whose callback has a URL.
const heard = `
key: heard
edit: edit
fields:
  type: object
  properties: { text: { type: string } }
states: [{ key: new }]
transitions:
  - key: open
    to: new
    about_to_submit: { url: "${CASEHOOK_VAR_CALLBACKS}/heard/open?x=1", timeout: 6s, retries: [] }
  - { key: edit, from: [new] }
`

// listening claims the questions that the submissions of a token cause, until there is one.
func (w *world) listening(bearer string) <-chan claimed {
	w.t.Helper()
	w.post("/v1/questions/claim", `{"own": true}`, "Authorization", bearer).is(200, "") // it listens from here on
	found := make(chan claimed, 1)
	go func() {
		for w.t.Context().Err() == nil {
			if q := w.claim(`{"own": true, "wait": 30}`, "Authorization", bearer); q != nil {
				found <- *q
				return
			}
		}
	}()
	return found
}

// created creates a case, and returns its text and the record of the question about it.
func (w *world) created(bearer string) (text string, record map[string]any) {
	w.t.Helper()
	answered := w.post("/v1/case-types/heard/cases", `{}`, "Authorization", bearer).is(201, "")
	made := answered.json()
	entry := w.get(answered.header.Get("Location")+"/history").is(200, "").items()[0].(map[string]any)
	listened, _ := entry["callback"].(map[string]any)["listener"].(bool)
	text, _ = made["data"].(map[string]any)["text"].(string)
	record = w.get("/v1/questions").is(200, "").items()[0].(map[string]any)
	if record["listener"] != listened {
		w.t.Errorf("the history has %v, and the record %v", entry, record)
	}
	return text, record
}

// A developer's own submissions are answered by their machine, and nobody else's.
func TestAListenerIsAskedAboutItsOwnSubmissions(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		w.do("PUT", "/v1/case-types/heard", heard, "Content-Type", "application/yaml").is(201, "")
		w.answers(200, `{"data": {"text": "live"}}`)
		dev := w.token(`{"name": "dev", "role": "manager"}`)
		other := w.token(`{"name": "other", "role": "manager"}`)
		found := w.listening(dev)
		if text, record := w.created(other); text != "live" || record["listener"] != false {
			t.Errorf("another's submission: %s, %v", text, record)
		}
		if q := w.claim(`{"own": true}`, "Authorization", other); q != nil {
			t.Errorf("the other gets %v", q)
		}
		go func() {
			q := <-found
			if q.Path != "/heard/open?x=1" || q.Queue != "" || q.Headers["webhook-signature"] == "" {
				t.Errorf("the question is %+v", q)
			}
			answerTo := "/v1/questions/" + q.ID + "/answer"
			w.post(answerTo, `{}`, "Authorization", other).is(404, "question.not_found")
			w.post(answerTo, `{"body": {"data": {"text": "mine"}}}`, "Authorization", dev).is(204, "")
		}()
		text, record := w.created(dev)
		if text != "mine" {
			t.Errorf("the listener was not asked: %s", text)
		}
		hasMembers(t, "the record", record,
			members{"verdict": "accepted", "url": "${CASEHOOK_VAR_CALLBACKS}/heard/open"})
		hasMembers(t, "who answered", record["answered_by"], members{"name": "dev"})
		if record["listener"] != true {
			t.Errorf("the record does not say that a listener answered: %v", record)
		}
		if text, _ := w.created(dev); text != "live" { // it claims no more
			t.Errorf("the listener is gone, and the answer is %s", text)
		}
	})
}

// The URL is asked as soon as the claim of a listener that is gone is over.
func TestAListenerThatIsGoneWithAQuestionIsReplacedByTheURL(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.do("PUT", "/v1/case-types/heard", heard, "Content-Type", "application/yaml").is(201, "")
	w.answers(200, `{"data": {"text": "live"}}`)
	dev := w.token(`{"name": "dev", "role": "manager"}`)
	found := w.listening(dev)
	text, record := w.created(dev)
	q := <-found
	hasMembers(t, "the record", record, members{"attempts": "1", "verdict": "accepted"})
	if text != "live" || record["listener"] != false {
		t.Errorf("%s, %v", text, record)
	}
	w.post("/v1/questions/"+q.ID+"/answer", `{}`, "Authorization", dev).is(410, "question.expired")
}

// A manager who does not see all of a case type can't answer in place of its callback.
func TestAListenerAnswersOnlyForTypesThatItMayPut(t *testing.T) {
	t.Parallel()
	w := start(t)
	definition := strings.Replace(heard, "properties: { ",
		"properties: { secret: { type: string, x-classification: RESTRICTED }, ", 1)
	w.do("PUT", "/v1/case-types/heard", definition, "Content-Type", "application/yaml").is(201, "")
	w.answers(200, `{"data": {"text": "live"}}`)
	low := w.token(`{"name": "low", "role": "manager", "clearance": "PRIVATE"}`)
	w.post("/v1/questions/claim", `{"own": true}`, "Authorization", low).is(200, "")
	if text, record := w.created(low); text != "live" || record["listener"] != false {
		t.Errorf("%s, %v", text, record)
	}
	clerk := w.token(`{"name": "clerk", "role": "caseworker"}`)
	w.post("/v1/questions/claim", `{"own": true}`, "Authorization", clerk).is(403, "access.denied")
	w.post("/v1/questions/claim", `{}`).is(422, "question.claim_invalid")
	w.post("/v1/questions/claim", `{"own": true, "queue": "checks"}`).is(422, "question.claim_invalid")
}
