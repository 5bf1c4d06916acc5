package casework_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
)

// parking returns a case type whose transition decide leads to the targets.
func parking(key, targets, extra string) string {
	return fmt.Sprintf(`{
	"key": %q, "name_template": "{case.state}", "edit": "edit",
	"fields": {"type": "object", "properties": {
		"approved": {"type": "string"}, "a": {"type": "string"}, "any": {},
		"secret": {"type": "string", "x-classification": "RESTRICTED"},
		"vehicle": {"type": "object", "properties": {"electric": {"type": "string"}}}}},
	"states": [{"key": "draft"}, {"key": "issued"}, {"key": "rejected"}, {"key": "awaiting_payment"}],
	"transitions": [
		{"key": "create", "to": "draft"},
		{"key": "edit", "from": "*"},
		{"key": "decide", "from": "*"%s%s}]
	}`, key, targets, extra)
}

func TestP1ToP8TheStateThatATransitionLeadsTo(t *testing.T) {
	const (
		noTo      = ``
		byNumbers = `, "to": [
			{"when": "has(data.vehicle) && has(data.vehicle.electric) && data.vehicle.electric == 'No'", "state": "awaiting_payment"},
			{"when": "has(data.approved) && data.approved == 'No'", "state": "rejected"},
			{"state": "issued"}]`
		isX   = `has(data.a) && data.a == 'x'`
		isYes = `has(data.approved) && data.approved == 'Yes'`
		stays = `, "to": [{"when": "has(data.approved) && data.approved == 'Later'", "state": "*"},
			{"state": "issued"}]`
		both    = `, "to": [{"when": "` + isX + ` && ` + isYes + `", "state": "rejected"}, {"state": "issued"}]`
		either  = `, "to": [{"when": "` + isX + ` || ` + isYes + `", "state": "rejected"}, {"state": "issued"}]`
		differs = `, "to": [{"when": "!has(data.a) || data.a != 'x'", "state": "rejected"}, {"state": "issued"}]`
	)
	tests := []struct{ number, to, data, want string }{
		{"P1", `, "to": "issued"`, `{}`, "issued"},
		{"P1", noTo, `{"a": "x"}`, "draft"},
		{"P2", byNumbers, `{"approved": "No", "vehicle": {"electric": "No"}}`, "awaiting_payment"},
		{"P3", byNumbers, `{"approved": "Yes"}`, "issued"},
		{"P4", stays, `{"approved": "Later"}`, "draft"},
		{"P5", both, `{"approved": "Yes", "a": "x"}`, "rejected"},
		{"P5", both, `{"approved": "Yes", "a": "y"}`, "issued"},
		{"P6", either, `{"approved": "No", "a": "x"}`, "rejected"},
		{"P6", either, `{"approved": "Yes"}`, "rejected"},
		{"P6", either, `{"approved": "No", "a": "y"}`, "issued"},
		{"P7", byNumbers, `{"vehicle": {"electric": "No"}}`, "awaiting_payment"},
		{"P7", byNumbers, `{"vehicle": {"electric": "Yes"}}`, "issued"},
		{"P8", differs, `{}`, "rejected"},
		{"P8", differs, `{"a": "y"}`, "rejected"},
		{"P8", differs, `{"a": "x"}`, "issued"},
	}
	w := start(t)
	for i, test := range tests {
		t.Run(test.number, func(t *testing.T) {
			key := fmt.Sprintf("parking%d", i)
			for _, warning := range w.put(w.p, parking(key, test.to, "")).Warnings {
				if strings.Contains(warning.Path, "/when") {
					t.Errorf("%s %s", warning.Path, warning.Message)
				}
			}
			made := w.submit(casework.Submission{Type: key})
			moved := w.submit(casework.Submission{CaseID: made.ID, Transition: "decide", Data: object(test.data)})
			if moved.State != test.want || moved.Name != test.want {
				t.Errorf("it is in %s with the name %s, want %s", moved.State, moved.Name, test.want)
			}
		})
	}
}

// The callback sees the target, may replace it, and does not have it computed again.
func TestTheCallbackSeesTheTargetThatTheDataLeadTo(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, parking("parking",
			`, "to": [{"when": "has(data.approved) && data.approved == 'No'", "state": "rejected"},
				{"state": "issued"}]`,
			`, "about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/decide"}`))
		w.callbacks.on("decide", respond(200, `{"data": {"approved": "Yes"}}`))
		made := w.submit(casework.Submission{Type: "parking"})
		data := object(`{"approved": "No"}`)
		moved := w.submit(casework.Submission{CaseID: made.ID, Transition: "decide", Data: data})
		if asked := w.callbacks.at("decide").bodies[0]; !strings.Contains(asked, `"state":"rejected"`) {
			t.Errorf("it was asked %s", asked)
		}
		if moved.State != "rejected" || moved.Data["approved"] != "Yes" {
			t.Errorf("it is in %s with %v", moved.State, moved.Data)
		}
	})
}

