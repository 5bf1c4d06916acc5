package casework_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/store/storetest"
	"github.com/casehook/casehook/internal/testworld"
)

// asked returns all questions that a filter selects and a caller sees.
func (w *world) asked(p access.Principal, f store.QuestionFilter) (all []store.Question) {
	w.t.Helper()
	for {
		found, next, err := w.questions.Questions(w.t.Context(), p, f)
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, found...)
		if f.Before = next; next == 0 {
			return all
		}
	}
}

// move submits the transition that the tests of questions are about, and returns the code of its refusal.
func (w *world) move(id int64, in casework.Submission) string {
	w.t.Helper()
	in.CaseID, in.Transition = id, "submit"
	if in.Data == nil {
		in.Data = object(`{"amount":20}`)
	}
	_, err := w.submissions.Submit(w.t.Context(), w.p, in, authz.Once{})
	if err == nil {
		return ""
	}
	return fault.As(err).Code
}

// The question is kept with any answer; of a refused change nothing else is.
func TestEveryQuestionIsKept(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, loan("loan", `"retries": [], "timeout": "300ms"`))
		c := w.open("loan")
		for _, k := range []struct {
			does                  http.HandlerFunc
			ignore                bool
			verdict, code, answer string
			status                int
			version               int64
		}{
			{does: respond(200, `{"errors":["no"],"more":1}`), verdict: "errors", code: "callback.errors",
				answer: `{"errors":["no"],"more":1}`, status: 200},
			{does: respond(200, `{"warnings":["hm"]}`), verdict: "warnings", code: "callback.warnings",
				answer: `{"warnings":["hm"]}`, status: 200},
			{does: respond(200, `{"data":{"clint":"x"}}`), verdict: "unfit", code: "callback.data_invalid",
				answer: `{"data":{"clint":"x"}}`, status: 200},
			{does: respond(200, `{"override_state":"nowhere"}`), verdict: "unfit", code: "callback.state_unknown",
				answer: `{"override_state":"nowhere"}`, status: 200},
			{does: respond(200, `<p>inside`), verdict: "failed", code: "callback.failed", answer: "<p>inside",
				status: 200},
			{does: respond(500, `inside`), verdict: "failed", code: "callback.failed", answer: "inside", status: 500},
			{does: drops, verdict: "failed", code: "callback.failed"},
			{does: hangs(""), verdict: "timeout", code: "callback.timeout"},
			{does: respond(200, `{"warnings":["hm"]}`), ignore: true, verdict: "warnings", version: 2,
				answer: `{"warnings":["hm"]}`, status: 200},
		} {
			w.callbacks.on("loan", k.does)
			before := w.load(c.ID)
			code := w.move(c.ID, casework.Submission{IgnoreWarning: k.ignore})
			if code != k.code {
				t.Errorf("%s: refused with %q", k.verdict, code)
			}
			if code != "" && !cmp.Equal(w.load(c.ID).Case, before.Case) {
				t.Errorf("%s: the case has changed", k.verdict)
			}
			sum := sha256.Sum256([]byte(w.callbacks.at("loan").bodies[0]))
			want := store.Question{
				Tenant: w.p.Tenant, Case: c.ID, Version: k.version, Type: "loan", Transition: "submit",
				URL: "${CASEHOOK_VAR_CALLBACKS}/loan", URLClass: "PRIVATE", Attempts: 1,
				Status: k.status, Verdict: k.verdict, Code: k.code,
				BodySHA256: hex.EncodeToString(sum[:]), Class: casetype.Restricted, CaseClass: casetype.Private,
				Answer:   store.KeptAnswer{Body: k.answer},
				Override: strings.Repeat("nowhere", strings.Count(k.answer, "override")), Actor: w.p.Actor,
				Question: "about_to_submit",
			}
			got := w.asked(w.p, store.QuestionFilter{Case: c.ID})[0]
			if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(store.Question{},
				"ID", "At", "Duration", "WebhookID", "Failure")); diff != "" {
				t.Error(diff)
			}
			if id := w.callbacks.at("loan").requests[0].Header.Get("webhook-id"); id != got.WebhookID ||
				got.At.IsZero() || (got.Failure == "") != (k.verdict != "failed" && k.verdict != "timeout") {
				t.Errorf("the question %s is kept as %+v", id, got)
			}
			one, err := w.questions.Question(t.Context(), w.p, got.ID)
			if err != nil || !cmp.Equal(one, got) {
				t.Errorf("read alone: %v %s", err, cmp.Diff(got, one))
			}
		}
		if all := w.history(c.ID); len(all) != 2 {
			t.Errorf("the history has %d entries", len(all))
		}
	})
}

