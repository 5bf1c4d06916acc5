package casework_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/callback"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// gzips answers with n bytes, compressed once: to compress them may take longer than a callback has.
func gzips(n int) http.HandlerFunc {
	var body bytes.Buffer
	z := gzip.NewWriter(&body)
	z.Write([]byte(`{"override_state":"`))
	z.Write(bytes.Repeat([]byte("x"), n))
	z.Write([]byte(`"}`))
	z.Close()
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(body.Bytes())
	}
}

// behaviour is an answer of a callback, and the expected outcome of the submission: amount 20 for the case {client:
// Ann, amount: 10, email: ann@...} in draft, by the transition to review.
type behaviour struct {
	name     string
	does     []http.HandlerFunc
	ask      string // configuration besides the URL; retries are off unless it sets them
	ignore   bool   // the initiator ignores warnings
	code     string // of the refusal; empty: it is saved
	kind     fault.Kind
	fields   []string
	errors   []string
	warnings []string
	data     string // afterwards; empty: as submitted
	state    string // afterwards; empty: review
	facts    string // empty: changed state_changed
	attempts int    // 0: 1
	record   func(*event.Callback) string
}

const asSubmitted = `{"amount":20,"client":"Ann","email":"ann@example.com"}`

func one(does http.HandlerFunc) []http.HandlerFunc { return []http.HandlerFunc{does} }

func answers(body string) []http.HandlerFunc { return one(respond(200, body)) }

const (
	quick       = `"timeout": "500ms", "retries": []`
	eager       = `"retries": ["1ms", "1ms"]`
	waived      = `"failure_policy": "ignore", "retries": []`
	waivedQuick = `"failure_policy": "ignore", ` + quick
)

