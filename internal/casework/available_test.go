package casework_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

const movable = `{"key": "movable", "edit": "edit", "fields": {"type": "object", "properties": {
	"sum": {"type": "integer", "title": "The sum"}, "secret": {"type": "string", "x-classification": "RESTRICTED"}}},
	"states": [{"key": "draft"}, {"key": "done"}], "transitions": [
		{"key": "open", "to": "draft"},
		{"key": "edit", "from": ["draft"]},
		{"key": "need", "name": "Need it", "from": ["draft"], "to": "done", "required": ["sum"]},
		{"key": "hide", "from": ["draft"], "to": "done", "required": ["secret"]},
		{"key": "check", "from": ["draft"], "to": "done", "precondition": {"condition": "has(data.sum) && data.sum > 1", "message": "Enter a sum."}},
		{"key": "peek", "from": ["draft"], "to": "done", "precondition": "has(data.secret)"},
		{"key": "manage", "from": ["draft"], "to": "done", "roles": ["manager"]},
		{"key": "later", "from": ["done"], "to": "draft"}]%s}`

// blockedOf lists the blocked transitions with their reasons.
func blockedOf(v casework.View) (all []string) {
	for _, b := range v.Blocked {
		var fields []string
		for _, f := range b.Fields {
			fields = append(fields, f.Path+" "+f.Message)
		}
		all = append(all, b.Key+": "+b.Reason+" ["+strings.Join(fields, ", ")+"]")
	}
	return all
}

// A case lists the transitions that its reader may submit now, and with the reason those that wait for data. It shows
// nothing that the reader may not see.
func TestTransitionsAreThoseThatTheReaderMaySubmit(t *testing.T) {
	w := start(t)
	w.put(w.p, fmt.Sprintf(movable, ""))
	c := w.submit(casework.Submission{Type: "movable"})
	withheld := `The condition of the transition "peek" is not met. Complete the data first. []`
	for _, test := range []struct {
		name      string
		role      access.Role
		clearance casetype.Classification
		data      string
		open      []string
		blocked   []string
	}{
		{"nothing is set", access.Manager, casetype.Restricted, `{}`, []string{"edit", "manage"}, []string{
			`need: "Need it" needs: The sum. [/data/sum is required to submit "Need it"]`,
			`hide: "hide" needs: secret. [/data/secret is required to submit "hide"]`,
			`check: Enter a sum. [/data/sum is not set]`,
			`peek: "peek" needs: secret. [/data/secret is not set]`,
		}},
		{"a caseworker who sees less", access.Caseworker, casetype.Public, `{}`, []string{"edit"}, []string{
			`need: "Need it" needs: The sum. [/data/sum is required to submit "Need it"]`,
			`hide: "hide" needs data above your clearance. [/data does not fit data above your clearance; ask a user with a higher clearance]`,
			`check: Enter a sum. [/data/sum is not set]`,
			"peek: " + withheld,
		}},
		{"a viewer", access.Viewer, casetype.Restricted, `{}`, nil, nil},
		{"a sum that is too low", access.Caseworker, casetype.Public, `{"sum": 1}`, []string{"edit", "need"}, []string{
			`hide: "hide" needs data above your clearance. [/data does not fit data above your clearance; ask a user with a higher clearance]`,
			`check: Enter a sum. []`, "peek: " + withheld,
		}},
		{"all is set", access.Caseworker, casetype.Public, `{"sum": 2, "secret": "x"}`, []string{"edit", "need", "hide", "check", "peek"}, nil},
	} {
		w.submit(casework.Submission{CaseID: c.ID, Edit: true, Data: object(test.data)})
		reader := w.p
		reader.Role, reader.Clearance = test.role, test.clearance
		v, err := w.cases.Case(t.Context(), reader, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.open, v.Transitions) + cmp.Diff(test.blocked, blockedOf(v)); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
		listed, err := w.cases.Cases(t.Context(), reader, store.CaseFilter{})
		if err != nil {
			t.Fatal(err)
		}
		for in, err := range listed.All(t.Context()) {
			if diff := cmp.Diff(v.Transitions, in.Transitions) + cmp.Diff(blockedOf(v), blockedOf(in)); diff != "" ||
				err != nil {
				t.Errorf("%s, in the list: %s, %v", test.name, diff, err)
			}
		}
	}
	// The newest definition decides who may write, also for cases of an older version.
	w.put(w.p, fmt.Sprintf(movable, `, "access": {"write": ["manager"]}`))
	reader := w.p
	reader.Role = access.Caseworker
	if v, err := w.cases.Case(t.Context(), reader, c.ID); err != nil || len(v.Transitions)+len(v.Blocked) > 0 {
		t.Errorf("%v, %v, %v", v.Transitions, v.Blocked, err)
	}
}

