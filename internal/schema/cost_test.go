package schema_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/schema"
)

// A validation takes the same steps on every machine, since it ends with them. A text of 130 bytes is copied,
// hashed or compared in two.
func TestValidationsTakeTheseSteps(t *testing.T) {
	text := asJSON(strings.Repeat("x", 130))
	long := "[" + distinct(9, "%d") + "]" // hashed, as fewer are not
	for _, c := range []struct {
		schema, value string
		steps         int
	}{
		{`{}`, `1`, 2},
		{`{"type":"string"}`, `1`, 42},
		{`{"const":1}`, `1`, 5},
		{`{"not":{"const":1}}`, `1`, 47},
		{`{"const":[1,2]}`, `[1,2]`, 11},
		{`{"const":{"a":1,"b":2}}`, `{"a":1,"b":2}`, 15},
		{`{"const":{"` + strings.Repeat("x", 130) + `":1}}`, `{"` + strings.Repeat("x", 130) + `":1}`, 12},
		{`{"const":` + text + `}`, text, 11},
		{`{"const":{"a":` + text + `}}`, `{"a":` + text + `}`, 16},
		{`{"minLength":1}`, text, 5},
		{`{"pattern":"^xx*$"}`, text, 269},
		{`{"format":"date"}`, text, 117},
		{`{"minimum":1}`, `10`, 4},
		{`{"multipleOf":0.01}`, `1.5e10`, 52},
		{`{"required":["a","b","c"]}`, `{"a":1,"b":1,"c":1}`, 3},
		{`{"properties":{"a":{},"b":{}}}`, `{"a":1,"b":1,"c":1}`, 14},
		{`{"dependentRequired":{"a":["b"],"c":[]},"dependentSchemas":{"d":{}}}`, `{"a":1,"b":1}`, 5},
		{`{"uniqueItems":true}`, `[1,2,3]`, 11},
		{`{"uniqueItems":true}`, "[" + distinct(8, "%d") + "]", 86},
		{`{"uniqueItems":true}`, long, 56},
		{`{"items":{"type":"string"}}`, `[1]`, 45},
		{`{"items":{"items":{"type":"string"}}}`, `[[1]]`, 48},
		{`{"contains":{"const":2}}`, `[1,2,3]`, 52},
		{`{"unevaluatedProperties":{}}`, `{"a":1,"b":1,"c":1}`, 40},
		{`{"unevaluatedItems":{}}`, `[1,2,3]`, 40},
		{`{"prefixItems":[{}],"unevaluatedItems":{}}`, `[1,2,3]`, 36},
		{`{"prefixItems":[{}],"unevaluatedItems":{}}`, `[1]`, 4},
		{`{"allOf":[{"properties":{"a":{}}}],"unevaluatedProperties":{}}`, `{"a":1,"b":1,"c":1}`, 72},
		{`{"allOf":[{"prefixItems":[{}]}],"unevaluatedItems":{}}`, `[1,2,3]`, 64},
		{`{"anyOf":[{},{}]}`, `1`, 4},
		{`{"anyOf":[{},{"properties":{"a":{}}}],"unevaluatedProperties":true}`, `{"a":1}`, 52},
		{`{"oneOf":[{"type":"string"},{}]}`, `1`, 46},
		{`{"items":{"enum":["a"]}}`, `["b","c"]`, 92},
	} {
		s, value, b := compile(t, c.schema), read(t, c.value), schema.NewBudget(nil, 1<<30)
		if _, err := s.Validate(b, value); err != nil {
			t.Fatal(err)
		}
		if b.Used() != c.steps {
			t.Errorf("%.60s of %.40s: %d steps, not %d", c.schema, c.value, b.Used(), c.steps)
		}
		for steps := range c.steps {
			found, err := s.Validate(schema.NewBudget(nil, steps), value)
			if !errors.Is(err, schema.ErrSpent) || len(found) > 0 {
				t.Errorf("%.60s of %.40s in %d steps: %d complaints, %v", c.schema, c.value, steps, len(found), err)
			}
		}
	}
}