var behaviours = []behaviour{
	{name: "200 with nothing", does: answers("")},
	{name: "200 with white space", does: answers(" \n")},
	{name: "200 with an empty object", does: answers("{}")},
	{name: "200 with null", does: answers("null")},
	{name: "204", does: one(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) })},
	{name: "unknown keys", does: answers(`{"data":{"client":"B"},"more":[1]}`), data: `{"client":"B"}`,
		record: func(c *event.Callback) string { return strings.Join(c.IgnoredKeys, ",") }},
	{name: "nulls", does: answers(`{"data":null,"errors":null,"warnings":null,"override_state":null}`)},
	{name: "empty lists and state", does: answers(`{"errors":[],"warnings":[],"override_state":""}`)},

	{name: "201", does: one(respond(201, "")), code: "callback.failed", kind: fault.Upstream},
	{name: "202", does: one(respond(202, "")), code: "callback.failed", kind: fault.Upstream},
	{name: "301", does: one(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", 301) }), code: "callback.failed", kind: fault.Upstream},
	{name: "400", does: one(respond(400, `{"errors":["no"]}`)), code: "callback.failed", kind: fault.Upstream},
	{name: "404", does: one(respond(404, "")), code: "callback.failed", kind: fault.Upstream},
	{name: "422", does: one(respond(422, `{"errors":["no"]}`)), code: "callback.failed", kind: fault.Upstream},
	{name: "500", does: one(respond(500, "")), code: "callback.failed", kind: fault.Upstream},
	{name: "503", does: one(respond(503, "")), code: "callback.failed", kind: fault.Upstream},
	{name: "no answer", does: one(hangs("")), ask: quick, code: "callback.timeout", kind: fault.UpstreamTimeout},
	{name: "a slow body", does: one(hangs(`{"errors":`)), ask: quick, code: "callback.timeout", kind: fault.UpstreamTimeout},
	{name: "a lost connection", does: one(drops), code: "callback.failed", kind: fault.Upstream},
	{name: "a huge body", does: answers(strings.Repeat(" ", callback.MaxAnswer+1)), code: "callback.failed", kind: fault.Upstream},
	{name: "a gzip bomb", does: one(gzips(64 << 20)), code: "callback.failed", kind: fault.Upstream},
	{name: "malformed JSON", does: answers(`{"data":`), code: "callback.failed", kind: fault.Upstream},
	{name: "a list", does: answers(`[]`), code: "callback.failed", kind: fault.Upstream},
	{name: "data as text", does: answers(`{"data":"x"}`), code: "callback.failed", kind: fault.Upstream},
	{name: "errors as text", does: answers(`{"errors":"x"}`), code: "callback.failed", kind: fault.Upstream},
	{name: "a state as number", does: answers(`{"override_state":1}`), code: "callback.failed", kind: fault.Upstream},

	{name: "errors", does: answers(`{"errors":["a","b"]}`), code: "callback.errors", kind: fault.Unprocessable, errors: []string{"a", "b"}},
	{name: "errors with data and state", does: answers(`{"errors":["a"],"data":{},"override_state":"closed"}`), code: "callback.errors", kind: fault.Unprocessable, errors: []string{"a"}},
	{name: "warnings", does: answers(`{"warnings":["w"]}`), code: "callback.warnings", kind: fault.Unprocessable, warnings: []string{"w"}},
	{name: "both", does: answers(`{"errors":["a"],"warnings":["w"]}`), code: "callback.errors", kind: fault.Unprocessable, errors: []string{"a"}, warnings: []string{"w"}},
	{name: "both, ignored by the initiator", ignore: true, does: answers(`{"errors":["a"],"warnings":["w"]}`), code: "callback.errors", kind: fault.Unprocessable, errors: []string{"a"}, warnings: []string{"w"}},
	{name: "warnings, ignored by the initiator", ignore: true, does: answers(`{"warnings":["w"]}`),
		record: func(c *event.Callback) string { return strings.Join(c.Warnings, ",") }},
	{name: "warnings, ignored by the URL", ask: `"url": "${CASEHOOK_VAR_CALLBACKS}/PATH?x=1&ignore-warning=true"`, does: answers(`{"warnings":["w"]}`)},
	{name: "warnings, not ignored by another value", ask: `"url": "${CASEHOOK_VAR_CALLBACKS}/PATH?ignore-warning=1"`, does: answers(`{"warnings":["w"]}`), code: "callback.warnings", kind: fault.Unprocessable, warnings: []string{"w"}},
	{name: "errors, not ignored by the URL", ask: `"url": "${CASEHOOK_VAR_CALLBACKS}/PATH?ignore-warning=true"`, does: answers(`{"errors":["a"],"warnings":["w"]}`), code: "callback.errors", kind: fault.Unprocessable, errors: []string{"a"}, warnings: []string{"w"}},

	{name: "data replaced", does: answers(`{"data":{"client":"Bo","amount":20,"score":7}}`), data: `{"amount":20,"client":"Bo","score":7}`},
	{name: "data emptied", does: answers(`{"data":{}}`), data: `{}`},
	{name: "data with nulls", does: answers(`{"data":{"client":"Bo","amount":null}}`), data: `{"client":"Bo"}`},
	{name: "an unknown field", does: answers(`{"data":{"clint":"Bo"}}`), code: "callback.data_invalid", kind: fault.Unprocessable, fields: []string{"/data/clint"}},
	{name: "wrong types", does: answers(`{"data":{"client":1,"amount":"x","tags":["a",2]}}`), code: "callback.data_invalid", kind: fault.Unprocessable, fields: []string{"/data/amount", "/data/client", "/data/tags/1"}},
	{name: "a wrong format", does: answers(`{"data":{"email":"nobody"}}`), code: "callback.data_invalid", kind: fault.Unprocessable, fields: []string{"/data/email"}},
	{name: "a NUL", does: answers(`{"data":{"client":"a\u0000b"}}`), code: "callback.failed", kind: fault.Upstream},
	{name: "the guard", ask: `"guard": {"max_dropped": 1}`, does: answers(`{"data":{"client":"Ann"}}`), code: "callback.guard", kind: fault.Unprocessable},
	{name: "within the guard", ask: `"guard": {"max_dropped": 2}`, does: answers(`{"data":{"client":"Ann"}}`), data: `{"client":"Ann"}`},
	{name: "data as before", does: answers(`{"data":{"client":"Ann","amount":10,"email":"ann@example.com"}}`), data: `{"amount":10,"client":"Ann","email":"ann@example.com"}`, facts: "state_changed"},

	{name: "a state", does: answers(`{"override_state":"approved"}`), state: "approved", facts: "changed state_changed approved",
		record: func(c *event.Callback) string { return c.Override }},
	{name: "a final state", does: answers(`{"override_state":"declined"}`), state: "declined", facts: "changed state_changed declined finished closed"},
	{name: "the state it was in", does: answers(`{"override_state":"draft"}`), state: "draft", facts: "changed"},
	{name: "a state and data", does: answers(`{"override_state":"closed","data":{"score":1}}`), state: "closed", data: `{"score":1}`, facts: "changed state_changed finished closed"},
	{name: "an unknown state", does: answers(`{"override_state":"nowhere"}`), code: "callback.state_unknown", kind: fault.Unprocessable},
	{name: "all as it was", does: answers(`{"data":{"client":"Ann","amount":10,"email":"ann@example.com"},"override_state":"draft"}`), state: "draft", data: `{"amount":10,"client":"Ann","email":"ann@example.com"}`, facts: "nothing"},

	{name: "retried after 500", ask: eager, does: []http.HandlerFunc{respond(500, ""), respond(502, ""), respond(200, "")}, attempts: 3},
	{name: "retried in vain", ask: eager, does: one(respond(502, "")), code: "callback.failed", kind: fault.Upstream, attempts: 3},
	{name: "retried after 408, 425 and 429", ask: `"retries": ["1ms", "1ms", "1ms"]`, does: []http.HandlerFunc{respond(408, ""), respond(425, ""), respond(429, ""), respond(200, "")}, attempts: 4},
	{name: "not retried after 400", ask: eager, does: one(respond(400, "")), code: "callback.failed", kind: fault.Upstream},
	{name: "not retried after a wrong shape", ask: eager, does: answers(`[]`), code: "callback.failed", kind: fault.Upstream},

	{name: "a failure waived", ask: waived, does: one(respond(500, "")), record: func(c *event.Callback) string { return c.Failure }},
	{name: "a timeout waived", ask: waivedQuick, does: one(hangs("")), record: func(c *event.Callback) string { return c.Failure }},
	{name: "a wrong shape waived", ask: waived, does: answers(`[]`), record: func(c *event.Callback) string { return c.Failure }},
	{name: "408 waived", ask: waived, does: one(respond(408, "")), record: func(c *event.Callback) string { return c.Failure }},
	{name: "errors of another status never waived", ask: waived, does: one(respond(400, `{"errors":["a"]}`)), code: "callback.failed", kind: fault.Upstream},
	{name: "errors of 500 never waived", ask: waived, does: one(respond(500, `{"errors":["a"]}`)), code: "callback.failed", kind: fault.Upstream},
	{name: "errors of an earlier attempt never waived", ask: eager + `, "failure_policy": "ignore"`,
		does: []http.HandlerFunc{respond(503, `{"errors":["a"]}`), respond(500, "")}, code: "callback.failed", kind: fault.Upstream, attempts: 3},
	{name: "an answer after errors of 503", ask: eager + `, "failure_policy": "ignore"`, does: []http.HandlerFunc{respond(503, `{"errors":["a"]}`), respond(200, "")}, attempts: 2},
	{name: "errors of 201 never waived", ask: waived, does: one(respond(201, `{"errors":["a"]}`)), code: "callback.failed", kind: fault.Upstream},
	{name: "Errors never waived", ask: waived, does: answers(`{"Errors":["a"]}`), code: "callback.failed", kind: fault.Upstream},
	{name: "errors of a wrong shape never waived", ask: waived, does: answers(`{"errors":"a"}`), code: "callback.failed", kind: fault.Upstream},
	{name: "cut off errors never waived", ask: waivedQuick, does: one(hangs(`{"errors":["a`)), code: "callback.timeout", kind: fault.UpstreamTimeout},
	{name: "CCD's state waived", ask: waived, does: answers(`{"state":"approved"}`), record: func(c *event.Callback) string { return c.Failure }},
	{name: "errors never waived", ask: waived, does: answers(`{"errors":["a"]}`), code: "callback.errors", kind: fault.Unprocessable, errors: []string{"a"}},
	{name: "warnings never waived", ask: waived, does: answers(`{"warnings":["w"]}`), code: "callback.warnings", kind: fault.Unprocessable, warnings: []string{"w"}},
	{name: "wrong data never waived", ask: waived, does: answers(`{"data":{"x":1}}`), code: "callback.data_invalid", kind: fault.Unprocessable, fields: []string{"/data/x"}},
	{name: "an unknown state never waived", ask: waived, does: answers(`{"override_state":"x"}`), code: "callback.state_unknown", kind: fault.Unprocessable},

	{name: "an unset variable", ask: `"url": "${CASEHOOK_VAR_NOWHERE}/x"`, code: "callback.failed", kind: fault.Upstream, attempts: -1},
	{name: "an unset variable never waived", ask: `"url": "${CASEHOOK_VAR_NOWHERE}/x", "failure_policy": "ignore"`, code: "callback.failed", kind: fault.Upstream, attempts: -1},
}

func TestAnswersOfCallbacks(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		for i, b := range behaviours {
			t.Run(b.name, func(t *testing.T) {
				key := "loan" + strconv.Itoa(i)
				w.put(w.p, b.definition(key))
				w.callbacks.on(key, b.does...)
				c := w.open(key)
				v, err := w.submissions.Submit(t.Context(), w.p, casework.Submission{
					CaseID: c.ID, Transition: "submit", Data: object(`{"amount":20}`), IgnoreWarning: b.ignore,
				}, authz.Once{})
				if asked := len(w.callbacks.at(key).requests); asked != max(0, b.wantAttempts()) {
					t.Errorf("asked %d times, want %d", asked, b.wantAttempts())
				}
				if b.code != "" {
					b.refused(t, w, c, err)
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				b.saved(t, w, c, v)
			})
		}
	})
}

