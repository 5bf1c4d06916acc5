package casetype_test

import (
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
)

func decode(t testing.TB, text string) map[string]any {
	t.Helper()
	data, err := casetype.Decode([]byte(text))
	if err != nil {
		t.Fatalf("Decode(%s): %v", text, err)
	}
	return data
}

// validate lists the faults of data by a type, within the budget of a request.
func validate(t testing.TB, ct *casetype.Type, data map[string]any, root string) []fault.Field {
	t.Helper()
	wrong, err := ct.Validate(casetype.Budget(t.Context()), data, root)
	if err != nil {
		t.Fatal(err)
	}
	return wrong
}

func typeOf(t testing.TB, fields string) *casetype.Type {
	t.Helper()
	ct, err := casetype.Parse("", []byte("key: k\nstates: [{key: s}]\ntransitions: [{key: t, to: s}]\nfields: "+fields))
	if err != nil {
		t.Fatalf("%s:\n%v", fields, err)
	}
	return ct
}

func TestValidateListsFaultsAndTheirPaths(t *testing.T) {
	kyc := example(t, "kyc.yaml")
	for _, c := range []struct {
		data string
		want []fault.Field
	}{
		{`{"client_name":"Acme","email":"a@example.com","risk_score":100}`, nil},
		{`{}`, []fault.Field{{Path: "/data/client_name", Message: "is required"}}},
		{`{"client_name":"Acme","nmae":"x","emial":"y"}`, []fault.Field{
			{Path: "/data/emial", Message: `is not a field of kyc (did you mean "email"?)`},
			{Path: "/data/nmae", Message: "is not a field of kyc"}}},
		{`{"client_name":"","email":"nobody","date_of_birth":"1990-02-30","risk_score":101,"risk_level":"huge","politically_exposed":"yes"}`, []fault.Field{
			{Path: "/data/client_name", Message: "is shorter than 1 character"},
			{Path: "/data/date_of_birth", Message: "is not a valid date, such as 2026-03-14"},
			{Path: "/data/email", Message: "is not a valid email"},
			{Path: "/data/politically_exposed", Message: "is text, not true or false"},
			{Path: "/data/risk_level", Message: "is not one of low, medium, high"},
			{Path: "/data/risk_score", Message: "is above 100"}}},
		{`{"client_name":"Acme","company":{"nam":"x","address":{"zip":"1","country":"ch"}}}`, []fault.Field{
			{Path: "/data/company/address/country", Message: "does not match the pattern ^[A-Z]{2}$"},
			{Path: "/data/company/address/zip", Message: "is not a known name here"},
			{Path: "/data/company/nam", Message: "is not a known name here"},
			{Path: "/data/company/name", Message: "is required"}}},
		{`{"client_name":"Acme","company":{"name":"x","website":"not a uri"},"nationalities":["CH","CH"]}`, []fault.Field{
			{Path: "/data/company/website", Message: "is not a valid uri, such as https://example.com/a"},
			{Path: "/data/nationalities", Message: "holds the same item twice, at 0 and 1"}}},
		{`{"client_name":"Acme","risk_score":1.5}`, []fault.Field{{Path: "/data/risk_score", Message: "is not a whole number"}}},
		{`{"client_name":null,"a/b~c":1,"":1}`, []fault.Field{
			{Path: "/data/", Message: "is not a field of kyc"},
			{Path: "/data/a~1b~0c", Message: "is not a field of kyc"},
			{Path: "/data/client_name", Message: "is null, not text"}}},
	} {
		if diff := cmp.Diff(c.want, validate(t, kyc, decode(t, c.data), "/data")); diff != "" {
			t.Errorf("%s:\n%s", c.data, diff)
		}
	}
}

func TestNumbersAreComparedExactly(t *testing.T) {
	ct := typeOf(t,
		`{type: object, properties: {n: {type: integer, maximum: 9007199254740992}, big: {type: number, maximum: 1e400},
			any: {type: integer}}}`)
	for text, wants := range map[string]bool{
		`{"n":9007199254740992}`: true, `{"n":9007199254740993}`: false, `{"n":9007199254740992.5}`: false,
		`{"big":1e400}`: true, `{"big":1.0000000000000000000001e400}`: false,
		`{"any":1e400}`: true, `{"any":1.0}`: true, `{"any":123456789012345678901234567890}`: true, `{"any":1e-400}`: false,
	} {
		data := decode(t, text)
		if faults := validate(t, ct, data, ""); (len(faults) == 0) != wants {
			t.Errorf("%s: faults %v, want fit = %v", text, faults, wants)
		}
		again, err := casetype.Encode(data)
		if err != nil || string(again) != text {
			t.Errorf("%s became %s, %v", text, again, err)
		}
	}
}

