package casework_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// gated returns a case type whose state paid is guarded by the transition pay. Everybody may begin in draft. Extra are
// further members of the definition.
func gated(key, beginning, guard, extra string) string {
	return fmt.Sprintf(`{"key": %q, "edit": "edit",
		"fields": {"type": "object", "properties": {"amount": {"type": "number"}, "note": {"type": "string"}}},
		"states": [{"key": "draft"}, {"key": "paid"}],
		"transitions": [{"key": "open", "to": %q}, {"key": "edit", "from": ["draft", "paid"]}, {"key": "pay", "from": ["draft"], "to": "paid"%s}]%s}`,
		key, beginning, guard, extra)
}

// A caseworker whom pay refuses can't reach paid by way of another type in which everybody may begin in a state of the
// same key.
func TestASwitchIsNoWayAroundAGuard(t *testing.T) {
	for name, c := range map[string]struct {
		guard string
		kind  fault.Kind
		code  string
	}{
		"a role":                   {`, "roles": ["manager"]`, fault.Forbidden, "access.denied"},
		"a precondition":           {`, "precondition": "data.amount > 100.0"`, fault.Unprocessable, "case.precondition_failed"},
		"a field that it requires": {`, "required": ["note"]`, fault.Unprocessable, "case.data_invalid"},
		"a callback":               {`, "about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/pay"}`, fault.Unprocessable, "callback.errors"},
	} {
		t.Run(name, func(t *testing.T) {
			engines(t, func(t *testing.T, w *world) {
				w.put(w.p, gated("first", "draft", c.guard, ""))
				w.put(w.p, gated("second", "paid", "", "")) // everybody may begin in paid
				w.callbacks.on("pay", respond(200, `{"errors": ["Never pay."]}`))
				worker := w.p
				worker.Role = access.Caseworker
				v := w.submit(casework.Submission{Type: "first", Data: object(`{"amount": 1}`)})
				_, err := w.submissions.Submit(t.Context(), worker,
					casework.Submission{CaseID: v.ID, Transition: "pay"}, authz.Once{})
				wantFault(t, err, c.kind, c.code)

				_, err = w.switches.SwitchType(t.Context(), worker,
					casework.Switch{CaseID: v.ID, Type: "second", State: "paid"}, authz.Once{})
				wantFields(t, wantFault(t, err, fault.Unprocessable, "case.switch_state"), "/state")
				begun, err := w.submissions.Submit(t.Context(), worker,
					casework.Submission{Type: "second", Data: object(`{"amount": 1}`)}, authz.Once{})
				if err != nil || begun.State != "paid" {
					t.Fatalf("in %s, %v", begun.State, err)
				}
				_, err = w.switches.SwitchType(t.Context(), worker, casework.Switch{CaseID: begun.ID, Type: "first"},
					authz.Once{})
				wantFault(t, err, c.kind, c.code)
				if got := w.load(begun.ID); got.Type != "second" || got.Version != 1 {
					t.Errorf("it is a %s, version %d", got.Type, got.Version)
				}
			})
		})
	}
}

// A switch that passes the guard is saved, and the callback's answer counts as it does for its
// transition.
func TestASwitchAsksTheCallbackOfTheState(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, gated("first", "draft", `, "about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/pay"}`, ""))
		w.put(w.p, gated("second", "paid", "", ""))
		v := w.submit(casework.Submission{Type: "second", Data: object(`{"amount": 1}`)})
		w.callbacks.on("pay", respond(200, `{"warnings": ["Late."]}`),
			respond(200, `{"warnings": ["Late."], "data": {"amount": 2}, "override_state": "draft"}`))
		in := casework.Switch{CaseID: v.ID, Type: "first"}
		_, err := w.switches.SwitchType(t.Context(), w.p, in, authz.Once{})
		if f := wantFault(t, err, fault.Unprocessable, "callback.warnings"); len(f.Warnings) != 1 ||
			f.Warnings[0] != "Late." {
			t.Errorf("it warns %q", f.Warnings)
		}
		in.IgnoreWarning = true
		v, err = w.switches.SwitchType(t.Context(), w.p, in, authz.Once{})
		if err != nil {
			t.Fatal(err)
		}
		got := cases.Case{Type: v.Type, State: v.State, Data: v.Data}
		want := cases.Case{Type: "first", State: "draft", Data: object(`{"amount": 2}`)}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		asked := w.callbacks.at("pay")
		if len(asked.requests) != 2 || asked.requests[1].Header.Get("Casehook-Transition") != "pay" ||
			asked.requests[1].Header.Get("Casehook-Case-Type") != "first" {
			t.Errorf("asked %d times, with %v", len(asked.requests), asked.requests[0].Header)
		}
		for _, part := range []string{
			`"case_details_before":{`, `"case_type_id":"second"`, `"case_type_id":"first"`, `"state":"paid"`,
		} {
			if !strings.Contains(asked.bodies[1], part) {
				t.Errorf("the question lacks %s: %s", part, asked.bodies[1])
			}
		}
		if e := w.history(v.ID)[1]; e.Callback == nil || !e.Callback.ReplacedData || e.Callback.Override != "draft" {
			t.Errorf("the entry holds %+v", e.Callback)
		}
	})
}

