package casetype_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/casetype"
)

// repeated returns n parts with their numbers.
func repeated(n int, format string) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = fmt.Sprintf(format, i)
	}
	return strings.Join(parts, ",")
}

// withFields returns a definition with these fields, in JSON.
func withFields(properties string) string {
	return `{"key":"k","states":[{"key":"s","final":true}],"transitions":[{"key":"t","to":"s"}],
		"fields":{"type":"object","properties":{` + properties + `}}}`
}

// findings returns the faults or the warnings of a definition.
func findings(source string) string {
	ct, err := casetype.Parse("", []byte(source))
	if err != nil {
		return err.Error()
	}
	if len(ct.Warnings()) > 0 {
		return ct.Warnings().Error()
	}
	return ""
}

// fits reports whether a text holds the wanted one, or both are empty.
func fits(got, want string) bool { return strings.Contains(got, want) && (got == "") == (want == "") }

func TestBoundsOfUpTo40DigitsAreCompared(t *testing.T) {
	for digits, want := range map[int]string{39: "is above maximum", 40: "is above maximum", 41: ""} {
		got := findings(withFields(`"n":{"minimum":1` + strings.Repeat("0", digits-1) + `,"maximum":1}`))
		if !fits(got, want) {
			t.Errorf("%d digits: %q, want %q", digits, got, want)
		}
	}
}

func TestAWarningOfABoundOfAnotherTypeNamesTheRightKeyword(t *testing.T) {
	for schema, want := range map[string]string{
		`"type":"string","minimum":1`:          "; write minLength",
		`"type":"array","maxLength":1`:         "; write maxItems",
		`"type":"integer","minItems":1`:        "; write minimum",
		`"type":"string","exclusiveMinimum":1`: "and this is text",
		`"type":"integer","pattern":"a"`:       "and this is a number",
	} {
		if got := findings(withFields(`"n":{` + schema + `}`)); !strings.HasSuffix(got, want) {
			t.Errorf("%s: %q, want %q", schema, got, want)
		}
	}
}

// The cost of a schema grows with its keywords and its path, and slowly.
func TestLongPathsAndManyKeywordsAreChecked(t *testing.T) {
	long := strings.Repeat("k", 1000)
	for name, test := range map[string]struct{ properties, want string }{
		"keywords":        {`"n":{` + repeated(30, `"x-%d":1`) + `}`, ""},
		"a path":          {`"n":{"properties":{"` + long + `":{"type":"string"}}}`, ""},
		"a warning":       {`"n":{"properties":{"` + long + `":{"type":"string","maximum":1}}}`, "write maxLength"},
		"a fault":         {`"n":{"properties":{"` + long + `":{"tpye":"string"}}}`, `did you mean "type"`},
		"many below":      {`"n":{"properties":{"` + long + `":{"properties":{` + repeated(1500, `"p%d":true`) + `}}}}`, ""},
		"parts in parts":  {`"n":` + strings.Repeat(`{"allOf":[`, 25) + `{"properties":{"a":true}}` + strings.Repeat(`]}`, 25), ""},
		"as many schemas": {`"n":{"allOf":[` + repeated(1999, `{"minLength":%d}`) + `]}`, ""},
		"too many":        {`"n":{"allOf":[` + repeated(2000, `{"minLength":%d}`) + `]}`, "applies more than 2000 schemas"},
	} {
		if got := findings(withFields(test.properties)); !fits(got, test.want) {
			t.Errorf("%s: %.300q, want %q", name, got, test.want)
		}
	}
}

