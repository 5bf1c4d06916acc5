package casetype_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/schema"
)

// recursive is a type whose field f is a node.
func recursive(t *testing.T, node string) *casetype.Type {
	t.Helper()
	ct, err := casetype.Parse("",
		[]byte(`{"key": "k", "states": [{"key": "s"}], "transitions": [{"key": "t", "to": "s"}],
		"fields": {"type": "object", "properties": {"f": {"$ref": "#/$defs/node"}}, "$defs": {"node": `+node+`}}}`))
	if err != nil {
		t.Fatal(err)
	}
	return ct
}

func chain(open, closing string, n int) string {
	return `{"f": ` + strings.Repeat(open, n) + `{}` + strings.Repeat(closing, n) + `}`
}

// A schema that validates the same part twice doubles the work with each level.
func TestValidationEndsWhateverTheSchema(t *testing.T) {
	const again = `{"$ref": "#/$defs/node"}`
	for name, c := range map[string]struct{ node, open, closing string }{
		"properties":    {`{"allOf": [{"properties": {"c": ` + again + `}}, {"properties": {"c": ` + again + `}}]}`, `{"c":`, `}`},
		"alternatives":  {`{"oneOf": [{"properties": {"c": ` + again + `}, "required": ["c"]}, {"properties": {"c": ` + again + `}}]}`, `{"c":`, `}`},
		"items":         {`{"items": ` + again + `, "contains": ` + again + `}`, `[`, `]`},
		"first items":   {`{"allOf": [{"prefixItems": [` + again + `]}, {"items": ` + again + `}]}`, `[`, `]`},
		"through names": {`{"allOf": [{"properties": {"c": ` + again + `}}, {"additionalProperties": ` + again + `}]}`, `{"c":`, `}`},
	} {
		ct := recursive(t, c.node)
		// A twentieth of the budget suffices to show it.
		wrong, err := ct.Validate(schema.NewBudget(t.Context(), 500_000), decode(t, chain(c.open, c.closing, 60)), "/data")
		if err != nil || len(wrong) != 1 || !strings.HasPrefix(wrong[0].Path, "/data/f/") ||
			!strings.Contains(wrong[0].Message, "costs too much to check") {
			t.Errorf("%s: %v, %v", name, wrong, err)
		}
		if wrong := validate(t, ct, decode(t, chain(c.open, c.closing, 8)),
			"/data"); len(wrong) == 1 && strings.Contains(wrong[0].Message, "too much") {
			t.Errorf("%s, a few levels: %v", name, wrong)
		}
	}
}

func TestRecursionThatDoesNotDoubleIsValidatedToAnyDepth(t *testing.T) {
	const again = `{"$ref": "#/$defs/node"}`
	tree := recursive(t,
		`{"type": "object", "properties": {"left": `+again+`, "right": `+again+`, "all": {"type": "array", "items": `+
			again+`}}}`)
	if wrong := validate(t, tree, decode(t, chain(`{"left":`, `}`, 60)), ""); len(wrong) > 0 {
		t.Error(wrong)
	}
	if wrong := validate(t, tree, decode(t, chain(`{"all":[`, `]}`, 30)), ""); len(wrong) > 0 {
		t.Error(wrong)
	}
	wide := `{"f": {"all": [` + strings.Repeat(`{"left": {}},`, 50_000) + `{}]}}`
	if wrong := validate(t, tree, decode(t, wide), ""); len(wrong) > 0 {
		t.Error(wrong)
	}
}

// A fault's path has all the names that lead to its value.
func TestLongNamesAndManyFaultsStayCheap(t *testing.T) {
	long := strings.Repeat("k", 300<<10)
	took := allocated(func() {
		_, err := casetype.Decode([]byte(`{"a": {"` + long + `": [` + strings.Repeat("[1],", 100_000) + `1], "` + long +
			`2": 1}, "b": 1}`))
		if fields := fault.As(err).Fields; !errors.Is(err, fault.Invalid) || len(fields) != 2 ||
			fields[0].Path != "/a" || len(err.Error()) > 1000 {
			t.Errorf("%.300v", err)
		}
		if _, err = casetype.Decode([]byte(`{` + strings.Repeat(`"a":1,`, 100_000) +
			`"a":1}`)); len(fault.As(err).Fields) != 1000 {
			t.Errorf("%d fields", len(fault.As(err).Fields))
		}
	})
	if took > 512<<20 {
		t.Errorf("took %d MiB", took>>20)
	}
	t.Logf("%d MiB", took>>20)
}

func TestNothingThatMultipliesTextIsInPreconditions(t *testing.T) {
	for _, expression := range []string{
		`data.s.replace("", data.s) != ""`, `data.l.join(data.s) != ""`, `data.s.format([data.s]) != ""`,
	} {
		source := `{"key": "k", "fields": {"properties": {"a": {}}}, "states": [{"key": "s"}], "transitions": [{"key": "t", "to": "s", "precondition": ` + quoted(expression) + `}]}`
		if faults := faultsOf(t, source); len(faults) == 0 {
			t.Errorf("%s is accepted", expression)
		}
	}
}

