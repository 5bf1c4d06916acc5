package casework_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
)

const demanding = `{"key": "demanding", "edit": "edit", "fields": {"type": "object", "required": ["base"], "properties": {
	"base": {"type": "string"}, "sum": {"type": "integer"}, "secret": {"type": "string", "x-classification": "RESTRICTED"}}},
	"states": [{"key": "draft"}, {"key": "paid"}], "transitions": [
		{"key": "open", "to": "draft", "required": ["base", "sum"]},
		{"key": "edit", "from": ["draft"]},
		{"key": "pay", "name": "Pay it", "from": ["draft"], "to": "paid", "fields": ["sum"], "required": ["sum", "secret"],
			"about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/pay"}}]}`

// After a transition its required fields are set, by it or by an earlier one.
func TestATransitionMayRequireFields(t *testing.T) {
	w := start(t)
	w.put(w.p, demanding)
	_, err := w.submissions.Submit(t.Context(), w.p,
		casework.Submission{Type: "demanding", Data: object(`{"secret": 1}`)}, authz.Once{})
	refusal := wantFault(t, err, fault.Unprocessable, "case.data_invalid")
	wantFields(t, refusal, "/data/base", "/data/secret", "/data/sum")
	if refusal.Detail != `The data does not fit the case type. "open" needs: base, sum.` &&
		refusal.Detail != `"open" needs: base, sum.` {
		t.Errorf("the detail is %q", refusal.Detail)
	}
	if m := refusal.Fields[2].Message; m != `is required to submit "open"` {
		t.Errorf("the message is %q", m)
	}
	c := w.submit(casework.Submission{Type: "demanding", Data: object(`{"base": "x", "sum": 1}`)})
	pay := func(p casetype.Classification, data string) error {
		who := w.p
		who.Clearance = p
		_, err := w.submissions.Submit(t.Context(), who,
			casework.Submission{CaseID: c.ID, Transition: "pay", Data: object(data)}, authz.Once{})
		return err
	}
	wantFields(t, wantFault(t, pay(casetype.Restricted, `{"sum": null}`), fault.Unprocessable, "case.data_invalid"),
		"/data/sum", "/data/secret")
	// A caller who does not see the field gets no fault about it.
	wantFields(t, wantFault(t, pay(casetype.Private, `{}`), fault.Unprocessable, "case.data_invalid"), "/data")

	w.submit(casework.Submission{CaseID: c.ID, Edit: true, Data: object(`{"secret": "s"}`)})
	w.callbacks.on("pay", respond(200, `{"data": {"base": "x", "sum": 2}}`))
	wantFields(t, wantFault(t, pay(casetype.Restricted, `{}`), fault.Unprocessable, "callback.data_invalid"),
		"/data/secret")
	w.callbacks.on("pay", respond(200, `{}`))
	if err := pay(casetype.Private, `{}`); err != nil {
		t.Fatal(err)
	}
}

// Defaults are set before the new case is checked, even of fields that the transition may not set.
func TestANewCaseHasItsDefaults(t *testing.T) {
	w := start(t)
	w.put(w.p,
		`{"key": "filled", "edit": "edit", "name_template": "{currency}", "fields": {"type": "object", "properties": {
		"currency": {"type": "string", "default": "EUR"}, "secret": {"type": "string", "x-classification": "RESTRICTED", "default": "s"},
		"site": {"type": "object", "properties": {"country": {"type": "string", "default": "CH"}}}}},
		"states": [{"key": "s"}], "transitions": [{"key": "open", "to": "s", "fields": ["site"], "required": ["currency"],
			"precondition": "data.currency == 'EUR'"}, {"key": "edit", "from": ["s"]}]}`)
	low := w.p
	low.Clearance = casetype.Public
	made, err := w.submissions.Submit(t.Context(), low,
		casework.Submission{Type: "filled", Data: object(`{"site": {}}`)}, authz.Once{})
	if err != nil {
		t.Fatal(err)
	}
	c := w.load(made.ID)
	want := object(`{"currency": "EUR", "secret": "s", "site": {"country": "CH"}}`)
	if diff := cmp.Diff(want, c.Data); diff != "" || c.Name != "EUR" {
		t.Errorf("%s, named %q", diff, c.Name)
	}
	after := w.submit(casework.Submission{CaseID: c.ID, Edit: true, Data: object(`{"currency": null}`)})
	if _, there := after.Data["currency"]; there {
		t.Error("an edit fills it in again")
	}
}
