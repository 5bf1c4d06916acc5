package casework_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// tryOut carries out a dry run that is not refused before its question.
func (w *world) tryOut(p access.Principal, in casework.DryRun) casework.DryRunResult {
	w.t.Helper()
	result, err := w.submissions.DryRun(w.t.Context(), p, in)
	if err != nil {
		w.t.Fatal(err)
	}
	return result
}

// A dry run tells what would come of a submission, and leaves no trace.
func TestADryRunLeavesNoTrace(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, loan("loan", `"retries": []`))
		c := w.open("loan")
		head, err := w.store.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		submit := casework.Submission{CaseID: c.ID, Transition: "submit", Data: object(`{"amount":20}`)}
		ignoring := submit
		ignoring.IgnoreWarning = true
		for _, k := range []struct {
			in                   casework.Submission
			answer               string
			verdict, code, state string
			warnings, paths      []string
		}{
			{in: submit, answer: ``, verdict: "accepted", state: "review"},
			{in: submit, answer: `{"errors":["no"]}`, verdict: "errors", code: "callback.errors"},
			{in: submit, answer: `{"warnings":["hm"]}`, verdict: "warnings", code: "callback.warnings"},
			{in: ignoring, answer: `{"warnings":["hm"]}`, verdict: "warnings", state: "review",
				warnings: []string{"hm"}},
			{in: submit, answer: `{"data":{"clint":1}}`, verdict: "unfit", code: "callback.data_invalid"},
			{in: submit, answer: `[]`, verdict: "failed", code: "callback.failed"},
			{in: submit, answer: `{"data":{"client":"Ann","amount":21},"override_state":"closed"}`, verdict: "accepted",
				state: "closed", paths: []string{"data/amount", "data/email"}},
			{in: casework.Submission{CaseID: c.ID, Edit: true, Data: object(`{"amount":3}`)}, state: "draft"},
			{in: casework.Submission{Type: "loan", Transition: "open_asked"}, verdict: "accepted", state: "draft"},
		} {
			w.callbacks.on("loan", respond(200, k.answer))
			got := w.tryOut(w.p, casework.DryRun{Submission: k.in})
			if got.State != k.state || !cmp.Equal(got.Warnings, k.warnings) {
				t.Errorf("%s: state %q, warnings %q", k.answer, got.State, got.Warnings)
			}
			if (got.Refusal == nil) != (k.code == "") || got.Refusal != nil && got.Refusal.Code != k.code {
				t.Errorf("%s: refused with %v", k.answer, got.Refusal)
			}
			if k.verdict == "" {
				if len(got.Questions) > 0 {
					t.Errorf("an edit was asked about: %+v", got.Questions)
				}
				continue
			}
			var paths []string
			for _, change := range got.Questions[0].Changes.Changes {
				paths = append(paths, change.Path)
			}
			if q := got.Questions[0]; q.Verdict != k.verdict || q.Code != k.code || !cmp.Equal(paths, k.paths) {
				t.Errorf("%s: the question is %+v", k.answer, q)
			}
			if h := w.callbacks.at("loan").requests[0].Header.Get("dry-run"); h != "true" {
				t.Errorf("the header dry-run is %q", h)
			}
		}
		_, err = w.submissions.DryRun(t.Context(), w.p, casework.DryRun{Submission: casework.Submission{
			CaseID: c.ID, Transition: "submit", Data: object(`{"amount":"x"}`),
		}})
		wantFault(t, err, fault.Unprocessable, "case.data_invalid")
		after, err := w.store.Head(t.Context())
		if err != nil || after != head || !cmp.Equal(w.load(c.ID).Case, c.Case) {
			t.Errorf("the journal has entries to %d, not %d, %v", after, head, err)
		}
		if all := w.asked(w.p, store.QuestionFilter{}); len(all) != 0 {
			t.Errorf("kept are %+v", all)
		}
		w.callbacks.on("loan", respond(200, ""))
		w.move(c.ID, casework.Submission{})
		if h := w.callbacks.at("loan").requests[0].Header; len(h.Values("dry-run")) != 0 {
			t.Errorf("a question in earnest has the headers %v", h)
		}
	})
}

// A callback that must not be asked in dry runs is not, unless the caller names its URL.
func TestADryRunDoesNotAskACallbackThatIsToBeSkipped(t *testing.T) {
	w := start(t)
	w.put(w.p, loan("loan", `"retries": [], "dry_run": "skip"`))
	c := w.open("loan")
	in := casework.DryRun{Submission: casework.Submission{CaseID: c.ID, Transition: "submit"}}
	got := w.tryOut(w.p, in)
	if !got.Skipped || len(got.Questions) > 0 || got.State != "review" {
		t.Errorf("skipped: %t, questions %+v, state %q", got.Skipped, got.Questions, got.State)
	}
	if n := len(w.callbacks.at("loan").requests); n != 0 {
		t.Errorf("it was asked %d times", n)
	}
	if in.URL = w.callbacks.url + "/other"; w.tryOut(w.p, in).Skipped {
		t.Error("another URL was not asked")
	}
}

// The changes of a dry run are those that would be saved, and that its author sees.
func TestADryRunHasTheChangesThatItsAuthorSees(t *testing.T) {
	w := start(t)
	w.put(w.p, loan("loan", `"retries": []`))
	c := w.open("loan")
	w.callbacks.on("loan", respond(200, `{"data":{"client":"Bo","amount":21}}`))
	in := casework.DryRun{Submission: casework.Submission{CaseID: c.ID, Transition: "submit"}}
	paths := func(p access.Principal) (all []string) {
		for _, change := range w.tryOut(p, in).Changes.Changes {
			all = append(all, change.Path)
		}
		return all
	}
	below := w.as(access.Caseworker)
	below.Clearance = casetype.Private
	want := [][]string{{"name", "data/amount", "data/client", "data/email"}, {"name", "data/amount", "data/client"}}
	if diff := cmp.Diff(want, [][]string{paths(w.p), paths(below)}); diff != "" {
		t.Error(diff)
	}
}