func TestValidateRefusesValuesThatAreNotJSON(t *testing.T) {
	ct := typeOf(t, `{type: object, properties: {a: {type: number, minimum: 1}}}`)
	deep := map[string]any{}
	for range 100 {
		deep = map[string]any{"a": deep}
	}
	for name, data := range map[string]map[string]any{
		"huge exponent": {"a": json.Number("1e999999999")}, "word": {"a": json.Number("x")}, "channel": {"a": make(chan int)}, "deep": deep,
	} {
		if len(validate(t, ct, data, "/data")) == 0 {
			t.Errorf("%s: no fault", name)
		}
	}
}

func TestNestedObjectsAreClosedUnlessTheySayOtherwise(t *testing.T) {
	for _, c := range []struct {
		name, fields, data string
		want               []string
	}{
		{"properties", `{a: {type: object, properties: {b: {}}}}`, `{"a":{"x":1}}`, []string{"/a/x"}},
		{"in a list", `{a: {type: array, items: {properties: {b: {}}}}}`, `{"a":[{"b":1},{"x":1}]}`, []string{"/a/1/x"}},
		{"explicitly open", `{a: {properties: {b: {}}, additionalProperties: true}}`, `{"a":{"x":1}}`, nil},
		{"explicitly unevaluated", `{a: {properties: {b: {}}, unevaluatedProperties: true}}`, `{"a":{"x":1}}`, nil},
		{"no properties", `{a: {type: object}}`, `{"a":{"x":1}}`, nil},
		{"composed", `{a: {properties: {b: {}}, allOf: [{properties: {c: {}}}]}}`, `{"a":{"b":1,"c":1,"x":1}}`, []string{"/a/x"}},
		{"composed of one that fails", `{a: {properties: {b: {}}, allOf: [{properties: {c: {type: string}}}]}}`, `{"a":{"b":1,"c":1,"x":1}}`, []string{"/a/c", "/a/x"}},
		{"alternatives", `{a: {oneOf: [{properties: {b: {}}, required: [b]}, {properties: {c: {}}, required: [c]}]}}`, `{"a":{"b":1,"x":1}}`, []string{"/a/x"}},
		{"names by pattern", `{a: {patternProperties: {"^b": {}}, properties: {c: {}}}}`, `{"a":{"b1":1,"c":1,"x":1}}`, []string{"/a/x"}},
		{"names judged", `{a: {type: object, propertyNames: {pattern: "^b"}}, z: {type: object}}`, `{"a":{"b1":1,"x":1},"z":{}}`, []string{"/a/x"}},
		{"or null", `{a: {type: [object, "null"], properties: {b: {}}}}`, `{"a":null}`, nil},
	} {
		var got []string
		for _, f := range validate(t, typeOf(t, `{type: object, properties: `+c.fields+`}`), decode(t, c.data), "") {
			got = append(got, f.Path)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s:\n%s", c.name, diff)
		}
	}
	composed := typeOf(t, `{type: object, properties: {a: {}}, allOf: [{properties: {b: {}}}]}`)
	if faults := validate(t, composed, decode(t, `{"a":1,"b":1,"x":1}`), ""); len(faults) != 1 ||
		faults[0].Path != "/x" {
		t.Errorf("a composed top: %v", faults)
	}
}

func TestMessagesQuoteNoData(t *testing.T) {
	ct := typeOf(t,
		`{type: object, properties: {a: {type: string, format: email}, b: {enum: [x]}, c: {pattern: "^q$"}, d: {const: 1},
			e: {anyOf: [{type: "null"}, {type: string, maxLength: 2}]}, f: {not: {const: hunter2}}}}`)
	faults := validate(t, ct,
		decode(t, `{"a":"hunter2","b":"hunter2","c":"hunter2","d":"hunter2","e":"hunter2","f":"hunter2"}`), "/data")
	if len(faults) != 6 {
		t.Errorf("want six faults, got %v", faults)
	}
	for _, f := range faults {
		if strings.Contains(f.Message, "hunter2") {
			t.Errorf("%s: the message quotes the value: %s", f.Path, f.Message)
		}
	}
}