// A refused creation leaves no case: its question is found by its type.
func TestTheQuestionOfARefusedCreationHasNoCase(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, loan("loan", `"retries": []`))
		w.callbacks.on("loan", respond(200, `{"errors":["no"]}`), respond(200, ""))
		in := casework.Submission{Type: "loan", Transition: "open_asked"}
		_, err := w.submissions.Submit(t.Context(), w.p, in, authz.Once{})
		wantFault(t, err, fault.Unprocessable, "callback.errors")
		made := w.submit(in)
		all := w.asked(w.p, store.QuestionFilter{Type: "loan", Transition: "open_asked"})
		var got [][2]int64
		for _, q := range all {
			got = append(got, [2]int64{q.Case, q.Version})
		}
		if diff := cmp.Diff([][2]int64{{made.ID, 1}, {0, 0}}, got); diff != "" {
			t.Error(diff)
		}
	})
}

// The changes that an answer makes are kept, the first of them, and short values.
func TestTheChangesOfAnAnswerAreKept(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, loan("loan", `"retries": []`))
		c := w.open("loan")
		long, tags := strings.Repeat("x", 40), `"`+strings.Repeat("x", 1100)+`"`
		w.callbacks.on("loan", respond(200, `{"data":{"client":"`+long+`","amount":21,"score":7,"tags":[`+tags+`]}}`))
		w.move(c.ID, casework.Submission{})
		raw := func(text string) json.RawMessage { return json.RawMessage(text) }
		change := func(path, before, after, class string) store.KeptChange {
			return store.KeptChange{
				Change: event.Change{Path: path, Before: raw(before), After: raw(after), Class: class},
			}
		}
		want := []store.KeptChange{
			change("name", `"Ann"`, `"`+long+`"`, ""),
			change("data/amount", `20`, `21`, ""),
			change("data/client", `"Ann"`, `"`+long+`"`, ""),
			change("data/email", `"ann@example.com"`, `null`, "RESTRICTED"),
			change("data/score", `null`, `7`, ""),
			{Change: event.Change{Path: "data/tags", Before: raw("null"), After: raw("null")}, Long: true},
		}
		got := w.asked(w.p, store.QuestionFilter{})
		if diff := cmp.Diff(want, got[0].Changes.Changes); diff != "" {
			t.Error(diff)
		}
		below := w.p
		below.Clearance = casetype.Private
		seen := w.asked(below, store.QuestionFilter{})
		want = append(want[:3:3], want[4:]...)
		if diff := cmp.Diff(want, seen[0].Changes.Changes); diff != "" {
			t.Errorf("below: %s", diff)
		}
		if q := seen[0]; q.BodySHA256 != "" || !cmp.Equal(q.Answer, store.KeptAnswer{Withheld: true}) {
			t.Errorf("one who is cleared for less than the callback sees %+v", q)
		}
	})
}

// A change that was allowed, and then not saved, is kept with the reason; one that changes nothing has no version.
func TestAQuestionSaysWhatCameOfItsChange(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, loan("loan", `"retries": []`))
		c := w.open("loan")
		w.callbacks.on("loan", func(http.ResponseWriter, *http.Request) {
			w.submit(casework.Submission{CaseID: c.ID, Edit: true, Data: object(`{"amount":12}`)})
		}, respond(200, `{"data":{"client":"Ann","amount":12,"email":"ann@example.com"},"override_state":"draft"}`))
		if code := w.move(c.ID, casework.Submission{}); code != "case.version_conflict" {
			t.Errorf("refused with %q", code)
		}
		if code := w.move(c.ID, casework.Submission{}); code != "" {
			t.Errorf("refused with %q", code)
		}
		var got []string
		for _, q := range w.asked(w.p, store.QuestionFilter{Verdict: "accepted"}) {
			if got = append(got, q.Code); q.Version != 0 {
				t.Errorf("it has led to the version %d", q.Version)
			}
		}
		if diff := cmp.Diff([]string{"", "case.version_conflict"}, got); diff != "" {
			t.Error(diff)
		}
	})
}

