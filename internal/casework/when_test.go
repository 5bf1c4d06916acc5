package casework_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// asksWhen returns a case type whose callbacks are asked under a condition. More are further settings of them.
func asksWhen(when, more string) string {
	const ask = `"about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/one", "when": %q, "retries": []%s}`
	return asksAt(fmt.Sprintf(ask, when, more), "")
}

// The condition sees the data as they would be saved, those before, and the state.
func TestACallbackIsAskedOnlyWhenItsConditionIsTrue(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, asksAt(`"about_to_submit": [
			{"url": "${CASEHOOK_VAR_CALLBACKS}/one", "retries": []},
			{"key": "two", "url": "${CASEHOOK_VAR_CALLBACKS}/two", "retries": [],
				"when": "has(data.b) && data.b == \"x\" && has(before.a) && before.a == \"1\" && state == \"s\""}]`, ""))
		v := w.submit(casework.Submission{Type: "run", Data: object(`{"a": "1"}`)})
		in := casework.Submission{CaseID: v.ID, Transition: "go", Data: object(`{"a": "2"}`)}
		if got := w.tryOut(w.p, casework.DryRun{Submission: in}); len(got.Questions) != 1 ||
			!cmp.Equal(got.NotAsked, []casework.NotAsked{{Key: "two", URL: "${CASEHOOK_VAR_CALLBACKS}/two"}}) {
			t.Errorf("the dry run tells %+v", got)
		}
		w.callbacks.on("one", respond(200, `{"data": {"a": "2", "b": "x"}}`)) // what it answers counts
		if got := w.tryOut(w.p, casework.DryRun{Submission: in}); len(got.Questions) != 2 || got.NotAsked != nil {
			t.Errorf("the dry run tells %+v", got)
		}
		w.callbacks.on("one", respond(200, ""))
		w.callbacks.on("two", respond(200, `{"errors": ["no"]}`))
		v = w.submit(in)
		if last := w.history(v.ID)[1].Callback; !last.Skipped || last.Key != "two" || last.Earlier.Skipped {
			t.Errorf("the history tells %+v", last)
		}
		if all := w.asked(w.p, store.QuestionFilter{}); len(all) != 1 || all[0].Callback != "" {
			t.Errorf("asked are %+v", all)
		}
		w.submit(casework.Submission{CaseID: v.ID, Transition: "go", Data: object(`{"a": "1"}`)})
		_, err := w.submissions.Submit(t.Context(), w.p,
			casework.Submission{CaseID: v.ID, Transition: "go", Data: object(`{"b": "x"}`)}, authz.Once{})
		wantFault(t, err, fault.Unprocessable, "callback.errors")
	})
}

// A condition that can't be computed is a failure of the callback, which its policy may waive. A definition that is put
// takes no condition from running cases, nor changes one.
func TestAConditionThatCannotBeComputedIsAFailure(t *testing.T) {
	w := start(t)
	const when = `data.b == "x"`
	w.put(w.p, asksWhen(when, ""))
	strict := w.submit(casework.Submission{Type: "run", Data: object(`{"a": "1"}`)})
	in := casework.Submission{CaseID: strict.ID, Transition: "go"}
	_, err := w.submissions.Submit(t.Context(), w.p, in, authz.Once{})
	wantFields(t, wantFault(t, err, fault.Unprocessable, "callback.condition_error"), "/data/b")
	result := w.tryOut(w.p, casework.DryRun{Submission: in})
	if result.Refusal == nil || result.Refusal.Code != "callback.condition_error" {
		t.Errorf("the dry run tells %+v", result)
	}
	w.put(w.p, asksWhen(when, `, "failure_policy": "ignore"`))
	v := w.submit(in)
	if v.Version != 1 { // nothing has changed
		t.Errorf("the version is %d", v.Version)
	}
	v = w.submit(casework.Submission{CaseID: strict.ID, Transition: "go", Data: object(`{"a": "2"}`)})
	if last := w.history(v.ID)[1].Callback; !last.Skipped || last.Failure == "" {
		t.Errorf("the history tells %+v", last)
	}
	w.put(w.p, asksWhen("false", ""))
	w.callbacks.on("one", respond(200, `{"errors": ["no"]}`))
	in.Data = object(`{"b": "x"}`)
	_, err = w.submissions.Submit(t.Context(), w.p, in, authz.Once{})
	wantFault(t, err, fault.Unprocessable, "callback.errors")
}

// A condition sees what its callback sees, so that a question tells it nothing of the rest; and whether it was asked is
// known to those who see what the condition reads.
func TestAConditionTellsNobodyOfHiddenFields(t *testing.T) {
	w := start(t)
	const hidden = `"b": {"type": "string", "x-classification": "RESTRICTED"}`
	conditional := func(when, more string) string {
		return strings.Replace(asksWhen(when, more), `"b": {"type": "string"}`, hidden, 1)
	}
	above := conditional("has(data.b)", `, "clearance": "PUBLIC"`)
	_, err := w.types.PutCaseType(t.Context(), w.p, "run", "", []byte(above))
	wantFields(t, wantFault(t, err, fault.Unprocessable, "case_type.invalid"), "/transitions/1/about_to_submit/when",
		"/transitions/2/about_to_submit/when")
	w.put(w.p, conditional("has(data.b)", ""))
	v := w.submit(casework.Submission{Type: "run", Data: object(`{"a": "1", "b": "x"}`)})
	v = w.submit(casework.Submission{CaseID: v.ID, Transition: "go", Data: object(`{"a": "2"}`)})
	below := w.p
	below.Clearance = casetype.Private
	page, err := w.cases.History(t.Context(), below, v.ID, 0, 1)
	if err != nil || page.Items[0].Callback != nil {
		t.Errorf("the history tells %+v, %v", page.Items[0].Callback, err)
	}
	if all := w.asked(below, store.QuestionFilter{}); len(all) != 0 {
		t.Errorf("asked are %+v", all)
	}
	if got := w.tryOut(below, casework.DryRun{Submission: casework.Submission{CaseID: v.ID, Transition: "go"}}); len(
		got.Questions)+len(got.NotAsked) != 0 {
		t.Errorf("the dry run tells %+v", got)
	}
	if all := w.asked(w.p, store.QuestionFilter{}); len(all) != 1 {
		t.Errorf("asked are %+v", all)
	}
	// The newest version clears it for less than its condition reads: the condition sees what it sees.
	w.put(w.p, strings.Replace(conditional("true", ""), `"when": "true"`, `"clearance": "PUBLIC"`, 2))
	v = w.submit(casework.Submission{CaseID: v.ID, Transition: "go", Data: object(`{"a": "3"}`)})
	if last := w.history(v.ID)[2].Callback; !last.Skipped {
		t.Errorf("the history tells %+v", last)
	}
}
