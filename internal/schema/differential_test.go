package schema_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/casehook/casehook/internal/schema"
)

// patternOf lets the library match by our patterns.
type patternOf struct {
	pattern *schema.Pattern
	source  string
}

func (p patternOf) String() string { return p.pattern.String() }

func (p patternOf) MatchString(s string) bool {
	doc := map[string]any{"pattern": p.source}
	compiled, err := schema.Compile(nil, schema.Source{Document: doc})
	if err != nil {
		return false
	}
	found, _ := compiled.Validate(nil, s)
	return len(found) == 0
}

func asJSON(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "?"
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func read(t interface{ Fatal(...any) }, text string) any {
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// complaints lists our complaints, as lines.
func complaints(t interface{ Fatal(...any) }, s *schema.Schema, value any) []string {
	found, err := s.Validate(schema.NewBudget(nil, 1<<30), value)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, c := range found {
		lines = append(lines, schema.Pointer("", c.Path...)+" "+c.Message)
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

// compare holds our verdict and complaints about a value against the library's.
func compare(t interface {
	Fatal(...any)
	Errorf(string, ...any)
}, doc, value any) {
	library, err := libraryCompile(doc)
	if err != nil {
		return // the metaschema refuses it
	}
	ours, err := schema.Compile(schema.NewBudget(nil, 1<<30), schema.Source{Document: doc})
	if errors.Is(err, schema.ErrCircular) {
		return // the library finds that while it validates, and only on some values
	}
	if err != nil {
		t.Fatal(err, asJSON(doc))
	}
	wrong := library.Validate(value)
	want, got := libraryComplaints(wrong), complaints(t, ours, value)
	if diff := cmp.Diff(want, got); diff != "" || (wrong == nil) != (len(got) == 0) {
		t.Errorf("%s\nof %s:\n%s", asJSON(doc), asJSON(value), diff)
	}
}

func TestValidationAgreesWithTheLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc := anySchema(3).Draw(t, "schema").(map[string]any)
		doc["$defs"] = map[string]any{"a": anySchema(1).Draw(t, "a"), "b": anySchema(1).Draw(t, "b")}
		for i := range 4 {
			compare(t, doc, anyValue(3).Draw(t, "value"+strconv.Itoa(i)))
		}
	})
}

func FuzzValidationAgreesWithTheLibrary(f *testing.F) {
	for _, seed := range [][2]string{
		{`{"type":"integer","minimum":1e0}`, `1.0`},
		{`{"uniqueItems":true,"items":{"enum":[1,"a",{"b":1.0}]}}`, `[1,"a",{"b":1},{"b":1e0}]`},
		{`{"allOf":[{"properties":{"a":{}}}],"unevaluatedProperties":false}`, `{"a":1,"b":2}`},
		{`{"prefixItems":[{}],"contains":{"const":1},"unevaluatedItems":false}`, `[0,1,2]`},
		{`{"$defs":{"n":{"properties":{"c":{"$ref":"#/$defs/n"}},"required":["v"]}},"$ref":"#/$defs/n"}`, `{"v":1,"c":{}}`},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, source, data string) {
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(source))
		value, err2 := jsonschema.UnmarshalJSON(strings.NewReader(data))
		if errors.Join(err, err2) != nil || !fuzzable(source) || !fuzzable(data) {
			return
		}
		compare(t, doc, value)
	})
}

// fuzzable reports whether a text has no construct that is refused earlier or not supported.
func fuzzable(text string) bool {
	for _, not := range []string{
		"$id", "$anchor", "$dynamic", "$recursive", "$schema", "$vocabulary", "propertyNames", "://", "%", "1e9", "E",
		"e+", "1e1", "e2", "e3", "e4", "e5", "e6", "e7", "e8", "e-",
	} {
		if strings.Contains(text, not) {
			return false
		}
	}
	return len(text) < 2000
}

func oneOf(of ...any) *rapid.Generator[any] { return rapid.SampledFrom(of) }

var anyName = rapid.SampledFrom([]string{"a", "b", "c", "ab", "~/", ""})

// anyValue draws a value of few kinds, so that schemas often apply to it.
func anyValue(depth int) *rapid.Generator[any] {
	leaf := oneOf(nil, true, false, "", "a", "ab", "aé", "1990-02-28", "1990-02-30",
		json.Number("0"), json.Number("-0.0"), json.Number("1"), json.Number("1.0"), json.Number("10e-1"),
		json.Number("2"), json.Number("2.5"), json.Number("-3"), json.Number("9007199254740993"))
	if depth == 0 {
		return leaf
	}
	return rapid.OneOf(leaf,
		rapid.Custom(func(t *rapid.T) any { return rapid.SliceOfN(anyValue(depth-1), 0, 12).Draw(t, "items") }),
		rapid.Custom(func(t *rapid.T) any { return rapid.MapOfN(anyName, anyValue(depth-1), 0, 4).Draw(t, "members") }),
	)
}