// The callbacks of the old and the new type are asked one after the other, and the second sees the case as the first
// has changed it.
func TestTypesAreAskedAboutSwitches(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		asks := func(path string) string {
			return fmt.Sprintf(`, "switch": {"about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/%s"}}`, path)
		}
		w.put(w.p, gated("first", "draft", "", asks("leave")))
		w.put(w.p, gated("second", "draft", "", asks("enter")))
		v := w.submit(casework.Submission{Type: "first", Data: object(`{"amount": 1}`)})
		w.callbacks.on("leave", respond(200, `{"data": {"amount": 2}}`))
		w.callbacks.on("enter", respond(200, `{"errors": ["Not here."]}`), respond(200, ""))
		in := casework.Switch{CaseID: v.ID, Type: "second"}
		_, err := w.switches.SwitchType(t.Context(), w.p, in, authz.Once{})
		wantFault(t, err, fault.Unprocessable, "callback.errors")
		v, err = w.switches.SwitchType(t.Context(), w.p, in, authz.Once{})
		if err != nil || v.Type != "second" || fmt.Sprint(v.Data["amount"]) != "2" {
			t.Errorf("%s with %v, %v", v.Type, v.Data, err)
		}
		entered := w.callbacks.at("enter")
		if !strings.Contains(entered.bodies[1], `"case_data":{"amount":2}`) ||
			entered.requests[1].Header.Get("Casehook-Transition") != "@switch" {
			t.Errorf("the second is asked %s", entered.bodies[1])
		}
		if e := w.history(v.ID)[1]; e.Callback == nil || e.Callback.Earlier == nil || !e.Callback.Earlier.ReplacedData {
			t.Errorf("the entry holds %+v", e.Callback)
		}
	})
}

// A callback of the old type does not replace a guard of the new one: a state that it chooses still has to pass its
// guard.
func TestTheOldTypesCallbackOpensNoState(t *testing.T) {
	for name, c := range guardsOf {
		t.Run(name, func(t *testing.T) {
			w := start(t)
			w.put(w.p,
				gated("first", "draft", "",
					`, "switch": {"about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/leave"}}`))
			w.put(w.p, gated("second", "draft", c.guard, ""))
			w.callbacks.on("leave", respond(200, `{"override_state": "paid"}`))
			w.callbacks.on("never", respond(200, `{"errors": ["Never."]}`))
			worker := w.p
			worker.Role = access.Caseworker
			v := w.submit(casework.Submission{Type: "first", Data: object(`{"amount": 1}`)})
			_, err := w.switches.SwitchType(t.Context(), worker,
				casework.Switch{CaseID: v.ID, Type: "second"}, authz.Once{})
			wantFault(t, err, c.kind, c.code)
			if got := w.load(v.ID); got.Type != "first" || len(w.callbacks.at("leave").requests) != 1 {
				t.Errorf("it is a %s", got.Type)
			}
		})
	}
}

// Where several callbacks guard a state, none stands in for another.
func TestASwitchIntoAStateOfSeveralCallbacksIsRefused(t *testing.T) {
	w := start(t)
	w.put(w.p,
		`{"key": "first", "fields": {"type": "object", "properties": {}}, "states": [{"key": "draft"}, {"key": "paid"}],
		"transitions": [{"key": "open", "to": "draft"},
			{"key": "pay", "from": ["draft"], "to": "paid", "about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/a"}},
			{"key": "settle", "from": ["draft"], "to": "paid", "about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/b"}}]}`)
	w.put(w.p, gated("second", "paid", "", ""))
	v := w.submit(casework.Submission{Type: "second"})
	_, err := w.switches.SwitchType(t.Context(), w.p, casework.Switch{CaseID: v.ID, Type: "first"}, authz.Once{})
	wantFields(t, wantFault(t, err, fault.Unprocessable, "case.switch_guarded"), "/type")
}