func TestDisallowedListsFieldsThatATransitionMayNotSet(t *testing.T) {
	kyc := example(t, "kyc.yaml")
	approve, _ := kyc.Transition("approve")
	got := kyc.Disallowed(approve, decode(t, `{"decision_reason":"ok","risk_score":1,"emial":"x"}`), "/data",
		casetype.Restricted)
	want := []fault.Field{
		{Path: "/data/emial", Message: `is not a field of kyc (did you mean "email"?)`},
		{Path: "/data/risk_score", Message: "may not be set by the transition approve"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	claim := example(t, "claims/motor.yaml")
	report, _ := claim.Transition("report")
	if got := claim.Disallowed(report, decode(t, `{"policy_no":"P"}`), "", casetype.Restricted); got != nil {
		t.Errorf("a transition without fields refuses %v", got)
	}
	finish, _ := kyc.Transition("finish")
	if got := kyc.Disallowed(finish, decode(t, `{"email":"a@b.c"}`), "", casetype.Restricted); len(got) != 1 {
		t.Errorf("a transition with no field allows %v", got)
	}
}

func TestClassificationsNameEveryField(t *testing.T) {
	got := example(t, "kyc.yaml").Classifications(decode(t, `{"client_name":"a","email":"b","passport_no":null}`))
	want := map[string]string{"client_name": "PUBLIC", "email": "PRIVATE", "passport_no": "RESTRICTED"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDecodeRefusesAmbiguousJSON(t *testing.T) {
	for text, path := range map[string]string{
		``: "", `null`: "", `[]`: "", `"x"`: "", `{}{}`: "", `{} x`: "", `{"a":1,}`: "", `{a:1}`: "", "{\"a\":\"\xff\"}": "",
		`{"a":01}`: "", `{"a":NaN}`: "", `{"a":"\ud800"}`: "", `{"a":"\udc00\ud800"}`: "", `{"a":"\u0000"}`: "",
		`{"a":1,"a":2}`: "/a", `{"a":{"b":1,"b":2}}`: "/a/b", `{"a":[{"b~":1,"\u0062~":2}]}`: "/a/0/b~0",
		`{"a":1e1001}`: "/a", `{"a":-1E-999999999999999999999}`: "/a", `{"a":` + strings.Repeat("9", 500) + `}`: "/a",
		`{"a":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`: "/a" + strings.Repeat("/0", 63),
	} {
		data, err := casetype.Decode([]byte(text))
		if !errors.Is(err, fault.Invalid) {
			t.Errorf("%.60q: got %v, %v; want it refused", text, data, err)
			continue
		}
		if fields := fault.As(err).Fields; len(fields) != 1 || fields[0].Path != path {
			t.Errorf("%.60q: fields %v, want one at %q", text, fields, path)
		}
	}
	decode(t, `{"a":`+strings.Repeat("[", 63)+strings.Repeat("]", 63)+`, "b":"\ud83d\ude00 \\u0000"}`)
}

func TestEncodeIsDeterministicAndPlain(t *testing.T) {
	data := decode(t, ` { "b" : "<&>\u00e9" , "a" : [ 1.50 , {"z":1,"y":null} ] } `)
	raw, err := casetype.Encode(data)
	if err != nil || string(raw) != `{"a":[1.50,{"y":null,"z":1}],"b":"<&>é"}` {
		t.Errorf("got %s, %v", raw, err)
	}
	if raw, err := casetype.Encode(nil); err != nil || string(raw) != "{}" {
		t.Errorf("Encode(nil) = %s, %v", raw, err)
	}
}

func anyData() *rapid.Generator[map[string]any] {
	value := rapid.OneOf(rapid.Just[any](nil), rapid.Just[any](""), rapid.Just[any]([]any{}),
		rapid.Just[any](map[string]any{}),
		rapid.Just[any](false),
		rapid.Map(rapid.IntRange(0, 3), func(i int) any { return json.Number(string(rune('0' + i))) }),
		rapid.Map(rapid.StringN(1, 3, 9), func(s string) any { return s }))
	return rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "c", "d"}), value, 0, 4)
}

func TestMergeReplacesRemovesAndKeeps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before, submitted := anyData().Draw(t, "before"), anyData().Draw(t, "submitted")
		wasBefore, wasSubmitted := maps.Clone(before), maps.Clone(submitted)
		after := casetype.Merge(before, submitted)
		if !reflect.DeepEqual(before, wasBefore) || !reflect.DeepEqual(submitted, wasSubmitted) {
			t.Fatal("Merge changes its arguments")
		}
		for _, name := range []string{"a", "b", "c", "d"} {
			sent, isSent := submitted[name]
			kept, isKept := before[name]
			got, has := after[name]
			switch {
			case isSent && sent == nil && has:
				t.Fatalf("%s was removed by null, and is present", name)
			case isSent && sent != nil && !reflect.DeepEqual(got, sent):
				t.Fatalf("%s = %v, sent %v", name, got, sent)
			case !isSent && (has != isKept || !reflect.DeepEqual(got, kept)):
				t.Fatalf("%s = %v, was %v", name, got, kept)
			}
		}
		if again := casetype.Merge(after, submitted); !reflect.DeepEqual(again, after) {
			t.Fatal("submitting the same again changes something")
		}
		if dropped := casetype.Dropped(after, after); dropped != nil {
			t.Fatalf("nothing changed, and %v dropped", dropped)
		}
	})
}