// anySchema draws a schema with a few keywords.
func anySchema(depth int) *rapid.Generator[any] {
	return rapid.Custom(func(t *rapid.T) any {
		s := map[string]any{}
		for range rapid.IntRange(1, 3).Draw(t, "keywords") {
			keyword := rapid.SampledFrom(keywords()).Draw(t, "keyword")
			if v := keyword.draw(t, depth); v != nil {
				s[keyword.name] = v
			}
		}
		return s
	})
}

type keyword struct {
	name string
	draw func(t *rapid.T, depth int) any
}

func keywords() []keyword {
	return []keyword{
		{"type", func(t *rapid.T, _ int) any {
			types := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"null", "boolean", "integer", "number", "string", "array", "object"}), 1, 3, rapid.ID).Draw(t, "types")
			return anys(types)
		}},
		{"enum", func(t *rapid.T, _ int) any { return rapid.SliceOfN(anyValue(1), 1, 30).Draw(t, "enum") }},
		{"const", func(t *rapid.T, _ int) any { return anyValue(1).Draw(t, "const") }},
		{"format", func(t *rapid.T, _ int) any { return oneOf("date", "email", "regex", "uuid").Draw(t, "format") }},
		{"$ref", func(t *rapid.T, _ int) any { return oneOf("#/$defs/a", "#/$defs/b", "#").Draw(t, "ref") }},
		number("minimum"), number("maximum"), number("exclusiveMinimum"), number("exclusiveMaximum"),
		{"multipleOf", func(t *rapid.T, _ int) any {
			return oneOf(json.Number("1"), json.Number("0.5"), json.Number("2.0")).Draw(t, "n")
		}},
		count("minLength"), count("maxLength"), count("minItems"), count("maxItems"), count("minProperties"), count("maxProperties"),
		count("minContains"), count("maxContains"),
		{"pattern", func(t *rapid.T, _ int) any { return oneOf("^a", "b$", "^[a-z]*$").Draw(t, "pattern") }},
		{"uniqueItems", func(*rapid.T, int) any { return true }},
		{"required", func(t *rapid.T, _ int) any {
			return anys(rapid.SliceOfNDistinct(anyName, 0, 3, rapid.ID).Draw(t, "names"))
		}},
		{"dependentRequired", func(t *rapid.T, _ int) any { return map[string]any{"a": []any{"b", "c"}} }},
		one("not"), one("if"), one("then"), one("else"), one("items"), one("contains"), one("propertyNames"),
		one("additionalProperties"), one("unevaluatedProperties"), one("unevaluatedItems"),
		several("allOf"), several("anyOf"), several("oneOf"), several("prefixItems"),
		members("properties", anyName), members("dependentSchemas", anyName),
		members("patternProperties", rapid.SampledFrom([]string{"^a", "b", ""})),
	}
}

func anys(names []string) []any {
	all := []any{}
	for _, name := range names {
		all = append(all, name)
	}
	return all
}

func number(name string) keyword {
	return keyword{name, func(t *rapid.T, _ int) any {
		return oneOf(json.Number("1"), json.Number("2.5"), json.Number("0e0")).Draw(t, name)
	}}
}

func count(name string) keyword {
	return keyword{
		name, func(t *rapid.T, _ int) any { return json.Number(fmt.Sprint(rapid.IntRange(0, 3).Draw(t, name))) },
	}
}

// anyPart draws a schema for a keyword, at depth 0 true or false.
func anyPart(depth int) *rapid.Generator[any] {
	flat := rapid.Map(rapid.Bool(), func(b bool) any { return b })
	if depth == 0 {
		return flat
	}
	return rapid.OneOf(anySchema(depth-1), anySchema(depth-1), anySchema(depth-1), flat)
}

func one(name string) keyword {
	return keyword{name, func(t *rapid.T, depth int) any { return anyPart(depth).Draw(t, name) }}
}

func several(name string) keyword {
	return keyword{name, func(t *rapid.T, depth int) any { return rapid.SliceOfN(anyPart(depth), 1, 3).Draw(t, name) }}
}

func members(name string, names *rapid.Generator[string]) keyword {
	return keyword{
		name, func(t *rapid.T, depth int) any { return rapid.MapOfN(names, anyPart(depth), 1, 3).Draw(t, name) },
	}
}