// loose is a case type with the same states and fields, in which everybody may do everything.
const loose = `{"key": "loose", "edit": "edit",
	"fields": {"type": "object", "properties": {"amount": {"type": "number"}, "risk": {"type": "integer"}}},
	"states": [{"key": "draft"}, {"key": "paid"}, {"key": "archived"}, {"key": "cleared"}],
	"transitions": [{"key": "draft", "to": "draft"}, {"key": "paid", "to": "paid"}, {"key": "archived", "to": "archived"},
		{"key": "cleared", "to": "cleared"}, {"key": "edit", "from": ["draft", "paid", "archived", "cleared"]}]}`

// strict returns a case type with guards of payments and edits. States behind paid have no guard of their own; only a
// callback moves a case to cleared, and nobody may set risk.
func strict(pay, edit, extra string) string {
	return fmt.Sprintf(`{"key": "strict", "edit": "edit",
		"fields": {"type": "object", "properties": {"amount": {"type": "number"}, "risk": {"type": "integer"}}},
		"states": [{"key": "draft"}, {"key": "paid"}, {"key": "archived"}, {"key": "cleared"}],
		"transitions": [{"key": "open", "to": "draft", "fields": ["amount"]}, {"key": "edit", "from": ["draft"], "fields": ["amount"]%s},
			{"key": "pay", "from": ["draft"], "to": "paid", "fields": []%s}, {"key": "archive", "from": ["paid"], "to": "archived", "fields": []},
			{"key": "restore", "from": ["archived"], "to": "paid", "fields": []}]%s}`, edit, pay, extra)
}

// guardsOf lists the ways to guard a transition, with the refusal of each.
var guardsOf = map[string]struct {
	guard string
	kind  fault.Kind
	code  string
}{
	"a role":         {`, "roles": ["manager"]`, fault.Forbidden, "access.denied"},
	"a precondition": {`, "precondition": "data.amount > 100.0"`, fault.Unprocessable, "case.precondition_failed"},
	"a callback":     {`, "about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/never"}`, fault.Unprocessable, "callback.errors"},
}

// A state that people reach only through a guarded one has the same guard. Otherwise a case could enter it from another
// type, and go back from there.
func TestASwitchComesBehindNoGuard(t *testing.T) {
	for name, c := range guardsOf {
		t.Run(name, func(t *testing.T) {
			w := start(t)
			w.put(w.p, loose)
			w.put(w.p, strict(c.guard, "", ""))
			w.callbacks.on("never", respond(200, `{"errors": ["Never."]}`))
			worker := w.p
			worker.Role = access.Caseworker
			for _, state := range []string{"paid", "archived"} {
				v := w.submit(casework.Submission{Type: "loose", Transition: state, Data: object(`{"amount": 1}`)})
				_, err := w.switches.SwitchType(t.Context(), worker,
					casework.Switch{CaseID: v.ID, Type: "strict"}, authz.Once{})
				wantFault(t, err, c.kind, c.code)
			}
		})
	}
}

// Only a callback moves a case into a state without transitions to it. A switch does so if the type has a callback for
// switches.
func TestASwitchLeadsToNoStateThatOnlyCallbacksEnter(t *testing.T) {
	w := start(t)
	w.put(w.p, loose)
	w.put(w.p, strict("", "", ""))
	v := w.submit(casework.Submission{Type: "loose", Transition: "cleared", Data: object(`{"amount": 1}`)})
	in := casework.Switch{CaseID: v.ID, Type: "strict"}
	_, err := w.switches.SwitchType(t.Context(), w.p, in, authz.Once{})
	wantFields(t, wantFault(t, err, fault.Unprocessable, "case.switch_guarded"), "/type")

	w.put(w.p, strict("", "", `, "switch": {"about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/switch"}}`))
	w.callbacks.on("switch", respond(200, ""))
	if v, err = w.switches.SwitchType(t.Context(), w.p, in, authz.Once{}); err != nil || v.State != "cleared" {
		t.Errorf("in %s, %v", v.State, err)
	}
}

