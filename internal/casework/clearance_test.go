package casework_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/secrets"
)

// cleared is the world's principal with another clearance.
func (w *world) cleared(c casetype.Classification) access.Principal {
	p := w.p
	p.Clearance = c
	return p
}

func TestACallbackSeesAndReplacesWhatItIsClearedFor(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, loan("loan", `"clearance": "PRIVATE"`))
		c := w.open("loan")
		w.callbacks.on("loan", respond(200, `{"data": {"client": "Bob"}}`))
		v := w.submit(casework.Submission{CaseID: c.ID, Transition: "submit"})
		if diff := cmp.Diff(`{"client":"Bob","email":"ann@example.com"}`, encode(t, v.Data)); diff != "" {
			t.Error(diff)
		}
		if asked := w.callbacks.at("loan").bodies[0]; strings.Contains(asked, "email") ||
			strings.Contains(asked, "ann@") {
			t.Errorf("it was shown %s", asked)
		}
		w.callbacks.on("loan", respond(200, `{"data": {"client": "Bob", "email": "eve@example.com"}}`))
		_, err := w.submissions.Submit(t.Context(), w.p,
			casework.Submission{Type: "loan", Transition: "open_asked"}, authz.Once{})
		wantFields(t, wantFault(t, err, fault.Unprocessable, "callback.data_invalid"), "/data/email")
	})
}

// A callback's messages go to the initiator, as the contract says; a callback may withhold them
// from callers who see less than it was shown.
func TestACallbacksMessagesAreReturned(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		const said = `{"errors": ["Ann owes 7.", "No."], "warnings": ["Late."]}`
		for messages, wantWords := range map[string]bool{
			"": true, `"messages": "returned"`: true, `"messages": "cleared"`: false,
		} {
			w.put(w.p, loan("loan", messages))
			c := w.open("loan")
			w.callbacks.on("loan", respond(200, said))
			in := casework.Submission{CaseID: c.ID, Transition: "submit"}
			for clearance, words := range map[casetype.Classification]bool{
				casetype.Private: wantWords, casetype.Restricted: true,
			} {
				_, err := w.submissions.Submit(t.Context(), w.cleared(clearance), in, authz.Once{})
				f := wantFault(t, err, fault.Unprocessable, "callback.errors")
				if len(f.Errors) != 2 || len(f.Warnings) != 1 {
					t.Fatalf("%s, %s: %q %q", messages, clearance, f.Errors, f.Warnings)
				}
				if got := f.Errors[0] == "Ann owes 7." && f.Warnings[0] == "Late."; got != words {
					t.Errorf("%s, %s: %q %q", messages, clearance, f.Errors, f.Warnings)
				}
			}
		}
	})
}

func TestACallbackBelowTheCaseIsNotAsked(t *testing.T) {
	w := start(t)
	w.put(w.p, loan("loan", `"clearance": "PUBLIC"`)) // the cases are PRIVATE
	_, err := w.submissions.Submit(t.Context(), w.p,
		casework.Submission{Type: "loan", Transition: "open_asked"}, authz.Once{})
	if f := wantFault(t, err, fault.Upstream, "callback.failed"); !strings.Contains(f.Detail, "cleared for PUBLIC") {
		t.Errorf("it says %s", f.Detail)
	}
	if n := len(w.callbacks.at("loan").bodies); n != 0 {
		t.Errorf("it was asked %d times", n)
	}
}

// A caller may put a version without seeing older cases above their clearance. These cases keep the settings of their
// own version.
func TestANewerVersionThatDoesNotSeeACaseLeavesItItsCallback(t *testing.T) {
	w := start(t)
	memo := func(class, callback string) string {
		return `{"key": "memo", "security_classification": "` +
			class + `", "fields": {"type": "object", "properties": {"a": {"type": "string"}}},
			"states": [{"key": "s"}, {"key": "e"}], "transitions": [{"key": "open", "to": "s"},
			{"key": "end", "from": ["s"], "to": "e", "about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/` + callback + `"}}]}`
	}
	w.put(w.p, memo("RESTRICTED", "old"))
	old := w.submit(casework.Submission{Type: "memo"})
	w.put(w.p, memo("PUBLIC", "old"))
	low := w.submit(casework.Submission{Type: "memo"})
	w.put(w.cleared(casetype.Public), memo("PUBLIC", "new"))
	for _, name := range []string{"old", "new"} {
		w.callbacks.on(name, respond(200, `{}`))
	}
	w.submit(casework.Submission{CaseID: old.ID, Transition: "end"})
	w.submit(casework.Submission{CaseID: low.ID, Transition: "end"})
	if first, second := len(w.callbacks.at("old").bodies), len(w.callbacks.at("new").bodies); first != 1 ||
		second != 1 {
		t.Errorf("the callback of the old version was asked %d times, that of the newest %d", first, second)
	}
}