func quoted(s string) string { return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"` }

// stopping returns a type and data that takes long to validate.
func stopping(t *testing.T) (*casetype.Type, map[string]any) {
	node := recursive(t,
		`{"allOf": [{"properties": {"c": {"$ref": "#/$defs/node"}}}, {"properties": {"c": {"$ref": "#/$defs/node"}}}]}`)
	return node, decode(t, chain(`{"c":`, `}`, 60))
}

// leaving is the context of a client that leaves when Err has been called so often.
type leaving struct {
	context.Context
	after, looks int
}

func (l *leaving) Err() error {
	if l.looks++; l.looks > l.after {
		return context.Canceled
	}
	return nil
}

func TestNothingIsCheckedForAClientThatHasLeft(t *testing.T) {
	ct, data := stopping(t)
	ctx := &leaving{Context: t.Context(), after: 10}
	work := casetype.Budget(ctx)
	wrong, err := ct.Validate(work, data, "/data")
	if !errors.Is(err, context.Canceled) || len(wrong) > 0 || ctx.looks != 11 || work.Used() > 100_000 {
		t.Errorf("%v, %v after %d looks and %d steps", wrong, err, ctx.looks, work.Used())
	}
	ctx = &leaving{Context: t.Context(), after: 1}
	_, err = casetype.ParseContext(ctx, "", []byte(recurring(150, 150)))
	if !errors.Is(err, context.Canceled) || ctx.looks != 2 {
		t.Errorf("a definition: %v after %d looks", err, ctx.looks)
	}
}

func TestAllValidationsOfARequestShareOneBudget(t *testing.T) {
	ct, data := stopping(t)
	work := casetype.Budget(t.Context())
	for range 3 {
		wrong, err := ct.Validate(work, data, "/data")
		if err != nil || len(wrong) != 1 || !strings.Contains(wrong[0].Message, "costs too much") {
			t.Errorf("%v, %v", wrong, err)
		}
	}
}

// Each is a definition of at most a megabyte that would take long, or become large.
func TestAHostileDefinitionCostsLittle(t *testing.T) {
	list := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
			b.WriteByte(',')
		}
		return b.String()
	}
	for name, fields := range map[string]string{
		"patterns":   `"a":{"properties":{` + list(5000, `"p%d":{"pattern":"a{1000}b{1000}"}`) + `"z":true}}`,
		"long names": `"a":{"properties":{"` + strings.Repeat("%", 1900) + `":{"properties":{` + list(9000, `"p%d":true`) + `"z":true}}}}`,
		"references": `"a":{"prefixItems":[` + list(9000, `{"$ref":"#/$defs/node","title":"%d"}`) + `{}]}`,
		"unknown":    `"a":{` + list(9000, `"typo%d":true`) + `"type":"object"}`,
	} {
		source := `{"key":"k","states":[{"key":"s"}],"transitions":[{"key":"t","to":"s"}],"fields":{"type":"object","properties":{` + fields +
			`},"$defs":{"node":{"properties":{` + list(5000, `"q%d":true`) + `"z":true}}}}}`
		took := allocated(func() {
			if _, err := casetype.Parse("", []byte(source)); len(fmt.Sprint(err)) > 1<<20 {
				t.Errorf("%s: an error of %d bytes", name, len(fmt.Sprint(err)))
			}
		})
		t.Logf("%s: %d MiB", name, took>>20)
		if took > 256<<20 {
			t.Errorf("%s: took %d MiB", name, took>>20)
		}
	}
}

func TestPreconditionsTakeNoMoreTogetherThanADefinitionMay(t *testing.T) {
	define := func(n int, condition string) error {
		var transitions []string
		for i := range n {
			transitions = append(transitions,
				fmt.Sprintf(`{"key": "t%d", "to": "s", "precondition": %q}`, i, condition))
		}
		_, err := casetype.Parse("",
			[]byte(`{"key": "x", "states": [{"key": "s"}], "fields": {"type": "object", "properties": {"f": {"type": "string"}}},
			"transitions": [`+strings.Join(transitions, ",")+`]}`))
		return err
	}
	several := func(n int, condition string) string { return strings.Repeat(condition+" && ", n) + condition }
	if err := define(100, several(8, "(data.f == 'a' || data.f.startsWith('b'))")); err != nil {
		t.Error(err)
	}
	for _, condition := range []string{
		several(240, "1u+1u==2.0"), strings.Repeat("[", 44) + "1" + strings.Repeat("]", 44) + ".size()>0",
	} {
		if err := define(min(4500, 800_000/(60+len(condition))), condition); err == nil ||
			!strings.Contains(err.Error(), "costs too much to check") {
			t.Errorf("%.40s...: %v", condition, err)
		}
	}
}