func (b behaviour) wantAttempts() int {
	if b.attempts == 0 {
		return 1
	}
	return b.attempts
}

// definition returns the case type with the callback's configuration.
func (b behaviour) definition(key string) string {
	ask := b.ask
	if !strings.Contains(ask, `"retries"`) {
		ask = strings.Trim(`"retries": [], `+ask, ", ")
	}
	if !strings.Contains(ask, `"timeout"`) {
		ask += `, "timeout": "1m", "budget": "2m"` // an answer of 16 MiB takes long on a busy machine
	}
	d := loan(key, ask)
	if strings.Contains(ask, `"url"`) {
		d = strings.ReplaceAll(d, fmt.Sprintf(`"url": "${CASEHOOK_VAR_CALLBACKS}/%s", `, key), "")
		d = strings.ReplaceAll(d, "PATH", key)
	}
	return d
}

func (b behaviour) refused(t *testing.T, w *world, c casework.View, err error) {
	t.Helper()
	f := wantFault(t, err, b.kind, b.code)
	wantFields(t, f, b.fields...)
	if diff := cmp.Diff([][]string{b.errors, b.warnings}, [][]string{f.Errors, f.Warnings}); diff != "" {
		t.Error(diff)
	}
	if b.attempts < 0 && !strings.Contains(f.Detail, "CASEHOOK_VAR_NOWHERE") {
		t.Errorf("%q does not name the variable", f.Detail)
	}
	if b.attempts > 1 && !strings.Contains(f.Detail, fmt.Sprintf("%d attempts", b.attempts)) {
		t.Errorf("%q does not name the attempts", f.Detail)
	}
	if diff := cmp.Diff(c.Case, w.load(c.ID).Case); diff != "" {
		t.Errorf("the refused submission changed the case: %s", diff)
	}
	if n := len(w.history(c.ID)); n != 1 {
		t.Errorf("%d entries, want 1", n)
	}
}

