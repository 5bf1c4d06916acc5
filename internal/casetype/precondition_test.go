package casetype_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
)

// withPrecondition is a type whose transition t has the precondition.
func withPrecondition(t testing.TB, expression string) *casetype.Type {
	t.Helper()
	source := "key: k\nstates: [{key: s}]\nfields: {type: object, properties: {n: {}, f: {}, big: {}, huge: {}, u: " +
		"{}, s: {}, l: {}, o: {}, z: {}, one: {}, q: {}, long: {}}}\ntransitions:\n  - key: t\n    to: s\n    " +
		"precondition: |-\n      " + expression
	ct, err := casetype.Parse("", []byte(source))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return ct
}

// holds reports whether a precondition holds.
func holds(ct *casetype.Type, key string, in casetype.Input) (bool, error) {
	err := ct.Meets(key, in, casetype.Restricted)
	if err != nil && fault.As(err).Code == "case.precondition_failed" {
		return false, nil
	}
	return err == nil, err
}

func TestPreconditionsSeeTheCase(t *testing.T) {
	in := casetype.Input{
		Data: decode(t,
			`{"n":5,"f":2.5,"big":9007199254740993,"huge":1e400,"u":18446744073709551615,"s":"x","l":[1,2],"o":{"p":true},"z":null,"one":1.0}`),
		Before: decode(t, `{"n":4}`), State: "draft", Name: "Acme",
	}
	for expression, want := range map[string]bool{
		`data.n == 5`: true, `data.n > before.n`: true, `data.f > 2`: true, `data.big == 9007199254740993`: true,
		`data.big == 9007199254740992`: false, `data.u > 9223372036854775807`: true, `data.huge > 1`: true, `data.one == 1`: true,
		`state == "draft" && name.startsWith("Ac")`: true, `has(data.q)`: false, `"n" in before`: true, `data.l.exists(x, x == 2)`: true,
		`data.o.p`: true, `data.z == null`: true, `size(data.s) == 1`: true, `data.n % 2 == 0`: false, `data.s.upperAscii() == "X"`: true,
	} {
		got, err := holds(withPrecondition(t, expression), "t", in)
		if err != nil || got != want {
			t.Errorf("%s = %v, %v; want %v", expression, got, err, want)
		}
	}
}

func TestTheErrorOfAConditionThatFailsNamesTheTransition(t *testing.T) {
	in := casetype.Input{Data: decode(t,
		`{"s":"hunter2","l":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20],"long":"`+strings.Repeat("x",
			100_000)+`"}`)}
	for expression, want := range map[string]string{
		`data.s > 5`:            "no such overload",
		`data.s`:                "neither true nor false",
		`int(data.s) > 1`:       "not have the required form",
		`1 / size(before) == 1`: "division by zero",
		`data.l.map(a, data.l.map(b, data.l.map(c, data.long + data.long))).size() > 1`:            "cost limit exceeded",
		`data.l.all(a, data.l.all(b, data.l.all(c, data.l.all(d, data.l.all(e, a+b+c+d+e > 0)))))`: "cost limit exceeded",
	} {
		_, err := holds(withPrecondition(t, expression), "t", in)
		if !errors.Is(err, fault.Unprocessable) {
			t.Errorf("%s: %v", expression, err)
			continue
		}
		detail := fault.As(err).Detail
		if !strings.Contains(detail, want) || !strings.Contains(detail, `"t"`) ||
			strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want %q and the transition, and no data", expression, err, want)
		}
	}
	if _, err := holds(withPrecondition(t, `true`), "nope", in); !errors.Is(err, fault.NotFound) {
		t.Errorf("an unknown transition: %v", err)
	}
}

func TestATypeMayBeUsedByManyAtOnce(t *testing.T) {
	kyc := example(t, "kyc.yaml")
	data := decode(t, `{"client_name":"Acme","risk_level":"high","company":{"nam":1},"x":1}`)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				if n := len(validate(t, kyc, data, "")); n != 3 {
					t.Errorf("%d faults, want 3", n)
				}
				if ok, err := holds(kyc, "approve", casetype.Input{Data: data, State: "escalated"}); !ok || err != nil {
					t.Errorf("precondition: %v, %v", ok, err)
				}
				kyc.FormatName(data, casetype.Identity{})
				kyc.FormatReference(1)
			}
		})
	}
	all.Wait()
}