func TestCompilingTakesTheseSteps(t *testing.T) {
	for source, want := range map[string]int{
		`{}`:                        20,
		`{"enum":[1,2,3]}`:          44,
		`{"pattern":"abc"}`:         160,
		`{"pattern":"(ab){3}"}`:     380,
		`{"pattern":"(a|b|)*"}`:     240,
		`{"allOf":[{},true,false]}`: 80,
		`{"$ref":"#/$defs/` + strings.Repeat("a", 130) + `","$defs":{"` + strings.Repeat("a", 130) + `":{}}}`: 42,
	} {
		b := schema.NewBudget(nil, 1<<30)
		if _, err := schema.Compile(b, schema.Source{Document: read(t, source)}); err != nil || b.Used() != want {
			t.Errorf("%.40s: %v after %d steps, want %d", source, err, b.Used(), want)
		}
		for steps := range want {
			_, err := schema.Compile(schema.NewBudget(nil, steps), schema.Source{Document: read(t, source)})
			if !errors.Is(err, schema.ErrSpent) {
				t.Errorf("%.40s in %d steps: %v", source, steps, err)
			}
		}
	}
}

// The context is checked once in 4096 steps.
func TestTheContextIsCheckedEvery4096Steps(t *testing.T) {
	ctx := &leaving{Context: t.Context(), after: 1000}
	b := schema.NewBudget(ctx, 1<<20)
	for range 3*4096 + 1 {
		if err := b.Spend(1); err != nil {
			t.Fatal(err)
		}
	}
	if ctx.looks != 4 {
		t.Errorf("it was checked %d times", ctx.looks)
	}
}

func TestPatternsAreBounded(t *testing.T) {
	for source, fits := range map[string]bool{
		strings.Repeat("[ab]", 2498):           true, // an instruction each, and two for its beginning and end
		strings.Repeat("[ab]", 2499):           false,
		"[a" + strings.Repeat("b", 9997) + "]": true, // 10,000 bytes
		"[a" + strings.Repeat("b", 9998) + "]": false,
		"a{1000}":                              true,
		"(a{1000}){2}":                         false,
	} {
		if _, err := schema.CompilePattern(nil, source); (err == nil) != fits {
			t.Errorf("%.10s of %d bytes: %v", source, len(source), err)
		}
	}
}