// A caseworker who may not edit a case can't edit it by way of another type.
func TestASwitchThereAndBackEditsNothing(t *testing.T) {
	for name, c := range guardsOf {
		t.Run(name, func(t *testing.T) {
			engines(t, func(t *testing.T, w *world) {
				w.put(w.p, loose)
				w.put(w.p, strict("", c.guard, ""))
				w.callbacks.on("never", respond(200, `{"errors": ["Never."]}`))
				worker := w.p
				worker.Role = access.Caseworker
				v := w.submit(casework.Submission{Type: "strict", Data: object(`{"amount": 1}`)})
				edit := casework.Submission{CaseID: v.ID, Edit: true, Data: object(`{"amount": 2}`)}
				_, err := w.submissions.Submit(t.Context(), worker, edit, authz.Once{})
				wantFault(t, err, c.kind, c.code)
				if _, err = w.switches.SwitchType(t.Context(), worker, casework.Switch{CaseID: v.ID, Type: "loose"},
					authz.Once{}); err != nil {
					t.Fatal(err)
				}
				if _, err = w.submissions.Submit(t.Context(), worker, edit, authz.Once{}); err != nil {
					t.Fatal(err)
				}
				_, err = w.switches.SwitchType(t.Context(), worker,
					casework.Switch{CaseID: v.ID, Type: "strict"}, authz.Once{})
				wantFault(t, err, c.kind, c.code)
			})
		})
	}
}

// A caseworker who may not move a case between two states can't do it by way of another type, although everybody may
// create a case there.
func TestASwitchThereAndBackMovesNothing(t *testing.T) {
	for name, c := range guardsOf {
		t.Run(name, func(t *testing.T) {
			engines(t, func(t *testing.T, w *world) {
				w.put(w.p, loose)
				w.put(w.p,
					fmt.Sprintf(`{"key": "strict", "edit": "edit",
						"fields": {"type": "object", "properties": {"amount": {"type": "number"}, "type": {"type": "string"}}},
					"states": [{"key": "draft"}, {"key": "paid"}], "transitions": [{"key": "open", "to": "draft"}, {"key": "edit", "from": ["draft"]},
						{"key": "pay", "from": ["draft"], "to": "paid"}, {"key": "refund", "from": ["paid"], "to": "draft"%s}]}`, c.guard))
				w.put(w.p, strings.NewReplacer(`"loose"`, `"other"`, `{"key": "edit", "from"`,
					`{"key": "undo", "from": ["paid"], "to": "draft"}, {"key": "edit", "from"`,
					`"risk": {"type": "integer"}`, `"type": {"type": "string"}`).Replace(loose))
				w.callbacks.on("never", respond(200, `{"errors": ["Never."]}`))
				worker := w.p
				worker.Role = access.Caseworker
				v := w.submit(casework.Submission{Type: "strict", Data: object(`{"amount": 1, "type": "strict"}`)})
				w.submit(casework.Submission{CaseID: v.ID, Transition: "pay"})
				to := func(key string) error {
					_, err := w.switches.SwitchType(t.Context(), worker,
						casework.Switch{CaseID: v.ID, Type: key}, authz.Once{})
					return err
				}
				if err := to("other"); err != nil {
					t.Fatal(err)
				}
				w.submit(casework.Submission{CaseID: v.ID, Transition: "undo"})
				for i := range 12 { // entries that mention the type and are not about it
					w.submit(casework.Submission{
						CaseID: v.ID, Edit: true, Data: object(fmt.Sprintf(`{"amount": %d}`, i+2)),
					})
				}
				wantFault(t, to("strict"), c.kind, c.code)
			})
		})
	}
}