// A page ends before the conditions of its cases exceed the budget of a request.
func TestAPageEndsWhereItsConditionsCostTooMuch(t *testing.T) {
	w := start(t)
	var transitions []string
	for i := range 12 { // each uses its whole budget
		transitions = append(transitions,
			fmt.Sprintf(`{"key": "t%d", "from": ["s"], "to": "s", "roles": ["manager"],
				"precondition": "data.l.all(a, data.l.all(b, data.l.all(c, a + b + c > 0)))"}`, i))
	}
	w.put(w.p,
		`{"key": "costly", "fields": {"type": "object", "properties": {"l": {"type": "array", "items": {"type": "integer"}}}},
		"states": [{"key": "s"}], "transitions": [{"key": "open", "to": "s"}, `+strings.Join(transitions, ",")+`]}`)
	const cases = 6
	worker := w.p
	worker.Role = access.Caseworker // whose answers evaluate no condition
	for range cases {
		in := casework.Submission{Type: "costly", Data: object(`{"l": [` + strings.Repeat("1,", 60) + `1]}`)}
		if _, err := w.submissions.Submit(t.Context(), worker, in, authz.Once{}); err != nil {
			t.Fatal(err)
		}
	}
	page, err := w.cases.Cases(t.Context(), w.p, store.CaseFilter{})
	if err != nil {
		t.Fatal(err)
	}
	var shown int
	var end error
	for v, err := range page.All(t.Context()) {
		if end = err; err == nil {
			shown++
			if len(v.Blocked) != 12 {
				t.Fatalf("%d are blocked", len(v.Blocked))
			}
		}
	}
	if !errors.Is(end, casework.ErrPageEnds) || shown == 0 || shown == cases {
		t.Errorf("%d cases, %v", shown, end)
	}
}

// Checking required fields counts like evaluating conditions: the cost of a case is bounded, and a page ends.
func TestThePageIsChargedForRequiredFields(t *testing.T) {
	w := start(t)
	var fields, transitions []string
	for i := range 250 {
		fields = append(fields, fmt.Sprintf(`"hid%03d": {"x-classification": "RESTRICTED"}, "v%d": {}`, i, i))
	}
	required := `"v0"`
	for i := 1; i < 40; i++ {
		required += fmt.Sprintf(`, "v%d"`, i)
	}
	for i := range 400 {
		transitions = append(transitions,
			fmt.Sprintf(`{"key": "t%d", "from": ["s"], "roles": ["caseworker"], "required": [%s]}`, i, required))
	}
	w.put(w.p, `{"key": "big", "fields": {"type": "object", "properties": {`+strings.Join(fields, ",")+`}},
		"states": [{"key": "s"}], "transitions": [{"key": "open", "to": "s"}, `+strings.Join(transitions, ",")+`]}`)
	const cases = 10
	for range cases {
		w.submit(casework.Submission{Type: "big"})
	}
	reader := w.as(access.Caseworker)
	reader.Clearance = casetype.Public
	page, err := w.cases.Cases(t.Context(), reader, store.CaseFilter{})
	if err != nil {
		t.Fatal(err)
	}
	shown, end := 0, error(nil)
	for v, err := range page.All(t.Context()) {
		if end = err; err == nil {
			shown++
			if len(v.Blocked) != 400 || len(v.Blocked[0].Fields) != 40 {
				t.Fatalf("%d are blocked", len(v.Blocked))
			}
		}
	}
	if !errors.Is(end, casework.ErrPageEnds) || shown == 0 || shown == cases {
		t.Errorf("%d cases, %v", shown, end)
	}
}

// BenchmarkCasesWithTransitions reads a page of 100 cases with ten transitions each.
func BenchmarkCasesWithTransitions(b *testing.B) {
	w := startAt(b, "")
	var transitions []string
	for i := range 10 {
		transitions = append(transitions,
			fmt.Sprintf(`{"key": "t%d", "from": ["s"], "to": "s", "required": ["a"],
				"precondition": "has(data.n) && data.n > %d && data.a != 'x'"}`, i, i))
	}
	w.put(w.p,
		`{"key": "many", "fields": {"type": "object", "properties": {"n": {"type": "integer"}, "a": {"type": "string"}}},
		"states": [{"key": "s"}], "transitions": [{"key": "open", "to": "s"}, `+strings.Join(transitions, ",")+`]}`)
	for range 100 {
		w.submit(casework.Submission{Type: "many", Data: object(`{"n": 5, "a": "b"}`)})
	}
	for b.Loop() {
		page, err := w.cases.Cases(b.Context(), w.p, store.CaseFilter{Limit: 100})
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for _, err := range page.All(b.Context()) {
			if n++; err != nil {
				b.Fatal(err)
			}
		}
		if n != 100 {
			b.Fatal(n)
		}
	}
}

