package ccd

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/expression"
)

// kinds are the fields of the conditions in these tests.
var kinds = map[string]valueKind{
	"a": textValue, "b": textValue, "c": textValue, "I": textValue, "n": numberValue, "in": textValue, "x&(1)": textValue,
	"shed": otherValue, "shed.locked": textValue, "shed.size": numberValue, "shed.full name": textValue,
	"shed.builder": otherValue, "shed.builder.name": textValue, "sides": otherValue,
}

var testScope = scope{
	kind:     func(path []string) valueKind { return kinds[strings.Join(path, ".")] },
	metadata: map[string]string{"[CASE_TYPE]": "GardenPlot", "[JURISDICTION]": "PARKS"},
}

// conditions evaluates conditions like those of case types.
var conditions = expression.New(expression.Limits{Cost: 100_000}, nil,
	expression.Variable{Name: "data", Type: expression.Map}, expression.Variable{Name: "state", Type: expression.Text})

// holds evaluates CEL for data; "[STATE]" is the state.
func holds(t *testing.T, cel string, data map[string]any) bool {
	t.Helper()
	program, fault := conditions.Compile(cel)
	if fault != nil {
		t.Fatalf("%s: %v", cel, fault)
	}
	state, _ := data["[STATE]"].(string)
	got, err := program.Evaluate(expression.ValueMap{"data": expression.Data(data, nil), "state": state})
	if err != nil {
		t.Fatalf("%s with %v: %v", cel, data, err)
	}
	return got
}

type object = map[string]any

func TestConditionsHaveTheMeaningOfTheEngine(t *testing.T) {
	for _, test := range []struct {
		condition string
		data      object
		engine    bool
	}{
		// a field, exactly
		{`a="x"`, object{"a": "x"}, true},
		{`a="x"`, object{"a": "X"}, false},
		{` a = "x" `, object{"a": "x"}, true},
		{`a!="x"`, object{"a": "x"}, false},
		{`a!="x"`, object{"a": "y"}, true},
		{`a=""`, object{"a": ""}, true},
		{`a!=""`, object{"a": ""}, false},
		// a missing value differs from every text
		{`a="x"`, object{}, false},
		{`a!="x"`, object{}, true},
		{`a=""`, object{}, false},
		{`a!=""`, object{}, true},
		// any value
		{`a="*"`, object{"a": "x"}, true},
		{`a!="*"`, object{"a": "x"}, false},
		{`a="*"`, object{}, false},
		{`a!="*"`, object{}, true},
		// a text with * is no prefix
		{`a="pot*"`, object{"a": "potato"}, false},
		{`a="pot*"`, object{"a": "pot*"}, true},
		// AND, OR
		{`a="x" AND b="y"`, object{"a": "x", "b": "y"}, true},
		{`a="x" AND b="y"`, object{"a": "x"}, false},
		{`a!="x" AND b!="y"`, object{"a": "z"}, true},
		{`a="x" OR b="y"`, object{"b": "y"}, true},
		{`a="x" OR b!="y"`, object{"b": "y"}, false},
		{`a="x" OR b="y" AND c="z"`, object{"a": "x"}, false},
		{`a=" AND " AND b="OR"`, object{"a": " AND ", "b": "OR"}, true},
		// what the engine does not know
		{`(a="x")`, object{"a": "x"}, false},
		{`sidesCONTAINS"N"`, object{"sides": []any{"N", "S"}}, false},
		{`a=x`, object{"a": "x"}, false},
		{`a="x" AND `, object{"a": "x"}, false},
		// members, however blank the field is
		{`shed.locked="No"`, object{"shed": object{"locked": "No"}}, true},
		{`shed.locked="No"`, object{"shed": object{}}, false},
		{`shed.locked="No"`, object{"shed": ""}, false},
		{`shed.locked="No"`, object{}, false},
		{`shed.locked!="No"`, object{"shed": object{"locked": "No"}}, false},
		{`shed.locked!="No"`, object{"shed": object{"locked": nil}}, true},
		{`shed.locked!="No"`, object{"shed": object{}}, true},
		{`shed.locked!="No"`, object{"shed": ""}, true},
		{`shed.locked!="No"`, object{}, true},
		{`shed.locked="*"`, object{"shed": object{"locked": nil}}, false},
		{`shed.locked!="*"`, object{"shed": object{"locked": nil}}, true},
		{`shed.builder.name="B"`, object{"shed": object{"builder": object{"name": "B"}}}, true},
		{`shed.builder.name!="B"`, object{"shed": object{"builder": nil}}, true},
		{`shed.full name="B"`, object{"shed": object{"full name": "B"}}, true},
		{`x&(1)="B"`, object{"x&(1)": "B"}, true},
		{`x&(1)!="B"`, object{}, true},
		{`in="B"`, object{"in": "B"}, true},
		// numbers, as numbers and as text
		{`n="12"`, object{"n": "12"}, true},
		{`n!="12"`, object{"n": "12"}, false},
		{`n!="12"`, object{}, true},
		{`shed.size="3"`, object{"shed": object{"size": nil}}, false},
		// lists, objects and names of nothing equal no text
		{`sides="N"`, object{"sides": []any{"N"}}, false},
		{`sides!="N"`, object{"sides": []any{"N"}}, true},
		{`sides="*"`, object{"sides": []any{"N"}}, true},
		{`nothing="N"`, object{"a": "N"}, false},
		{`nothing!="N"`, object{"a": "N"}, true},
		{`shed.nothing="N" OR a="x"`, object{"a": "x"}, true},
		// metadata
		{`[STATE]="Draft"`, object{"[STATE]": "Draft"}, true},
		{`[STATE]!="Draft"`, object{"[STATE]": "Draft"}, false},
		{`[STATE]="*"`, object{"[STATE]": "Draft"}, true},
		{`[CASE_TYPE]="GardenPlot"`, object{}, true},
		{`[CASE_TYPE]!="GardenPlot" OR a="x"`, object{}, false},
		{`[JURISDICTION]="*" AND a="x"`, object{"a": "x"}, true},
		{`[CASE_REFERENCE]="1"`, object{}, false},
		{`[CASE_REFERENCE]!="1"`, object{}, true},
		{`I="I'm, \ here"`, object{"I": `I'm, \ here`}, true},
	} {
		cel, _ := testScope.inCEL(test.condition)
		if got := holds(t, cel, test.data); got != test.engine {
			t.Errorf("%s with %v: %v; it became %s", test.condition, test.data, got, cel)
		}
	}
}