// A field that only a type's callbacks may set can't come from another type, unless one of them sees it.
func TestASwitchBringsNothingThatNobodyMaySet(t *testing.T) {
	w := start(t)
	w.put(w.p, loose)
	w.put(w.p, strict("", "", ""))
	v := w.submit(casework.Submission{Type: "loose", Transition: "draft", Data: object(`{"amount": 1, "risk": 0}`)})
	in := casework.Switch{CaseID: v.ID, Type: "strict"}
	_, err := w.switches.SwitchType(t.Context(), w.p, in, authz.Once{})
	wantFields(t, wantFault(t, err, fault.Unprocessable, "case.switch_data"), "/data/risk")

	w.put(w.p, strict("", `, "about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/edit"}`, ""))
	w.callbacks.on("edit", respond(200, `{"data": {"amount": 1, "risk": 9}}`))
	if v, err = w.switches.SwitchType(t.Context(), w.p, in, authz.Once{}); err != nil ||
		fmt.Sprint(v.Data["risk"]) != "9" {
		t.Errorf("it holds %v, %v", v.Data, err)
	}
}

// Dropping data is an edit of the case, and has the same guards.
func TestASwitchDropsNoDataThatAnEditMayNot(t *testing.T) {
	bare := `{"key": "bare", "fields": {"type": "object", "properties": {"note": {"type": "string"}}},
		"states": [{"key": "draft"}], "transitions": [{"key": "open", "to": "draft"}]}`
	for name, c := range map[string]struct {
		edit string // the transition, or nothing
		kind fault.Kind
		code string
	}{
		"no edit":                  {"", fault.Forbidden, "case.no_edit"},
		"an edit of another state": {`, {"key": "edit", "from": ["paid"]}`, fault.Forbidden, "case.no_edit"},
		"a role":                   {`, {"key": "edit", "from": ["draft"], "roles": ["manager"]}`, fault.Forbidden, "access.denied"},
		"other fields":             {`, {"key": "edit", "from": ["draft"], "fields": ["note"]}`, fault.Unprocessable, "case.fields_not_allowed"},
		"a precondition":           {`, {"key": "edit", "from": ["draft"], "precondition": "has(data.amount)"}`, fault.Unprocessable, "case.precondition_failed"},
		"a callback":               {`, {"key": "edit", "from": ["draft"], "about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/edit"}}`, fault.Unprocessable, "callback.errors"},
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t)
			w.put(w.p, bare)
			edit := ""
			if c.edit != "" {
				edit = `, "edit": "edit"`
			}
			w.put(w.p,
				fmt.Sprintf(`{"key": "rich", "fields": {"type": "object",
					"properties": {"amount": {"type": "number"}, "note": {"type": "string"}}},
				"states": [{"key": "draft"}, {"key": "paid"}], "transitions": [{"key": "open", "to": "draft"}%s]%s}`, c.edit, edit))
			w.callbacks.on("edit", respond(200, `{"errors": ["Never."]}`))
			worker := w.p
			worker.Role = access.Caseworker
			v := w.submit(casework.Submission{Type: "rich", Data: object(`{"amount": 1, "note": "x"}`)})
			in := casework.Switch{CaseID: v.ID, Type: "bare", Drop: true}
			_, err := w.switches.SwitchType(t.Context(), worker, in, authz.Once{})
			wantFault(t, err, c.kind, c.code)
			if got := w.load(v.ID); got.Type != "rich" || fmt.Sprint(got.Data["amount"]) != "1" {
				t.Errorf("it is a %s with %v", got.Type, got.Data)
			}
		})
	}
}

// A type may have a callback for deletions. Errors and warnings refuse them; the rest of the answer is ignored.
func TestATypeIsAskedAboutDeletions(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p,
			gated("first", "draft", "",
				`, "delete": {"about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/delete", "retries": []}}`))
		v := w.submit(casework.Submission{Type: "first", Data: object(`{"amount": 1}`)})
		w.callbacks.on("delete", respond(200, `{"errors": ["Keep it."]}`), respond(500, ""),
			respond(200, `{"warnings": ["Sure?"]}`),
			func(rw http.ResponseWriter, r *http.Request) {
				w.submit(casework.Submission{CaseID: v.ID, Edit: true, Data: object(`{"amount": 2}`)}) // meanwhile
				respond(200, "")(rw, r)
			},
			respond(200, `{"warnings": ["Sure?"], "data": {"nonsense": 1}, "override_state": "paid"}`))
		for _, want := range []struct {
			kind fault.Kind
			code string
		}{
			{fault.Unprocessable, "callback.errors"}, {fault.Upstream, "callback.failed"},
			{fault.Unprocessable, "callback.warnings"}, {fault.Conflict, "case.version_conflict"},
		} {
			wantFault(t, w.cases.DeleteCase(t.Context(), w.p, casework.Deletion{CaseID: v.ID}), want.kind, want.code)
			w.load(v.ID)
		}
		if err := w.cases.DeleteCase(t.Context(), w.p,
			casework.Deletion{CaseID: v.ID, IgnoreWarning: true}); err != nil {
			t.Fatal(err)
		}
		history := w.history(v.ID)
		if last := history[len(history)-1]; last.Callback == nil ||
			last.Callback.URL != "${CASEHOOK_VAR_CALLBACKS}/delete" || last.Callback.ReplacedData ||
			last.Callback.Override != "" {
			t.Errorf("the entry holds %+v", last.Callback)
		}
		if asked := w.callbacks.at("delete"); asked.requests[0].Header.Get("Casehook-Transition") != "@delete" {
			t.Errorf("it is asked with %v", asked.requests[0].Header)
		}
	})
}