func (b behaviour) saved(t *testing.T, w *world, c, v casework.View) {
	t.Helper()
	if diff := cmp.Diff(v.Case, w.load(c.ID).Case); diff != "" {
		t.Errorf("the result is not what is stored: %s", diff)
	}
	or := func(s, otherwise string) string {
		if s == "" {
			return otherwise
		}
		return s
	}
	if got, want := encode(t, v.Data), or(b.data, asSubmitted); got != want {
		t.Errorf("data %s, want %s", got, want)
	}
	if want := or(b.state, "review"); v.State != want {
		t.Errorf("state %s, want %s", v.State, want)
	}
	entries := w.history(c.ID)
	if b.facts == "nothing" {
		if len(entries) != 1 || v.Version != 1 {
			t.Errorf("%d entries, version %d, want 1 and 1", len(entries), v.Version)
		}
		return
	}
	if len(entries) != 2 || v.Version != 2 {
		t.Fatalf("%d entries, version %d, want 2 and 2", len(entries), v.Version)
	}
	if got, want := w.facts(c.ID), or(b.facts, "changed state_changed"); got != want {
		t.Errorf("facts %q, want %q", got, want)
	}
	record := entries[1].Callback
	if record == nil || record.Attempts != b.wantAttempts() ||
		!strings.HasPrefix(record.URL, "${CASEHOOK_VAR_CALLBACKS}/") {
		t.Fatalf("the journal has %+v", record)
	}
	if b.record != nil && b.record(record) == "" {
		t.Errorf("the journal lacks what the callback answered: %+v", record)
	}
}