func TestPatternsEndWhereEscapesDo(t *testing.T) {
	for _, c := range []struct {
		pattern, fits, other string
	}{
		{`^\ca\cZ$`, "\x01\x1a", "az"}, {`^\cA\cz$`, "\x01\x1a", "AZ"}, {`^\u{41}\u{5A}$`, "AZ", "A"},
		{`^\ud7ff\ue000$`, "\ud7ff\ue000", "x"}, {`^\u0041`, "A", "u"}, {`^a\\`, `a\`, "a"},
	} {
		s, err := schema.Compile(nil, schema.Source{Document: map[string]any{"pattern": c.pattern}})
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		for text, fits := range map[string]bool{c.fits: true, c.other: false} {
			if wrong, err := s.Validate(nil, text); err != nil || (len(wrong) == 0) != fits {
				t.Errorf("%s and %q: %v, %v", c.pattern, text, wrong, err)
			}
		}
	}
	for pattern, want := range map[string]string{
		`a\`: "trailing backslash", `\c`: "invalid escape", `\c[`: "invalid escape", "\\c`": "invalid escape",
		`\c{`: "invalid escape", `\c@`: "invalid escape", `\u004`: "invalid escape", `\u{41`: "invalid escape",
		`\u{}`: "invalid escape", `(a)\9`: "refers back", `\8`: "refers back", `\ud83d\u0041`: "invalid escape",
		`\ud83d\x41`: "invalid escape", `\ud83da00041`: "invalid escape",
	} {
		if _, err := schema.CompilePattern(nil, pattern); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", pattern, err, want)
		}
	}
}

func TestMessagesAreCutBetweenCharacters(t *testing.T) {
	values := func(n int) string { return `{"enum":[` + distinct(n, `"v%d"`) + `]}` }
	twenty := "is not one of " + strings.ReplaceAll(distinct(20, "v%d"), ",", ", ")
	x := strings.Repeat("x", 200)
	for _, c := range []struct {
		schema, want string
	}{
		{`{"const":"` + x + `"}`, "is not " + x},
		{`{"const":"` + x + `y"}`, "is not " + x + "..."},
		{`{"const":"` + x[1:] + `éy"}`, "is not " + x[1:] + "..."},
		{`{"const":""}`, `is not ""`},
		{values(20), twenty},
		{values(21), twenty + ", ..."},
	} {
		found := complaints(t, compile(t, c.schema), []any{})
		if len(found) != 1 || found[0] != " "+c.want {
			t.Errorf("%.40s: %q, want %q", c.schema, found, c.want)
		}
	}
}

func TestFormsAreListedWithin400Bytes(t *testing.T) {
	told := func(a, b int) string {
		form := func(n int) string { return fmt.Sprintf(`{"const":"%s"}`, strings.Repeat("x", n)) }
		return complaints(t, compile(t, `{"anyOf":[`+form(a)+`,`+form(b)+`]}`), []any{})[0]
	}
	const form, or = len("is not "), len("; or ")
	most := 400 - 2*form - or
	if got := told(200, most-200); !strings.Contains(got, "; or is not x") {
		t.Errorf("400 bytes are cut: %s", got)
	}
	if got := told(200, most-199); !strings.Contains(got, "allowed forms: there are 2") {
		t.Errorf("401 bytes are not cut: %s", got)
	}
}

func TestLimitsAreWrittenInDigitsIfTheseAreFew(t *testing.T) {
	for limit, want := range map[string]string{
		"1e1": "10", "0.10": "0.1", "1e-20": "0.00000000000000000001", "1e-21": "1e-21",
		"1e39": "1" + strings.Repeat("0", 39), "1e40": "1e+40",
	} {
		found := complaints(t, compile(t, `{"exclusiveMaximum":`+limit+`}`), read(t, limit))
		if len(found) != 1 || found[0] != " is not below "+want {
			t.Errorf("%s: %q, want %s", limit, found, want)
		}
	}
}

func TestPointersLeadToItemsThatThereAre(t *testing.T) {
	doc := read(t, `{"a":[10,20],"b/c":{"~":30}}`)
	for at, want := range map[string]string{
		"": asJSON(doc), "/a/0": "10", "/a/1": "20", "/b~1c/~0": "30", "/a/2": "", "/a/-1": "", "/a/x": "", "/x": "",
		"a": "", "/a/0/1": "",
	} {
		got, ok := schema.Lookup(doc, at)
		if ok != (want != "") || ok && asJSON(got) != want {
			t.Errorf("%s: %v, %v; want %s", at, got, ok, want)
		}
	}
}

func TestCountsAreNumbersHoweverTheyAreWritten(t *testing.T) {
	for count, fits := range map[string]bool{
		"2": true, "2.0": true, "20e-1": true, "0.2e1": true, "3": false, "1e9": false, "999999999": false, "1e400": false,
	} {
		if found := complaints(t, compile(t, `{"minItems":`+count+`}`), []any{1, 2}); (len(found) == 0) != fits {
			t.Errorf("%s: %q", count, found)
		}
	}
	for count, fits := range map[string]bool{"10": true, "1e1": true, "9": false, "1e9": true, "1e99": true} {
		if found := complaints(t, compile(t, `{"maxLength":`+count+`}`), "0123456789"); (len(found) == 0) != fits {
			t.Errorf("%s: %q", count, found)
		}
	}
}

func TestTheFirstTwoItemsThatAreTheSameAreNamed(t *testing.T) {
	for _, n := range []int{8, 9, 20} { // few are compared each with each other
		items := numbers(0, n)
		items[n-1] = items[0]
		want := fmt.Sprintf(" holds the same item twice, at 0 and %d", n-1)
		if found := complaints(t, compile(t, `{"uniqueItems":true}`), items); len(found) != 1 || found[0] != want {
			t.Errorf("%d items: %q, want %q", n, found, want)
		}
	}
}