// A condition may read what the schema leaves open, and no name that it rules out.
func TestConditionsMayReadWhatTheSchemaLeavesOpen(t *testing.T) {
	const definition = `key: k
states: [{key: s}]
fields:
  type: object
  properties:
    any: {}
    free: {type: object}
    keyed: {type: object, additionalProperties: {type: integer}}
    more: {type: object, properties: {a: {}}, unevaluatedProperties: true}
    either: {anyOf: [{properties: {a: {properties: {x: {}}}}}, {properties: {a: {properties: {y: {}}}, b: {}}}]}
    ref: {$ref: "#/$defs/d"}
    list: {type: array, items: {$ref: "#/$defs/d"}}
    loose: {type: array}
  $defs: {d: {type: object, properties: {n: {type: integer}, sub: {type: array, items: {type: object, properties: {m: {}}}}}}}
transitions:
  - {key: t, to: s, precondition: 'CONDITION'}
`
	for condition, refused := range map[string]bool{
		`data.any.x.y > 1`: false, `data.free.x == 1`: false, `data.keyed.x == 1`: false, `has(data.more.x)`: false, `data.either.a.x == data.either.a.y`: false,
		`data.either.a.z`: true, `data.either.c`: true, `data.ref.n > 1`: false, `data.ref.m > 1`: true, `data.list[0].n > 1`: false,
		`data.list[0].m > 1`: true, `data.list.all(i, i.sub.all(j, has(j.m)))`: false, `data.list.all(i, i.sub.all(j, has(j.n)))`: true,
		`data.list.map(i, i.n).all(n, n > 1)`: false, `data.list.map(i, i.sub).all(s, s.all(j, has(j.n)))`: true, `data.loose.all(i, i.x)`: false,
		`data.all(k, k != "")`: false, `size(data) > 1 && data == before`: false, `has(before.any) && has(data.any)`: false, `has(before.ayn)`: true,
	} {
		_, err := casetype.Parse("", []byte(strings.Replace(definition, "CONDITION", condition, 1)))
		if (err != nil) != refused {
			t.Errorf("%s: %v", condition, err)
		}
	}
}

// Definitions that were saved before names were checked still load, and their conditions have the same results.
func TestAStoredConditionMayReadWhatIsNoField(t *testing.T) {
	const stored = `{"key":"k","name":"k","fields":{"type":"object","properties":{"a":{}}},"states":[{"key":"s","name":"s"}],
		"transitions":[{"key":"t","name":"t","to":"s","precondition":"data.b > 1"}]}`
	if _, err := casetype.Parse("", []byte(stored)); err == nil {
		t.Error("Parse accepts it")
	}
	ct, err := casetype.Load([]byte(stored))
	if err != nil {
		t.Fatal(err)
	}
	if err := ct.Meets("t", casetype.Input{},
		casetype.Restricted); fault.As(err).Code != "transition.precondition_error" {
		t.Error(err)
	}
}

// withMessage is a type with a public and a private field, and the precondition.
func withMessage(t testing.TB, precondition string) *casetype.Type {
	t.Helper()
	ct, err := casetype.Parse("", []byte(`{"key":"k","states":[{"key":"s"}],"fields":{"type":"object","properties":{
		"open":{"type":"integer","title":"The sum"},"shut":{"type":"integer","x-classification":"PRIVATE"}}},
		"transitions":[{"key":"t","to":"s","precondition":`+precondition+`}]}`))
	if err != nil {
		t.Fatal(err)
	}
	return ct
}