// A dry run of a creation uses up no number.
func TestADryRunUsesUpNoNumber(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, strings.Replace(loan("loan", ""), `"name": "Loan"`, `"name": "Loan", "ids": "sequential"`, 1))
		first := w.open("loan")
		for range 300 { // numbers are reserved in blocks
			w.tryOut(w.p, casework.DryRun{Submission: casework.Submission{Type: "loan", Transition: "open"}})
		}
		if second := w.open("loan"); second.ID != first.ID+1 || second.Reference != "L-002" {
			t.Errorf("the next case is %d, %s", second.ID, second.Reference)
		}
	})
}

// Another callback can be asked by those who may put definitions; it sees no more than they do, and is asked with
// their secret alone.
func TestADryRunAsksAnotherCallbackWithAnotherSecret(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		put := w.put(w.p, loan("loan", `"retries": []`))
		c := w.open("loan")
		url, secret := w.callbacks.url+"/other?key=mine", "whsec_c2VzYW1lc2VzYW1lc2VzYW1lc2VzYW1l"
		edit := casework.Submission{CaseID: c.ID, Edit: true, Data: object(`{"amount":20}`)}
		in := casework.DryRun{Submission: edit, URL: url, Secret: secret}
		w.callbacks.on("other", respond(200, `{"errors":["no"]}`))
		got := w.tryOut(w.as(access.Manager), in)
		if got.Refusal == nil || len(got.Questions) != 1 || got.Questions[0].URL != w.callbacks.url+"/other" {
			t.Errorf("the answer is %+v", got)
		}
		in.Secret = ""
		w.tryOut(w.p, in)
		in.CaseID, in.Edit, in.Transition = c.ID, false, "submit"
		w.tryOut(w.p, in)
		if n := len(w.callbacks.at("loan").requests); n != 0 {
			t.Errorf("the callback itself was asked %d times", n)
		}
		for i, r := range w.callbacks.at("other").requests {
			body := []byte(w.callbacks.at("other").bodies[i])
			for _, live := range put.Secrets {
				if verifies(t, live, body, r) {
					t.Errorf("the question %d is signed with the callback's own secret", i)
				}
			}
			if verifies(t, secret, body, r) != (i == 0) {
				t.Errorf("the question %d: signatures %q", i, r.Header.Get("webhook-signature"))
			}
		}
		caseworker, below, outside := w.as(access.Caseworker), w.as(access.Manager), in
		_, err := w.submissions.DryRun(t.Context(), caseworker, in)
		wantFault(t, err, fault.Forbidden, "access.denied")
		in.URL = ""
		w.tryOut(caseworker, in)
		below.Clearance = casetype.Private
		_, err = w.submissions.DryRun(t.Context(), below, outside)
		wantFault(t, err, fault.Forbidden, "case_type.above_clearance")
		for _, wrong := range []string{"ftp://x.example/", "${CASEHOOK_VAR_CALLBACKS}/x", "nonsense"} {
			outside.URL = wrong
			_, err = w.submissions.DryRun(t.Context(), w.p, outside)
			wantFields(t, wantFault(t, err, fault.Unprocessable, "dry_run.invalid"), "/callback")
		}
		outside.URL = "http://10.1.2.3/" // not a public address, and not allowed
		if got := w.tryOut(w.p, outside); got.Refusal == nil || got.Questions[0].Verdict != "failed" {
			t.Errorf("the answer is %+v", got)
		}
	})
}

func verifies(t *testing.T, secret string, body []byte, r *http.Request) bool {
	t.Helper()
	hook, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	return hook.Verify(body, r.Header) == nil
}

// A server that holds refuses what a submitted callback would be asked about, and nothing else.
func TestASubmissionIsHeldBackIfItsConfirmationWouldBeAskedFor(t *testing.T) {
	w := start(t, func(c *settings) { c.Hold = true })
	w.put(w.p, `{"key": "held", "fields": {"type": "object", "properties": {"n": {"type": "integer"}}},
		"states": [{"key": "open"}], "transitions": [{"key": "create", "to": "open", "submitted":
			{"url": "${CASEHOOK_VAR_CALLBACKS}/done", "when": "data.n > 10"}}]}`)
	w.submit(casework.Submission{Type: "held", Data: object(`{"n": 1}`)})
	_, err := w.submissions.Submit(t.Context(), w.p,
		casework.Submission{Type: "held", Data: object(`{"n": 11}`)}, authz.Once{})
	wantFault(t, err, fault.Unavailable, "callback.held")
	if found, err := listed(w.cases.Cases(t.Context(), w.p, store.CaseFilter{})); err != nil || len(found) != 1 {
		t.Errorf("%d cases are saved, %v", len(found), err)
	}
}

// A server that holds asks no callback.
func TestADryRunIsHeld(t *testing.T) {
	w := start(t, func(c *settings) { c.Hold = true })
	w.put(w.p, loan("loan", ""))
	_, err := w.submissions.DryRun(t.Context(), w.p,
		casework.DryRun{Submission: casework.Submission{Type: "loan", Transition: "open_asked"}})
	wantFault(t, err, fault.Unavailable, "callback.held")
	_, err = w.submissions.Submit(t.Context(), w.p, casework.Submission{Type: "loan", Transition: "open_asked"},
		authz.Once{})
	wantFault(t, err, fault.Unavailable, "callback.held")
	if all := w.asked(w.p, store.QuestionFilter{}); len(all) != 0 {
		t.Errorf("kept are %+v", all)
	}
}