func TestFiftyNamesGetASuggestionAndAThousandFaultsAreListed(t *testing.T) {
	for n, want := range map[int]int{49: 49, 50: 50, 51: 50, 60: 50} {
		got := findings(withFields(repeated(n, `"n%d":{"minimun":1}`)))
		if count := strings.Count(got, "did you mean"); count != want {
			t.Errorf("of %d keywords %d get a suggestion, want %d", n, count, want)
		}
		states := `{"key":"k","fields":{"type":"object","properties":{"amount":{}}},
			"states":[{"key":"begun"}],"transitions":[`
		got = findings(states + repeated(n, `{"key":"t%d","to":"bugun"}`) + `]}`)
		if count := strings.Count(got, "did you mean"); count != want {
			t.Errorf("of %d states %d get a suggestion, want %d", n, count, want)
		}
		got = findings(states + repeated(n, `{"key":"t%d","to":"far-off"}`) + `]}`)
		if count := strings.Count(got, "there are begun"); count != want {
			t.Errorf("for %d states the others are listed %d times, want %d", n, count, want)
		}
		got = findings(withFields(repeated(n, `"n%d":{"farofffaroff":1}`)))
		if count := strings.Count(got, "there are type"); count != want {
			t.Errorf("for %d keywords the others are listed %d times, want %d", n, count, want)
		}
		data := decode(t, "{"+repeated(n, `"amuont%d":1`)+"}")
		got = ""
		ct := typeOf(t, "{type: object, properties: {"+repeated(n, "amount%d: {}")+"}}")
		for _, f := range validate(t, ct, data, "") {
			got += f.Message
		}
		if count := strings.Count(got, "did you mean"); count != want {
			t.Errorf("of %d fields of data %d get a suggestion, want %d", n, count, want)
		}
	}
	faults := faultsOf(t, withFields(repeated(1010, `"n%d":{"x-casehook-a":1}`)))
	if len(faults) != 1000 {
		t.Errorf("%d faults are listed", len(faults))
	}
	warned := findings(withFields(`"a":{"properties":{` + repeated(1010, `"n%d":{"type":"string","maximum":1}`) + `}}`))
	if count := strings.Count(warned, "has no effect"); count != 1000 {
		t.Errorf("%d warnings are listed", count)
	}
}

func TestUpTo24NamesAreListed(t *testing.T) {
	for n, more := range map[int]bool{23: false, 24: false, 25: true, 40: true} {
		got := findings(`{"key":"k","fields":{"type":"object","properties":{"amount":{}}},"states":[` +
			repeated(n, `{"key":"state%d"}`) + `],"transitions":[{"key":"t","to":"far-off"}]}`)
		if strings.Count(got, "state")-1 != min(n, 24) || strings.HasSuffix(got, ", ...") != more {
			t.Errorf("of %d states: %s", n, got)
		}
	}
}

func TestTheOperationsOnCasesHaveTheirCallbacksChecked(t *testing.T) {
	for _, operation := range []string{"switch", "delete"} {
		source := strings.Replace(withFields(""), "{", `{"`+operation+`":{"about_to_submit":{"url":"file:///x"}},`, 1)
		if got := findings(source); !strings.Contains(got, "/"+operation+"/about_to_submit/url: ") {
			t.Errorf("%s: %q", operation, got)
		}
	}
}

func TestTimesOfACallbackMayBeAsLongAsTheirBounds(t *testing.T) {
	for settings, want := range map[string]string{
		`"timeout":"1m","budget":"5m","retries":["1m"]`: "", `"timeout":"15s","budget":"15s"`: "", `"timeout":"15s"`: "",
		`"timeout":"61s","budget":"5m"`: "at most 1m0s", `"budget":"301s"`: "at most 5m0s", `"retries":["61s"]`: "at most 1m0s",
		`"timeout":"16s"`: "shorter than the timeout", `"budget":"4s"`: "shorter than the timeout",
	} {
		got := findings(`{"key":"k",` + fieldAndStates + `,"transitions":[{"key":"t","to":"a","about_to_submit":
			{"url":"https://example.com",` + settings + `}}]}`)
		if want == "" && strings.Contains(got, "about_to_submit") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", settings, got, want)
		}
	}
}

func TestARequiredFieldHasToBeSettable(t *testing.T) {
	const nobody = "which no transition sets"
	for rest, want := range map[string]string{
		`{"key":"u","from":["a"],"fields":["m"]}]`:                                           nobody,
		`{"key":"u","from":["a"],"fields":["n"]}]`:                                           "",
		`{"key":"u","from":["a"]}]`:                                                          "",
		`{"key":"u","from":["a"],"fields":["m"],"about_to_submit":` + asks + `}]`:            "",
		`{"key":"u","from":["a"],"fields":["m"]}],"switch":{"about_to_submit":` + asks + `}`: "",
		`{"key":"u","from":["a"],"fields":["m"]}],"delete":{"about_to_submit":` + asks + `}`: nobody,
		`{"key":"u","from":["a"],"fields":[]}]`:                                              "is empty in an edit",
		`{"key":"u","from":["a"],"fields":[],"about_to_submit":` + asks + `}]`:               "",
		`{"key":"u","from":["a"],"to":"b","fields":[]},{"key":"v","from":["a"]}]`:            "",
	} {
		_, err := casetype.Parse("", []byte(`{"key":"k","states":[{"key":"a"},{"key":"b"}],
			"fields":{"type":"object","properties":{"n":{},"m":{}}},"transitions":[{"key":"c","to":"a","fields":["m"]},
			{"key":"t","from":["a"],"to":"b","fields":["m"],"required":["n"]},`+rest+"}"))
		if got := fmt.Sprint(err); !strings.Contains(got, want) || (err == nil) != (want == "") {
			t.Errorf("%s: %v, want %q", rest, err, want)
		}
	}
}