func TestACallbackIsClearedForWhatItsMakerIs(t *testing.T) {
	w := start(t)
	const maker = `{"key": "memo", "fields": {"type": "object", "properties": {"a": {"type": "string"}}}, "states": [{"key": "s"}],
		"transitions": [{"key": "c", "to": "s", "about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/memo"%s}}]}`
	low := w.cleared(casetype.Private)
	put := func(p access.Principal, definition string) error {
		_, err := w.types.PutCaseType(t.Context(), p, "memo", "memo.json", []byte(definition))
		return err
	}
	err := put(low, strings.Replace(maker, "%s", `, "clearance": "RESTRICTED"`, 1))
	wantFields(t, wantFault(t, err, fault.Unprocessable, "case_type.invalid"),
		"/transitions/0/about_to_submit/clearance")
	if err := put(low, strings.Replace(maker, "%s", "", 1)); err != nil {
		t.Fatal(err)
	}
	// A caller with a higher clearance classifies a field; the maker of the type can't revert that.
	if err := put(w.p,
		strings.NewReplacer("%s", `, "clearance": "PUBLIC"`, `"type": "string"`,
			`"type": "string", "x-classification": "RESTRICTED"`).Replace(maker)); err != nil {
		t.Fatal(err)
	}
	wantFault(t, put(low, strings.Replace(maker, "%s", "", 1)), fault.Forbidden, "case_type.above_clearance")
	_, err = w.types.RotateCallbackSecret(t.Context(), low,
		casework.CallbackRotation{CaseType: "memo", Callback: "c", Secret: secrets.Request{}}, authz.Once{})
	wantFault(t, err, fault.Forbidden, "case_type.above_clearance")
	_, err = w.types.CallbackSecrets(t.Context(), low, "memo", "c")
	wantFault(t, err, fault.Forbidden, "case_type.above_clearance")
	wantFault(t, w.types.DeleteCallbackSecret(t.Context(), low, "memo", "c", "sec_1"), fault.Forbidden,
		"case_type.above_clearance")
}

func TestAnAnswerIsNotRepeatedToALowerClearance(t *testing.T) {
	w := start(t)
	w.put(w.p, loan("loan", ""))
	in := casework.Submission{Type: "loan", Transition: "open", Data: object(`{"email":"ann@example.com"}`)}
	if _, err := w.submissions.Submit(t.Context(), w.p, in, once(access.CreateCase, "k", "r")); err != nil {
		t.Fatal(err)
	}
	_, err := w.submissions.Submit(t.Context(), w.cleared(casetype.Private), in, once(access.CreateCase, "k", "r"))
	wantFault(t, err, fault.Unprocessable, "idempotency.key_reused")
}

func TestADiffIsAsSecretAsTheHigherOfItsTypes(t *testing.T) {
	w := start(t)
	w.put(w.p, loan("loan", ""))
	w.put(w.p,
		strings.Replace(loan("credit", ""), `"format": "email", "x-classification": "RESTRICTED"`,
			`"format": "email"`, 1))
	c := w.open("loan")
	_, err := w.switches.SwitchType(t.Context(), w.cleared(casetype.Private),
		casework.Switch{CaseID: c.ID, Type: "credit", Drop: true}, authz.Once{})
	wantFault(t, err, fault.Unprocessable, "case.switch_refused")
	if _, err := w.switches.SwitchType(t.Context(), w.p, casework.Switch{CaseID: c.ID, Type: "credit"},
		authz.Once{}); err != nil {
		t.Fatal(err)
	}
	w.submit(casework.Submission{CaseID: c.ID, Edit: true, Data: object(`{"client": "Bob"}`)})
	entries, err := items(w.cases.History(t.Context(), w.cleared(casetype.Private), c.ID, 0, 10))
	if err != nil || len(entries) != 3 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	var shown []bool // before, a part of the past stays hidden
	for _, e := range entries {
		shown = append(shown, strings.Contains(string(e.Snapshot.Case.Data), "ann@"))
	}
	if diff := cmp.Diff([]bool{true, true, false}, shown); diff != "" {
		t.Errorf("the shown history: %s", diff)
	}
	if _, err := event.CaseChanged.Decode(entries[0].Facts[0]); err != nil {
		t.Error(err)
	}
}