// Switches and deletions are asked about, too.
func TestQuestionsAboutSwitchesAndDeletionsAreKept(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		asks := func(path string) string {
			return `, "switch": {"about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/` + path + `", "retries": []}},
				"delete": {"about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/` + path + `", "retries": []}}`
		}
		w.put(w.p, gated("left", "draft", "", asks("left")))
		w.put(w.p, gated("entered", "draft", "", asks("entered")))
		c := w.open2("left")
		refuse, accept := respond(200, `{"errors":["no"]}`), respond(200, "")
		w.callbacks.on("entered", refuse, accept, refuse, accept)
		in := casework.Switch{CaseID: c.ID, Type: "entered"}
		_, err := w.switches.SwitchType(t.Context(), w.p, in, authz.Once{})
		wantFault(t, err, fault.Unprocessable, "callback.errors")
		if _, err = w.switches.SwitchType(t.Context(), w.p, in, authz.Once{}); err != nil {
			t.Fatal(err)
		}
		err = w.cases.DeleteCase(t.Context(), w.p, casework.Deletion{CaseID: c.ID})
		wantFault(t, err, fault.Unprocessable, "callback.errors")
		if err = w.cases.DeleteCase(t.Context(), w.p, casework.Deletion{CaseID: c.ID}); err != nil {
			t.Fatal(err)
		}
		type kept struct {
			Type, OtherType, Transition, Verdict, Code string
			Version                                    int64
		}
		var got []kept
		for _, q := range w.asked(w.p, store.QuestionFilter{Case: c.ID}) {
			got = append(got, kept{q.Type, q.OtherType, q.Transition, q.Verdict, q.Code, q.Version})
		}
		want := []kept{
			{"entered", "", "@delete", "accepted", "", 3},
			{"entered", "", "@delete", "errors", "callback.errors", 0},
			{"entered", "left", "@switch", "accepted", "", 2},
			{"left", "entered", "@switch", "accepted", "", 2},
			{"entered", "left", "@switch", "errors", "callback.errors", 0},
			{"left", "entered", "@switch", "accepted", "callback.errors", 0},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

// open2 makes a case of a gated type.
func (w *world) open2(key string) casework.View {
	w.t.Helper()
	return w.submit(casework.Submission{Type: key, Transition: "open", Data: object(`{"amount":10}`)})
}

// The database fails to keep a question: the refusal is the same, and the log has it once.
func TestARefusalStaysTheSameIfItsQuestionCannotBeKept(t *testing.T) {
	for name, url := range map[string]func(*testing.T) string{
		"sqlite":   func(*testing.T) string { return "" },
		"postgres": func(t *testing.T) string { return storetest.Postgres(t, testworld.Key) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			fail := func(what string, _ bool) error {
				if strings.HasPrefix(what, "insert into questions") {
					return fault.New(fault.Unavailable, "store.unreachable", "The database can't be reached.")
				}
				return nil
			}
			w := startOn(t, store.Options{URL: url(t), Fail: fail},
				func(c *settings) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
			w.put(w.p, loan("loan", `"retries": []`))
			c := w.open("loan")
			w.callbacks.on("loan", respond(200, `{"errors":["no"]}`))
			_, err := w.submissions.Submit(t.Context(), w.p, casework.Submission{
				CaseID: c.ID, Transition: "submit",
			}, authz.Once{})
			refusal := wantFault(t, err, fault.Unprocessable, "callback.errors")
			if diff := cmp.Diff([]string{"no"}, refusal.Errors); diff != "" {
				t.Error(diff)
			}
			if strings.Count(log.String(), "could not be kept") != 1 || len(w.asked(w.p, store.QuestionFilter{})) != 0 {
				t.Errorf("the log is %s", log.String())
			}
		})
	}
}

// A submitter who leaves while the callback is asked leaves the question.
func TestTheQuestionOfASubmitterWhoLeavesIsKept(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, loan("loan", `"retries": []`))
		c := w.open("loan")
		ctx, leave := context.WithCancel(t.Context())
		w.callbacks.on("loan", func(_ http.ResponseWriter, r *http.Request) { leave(); <-r.Context().Done() })
		_, err := w.submissions.Submit(ctx, w.p, casework.Submission{CaseID: c.ID, Transition: "submit"}, authz.Once{})
		wantFault(t, err, fault.Unavailable, "callback.cancelled")
		if all := w.asked(w.p, store.QuestionFilter{Verdict: "cancelled"}); len(all) != 1 {
			t.Errorf("kept are %+v", all)
		}
	})
}

