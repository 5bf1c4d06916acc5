package expression_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/expression"
)

// box is an object with a field that may be absent, and one that is another box.
type box struct {
	text  string
	inner *box
}

var boxObject = &expression.Object{Name: "box", Fields: map[string]expression.Field{
	"text": {Type: expression.Text, Get: func(v any) (any, bool) { b := v.(*box); return b.text, b.text != "" }},
}}

func language(limits expression.Limits) *expression.Language {
	boxObject.Fields["inner"] = expression.Field{Type: boxObject.Type(), Get: func(v any) (any, bool) {
		b := v.(*box)
		return boxObject.Of(b.inner), b.inner != nil
	}}
	return expression.New(limits, []*expression.Object{boxObject},
		expression.Variable{Name: "box", Type: boxObject.Type()},
		expression.Variable{Name: "data", Type: expression.Map})
}

func TestObjectsHaveFieldsThatAreKnownAndMayBeAbsent(t *testing.T) {
	l := language(expression.Limits{Cost: 1000})
	inner := &box{text: "in"}
	values := expression.ValueMap{"box": boxObject.Of(&box{inner: inner}), "data": map[string]any{}}
	for source, want := range map[string]bool{
		`has(box.text)`: false, `has(box.inner)`: true, `box.inner.text == "in"`: true, `has(box.inner.inner)`: false,
		`box.inner == box.inner`: true, `box == box.inner`: false, `type(box) == type(box.inner)`: true, `[box, box.inner].exists(b, has(b.text))`: true,
	} {
		p, wrong := l.Compile(source)
		if wrong != nil {
			t.Errorf("%s: %v", source, wrong)
			continue
		}
		if got, err := p.Evaluate(values); err != nil || got != want {
			t.Errorf("%s: %v, %v; want %v", source, got, err, want)
		}
	}
	for source, want := range map[string]string{
		`box.text == ""`: "no such key: text", `box.inner.inner.text == ""`: "no such key: inner",
		`box{text: "x"} == box`: "no such overload",
	} {
		p, wrong := l.Compile(source)
		if wrong != nil {
			t.Fatal(wrong)
		}
		if _, err := p.Evaluate(values); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", source, err, want)
		}
	}
	for _, source := range []string{`box.size == 1`, `box{text: "x"} == 5`, `box.text.inner == box`} {
		if _, wrong := l.Compile(source); wrong == nil || wrong.Line != 1 || wrong.Column < 1 {
			t.Errorf("%s: %v", source, wrong)
		}
	}
}

// With Foresee, an expression that would cost too much is refused when it is compiled; an evaluation that costs too
// much is always stopped.
func TestCostIsForeseenAndLimited(t *testing.T) {
	loops := `data.l.all(a, data.l.all(b, data.l.all(c, true)))`
	if _, wrong := language(expression.Limits{Cost: 10_000, Foresee: true}).Compile(loops); wrong == nil ||
		!strings.Contains(wrong.Error(), "would cost too much") {
		t.Errorf("it was not foreseen: %v", wrong)
	}
	p, wrong := language(expression.Limits{Cost: 10_000}).Compile(loops)
	if wrong != nil {
		t.Fatal(wrong)
	}
	for n, fails := range map[int]bool{5: false, 100: true} {
		list := make([]any, n)
		if _, err := p.Evaluate(expression.ValueMap{"data": map[string]any{"l": list}}); (err != nil) != fails {
			t.Errorf("%d items: %v", n, err)
		}
	}
}

