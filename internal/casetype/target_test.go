package casetype_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
)

// leading returns a type whose transition t leads to the targets, from a to others, and creates cases in a.
func leading(t testing.TB, targets string) *casetype.Type {
	t.Helper()
	ct, err := casetype.Parse("", []byte(`{"key":"k","fields":{"type":"object","properties":{
		"n":{"type":"integer"},"a":{"type":"string"},"any":{},"secret":{"type":"string","x-classification":"RESTRICTED"},
		"o":{"type":"object","properties":{"p":{"type":"string"}}}}},
		"states":[{"key":"a"},{"key":"b"},{"key":"c"}],
		"transitions":[{"key":"create","to":"a"},{"key":"t","from":"*","to":`+targets+`}]}`))
	if err != nil {
		t.Fatalf("%s: %v", targets, err)
	}
	return ct
}

func TestTheFirstTargetWhoseConditionIsTrueIsTaken(t *testing.T) {
	big, small := `{"when":"has(data.n) && data.n > 5","state":"b"}`, `{"when":"has(data.n) && data.n > 2","state":"c"}`
	for _, test := range []struct{ targets, data, want string }{
		{`"b"`, `{}`, "b"},
		{`[` + big + `,` + small + `,{"state":"a"}]`, `{"n":6}`, "b"},
		{`[` + big + `,` + small + `,{"state":"a"}]`, `{"n":3}`, "c"},
		{`[` + big + `,` + small + `,{"state":"b"}]`, `{}`, "b"},
		{`[` + small + `,` + big + `,{"state":"a"}]`, `{"n":6}`, "c"},
		{`[` + big + `,{"state":"*"}]`, `{}`, "c"},
		{`[{"when":"state == 'c' && name == 'Acme' && !has(before.n)","state":"b"},{"state":"a"}]`, `{}`, "b"},
	} {
		in := casetype.Input{Data: decode(t, test.data), State: "c", Name: "Acme"}
		got, err := leading(t, test.targets).Target("t", in, casetype.Public)
		if err != nil || got != test.want {
			t.Errorf("%s with %s: %q, %v, want %q", test.targets, test.data, got, err, test.want)
		}
	}
	if _, err := leading(t, `"b"`).Target("nope", casetype.Input{}, casetype.Public); !errors.Is(err, fault.NotFound) {
		t.Errorf("an unknown transition: %v", err)
	}
}

func TestATargetThatCannotBeComputedIsAnError(t *testing.T) {
	loop := "[1,2,3,4,5,6,7,8,9,10].all(x, [1,2,3,4,5,6,7,8,9,10].all(y, [1,2,3,4,5,6,7,8,9,10].all(z, " +
		"[1,2,3,4,5,6,7,8,9,10].all(w, x + y + z + w < 0 || true))))"
	for _, test := range []struct {
		when, code, detail string
		clearance          casetype.Classification
		fields             int
	}{
		{"data.n > 5", "case.target_undetermined", `"t" needs: n.`, casetype.Public, 1},
		{"data.o.p == 'x'", "case.target_undetermined", "depends on: o. A part of it is not set", casetype.Public, 0},
		{"data.any > 5", "transition.target_error", `"t" leads can't be determined: the condition of its target "b"`, casetype.Public, 0},
		{"data.secret == 'x'", "case.target_undetermined", "depends on data that are missing", casetype.Private, 0},
		{"data.secret == 'x'", "case.target_undetermined", `"t" needs: secret.`, casetype.Restricted, 1},
		{"!(" + loop + ")", "transition.target_error", "cost limit", casetype.Public, 0},
	} {
		ct := leading(t, fmt.Sprintf(`[{"when":%q,"state":"b"},{"state":"c"}]`, test.when))
		in := casetype.Input{Data: decode(t, `{"any":"x","o":{}}`), State: "a"}
		_, err := ct.Target("t", in, test.clearance)
		f := fault.As(err)
		if !errors.Is(err, fault.Unprocessable) || f.Code != test.code || !strings.Contains(f.Detail, test.detail) ||
			len(f.Fields) != test.fields {
			t.Errorf("%s: %v, %v", test.when, err, f.Fields)
		}
	}
}

// Each condition is below the limit, and all of them are above it.
func TestTheConditionsOfAllTargetsHaveOneLimit(t *testing.T) {
	const ten = "[1,2,3,4,5,6,7,8,9,10]"
	loop := "!" + ten + ".all(x, " + ten + ".all(y, " + ten + ".all(z, x + y + z > 0)))"
	targets := strings.Repeat(fmt.Sprintf(`{"when":%q,"state":"b"},`, loop), 1)
	if _, err := leading(t, `[`+targets+`{"state":"c"}]`).Target("t", casetype.Input{State: "a"}, ""); err != nil {
		t.Fatal(err)
	}
	_, err := leading(t, `[`+strings.Repeat(targets, 50)+`{"state":"c"}]`).Target("t", casetype.Input{State: "a"}, "")
	if fault.As(err).Code != "transition.target_error" || !strings.Contains(fault.As(err).Detail, "all targets") {
		t.Errorf("%v", err)
	}
}