func TestAReferenceLeadsToASchemaInsideTheFields(t *testing.T) {
	for ref, found := range map[string]bool{
		"#": true, "#/properties/l/prefixItems/0": true, "#/properties/l/prefixItems/1": true,
		"#/properties/l/prefixItems/2": false, "#/properties/l/prefixItems/-1": false, "#/properties/l/prefixItems/x": false,
		"#properties": false, "#/properties/l/maxItems": false, "#/properties/n": true,
	} {
		got := findings(withFields(`"l":{"maxItems":3,"prefixItems":[{"type":"string"},{"type":"integer"}]},
			"n":{"type":"array"},"r":{"items":{"$ref":"` + ref + `"}}`))
		if (got == "") != found {
			t.Errorf("%s: %q", ref, got)
		}
	}
}

func TestAFaultOfFormNamesTheRemedy(t *testing.T) {
	for edit, want := range map[[2]string]string{
		{"fields:\n", "fields: amount\nx-old:\n"}:                    "/fields: is text, not an object: write type: object, and properties",
		{"states:\n", "states: [Draft One]\nx-old:\n"}:               "write {key: draft_one}",
		{"key: loan", "key: " + strings.Repeat("A", 70) + "!"}:       "write " + strings.Repeat("a", 70),
		{"format: email", "uniqueItems: 'yes'"}:                      ": write true",
		{"  required", "  $defs: {a: {type: int}}\n  required"}:      "/fields/$defs/a/type: \"int\" is not a type: write integer",
		{"  type: object\n  required", "  tpye: object\n  required"}: `did you mean "type"`,
		{"  required", "  titel: {type: string}\n  required"}:        "fields stand below properties:",
		{"{client.name}", "{email.host}"}:                            "email is text; write {email}",
	} {
		faults := faultsOf(t, strings.Replace(good, edit[0], edit[1], 1))
		if !strings.Contains(faults.Error(), want) {
			t.Errorf("%q:\n%v\nwant %q", edit[1], faults, want)
		}
	}
}

func TestIntegersAreListedWithinBounds(t *testing.T) {
	number := func(n int, more string) string {
		return withFields(`"a":{"properties":{` + repeated(n, `"n%d":{"type":"number"}`) +
			`},"additionalProperties":` + more + `}`)
	}
	for name, test := range map[string]struct {
		source string
		want   int
	}{
		"200":           {withFields(repeated(200, `"n%d":{"type":"integer"}`)), 200},
		"201":           {withFields(repeated(201, `"n%d":{"type":"integer"}`)), 200},
		"others of 199": {number(199, `{"type":"integer"}`), 200},
		"others of 200": {number(200, `{"type":"integer"}`), 0},
		"no others":     {number(200, `{"type":"number"}`), 0},
		"the 10000th":   {withFields(`"a":{"properties":{` + repeated(9997, `"n%d":true`) + `,"z":{"type":"integer"}}}`), 1},
		"the 10001st":   {withFields(`"a":{"properties":{` + repeated(9998, `"n%d":true`) + `,"z":{"type":"integer"}}}`), 0},
	} {
		ct, err := casetype.Parse("", []byte(test.source))
		if err != nil {
			t.Fatalf("%s: %.300v", name, err)
		}
		if got := len(ct.Integers()); got != test.want {
			t.Errorf("%s: %d places are listed, want %d", name, got, test.want)
		}
	}
	for _, around := range []string{
		`{"properties":{"b":%s}}`, `{"allOf":[%s]}`, `{"anyOf":[%s]}`, `{"prefixItems":[%s]}`, `{"items":%s}`,
		`{"patternProperties":{"^n":%s},"additionalProperties":false}`,
	} {
		schema := `{"type":"integer"}`
		for depth := 1; depth <= 9; depth++ {
			ct, err := casetype.Parse("", []byte(withFields(`"a":`+schema)))
			if err != nil || (len(ct.Integers()) > 0) != (depth <= 8) {
				t.Errorf("%s, depth %d: %v, %v", around, depth, ct.Integers(), err)
			}
			schema = fmt.Sprintf(around, schema)
		}
	}
}