func TestPeopleAreToldWhatTheEngineDoesNotEvaluate(t *testing.T) {
	for condition, want := range map[string]string{
		`a="x"`: "", `a="*"`: "",
		`a="x" OR b="y" AND c="z"`: "only AND or only OR",
		`sides CONTAINS "N"`:       "does not know CONTAINS",
		`(a="x" OR b="y")`:         "no brackets",
		`a="pot*"`:                 "a text that ends with *",
		`a=x`:                      "where a comparison",
		`a="x" OR`:                 "is never true",
		`nothing="x"`:              "which is no field",
		`sides="N"`:                "which is no text",
		`[CASE_REFERENCE]="1"`:     "which conditions can't see",
	} {
		_, problems := testScope.inCEL(condition)
		if all := strings.Join(problems, "; "); (all == "") != (want == "") || !strings.Contains(all, want) {
			t.Errorf("%s: %q, want %q", condition, all, want)
		}
	}
}

func TestConditionsOfPages(t *testing.T) {
	for condition, want := range map[string]string{
		`a="x"`: "", `a!=""`: "", `a="*"`: "", `a="pot*"`: "", `[STATE]="Draft"`: "",
		`a="x" OR b="y" AND c="z"`:      "",
		`sidesCONTAINS"N"`:              "",
		`sides CONTAINS "N,S"`:          "",
		`(a="x" OR b="y") AND c="z"`:    "",
		`a="x" AND (b="y" OR c="z(1)")`: "",
		`x&(1)="B"`:                     "",
		`I="I'm, here"`:                 "other characters",
		`a=x`:                           "where a comparison",
		`a="x" AND`:                     "where AND, OR or the end is expected",
		`a="x" and b="y"`:               "where AND, OR or the end is expected",
		`((a="x"))`:                     "where a comparison",
		``:                              "ends where a comparison",
	} {
		if got := pageProblem(condition); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", condition, got, want)
		}
	}
}

