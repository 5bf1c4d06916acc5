package casetype_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
)

// recursive is a type whose field f is a node.
func recursive(t *testing.T, node string) *casetype.Type {
	t.Helper()
	ct, err := casetype.Parse("", []byte(`{"key": "k", "states": [{"key": "s"}], "transitions": [{"key": "t", "to": "s"}],
		"fields": {"type": "object", "properties": {"f": {"$ref": "#/$defs/node"}}, "$defs": {"node": `+node+`}}}`))
	if err != nil {
		t.Fatal(err)
	}
	return ct
}

func chain(open, closing string, n int) string {
	return `{"f": ` + strings.Repeat(open, n) + `{}` + strings.Repeat(closing, n) + `}`
}

// A schema that judges the same part twice doubles the work with each level.
func TestValidationEndsWhateverTheSchema(t *testing.T) {
	const again = `{"$ref": "#/$defs/node"}`
	for name, c := range map[string]struct{ node, open, closing string }{
		"properties":    {`{"allOf": [{"properties": {"c": ` + again + `}}, {"properties": {"c": ` + again + `}}]}`, `{"c":`, `}`},
		"alternatives":  {`{"oneOf": [{"properties": {"c": ` + again + `}, "required": ["c"]}, {"properties": {"c": ` + again + `}}]}`, `{"c":`, `}`},
		"other names":   {`{"properties": {"a": true}, "additionalProperties": ` + again + `, "patternProperties": {"^c": ` + again + `}}`, `{"c":`, `}`},
		"items":         {`{"items": ` + again + `, "contains": ` + again + `}`, `[`, `]`},
		"first items":   {`{"allOf": [{"prefixItems": [` + again + `]}, {"items": ` + again + `}]}`, `[`, `]`},
		"through names": {`{"allOf": [{"properties": {"c": ` + again + `}}, {"additionalProperties": ` + again + `}]}`, `{"c":`, `}`},
	} {
		ct := recursive(t, c.node)
		wrong := ct.Validate(decode(t, chain(c.open, c.closing, 60)), "/data")
		if len(wrong) != 1 || wrong[0].Path != "/data" || !strings.Contains(wrong[0].Message, "too deep") {
			t.Errorf("%s: %v", name, wrong)
		}
		if wrong := ct.Validate(decode(t, chain(c.open, c.closing, 8)), "/data"); len(wrong) == 1 && wrong[0].Path == "/data" {
			t.Errorf("%s, a few levels: %v", name, wrong)
		}
	}
}

func TestRecursionThatDoesNotDoubleIsJudgedToAnyDepth(t *testing.T) {
	const again = `{"$ref": "#/$defs/node"}`
	tree := recursive(t, `{"type": "object", "properties": {"left": `+again+`, "right": `+again+`, "all": {"type": "array", "items": `+again+`}}}`)
	if wrong := tree.Validate(decode(t, chain(`{"left":`, `}`, 60)), ""); len(wrong) > 0 {
		t.Error(wrong)
	}
	if wrong := tree.Validate(decode(t, chain(`{"all":[`, `]}`, 30)), ""); len(wrong) > 0 {
		t.Error(wrong)
	}
	wide := `{"f": {"all": [` + strings.Repeat(`{"left": {}},`, 50_000) + `{}]}}`
	if wrong := tree.Validate(decode(t, wide), ""); len(wrong) > 0 {
		t.Error(wrong)
	}
}

// The place of a value is told by all the names that lead to it.
func TestLongNamesAndManyFaultsStayCheap(t *testing.T) {
	long := strings.Repeat("k", 300<<10)
	took := allocated(func() {
		_, err := casetype.Decode([]byte(`{"a": {"` + long + `": [` + strings.Repeat("[1],", 100_000) + `1], "` + long + `2": 1}, "b": 1}`))
		if fields := fault.As(err).Fields; !errors.Is(err, fault.Invalid) || len(fields) != 2 || fields[0].Path != "/a" || len(err.Error()) > 1000 {
			t.Errorf("%.300v", err)
		}
		if _, err = casetype.Decode([]byte(`{` + strings.Repeat(`"a":1,`, 100_000) + `"a":1}`)); len(fault.As(err).Fields) != 1000 {
			t.Errorf("%d fields", len(fault.As(err).Fields))
		}
	})
	if took > 512<<20 {
		t.Errorf("took %d MiB", took>>20)
	}
	t.Logf("%d MiB", took>>20)
}

func TestNothingThatMultipliesTextIsInPreconditions(t *testing.T) {
	for _, expression := range []string{`data.s.replace("", data.s) != ""`, `data.l.join(data.s) != ""`, `data.s.format([data.s]) != ""`} {
		source := `{"key": "k", "fields": {"properties": {"a": {}}}, "states": [{"key": "s"}], "transitions": [{"key": "t", "to": "s", "precondition": ` + quoted(expression) + `}]}`
		if faults := faultsOf(t, source); len(faults) == 0 {
			t.Errorf("%s is taken", expression)
		}
	}
}

func quoted(s string) string { return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"` }