func TestDataMayBeNested64Deep(t *testing.T) {
	ct := typeOf(t, `{type: object, properties: {f: {}}}`)
	var value any = json.Number("1")
	for range 63 {
		value = []any{value}
	}
	if wrong := validate(t, ct, map[string]any{"f": value}, ""); len(wrong) > 0 {
		t.Error(wrong)
	}
	if wrong := validate(t, ct, map[string]any{"f": []any{value}}, ""); len(wrong) != 1 {
		t.Errorf("one level more: %v", wrong)
	}
}

func TestNumbersOfDataAreThoseOfJSON(t *testing.T) {
	ct := typeOf(t, `{type: object, properties: {f: {}}}`)
	for value, want := range map[any]bool{
		json.Number("0"): true, json.Number("9"): true, json.Number("-9.5e10"): true, json.Number("0.09"): true, 1.5: true, 7: true,
		json.Number(" 1"): false, json.Number("1 "): false, json.Number("+1"): false, json.Number("01"): false, json.Number(""): false,
		json.Number("\t9"): false, json.Number(`"9"`): false, math.NaN(): false, math.Inf(1): false, math.Inf(-1): false, uint8(1): false,
	} {
		if wrong := validate(t, ct, map[string]any{"f": value}, ""); (len(wrong) == 0) != want {
			t.Errorf("%v of %T: %v", value, value, wrong)
		}
	}
	bad := json.Number("x")
	for name, value := range map[string]any{"a list": []any{bad, bad}, "an object": map[string]any{"a": bad, "b": bad}} {
		if wrong := validate(t, ct, map[string]any{"f": value}, ""); len(wrong) != 2 {
			t.Errorf("two in %s: %v", name, wrong)
		}
	}
}

// The part of the schema that knows the name has failed for another reason: only that is reported.
func TestANameThatAFailingPartKnowsIsNotUnknown(t *testing.T) {
	ct := typeOf(t, `{type: object, properties: {
		f: {allOf: [{properties: {a: {}}, minProperties: 2}]}, g: {allOf: [{minProperties: 1}]}}}`)
	wrong := validate(t, ct, decode(t, `{"f":{"a":1},"g":{"x":1}}`), "")
	if len(wrong) != 1 || wrong[0].Path != "/f" {
		t.Error(wrong)
	}
}

func TestAFieldWithADefaultIsThereWhenACaseIsCreated(t *testing.T) {
	for field, want := range map[string]string{
		`{"type":"integer","default":1}`: "", `{"type":"integer"}`: mayBeAbsent,
	} {
		got := findings(`{"key":"k","states":[{"key":"s","final":true}],
			"transitions":[{"key":"t","to":"s","precondition":"data.n > 0"}],"fields":{"type":"object","properties":{"n":` + field + `}}}`)
		if !fits(got, want) {
			t.Errorf("%s: %q, want %q", field, got, want)
		}
	}
}

func TestASourceMayHave16Megabytes(t *testing.T) {
	for over := range 2 {
		source := good + "#" + strings.Repeat("x", 16<<20-len(good)-1+over)
		if _, err := casetype.Parse("", []byte(source)); (err == nil) != (over == 0) {
			t.Errorf("%d bytes: %.200v", len(source), err)
		}
	}
}

func TestADefinitionIsShownWithoutWhatIsAboveTheClearance(t *testing.T) {
	ct := classifiedType(t, `"name_template":"{own}",`, "{open}")
	var shown struct {
		Key    string
		Fields struct{ Properties map[string]any }
		Name   *string `json:"name_template"`
	}
	if err := json.Unmarshal(ct.JSONFor(casetype.Public), &shown); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"open": map[string]any{}}
	if diff := cmp.Diff(want, shown.Fields.Properties); diff != "" || shown.Key != "k" || shown.Name != nil {
		t.Errorf("%s with a name: %v; fields (-want +got):\n%s", shown.Key, shown.Name != nil, diff)
	}
}

func TestATemplateMayComeToItsLimit(t *testing.T) {
	for limit, want := range map[int]string{2: "ab", 3: "abc", 4: "abc"} {
		got, err := casetype.Interpolate("abc", nil, casetype.Identity{}, nil, limit)
		if got != want || (err == nil) != (limit >= 3) {
			t.Errorf("limit %d: %q, %v", limit, got, err)
		}
	}
}

func TestADefinitionWithoutTransitionsHasOneFault(t *testing.T) {
	faults := faultsOf(t, `{"key":"k",`+fieldAndStates+`,"transitions":[]}`)
	if len(faults) != 1 || !strings.Contains(faults[0].Message, "write at least one") {
		t.Error(faults)
	}
}