func TestAnAnswerRenamesTheCase(t *testing.T) {
	w := start(t)
	w.put(w.p, loan("loan", ""))
	c := w.open("loan")
	w.callbacks.on("loan", respond(200, `{"data":{"client":"Bo"}}`))
	if v := w.submit(casework.Submission{CaseID: c.ID, Transition: "submit"}); c.Name != "Ann" || v.Name != "Bo" {
		t.Errorf("names %q, then %q", c.Name, v.Name)
	}
}

// threeDigits is the layout of times in questions to callbacks.
const threeDigits = "2006-01-02T15:04:05.000Z"

func TestQuestionsToCallbacks(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		put := w.put(w.p, loan("loan", `"retries": ["1ms", "1ms"]`))
		c := w.open("loan")
		w.callbacks.on("loan", respond(500, ""), respond(503, ""), respond(200, ""))
		v := w.submit(casework.Submission{
			CaseID: c.ID, Transition: "submit", Data: object(`{"amount":20,"email":null}`),
		})

		asked := w.callbacks.at("loan")
		verifier, err := standardwebhooks.NewWebhook(put.Secrets["submit"])
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range asked.requests {
			if err := verifier.Verify([]byte(asked.bodies[i]), r.Header); err != nil {
				t.Errorf("attempt %d: %v", i+1, err)
			}
			if r.Header.Get("Webhook-Attempt") != strconv.Itoa(i+1) ||
				r.Header.Get("Webhook-Id") != asked.requests[0].Header.Get("Webhook-Id") {
				t.Errorf("attempt %d: headers %v", i+1, r.Header)
			}
			if got := r.Header.Get("Content-Type"); got != "application/json" {
				t.Errorf("content type %q", got)
			}
		}
		if id := w.history(c.ID)[1].Callback.WebhookID; id == "" || id != asked.requests[0].Header.Get("Webhook-Id") {
			t.Errorf("the journal has the webhook id %q", id)
		}
		want := fmt.Sprintf(`{"case_details_before":{"id":"%[1]d","case_type_id":"loan","created_date":%[2]q,"last_modified":%[2]q,`+
			`"state":"draft","security_classification":"PRIVATE","case_data":{"amount":10,"client":"Ann","email":"ann@example.com"},`+
			`"data_classification":{"amount":"PUBLIC","client":"PUBLIC","email":"RESTRICTED"}},`+
			`"case_details":{"id":"%[1]d","case_type_id":"loan","created_date":%[2]q,"last_modified":%[3]q,`+
			`"state":"review","security_classification":"PRIVATE","case_data":{"amount":20,"client":"Ann"},`+
			`"data_classification":{"amount":"PUBLIC","client":"PUBLIC"}}}`,
			c.ID, c.CreatedAt.Format(threeDigits), v.ModifiedAt.Format(threeDigits))
		if diff := cmp.Diff(want, asked.bodies[0]); diff != "" {
			t.Error(diff)
		}
	})
}

