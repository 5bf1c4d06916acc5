package schema_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/schema"
)

// TestKeywordsComplainAtTheirBounds lists the complaints about values on both sides of each bound.
func TestKeywordsComplainAtTheirBounds(t *testing.T) {
	for _, c := range []struct {
		schema, value, want string // complaints, separated by "; "
	}{
		{`{"minItems":1}`, `[]`, " has fewer than 1 item"},
		{`{"minItems":1}`, `[1]`, ""},
		{`{"maxItems":0}`, `[]`, ""},
		{`{"maxItems":0}`, `[1]`, " has more than 0 items"},
		{`{"maxItems":2}`, `[1,2]`, ""},
		{`{"maxItems":2}`, `[1,2,3]`, " has more than 2 items"},
		{`{"minProperties":1}`, `{}`, " has fewer entries than 1"},
		{`{"minProperties":1}`, `{"a":1}`, ""},
		{`{"maxProperties":0}`, `{}`, ""},
		{`{"maxProperties":0}`, `{"a":1}`, " has more entries than 0"},
		{`{"maxProperties":1}`, `{"a":1}`, ""},
		{`{"maxProperties":1}`, `{"a":1,"b":2}`, " has more entries than 1"},
		{`{"minLength":1}`, `""`, " is shorter than 1 character"},
		{`{"minLength":2}`, `"é"`, " is shorter than 2 characters"},
		{`{"minLength":2}`, `"éé"`, ""},
		{`{"minLength":1e8}`, `""`, " is shorter than 100000000 characters"},
		{`{"maxLength":0}`, `""`, ""},
		{`{"maxLength":0}`, `"a"`, " is longer than 0 characters"},
		{`{"maxLength":2}`, `"éé"`, ""},
		{`{"maxLength":2}`, `"ééé"`, " is longer than 2 characters"},
		{`{"pattern":"^%d$"}`, `"5"`, " does not match the pattern ^%d$"},
		{`{"contains":{}}`, `[]`, " holds no item of the form that it must hold"},
		{`{"contains":{},"minContains":2}`, `[]`, " holds fewer than 2 items of the form that it must hold"},
		{`{"contains":{},"minContains":2}`, `[1]`, " holds fewer than 2 items of the form that it must hold"},
		{`{"contains":{},"minContains":0}`, `[]`, ""},
		{`{"contains":{"const":1}}`, `[1,1]`, ""},
		{`{"contains":{"const":1}}`, `[2]`, "/0 is not 1"},
		{`{"contains":{"const":1},"minContains":2}`, `[1,2]`, "/1 is not 1"},
		{`{"contains":{"const":1},"minContains":0,"maxContains":0}`, `[2]`, ""},
		{`{"contains":{"const":1},"minContains":0,"maxContains":0}`, `[1]`,
			" holds more than 0 items of the form that it may hold"},
		{`{"contains":{"const":1},"maxContains":1}`, `[1]`, ""},
		{`{"contains":{"const":1},"maxContains":1}`, `[1,2,1]`,
			" holds more than 1 items of the form that it may hold"},
	} {
		says(t, c.schema, c.value, c.want)
	}
}

func says(t *testing.T, source, value, want string) {
	t.Helper()
	if got := strings.Join(complaints(t, compile(t, source), read(t, value)), "; "); got != want {
		t.Errorf("%s of %s: %q, want %q", source, value, got, want)
	}
}

func TestComplaintsNameTheirPlaces(t *testing.T) {
	for _, c := range []struct{ schema, value, want string }{
		{`{"properties":{"a":{"type":"string"}}}`, `{"a":1}`, "/a is a number, not text"},
		{`{"patternProperties":{"^a":{"type":"string"}}}`, `{"ab":1}`, "/ab is a number, not text"},
		{`{"additionalProperties":{"type":"string"}}`, `{"ab":1}`, "/ab is a number, not text"},
		{`{"propertyNames":{"maxLength":1}}`, `{"ab":1}`, "/ab is longer than 1 character"},
		{`{"unevaluatedProperties":{"type":"string"}}`, `{"ab":1}`, "/ab is a number, not text"},
		{`{"items":{"type":"string"}}`, `[1]`, "/0 is a number, not text"},
		{`{"items":{"type":"string"}}`, `["a",1]`, "/1 is a number, not text"},
		{`{"unevaluatedItems":{"type":"string"}}`, `[1]`, "/0 is a number, not text"},
		{`{"properties":{"a":{"type":"string"},"b":{"oneOf":[{"type":"string"},{"type":"boolean"}]}}}`, `{"a":1,"b":2}`,
			"/a is a number, not text; " +
				"/b fits none of the allowed forms: is a number, not text; or is a number, not true or false"},
	} {
		says(t, c.schema, c.value, c.want)
	}
}

func TestBranchesAreTaken(t *testing.T) {
	const choice = `{"if":{"type":"number"},"then":{"minimum":5},"else":{"minLength":2}}`
	for _, c := range []struct{ schema, value, want string }{
		{choice, `5`, ""},
		{choice, `4`, " is below 5"},
		{choice, `"ab"`, ""},
		{choice, `"a"`, " is shorter than 2 characters"},
		{`{"then":false,"else":false}`, `1`, ""},
		{`{"not":{"type":"string"}}`, `1`, ""},
		{`{"not":{"type":"string"}}`, `"a"`, " matches a schema that it must not match"},
		{`{"allOf":[{"not":{"type":"string"}},{"minimum":5}]}`, `4`, " is below 5"},
	} {
		says(t, c.schema, c.value, c.want)
	}
}