func TestAPreconditionIsExplainedByItsMessageOrItsFields(t *testing.T) {
	const withheld = `The condition of the transition "t" is not met. Complete the data first.`
	for _, test := range []struct {
		precondition string
		data         string
		clearance    casetype.Classification
		detail       string
		fields       string
	}{
		{`{"condition":"has(data.open) && data.open > 1","message":"Enter the sum first."}`, `{}`, casetype.Public, "Enter the sum first.", "/data/open is not set"},
		{`{"condition":"has(data.open) && data.open > 1","message":"Enter the sum first."}`, `{"open":1}`, casetype.Public, "Enter the sum first.", ""},
		{`{"condition":"data.open > 1","message":"Enter the sum first."}`, `{}`, casetype.Public, "Enter the sum first.", "/data/open is not set"},
		{`"has(data.open) && data.open > 1"`, `{"open":1}`, casetype.Public, `The transition "t" can't be submitted with the case as it is. It depends on: The sum. Complete or change the data first.`, ""},
		{`"state == 'x'"`, `{}`, casetype.Public, `The transition "t" can't be submitted with the case as it is: its condition is not met. Ask the case type's maintainer what it requires.`, ""},
		{`"data.open > 1"`, `{}`, casetype.Public, `"t" needs: The sum.`, "/data/open is not set"},
		{`"has(data.open) && data.open > 1"`, `{}`, casetype.Public, `"t" needs: The sum.`, "/data/open is not set"},
		{`"!has(data.open) && has(data.shut)"`, `{}`, casetype.Private, `The transition "t" can't be submitted with the case as it is. It depends on: The sum, shut. Complete or change the data first.`, "/data/open is not set, /data/shut is not set"},
		{`"before.open > 1"`, `{}`, casetype.Public, `The transition "t" can't be submitted with the case as it was before the change. It depends on: The sum.`, ""},
		{`{"condition":"has(data.shut)","message":"Enter it."}`, `{}`, casetype.Private, "Enter it.", "/data/shut is not set"},
		{`{"condition":"has(data.shut)","message":"Enter it."}`, `{}`, casetype.Public, withheld, ""},
		{`{"condition":"size(data) > 3","message":"Enter shut."}`, `{}`, casetype.Public, withheld, ""},
		{`"has(data.shut)"`, `{}`, casetype.Public, withheld, ""},
	} {
		err := withMessage(t, test.precondition).Meets("t", casetype.Input{Data: decode(t, test.data)}, test.clearance)
		var fields []string
		for _, f := range fault.As(err).Fields {
			fields = append(fields, f.Path+" "+f.Message)
		}
		if got := strings.Join(fields, ", "); err == nil || fault.As(err).Detail != test.detail || got != test.fields {
			t.Errorf("%s for %s:\n%q, fields %q\nwant %q, fields %q", test.precondition, test.clearance,
				fault.As(err).Detail, got, test.detail, test.fields)
		}
	}
}

// A definition is a new version if its bytes differ, so the bytes of earlier ones must not change.
func TestAPreconditionWithoutMessageIsWrittenAsText(t *testing.T) {
	text, object := withMessage(t, `"data.open > 1"`), withMessage(t, `{"condition":"data.open > 1"}`)
	if !strings.Contains(string(text.JSON()), `"precondition":"data.open > 1"`) ||
		string(text.JSON()) != string(object.JSON()) {
		t.Errorf("%s\n%s", text.JSON(), object.JSON())
	}
	told := withMessage(t, `{"condition":"data.open > 1","message":"Enter < 2."}`)
	if !strings.Contains(string(told.JSON()), `"precondition":{"condition":"data.open > 1","message":"Enter < 2."}`) {
		t.Errorf("%s", told.JSON())
	}
	again, err := casetype.Load(told.JSON())
	if err != nil || string(again.JSON()) != string(told.JSON()) {
		t.Errorf("%s, %v", again.JSON(), err)
	}
	hidden := withMessage(t, `{"condition":"has(data.open)","message":"not without shut"}`)
	if strings.Contains(string(hidden.JSONFor(casetype.Public)), "precondition") ||
		!strings.Contains(string(hidden.JSONFor(casetype.Private)), "precondition") {
		t.Errorf("%s", hidden.JSONFor(casetype.Public))
	}
}