func TestPostStatesAreTakenInOrderOfPriority(t *testing.T) {
	const two = `Refused(a="No"):2;AWAITING_PAYMENT(shed.locked="No"):1;Issued`
	for _, test := range []struct {
		text, state string
		data        object
		want        string
	}{
		{"Issued", "Draft", object{}, "Issued"},
		{"*", "Draft", object{}, "Draft"},
		{" Issued ; ", "Draft", object{}, "Issued"},
		{two, "Draft", object{"a": "No", "shed": object{"locked": "No"}}, "AWAITING_PAYMENT"},
		{two, "Draft", object{"a": "No"}, "Refused"},
		{two, "Draft", object{"a": "Yes"}, "Issued"},
		{`*(a="Later"):1;Issued`, "Draft", object{"a": "Later"}, "Draft"},
		{`*(a="Later"):1;Issued`, "Draft", object{}, "Issued"},
		{`Issued;A(a="x"):10;B(a!=""):9`, "Draft", object{"a": "x"}, "B"},
		{`Issued;A(a="x;y"):1`, "Draft", object{"a": "x;y"}, "A"},
		{`A(x&(1)="1"):1;Issued`, "Draft", object{"x&(1)": "1"}, "A"},
	} {
		states, err := parsePostStates(test.text)
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		taken := slices.IndexFunc(states, func(p postState) bool {
			cel := always
			if p.condition != "" {
				cel, _ = testScope.inCEL(p.condition)
			}
			return holds(t, cel, test.data)
		})
		got := states[taken].state
		if got == stays {
			got = test.state
		}
		if got != test.want {
			t.Errorf("%s with %v: %s, want %s", test.text, test.data, got, test.want)
		}
	}
	for text, want := range map[string]string{
		`Issued(a="Yes"):1`:           "no state without a condition",
		`Issued(a="Yes");Refused`:     "no priority",
		`Issued(a="Yes"):123;Refused`: "no priority",
		`Issued;Refused`:              "two states without a condition",
		`A(a="1"):1;B(a="2"):1;C`:     "two states of the priority 1",
		``:                            "no state without a condition",
	} {
		if _, err := parsePostStates(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestTheCELOfAConditionIsShort(t *testing.T) {
	for condition, want := range map[string]string{
		`a="x"`:           `has(data.a) && data.a == "x"`,
		`a!="x"`:          `!has(data.a) || data.a != "x"`,
		`a="x" OR b="y"`:  `(has(data.a) && data.a == "x") || (has(data.b) && data.b == "y")`,
		`a="x" AND b="y"`: `has(data.a) && data.a == "x" && has(data.b) && data.b == "y"`,
		`[STATE]!="Out"`:  `state != "Out"`,
		`n="5"`:           `has(data.n) && string(data.n) == "5"`,
		`shed.locked="No"`: `has(data.shed) && type(data.shed) == map && has(data.shed.locked) && ` +
			`data.shed.locked == "No"`,
		`x&(1)!="1"`: `!("x&(1)" in data) || data["x&(1)"] != "1"`,
	} {
		got, _ := testScope.inCEL(condition)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", condition, diff)
		}
	}
}

func FuzzConditions(f *testing.F) {
	f.Add(`a="x" AND shed.locked!="" AND n="1"`)
	f.Add(`x&(1)="*" OR [STATE]="a"`)
	f.Add(`A(a="Later"):1;Issued`)
	f.Fuzz(func(t *testing.T, text string) {
		pageProblem(text)
		_, _ = parsePostStates(text)
		cel, _ := testScope.inCEL(text)
		if len(cel) > 3000 || strings.ContainsRune(text, 0) {
			return
		}
		if _, fault := conditions.Compile(cel); fault != nil && strings.Count(text, "=") < 10 {
			t.Errorf("%q became %s: %v", text, cel, fault)
		}
	})
}