// A switch changes a case even if its data stays the same. A number in another notation is not a change.
func TestASwitchOfAPlainCaseIsAChange(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, gated("first", "draft", "", `, "reference": "X-{seq}", "name_template": "same"`))
		w.put(w.p, gated("second", "draft", "", `, "reference": "X-{seq}", "name_template": "same"`))
		v := w.submit(casework.Submission{Type: "first", Data: object(`{"amount": 10}`)})
		if _, err := w.switches.SwitchType(t.Context(), w.p, casework.Switch{CaseID: v.ID, Type: "second"},
			authz.Once{}); err != nil {
			t.Fatal(err)
		}
		if got := w.facts(v.ID); got != "type_switched changed" {
			t.Errorf("it tells %s", got)
		}
		for _, spelling := range []string{"10.0", "1e1", "100e-1"} {
			v = w.submit(casework.Submission{CaseID: v.ID, Edit: true, Data: object(`{"amount": ` + spelling + `}`)})
		}
		if v.Version != 2 {
			t.Errorf("in another notation, it has version %d", v.Version)
		}
	})
}

// fort is a case type in which a callback that always refuses guards every change of state or data, and deletions.
const fort = `{"key": %q, "edit": "edit", "fields": {"type": "object", "properties": {"amount": {"type": "number"}}},
	"states": [{"key": "draft"}, {"key": "paid"}],
	"transitions": [{"key": "open", "to": "draft"}, {"key": "wish", "to": "draft", %[2]s},
		{"key": "edit", "from": ["draft"], %[2]s}, {"key": "pay", "from": ["draft"], "to": "paid", %[2]s}],
	"switch": {%[2]s}, "delete": {%[2]s},
	"documents": [{"key": "letter", "template": "x"}], "proofs": [{"key": "bill"}]}`