func TestACallbackIsAskedBeforeACaseIsCreated(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, loan("loan", `"retries": ["1ms"]`))
		w.callbacks.on("loan", respond(500, ""),
			respond(200, `{"data":{"client":"Bo","score":3},"override_state":"approved"}`))
		v := w.submit(casework.Submission{Type: "loan", Transition: "open_asked", Data: object(`{"client":"Ann"}`)})
		want := cases.Case{State: "approved", Version: 1, Name: "Bo", Reference: "L-001", OutcomeInstance: 1}
		created := cases.Case{
			State: v.State, Version: v.Version, Name: v.Name, Reference: v.Reference,
			OutcomeInstance: v.OutcomeInstance,
		}
		if diff := cmp.Diff(want, created); diff != "" {
			t.Error(diff)
		}
		if got := w.facts(v.ID); got != "created state_changed approved" {
			t.Errorf("facts %q", got)
		}
		asked := w.callbacks.at("loan")
		if len(asked.bodies) != 2 || asked.bodies[0] != asked.bodies[1] {
			t.Errorf("asked %q", asked.bodies)
		}
		type details struct {
			ID, State string
			Created   string `json:"created_date"`
			Modified  string `json:"last_modified"`
		}
		var q struct {
			Before json.RawMessage `json:"case_details_before"`
			Now    details         `json:"case_details"`
		}
		if err := json.Unmarshal([]byte(asked.bodies[0]), &q); err != nil {
			t.Fatal(err)
		}
		at := v.CreatedAt.Format(threeDigits)
		diff := cmp.Diff(details{strconv.FormatInt(v.ID, 10), "draft", at, at}, q.Now)
		if string(q.Before) != "null" || diff != "" {
			t.Errorf("asked %s: %s", asked.bodies[0], diff)
		}
	})
}

func TestARefusedCreationLeavesNothing(t *testing.T) {
	w := start(t)
	w.put(w.p, loan("loan", `"retries": []`))
	w.callbacks.on("loan", respond(200, `{"errors":["no"]}`))
	_, err := w.submissions.Submit(t.Context(), w.p,
		casework.Submission{Type: "loan", Transition: "open_asked"}, authz.Once{})
	wantFault(t, err, fault.Unprocessable, "callback.errors")
	if all, err := listed(w.cases.Cases(t.Context(), w.p, store.CaseFilter{})); err != nil || len(all) != 0 {
		t.Errorf("%d cases, %v", len(all), err)
	}
	if v := w.open("loan"); v.Reference != "L-001" {
		t.Errorf("the refused creation used up %s", v.Reference)
	}
}

// While a callback is asked, others write. That proves that no transaction is open.
func TestWritesDuringACallback(t *testing.T) {
	for _, c := range []struct {
		name    string
		does    func(t *testing.T, w *world, id int64) error
		code    string
		kind    fault.Kind
		version int64
		entries int
	}{
		{"a comment", func(t *testing.T, w *world, id int64) error {
			_, err := w.comment(w.p, id, "hello", authz.Once{})
			return err
		}, "", 0, 3, 3},
		{"a proof", func(t *testing.T, w *world, id int64) error {
			_, err := w.files.UploadProof(t.Context(), w.p, id, casework.Upload{Key: "passport", Body: strings.NewReader("x")}, authz.Once{})
			return err
		}, "", 0, 3, 3},
		{"a document", func(t *testing.T, w *world, id int64) error {
			_, err := w.files.GenerateDocuments(t.Context(), w.p, oneDocument(id, "summary"), authz.Once{})
			return err
		}, "", 0, 3, 3},
		{"another case", func(t *testing.T, w *world, _ int64) error {
			_, err := w.submissions.Submit(t.Context(), w.p,
				casework.Submission{Type: "loan", Transition: "open"}, authz.Once{})
			return err
		}, "", 0, 2, 2},
		{"an edit", func(t *testing.T, w *world, id int64) error {
			_, err := w.submissions.Submit(t.Context(), w.p, casework.Submission{CaseID: id, Edit: true, Data: object(`{"amount":11}`)}, authz.Once{})
			return err
		}, "case.version_conflict", fault.Conflict, 2, 2},
		{"a name", func(t *testing.T, w *world, id int64) error {
			name := "Other"
			_, err := w.submissions.Submit(t.Context(), w.p,
				casework.Submission{CaseID: id, Edit: true, Name: &name}, authz.Once{})
			return err
		}, "case.version_conflict", fault.Conflict, 2, 2},
		{"a move", func(t *testing.T, w *world, id int64) error {
			_, err := w.submissions.Submit(t.Context(), w.p,
				casework.Submission{CaseID: id, Transition: "decline"}, authz.Once{})
			return err
		}, "case.version_conflict", fault.Conflict, 2, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			engines(t, func(t *testing.T, w *world) {
				w.put(w.p, loan("loan", `"retries": []`))
				v := w.open("loan")
				w.callbacks.on("loan", func(rw http.ResponseWriter, _ *http.Request) {
					if err := c.does(t, w, v.ID); err != nil {
						t.Error(err)
					}
					io.WriteString(rw, `{"data":{"client":"Bo"}}`)
				})
				_, err := w.submissions.Submit(t.Context(), w.p,
					casework.Submission{CaseID: v.ID, Transition: "submit"}, authz.Once{})
				after := w.load(v.ID)
				if c.code != "" {
					wantFault(t, err, c.kind, c.code)
					if after.State == "review" || after.Data["client"] != "Ann" {
						t.Errorf("the submission in conflict was saved: %+v", after.Case)
					}
				} else if err != nil || after.State != "review" || after.Data["client"] != "Bo" {
					t.Errorf("not saved: %v, %+v", err, after.Case)
				}
				if n := len(w.history(v.ID)); after.Version != c.version || n != c.entries {
					t.Errorf("version %d, %d entries, want %d, %d", after.Version, n, c.version, c.entries)
				}
			})
		})
	}
}