func TestTargetsAndOriginsHaveOneSpelling(t *testing.T) {
	for targets, want := range map[string]string{
		`"b"`: `"to":"b"`, `[{"state":"b"}]`: `"to":"b"`,
		`[{"when":"has(data.n) && data.n > 5","state":"*"},{"state":"b"}]`: `"to":[{"when":"has(data.n) && data.n > 5","state":"*"},{"state":"b"}]`,
	} {
		ct := leading(t, targets)
		if got := string(ct.JSON()); !strings.Contains(got, want) || !strings.Contains(got, `"from":"*"`) {
			t.Errorf("%s: %s", targets, got)
		}
		loaded, err := casetype.Load(ct.JSON())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(ct.JSON()), string(loaded.JSON())); diff != "" {
			t.Error(diff)
		}
	}
}

func TestATransitionFromEveryStateStartsInAll(t *testing.T) {
	const targets = `[{"when":"has(data.n)","state":"b"},{"when":"has(data.a)","state":"*"},{"state":"c"}]`
	tr, _ := leading(t, targets).Transition("t")
	if !tr.Starts("a") || !tr.Starts("c") || tr.Starts("") || tr.Creates() || !tr.StartsEverywhere() {
		t.Errorf("it starts in %v", tr.From)
	}
	if diff := cmp.Diff([]string{"b", "c"}, tr.To.States()); diff != "" || tr.To.Only() != "" || !tr.MayStay() ||
		!tr.LeadsTo("c") || tr.LeadsTo("a") || !tr.Conditional() || !tr.Guarded() {
		t.Errorf("it leads to %v", tr.To)
	}
}

// Callers who do not see a field see the states, and not the conditions on the field.
func TestConditionsOfTargetsOnHiddenFieldsAreLeftOut(t *testing.T) {
	ct := leading(t, `[{"when":"has(data.secret)","state":"b"},{"when":"has(data.n)","state":"*"},{"state":"c"}]`)
	want := `"to":[{"state":"b"},{"state":"*","when":"has(data.n)"},{"state":"c"}]`
	if got := string(ct.JSONFor(casetype.Private)); !strings.Contains(got, want) {
		t.Errorf("%s", got)
	}
}

func TestTargetsThatAreProbablyNotMeantGetWarnings(t *testing.T) {
	const created, ends = `{"key":"create","to":"a"}`, `,{"key":"end","from":["a"],"to":"b"}`
	for _, test := range []struct{ transitions, want string }{
		{created + `,{"key":"t","from":["a"],"to":[{"when":"!has(data.a) || data.a != 'x'","state":"b"},{"state":"*"}]}`, ""},
		{created + `,{"key":"t","from":["a"],"to":[{"when":"data.a == 'x'","state":"b"},{"state":"*"}]}`,
			"/transitions/1/to/0/when: reads data.a, which may be absent, and then the submission is refused: write has(data.a)"},
		{created + `,{"key":"t","from":"*","to":"b"}`, ""},
		{`{"key":"create","to":[{"when":"has(data.a)","state":"a"},{"state":"b"}]},{"key":"t","from":["a"],"to":"b"}`, ""},
		{created + ends + `,{"key":"t","from":["a"],"to":[{"when":"has(data.a)","state":"*"},{"state":"a"}]}`, ""},
	} {
		ct, err := casetype.Parse("", []byte(`{"key":"k",
			"fields":{"type":"object","properties":{"a":{"type":"string"}}},"states":[{"key":"a"},{"key":"b","final":true}],"transitions":[`+test.transitions+`]}`))
		if err != nil {
			t.Errorf("%s: %v", test.transitions, err)
			continue
		}
		if got := ct.Warnings(); len(got) > 1 || (len(got) == 1) != (test.want != "") ||
			test.want != "" && !strings.Contains(got.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.transitions, got, test.want)
		}
	}
}

// A condition is a guard: a case that enters the state otherwise has to fulfil it.
func TestConditionalTargetsGuardTheirStates(t *testing.T) {
	opens := free("open", "", "a")
	split := `{"key":"split","from":["a"],"to":[{"when":"has(data.n)","state":"b"},{"state":"c"}]}`
	for _, test := range []struct {
		name        string
		transitions []string
		state       string
		want        []casetype.Passage
		known       bool
	}{
		{"a target of conditions", []string{opens, split}, "b", []casetype.Passage{{To: []string{"b"}}}, true},
		{"behind one", []string{opens, split, free("on", "c", "d")}, "d", []casetype.Passage{{To: []string{"c"}}}, true},
		{"both", []string{opens, split, free("on", "b", "c")}, "c", []casetype.Passage{{To: []string{"c", "b"}}}, true},
		{"from every state", []string{opens, split, `{"key":"any","from":"*","to":"d"}`}, "d", nil, true},
	} {
		got, known := moving(t, test.transitions...).Guards(test.state)
		for i := range got {
			if got[i].Transition.Key != "split" {
				t.Errorf("%s: %s", test.name, got[i].Transition.Key)
			}
			got[i].Transition = casetype.Transition{}
		}
		if diff := cmp.Diff(test.want, got); diff != "" || known != test.known {
			t.Errorf("%s: known: %v, guards (-want +got):\n%s", test.name, known, diff)
		}
	}
}