func TestNumbersAreComparedWithTheirLimits(t *testing.T) {
	for _, n := range []struct {
		value, limit string
		order        int
	}{
		{"-7", "-5", -1}, {"-3", "-5", 1}, {"-5", "-5", 0}, {"-50", "-5", -1}, {"-3", "0", -1},
		{"-3", "5", -1}, {"3", "-5", 1}, {"0", "-5", 1}, {"0", "5", -1}, {"5", "5.0", 0},
		{"50", "5", 1}, {"0.5", "5", -1}, {"5.5", "5", 1},
	} {
		for keyword, fits := range map[string]bool{
			"minimum": n.order >= 0, "maximum": n.order <= 0,
			"exclusiveMinimum": n.order > 0, "exclusiveMaximum": n.order < 0,
		} {
			s := compile(t, `{"`+keyword+`":`+n.limit+`}`)
			if found := complaints(t, s, read(t, n.value)); (len(found) == 0) != fits {
				t.Errorf("%s %s of %s: %q", keyword, n.limit, n.value, found)
			}
		}
	}
}

func TestMultiplesAreExact(t *testing.T) {
	for _, c := range []struct {
		value, of string
		fits      bool
	}{
		{"3", "1", true}, {"3.0", "1", true}, {"3.5", "1", false}, {"5", "10", false}, {"50", "10", true},
		{"0.3", "0.1", true}, {"0.35", "0.1", false}, {"-6", "3", true}, {"7", "3", false}, {"0", "3", true},
	} {
		found := complaints(t, compile(t, `{"multipleOf":`+c.of+`}`), read(t, c.value))
		if (len(found) == 0) != c.fits {
			t.Errorf("%s of %s: %q", c.value, c.of, found)
		}
	}
}

func TestAnUnknownNameMaySeemKnown(t *testing.T) {
	for _, c := range []struct {
		schema  string
		seeming bool
	}{
		{`{"allOf":[{"required":["y"],"properties":{"x":true}}],"unevaluatedProperties":false}`, true},
		{`{"allOf":[{"required":["y"]},{"$ref":"#/$defs/d"}],"unevaluatedProperties":false,
			"$defs":{"d":{"minProperties":2,"properties":{"x":true}}}}`, true},
		{`{"$ref":"#/$defs/d","unevaluatedProperties":false,
			"$defs":{"d":{"required":["y"],"properties":{"x":true}}}}`, true},
		{`{"not":{"required":["y"],"properties":{"x":true}},"unevaluatedProperties":false}`, false},
		{`{"allOf":[{"required":["y"],"properties":{"z":true}}],"unevaluatedProperties":false}`, false},
	} {
		found, err := compile(t, c.schema).Validate(nil, map[string]any{"x": true})
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(found, func(c schema.Complaint) bool { return c.Unevaluated })
		if i < 0 || !found[i].Unknown || found[i].Name() != "x" || found[i].Seeming != c.seeming {
			t.Errorf("%s: %+v", c.schema, found)
		}
	}
}

func TestAComplaintHasTheNameOfItsPlace(t *testing.T) {
	for want, path := range map[string][]string{"": nil, "a": {"a"}, "c": {"a", "b", "c"}} {
		if got := (schema.Complaint{Path: path}).Name(); got != want {
			t.Errorf("%q: %q", path, got)
		}
	}
}

func TestFormsThatSayTheSameSayItOnce(t *testing.T) {
	long := `{"const":"` + strings.Repeat("x", 200-len("is not ")) + `"}` // two of these fill the 400 bytes
	says(t, `{"anyOf":[{"allOf":[`+long+`,`+long+`,{"type":"string"}]}]}`, `1`,
		" fits none of the allowed forms: is a number, not text, is not "+strings.Repeat("x", 193))
}

func TestMessagesAreCutInTextsThatAreNotUTF8(t *testing.T) {
	s, err := schema.Compile(nil, schema.Source{Document: map[string]any{"const": strings.Repeat("\x80", 201)}})
	if err != nil {
		t.Fatal(err)
	}
	if found := complaints(t, s, 1); !slices.Equal(found, []string{" is not ..."}) {
		t.Errorf("%q", found)
	}
}

func TestTheFirstStepEndsIfTheContextHas(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := schema.NewBudget(ctx, 100).Spend(1); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A pattern that is repeated zero times is small, however large its part, but its size is estimated as if it were
// repeated.
func TestAPatternOfTenThousandEstimatedInstructionsIsTheLargest(t *testing.T) {
	for last, fits := range map[string]bool{"a{999}": true, "a{1000}": false} {
		_, err := schema.CompilePattern(nil, `(?:a{1000}b{1000}c{1000}d{1000}`+last+`){0}`)
		if (err == nil) != fits || err != nil && !errors.Is(err, schema.ErrPattern) {
			t.Errorf("%s: %v", last, err)
		}
	}
}