// CEL charges one unit for a comparison of values of unknown type, whatever their size.
func TestComparisonsCostByTheirOperands(t *testing.T) {
	deep := map[string]any{"a": []any{map[string]any{"b": make([]any, 5000)}}}
	text := strings.Repeat("x", 50_000)
	l := language(expression.Limits{Cost: 400})
	for _, source := range []string{
		`data.x == data.y`, `data.x != data.y`, `1 in data.x.a[0].b`, `data.x in [data.y]`,
		`data.text == data.text + ""`, `data.text.contains("y")`, `data.text.matches("^x*y")`, `data.text < data.text`,
	} {
		p, wrong := l.Compile(source)
		if wrong != nil {
			t.Errorf("%s: %v", source, wrong)
			continue
		}
		if _, err := p.Evaluate(expression.ValueMap{"data": map[string]any{
			"x": deep, "y": deep, "text": text,
		}}); err == nil || err.Error() != "cost limit exceeded" {
			t.Errorf("%s: %v", source, err)
		}
		small := map[string]any{"a": []any{map[string]any{"b": []any{1}}}}
		if _, err := p.Evaluate(expression.ValueMap{"data": map[string]any{
			"x": small, "y": small, "text": "x",
		}}); err != nil {
			t.Errorf("%s, of something small: %v", source, err)
		}
	}
}

// nested returns an expression of nested loops. Each runs over the template, in which X is the variable of the loop
// around it.
func nested(depth int, template, innermost string) string {
	var source strings.Builder
	variable := "1"
	for i := range depth {
		source.WriteString(strings.ReplaceAll(template, "X", variable))
		variable = "v" + strconv.Itoa(i)
		source.WriteString(".exists(" + variable + ", ")
	}
	return source.String() + strings.ReplaceAll(innermost, "X", variable) + strings.Repeat(")", depth)
}

// The type of a variable may be twice as large as that of the one before it, so that checking many of them never
// ends.
func TestLoopsAreCountedBeforeTypesAreFound(t *testing.T) {
	l := language(expression.Limits{Cost: 10_000})
	for source, want := range map[string]string{
		nested(15, "[{X: X}]", "true"): "has 15 loops", nested(6, "[{{1: {X: X}}: {1: {X: X}}}]", "true"): "builds nested lists and maps",
	} {
		if _, wrong := l.Compile(source); wrong == nil || !strings.Contains(wrong.Error(), want) {
			t.Errorf("%s: %v, want %s", source, wrong, want)
		}
	}
	for _, source := range []string{
		nested(8, "[X]", "true"), "data.l.all(a, a > 1)" + strings.Repeat(" && data.l.exists(a, a == 2)", 7),
	} {
		if _, wrong := l.Compile(source); wrong != nil {
			t.Errorf("%s: %v", source, wrong)
		}
	}
}

// A list that holds the same list many times is small in memory, but costs as much as a condition visits of it.
func TestMadeListsCostByTheirContents(t *testing.T) {
	l := language(expression.Limits{Cost: 50_000})
	tenfold := "[[" + strings.TrimSuffix(strings.Repeat("X, ", 10), ", ") + "]]"
	for _, innermost := range []string{"true", "X == X", "[X].size() == 1"} {
		p, wrong := l.Compile(nested(7, tenfold, innermost))
		if wrong != nil {
			t.Fatal(wrong)
		}
		if _, err := p.Evaluate(expression.ValueMap{}); err == nil || err.Error() != "cost limit exceeded" {
			t.Errorf("%s: %v", innermost, err)
		}
	}
	p, wrong := l.Compile(nested(3, tenfold, "X == X && 1 in [1, 2]"))
	if wrong != nil {
		t.Fatal(wrong)
	}
	if holds, err := p.Evaluate(expression.ValueMap{}); err != nil || !holds {
		t.Errorf("something small: %v, %v", holds, err)
	}
}

// Each part of an expression is visited once, however deep it is: if visits doubled with each level, this would not
// end.
func TestDeepExpressionsAreCheckedAtOnce(t *testing.T) {
	l := language(expression.Limits{})
	for _, source := range []string{
		strings.Repeat("true in [", 40) + "true" + strings.Repeat("]", 40),
		strings.Repeat("[1].map(x, ", 8) + "true" + strings.Repeat(")", 8) + " == []",
	} {
		if made := l.CompileFor(source, map[string]expression.Shape{}); len(made.Faults) > 1 {
			t.Errorf("%s: %v", source, made.Faults)
		}
	}
}