func TestDroppedListsFieldsThatAnAnswerEmpties(t *testing.T) {
	before := decode(t, `{"a":"x","b":0,"c":false,"d":"","e":null,"f":[],"g":{},"h":[null],"i":"y"}`)
	after := decode(t, `{"a":"","c":null,"h":[],"i":"z"}`)
	if diff := cmp.Diff([]string{"a", "b", "c", "h"}, casetype.Dropped(before, after)); diff != "" {
		t.Error(diff)
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"a":[1,2.5e3,null,true,"\ud83d\ude00"]}`, `{"a":1,"a":2}`, `{"a":"\ud800"}`, `{"a":1e999}`, `[[[`,
		`{"a":{"b":{}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		data, err := casetype.Decode(raw)
		if err != nil {
			return
		}
		first, err := casetype.Encode(data)
		if err != nil {
			t.Fatalf("decoded data can't be encoded: %v", err)
		}
		again, err := casetype.Decode(first)
		if err != nil {
			t.Fatalf("encoded data can't be decoded: %v\n%s", err, first)
		}
		if second, _ := casetype.Encode(again); string(second) != string(first) {
			t.Fatalf("%s became %s", first, second)
		}
	})
}

func FuzzValidate(f *testing.F) {
	kyc, claim := example(f, "kyc.yaml"), example(f, "claims/motor.yaml")
	for _, seed := range []string{
		`{"client_name":"Acme","email":"x","company":{"address":{"zip":1}}}`, `{"risk_score":1e400}`,
		`{"claimant":{"id":1,"first_name":"a","last_name":"b"},"incident_occurred_at":"2024-02-29T10:00:00Z"}`, `{"a/b":1}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		data, err := casetype.Decode(raw)
		if err != nil {
			return
		}
		for _, ct := range []*casetype.Type{kyc, claim} {
			for _, wrong := range validate(t, ct, data, "/data") {
				if !strings.HasPrefix(wrong.Path, "/data") || wrong.Message == "" {
					t.Fatalf("fault %+v", wrong)
				}
			}
			for name := range data {
				known := false
				for _, field := range ct.FieldNames() {
					known = known || field == name
				}
				if !known && len(validate(t, ct, data, "")) == 0 {
					t.Fatalf("the unknown name %q passes", name)
				}
			}
			ct.FormatName(data, casetype.Identity{Reference: "R"})
			_, _ = holds(ct, "approve", casetype.Input{Data: data})
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	for _, wrong := range wrongs {
		f.Add([]byte(strings.Replace(good, wrong.old, wrong.new, 1)))
	}
	f.Add([]byte(`{"key":"k","states":[{"key":"s"}],"transitions":[{"key":"t","to":"s"}],"fields":{"type":"object","properties":{}}}`))
	f.Fuzz(func(t *testing.T, source []byte) {
		ct, err := casetype.Parse("f", source)
		var faults casetype.Faults
		if err != nil {
			if !errors.As(err, &faults) || len(faults) == 0 {
				t.Fatalf("the error lists nothing: %v", err)
			}
			return
		}
		again, err := casetype.Load(ct.JSON())
		if err != nil {
			t.Fatalf("the stored form has faults:\n%v\n%s", err, ct.JSON())
		}
		if string(again.JSON()) != string(ct.JSON()) {
			t.Fatalf("not stable:\n%s\n%s", ct.JSON(), again.JSON())
		}
		validate(t, ct, map[string]any{"a": "b"}, "")
	})
}