func TestATargetThatCannotBeComputedRefusesTheSubmission(t *testing.T) {
	w := start(t)
	to := `, "to": [{"when": "data.a == 'x'", "state": "rejected"}, {"when": "data.any > 5", "state": "issued"},
		{"state": "*"}]`
	w.put(w.p, parking("parking", to, ""))
	w.put(w.p, parking("careful", to, `, "precondition": "has(data.a) && data.a == 'y'"`))
	made := w.submit(casework.Submission{Type: "parking"})
	decide := func(data string) error {
		_, err := w.submissions.Submit(t.Context(), w.p,
			casework.Submission{CaseID: made.ID, Transition: "decide", Data: object(data)}, authz.Once{})
		return err
	}
	wantFields(t, wantFault(t, decide(`{"any": 1}`), fault.Unprocessable, "case.target_undetermined"), "/data/a")
	wantFault(t, decide(`{"a": "y", "any": "x"}`), fault.Unprocessable, "transition.target_error")
	if got := w.load(made.ID); got.Version != 1 || len(got.Transitions) != 1 || len(got.Blocked) != 1 ||
		got.Blocked[0].Key != "decide" || !strings.Contains(got.Blocked[0].Reason, `"decide" needs: a.`) {
		t.Errorf("version %d, with %v and %v", got.Version, got.Transitions, got.Blocked)
	}
	if err := decide(`{"a": "y", "any": 7}`); err != nil || w.load(made.ID).State != "issued" {
		t.Errorf("%v, in %s", err, w.load(made.ID).State)
	}
	made = w.submit(casework.Submission{Type: "careful"}) // the precondition is told first
	wantFault(t, decide(`{"any": 1}`), fault.Unprocessable, "case.precondition_failed")
}

// A case that enters a state by a switch has to have the data that lead there.
func TestASwitchLeadsWhereTheDataLead(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, parking("first", `, "to": "issued"`, ""))
		second := parking("second", `, "to": "awaiting_payment"`, "")
		w.put(w.p, strings.Replace(second, `"key": "create", "to": "draft"`, `"key": "create", "to": [
			{"when": "has(data.approved) && data.approved == 'Yes'", "state": "issued"},
			{"state": "draft"}]`, 1))
		worker := w.p
		worker.Role = access.Caseworker
		for data, want := range map[string]string{
			`{"approved": "No"}`: "case.switch_guarded", `{"approved": "Yes"}`: "",
		} {
			made := w.submit(casework.Submission{Type: "first", Data: object(data)})
			w.submit(casework.Submission{CaseID: made.ID, Transition: "decide"})
			_, err := w.switches.SwitchType(t.Context(), worker, casework.Switch{CaseID: made.ID, Type: "second"},
				authz.Once{})
			switch {
			case want != "":
				wantFields(t, wantFault(t, err, fault.Unprocessable, want), "/type")
			case err != nil || w.load(made.ID).State != "issued":
				t.Errorf("%v, in %s", err, w.load(made.ID).State)
			}
		}
	})
}

func TestATransitionFromEveryStateCanBeSubmittedInEach(t *testing.T) {
	w := start(t)
	w.put(w.p, parking("parking", `, "to": [
		{"when": "state == 'draft'", "state": "issued"}, {"when": "state == 'issued'", "state": "rejected"},
		{"state": "awaiting_payment"}]`, ""))
	made := w.submit(casework.Submission{Type: "parking"})
	for _, want := range []string{"issued", "rejected", "awaiting_payment", "awaiting_payment"} {
		moved := w.submit(casework.Submission{CaseID: made.ID, Transition: "decide"})
		if moved.State != want || fmt.Sprint(moved.Transitions) != "[edit decide]" {
			t.Errorf("it is in %s, want %s; it can go on by %v", moved.State, want, moved.Transitions)
		}
	}
	_, err := w.submissions.Submit(t.Context(), w.p, casework.Submission{Type: "parking", Transition: "decide"},
		authz.Once{})
	wantFault(t, err, fault.Conflict, "case.transition_not_allowed")
}