func TestACaseDeletedWhileTheCallbackIsAskedIsNotFound(t *testing.T) {
	w := start(t)
	w.put(w.p, loan("loan", ""))
	v := w.open("loan")
	w.callbacks.on("loan", func(http.ResponseWriter, *http.Request) {
		if err := w.cases.DeleteCase(t.Context(), w.p, casework.Deletion{CaseID: v.ID}); err != nil {
			t.Error(err)
		}
	})
	_, err := w.submissions.Submit(t.Context(), w.p,
		casework.Submission{CaseID: v.ID, Transition: "submit"}, authz.Once{})
	wantFault(t, err, fault.NotFound, "case.not_found")
}

// Numbers keep their digits: from the submission through the callback and the database to reads and the history.
func TestNumbersStayAsTheyAreWritten(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p,
			`{"key": "sums", "fields": {"type": "object", "properties": {"n": {"type": "array", "items": {"type": "number"}}}},
			"states": [{"key": "open"}], "transitions": [{"key": "write", "to": "open", "about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/sums"}}]}`)
		const numbers = `{"n":[9007199254740993,0.1000,1.0,-0,1E+2,1e400,12345678901234567890.12345678901234567890]}`
		w.callbacks.on("sums", respond(200, `{"data":`+numbers+`}`))
		v := w.submit(casework.Submission{Type: "sums", Data: object(numbers)})
		if asked := w.callbacks.at("sums").bodies[0]; !strings.Contains(asked, `"case_data":`+numbers) {
			t.Errorf("asked %s", asked)
		}
		if got := encode(t, w.load(v.ID).Data); got != numbers {
			t.Errorf("stored %s", got)
		}
		if stored := string(w.history(v.ID)[0].Snapshot.Case.Data); stored != numbers {
			t.Errorf("stored %s", stored)
		}
	})
}

// A transition lists the fields that people may set. Its callback may set any field.
func TestACallbackMaySetWhatItsTransitionMayNot(t *testing.T) {
	w := start(t)
	w.put(w.p,
		`{"key": "grant", "fields": {"type": "object", "properties": {"asked": {"type": "integer"}, "given": {"type": "integer"}}},
		"states": [{"key": "open"}], "transitions": [{"key": "ask", "to": "open", "fields": ["asked"], "precondition": "data.asked > 0",
		"about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/grant"}}]}`)
	w.callbacks.on("grant", respond(200, `{"data":{"asked":5,"given":3}}`))
	v := w.submit(casework.Submission{Type: "grant", Data: object(`{"asked":5}`)})
	if got := encode(t, v.Data); got != `{"asked":5,"given":3}` {
		t.Errorf("the case has %s", got)
	}
	for data, code := range map[string]string{
		`{"asked":5,"given":3}`: "case.fields_not_allowed", `{"asked":"5"}`: "case.data_invalid", `{"asked":0}`: "case.precondition_failed",
	} {
		_, err := w.submissions.Submit(t.Context(), w.p,
			casework.Submission{Type: "grant", Data: object(data)}, authz.Once{})
		wantFault(t, err, fault.Unprocessable, code)
	}
	if n := len(w.callbacks.at("grant").requests); n != 1 {
		t.Errorf("asked %d times about a submission that is refused anyway", n)
	}
}