// Each operation of the API is listed here: it asks its callback, or it changes neither state nor data of any case. The
// test fails until a new operation is listed.
func TestEveryOperationIsGuardedOrChangesNoContent(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx, none := t.Context(), authz.Once{}
		for _, key := range []string{"first", "second"} {
			w.put(w.p, fmt.Sprintf(fort, key, `"about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/never"}`))
		}
		w.callbacks.on("never", respond(200, `{"errors": ["Never."]}`))
		v := w.submit(casework.Submission{Type: "first", Transition: "open", Data: object(`{"amount": 1}`)})
		w.label(w.p, "a")
		user, contact := w.user(w.p, "Ann"), w.contact(w.p, adaLovelace)
		drop := func(_ any, err error) error { return err }
		guards := map[access.Operation]func() error{
			access.CreateCase: func() error {
				return drop(w.submissions.Submit(ctx, w.p,
					casework.Submission{Type: "first", Transition: "wish"}, none))
			},
			access.EditCase: func() error {
				return drop(w.submissions.Submit(ctx, w.p, casework.Submission{CaseID: v.ID, Edit: true, Data: object(`{"amount": 2}`)}, none))
			},
			access.SubmitTransition: func() error {
				return drop(w.submissions.Submit(ctx, w.p, casework.Submission{CaseID: v.ID, Transition: "pay"}, none))
			},
			access.SwitchType: func() error {
				return drop(w.switches.SwitchType(ctx, w.p, casework.Switch{CaseID: v.ID, Type: "second"}, none))
			},
			access.DeleteCase: func() error { return w.cases.DeleteCase(ctx, w.p, casework.Deletion{CaseID: v.ID}) },
		}
		beside := map[access.Operation]func() error{ // things beside the content of a case
			access.AddComment:       func() error { return drop(w.comment(w.p, v.ID, "x", none)) },
			access.GenerateDocument: func() error { return drop(w.files.GenerateDocuments(ctx, w.p, oneDocument(v.ID, "letter"), none)) },
			access.UploadProof: func() error {
				return drop(w.files.UploadProof(ctx, w.p, v.ID, casework.Upload{Key: "bill", Body: strings.NewReader("x")}, none))
			},
			access.CheckPage: func() error {
				return drop(w.submissions.CheckPage(ctx, w.p, casework.FilledPage{CaseID: v.ID, Transition: "pay"}))
			},
			access.StartTransition: func() error {
				return drop(w.submissions.Start(ctx, w.p, casework.Start{CaseID: v.ID, Transition: "pay"}))
			},
			access.DryRunTransition: func() error {
				return drop(w.submissions.DryRun(ctx, w.p, casework.DryRun{Submission: casework.Submission{
					CaseID: v.ID, Data: object(`{"amount": 2}`),
				}}))
			},
			access.AddLabel:      func() error { return drop(w.addLabel(w.p, v.ID, "a")) },
			access.RemoveLabel:   func() error { return drop(w.removeLabel(w.p, v.ID, "a")) },
			access.AssignCase:    func() error { return drop(w.assign(w.p, v.ID, user)) },
			access.UnassignCase:  func() error { return drop(w.assign(w.p, v.ID, 0)) },
			access.LinkContact:   func() error { return drop(w.contacts.LinkContact(ctx, w.p, v.ID, contact.ID, "owner")) },
			access.UnlinkContact: func() error { return drop(w.contacts.UnlinkContact(ctx, w.p, v.ID, contact.ID, "owner")) },
			access.DeleteContact: func() error { return w.contacts.DeleteContact(ctx, w.p, contact.ID, nil, true) },
		}
		ruled := map[access.Operation]func() error{ // these callers decide on guards
			access.MigrateCases: func() error {
				return drop(w.migrations.MigrateCases(ctx, w.as(access.Caseworker),
					casework.Migration{Type: "first"}, none))
			},
		}
		for _, o := range access.Operations() {
			if do, isRuled := ruled[o]; isRuled {
				wantFault(t, do(), fault.Forbidden, "access.denied")
				continue
			}
			ask, isGuarded := guards[o]
			do, isBeside := beside[o]
			switch {
			case isGuarded:
				asked := len(w.callbacks.at("never").requests)
				wantFault(t, ask(), fault.Unprocessable, "callback.errors")
				if len(w.callbacks.at("never").requests) != asked+1 {
					t.Errorf("%s asks nobody", o)
				}
			case isBeside:
				if err := do(); err != nil && !errors.Is(err, fault.NotFound) {
					t.Errorf("%s: %v", o, err)
				}
			case !o.Reads() && !touchesNoCase(o):
				t.Errorf("%s is not known here: say what guards it", o)
			}
			after := w.load(v.ID)
			got := cases.Case{Revision: after.Revision, State: after.State, Type: after.Type, Data: after.Data}
			want := cases.Case{Revision: 1, State: "draft", Type: "first", Data: object(`{"amount": 1}`)}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("after %s: %s", o, diff)
			}
		}
		if all, err := listed(w.cases.Cases(ctx, w.p, store.CaseFilter{})); err != nil || len(all) != 1 {
			t.Errorf("%d cases, %v", len(all), err)
		}
	})
}

// touchesNoCase reports whether an operation does not concern existing cases: it is about rights, endpoints, questions,
// labels, contacts or definitions.
func touchesNoCase(o access.Operation) bool {
	_, of, _ := strings.Cut(string(o), "-")
	for _, thing := range []string{
		"session", "label", "contact", "comment", "document", "proof", "case-type", "credentials", "endpoint", "attempt",
		"deliveries", "lag", "secret", "filter", "journal", "replay", "message", "dead", "parked", "trigger", "targets", "token", "user", "audit", "question",
		"metrics", "problems", "view", "portal", "job", "presence", "backlog", "colleagues", "backtest", "shadow", "case-roles",
	} {
		if strings.Contains(of, thing) {
			return true
		}
	}
	return false
}