// Questions are kept as long as attempts.
func TestQuestionsAreKeptAsLongAsAttempts(t *testing.T) {
	testworld.Engines(t, func(t *testing.T, url string) {
		w := startAt(t, url, func(c *settings) { c.keepAttempts = time.Hour })
		w.put(w.p, loan("loan", `"retries": []`))
		c := w.open("loan")
		w.callbacks.on("loan", respond(200, `{"errors":["no"]}`))
		w.move(c.ID, casework.Submission{})
		w.later(50 * time.Minute)
		w.move(c.ID, casework.Submission{})
		for _, left := range []int{2, 1, 0} {
			if err := w.journal.Purge(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := len(w.asked(w.p, store.QuestionFilter{})); n != left {
				t.Errorf("%d questions are left, not %d", n, left)
			}
			w.later(30 * time.Minute)
		}
	})
}

// A question is seen by those who see its case and may read its type, then and now.
func TestQuestionsAreSeenByThoseWhoSeeTheirCase(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, loan("loan", `"retries": []`))
		c := w.open("loan")
		w.callbacks.on("loan", respond(200, `{"errors":["no"]}`))
		w.move(c.ID, casework.Submission{})
		creation := casework.Submission{Type: "loan", Transition: "open_asked"}
		w.submissions.Submit(t.Context(), w.p, creation, authz.Once{})
		below, manager, other := w.p, w.as(access.Manager), w.tenant("second")
		below.Clearance = casetype.Public
		seen := func(p access.Principal) (n int) {
			n = len(w.asked(p, store.QuestionFilter{}))
			if inCase := len(w.asked(p, store.QuestionFilter{Case: c.ID})); inCase != n/2 {
				t.Errorf("of %d questions %d are about the case", n, inCase)
			}
			for _, q := range w.asked(w.p, store.QuestionFilter{}) {
				if _, err := w.questions.Question(t.Context(), p, q.ID); n == 0 {
					wantFault(t, err, fault.NotFound, "question.not_found")
				} else if err != nil {
					t.Error(err)
				}
			}
			return n
		}
		if got := []int{seen(w.p), seen(manager), seen(below), seen(other)}; !cmp.Equal(got, []int{2, 2, 0, 0}) {
			t.Errorf("they see %v questions", got)
		}
		if err := w.cases.DeleteCase(t.Context(), w.p, casework.Deletion{CaseID: c.ID}); err != nil {
			t.Fatal(err)
		}
		if got := []int{seen(manager), seen(below)}; !cmp.Equal(got, []int{2, 0}) {
			t.Errorf("of a deleted case they see %v questions", got)
		}
		w.put(w.p, strings.Replace(loan("loan", `"retries": []`), `"key": "loan"`,
			`"key": "loan", "access": {"read": ["caseworker"]}`, 1))
		if got := []int{seen(w.p), seen(manager)}; !cmp.Equal(got, []int{2, 0}) {
			t.Errorf("behind a wall they see %v questions", got)
		}
	})
}