// A refusal of an unknown transition or type lists the existing ones that the caller may see; a refusal of a role lists
// the permitted roles.
func TestARefusalSaysWhatThereIsAndWhoMay(t *testing.T) {
	w := start(t)
	w.put(w.p, permitV1)
	w.put(w.p,
		strings.Replace(strings.Replace(permitV2, `"permit"`, `"secret"`, 1), `"edit": "edit"`,
			`"edit": "edit", "security_classification": "RESTRICTED"`, 1))
	w.put(w.p, strings.Replace(permitV2, `"permit"`, `"other"`, 1))
	c, other := w.permit(`{}`), w.submit(casework.Submission{Type: "other"})
	public := w.cleared(casetype.Public)
	for _, test := range []struct {
		p    access.Principal
		in   casework.Submission
		want string
	}{
		{w.p, casework.Submission{CaseID: c.ID, Transition: "chekc"}, `permit has no transition "chekc" (did you mean "check"?). In the state "new", there are: edit, check.`},
		{w.p, casework.Submission{CaseID: c.ID, Transition: "finish"}, `The transition "finish" can't be submitted in the state "new". In the state "new", there are: edit, check.`},
		{w.p, casework.Submission{CaseID: c.ID, Transition: "open"},
			`The transition "open" creates a case and can't be submitted for one that exists. In the state "new", there are: edit, check.`},
		{w.p, casework.Submission{Type: "permti"}, `There is no case type "permti" (did you mean "permit"?).`},
		{w.p, casework.Submission{Type: "secrte"}, `There is no case type "secrte" (did you mean "secret"?).`},
		{public, casework.Submission{Type: "secrte"}, `There is no case type "secrte".`},
		{public, casework.Submission{Type: "secret"}, `There is no case type "secret".`},
		{w.as(access.Caseworker), casework.Submission{CaseID: other.ID, Transition: "asess"},
			`other has no transition "asess" (did you mean "assess"?). In the state "new", there are: edit, refuse.`},
		{w.as(access.Caseworker), casework.Submission{CaseID: other.ID, Transition: "assess"},
			`The role "caseworker" may not submit the transition "assess"; manager and admin may.`},
		{w.as(access.Viewer), casework.Submission{CaseID: other.ID, Transition: "refuse"},
			`The role "viewer" may not do this; caseworker, manager and admin may.`},
	} {
		_, err := w.submissions.Submit(t.Context(), test.p, test.in, authz.Once{})
		if got := fault.As(err).Detail; err == nil || got != test.want {
			t.Errorf("%+v:\n%s\nwant %s", test.in, got, test.want)
		}
	}
}

// X7: a transition that is not offered is in no list, and can be submitted.
func TestX7ATransitionThatIsNotOfferedCanBeSubmitted(t *testing.T) {
	w := start(t)
	w.put(w.p, `{"key": "offers", "fields": {"type": "object", "properties": {"sum": {"type": "integer"}}},
		"states": [{"key": "draft"}, {"key": "done"}], "transitions": [
			{"key": "open", "to": "draft"},
			{"key": "pay", "from": ["draft"], "to": "done", "offered_if": "has(data.sum) && data.sum > 5"},
			{"key": "sign", "from": ["draft"], "to": "done", "offered_if": "state == 'draft'", "required": ["sum"]},
			{"key": "drop", "from": ["draft"], "to": "done", "offered_if": "data.sum > 5", "required": ["sum"]}]}`)
	c := w.submit(casework.Submission{Type: "offers"})
	if diff := cmp.Diff([]string{`sign: "sign" needs: sum. [/data/sum is required to submit "sign"]`},
		blockedOf(c)); diff != "" || len(c.Transitions) > 0 {
		t.Errorf("%v are offered, and blocked are (-want +got):\n%s", c.Transitions, diff)
	}
	if moved := w.submit(casework.Submission{CaseID: c.ID, Transition: "pay"}); moved.State != "done" {
		t.Errorf("it is in %s", moved.State)
	}
	c = w.submit(casework.Submission{Type: "offers", Data: object(`{"sum": 6}`)})
	if got := fmt.Sprint(c.Transitions); got != "[pay sign drop]" {
		t.Errorf("offered are %s", got)
	}
}
