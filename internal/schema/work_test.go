package schema_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/schema"
)

func compile(t testing.TB, source string) *schema.Schema {
	t.Helper()
	s, err := schema.Compile(schema.NewBudget(t.Context(), 1<<30), schema.Source{Document: read(t, source)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// numbers returns n consecutive numbers, beginning with from.
func numbers(from, n int) []any {
	all := make([]any, n)
	for i := range all {
		all[i] = json.Number(fmt.Sprint(from + i))
	}
	return all
}

// A step is about 100 ns: these validations take milliseconds, or are refused.
func TestAnEnumIsASetAndPatternsAreCharged(t *testing.T) {
	enum := compile(t, `{"items":{"enum":`+asJSON(numbers(0, 500))+`}}`)
	items := make([]any, 20_000)
	for i := range items {
		items[i] = json.Number(fmt.Sprintf("%d.0", i%500))
	}
	b := schema.NewBudget(t.Context(), 1<<30)
	if found, err := enum.Validate(b, items); err != nil || len(found) > 0 || b.Used() > 200_000 {
		t.Errorf("20,000 numbers against 500: %d complaints, %v, after %d steps", len(found), err, b.Used())
	}
	t.Logf("20,000 numbers against 500 values: %d steps", b.Used())

	var patterns []any
	for i := range 400 {
		patterns = append(patterns, map[string]any{"pattern": fmt.Sprintf("[a-z]{20}%d", i)})
	}
	s := compile(t, `{"allOf":`+asJSON(patterns)+`}`)
	b = schema.NewBudget(t.Context(), 1_000_000)
	_, err := s.Validate(b, strings.Repeat("a", 2000))
	if !errors.Is(err, schema.ErrSpent) || b.Used() < 900_000 {
		t.Errorf("400 patterns over 2 kB: %v after %d steps", err, b.Used())
	}
}

// costly returns schemas and values whose validation costs far more than their length.
func costly() map[string][2]string {
	long, deep := strings.Repeat("x", 100_000), strings.Repeat(`{"c":`, 60)+"{}"+strings.Repeat("}", 60)
	list, object := asJSON(numbers(0, 20_000)), map[string]any{}
	for i := range 5000 {
		object[fmt.Sprint("name", i)] = json.Number("1")
	}
	each := func(n int, schema string) string { return strings.TrimSuffix(strings.Repeat(schema+",", n), ",") }
	const again = `{"$ref":"#"}`
	return map[string][2]string{
		"allOf":         {`{"items":{"allOf":[` + each(500, `{"minimum":0}`) + `]}}`, list},
		"anyOf":         {`{"items":{"anyOf":[` + each(500, `{"minimum":99999}`) + `]}}`, list},
		"oneOf":         {`{"items":{"oneOf":[` + each(500, `{"minimum":99999}`) + `]}}`, list},
		"if":            {`{"items":{"allOf":[` + each(500, `{"if":{"minimum":99999},"then":false}`) + `]}}`, list},
		"not":           {`{"items":{"allOf":[` + each(500, `{"not":{"minimum":99999}}`) + `]}}`, list},
		"references":    {`{"anyOf":[{"properties":{"c":` + again + `}},{"properties":{"c":` + again + `}}],"properties":{"c":` + again + `}}`, deep},
		"patterns":      {`{"allOf":[` + each(400, `{"pattern":"(x|y)*z"}`) + `]}`, asJSON(long)},
		"formats":       {`{"allOf":[` + each(400, `{"format":"uri"}`) + `]}`, asJSON("a:" + long)},
		"lengths":       {`{"items":{"allOf":[` + each(500, `{"minLength":1}`) + `]}}`, `["` + strings.Join(make([]string, 9000), `x","`) + `x"]`},
		"names":         {`{"patternProperties":{` + distinct(400, `"^n[a-z]*%d$":{}`) + `}}`, asJSON(object)},
		"propertyNames": {`{"allOf":[` + each(300, `{"propertyNames":{"minLength":1}}`) + `]}`, asJSON(object)},
		"required":      {`{"items":{"not":{"required":[` + distinct(4000, `"r%d"`) + `]}}}`, `[` + each(20_000, `{}`) + `]`},
		"dependencies":  {`{"allOf":[` + each(900, `{"dependentSchemas":{"name0":{"additionalProperties":{"minimum":0}}}}`) + `]}`, asJSON(object)},
		"unique":        {`{"allOf":[` + each(500, `{"uniqueItems":true}`) + `]}`, list},
		"contains":      {`{"allOf":[` + each(500, `{"contains":{"const":-1},"minContains":0,"maxContains":1}`) + `]}`, list},
		"enums":         {`{"$defs":{"d":{"enum":[[1],` + list + `]}},"allOf":[` + each(500, `{"$ref":"#/$defs/d"}`) + `]}`, list},
		"constants":     {`{"$defs":{"d":{"const":` + list + `}},"allOf":[` + each(500, `{"$ref":"#/$defs/d"}`) + `]}`, list},
		"multiples":     {`{"items":{"allOf":[` + each(100, `{"multipleOf":1e-300}`) + `]}}`, list},
		"unevaluated":   {`{"allOf":[` + each(300, `{"properties":{"a":{}}}`) + `],"unevaluatedProperties":true}`, asJSON(object)},
	}
}

func distinct(n int, format string) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(format, i))
	}
	return strings.Join(all, ",")
}

func TestEveryKeywordStopsWhenTheBudgetIsSpent(t *testing.T) {
	for name, c := range costly() {
		const steps = 500_000
		b := schema.NewBudget(t.Context(), steps)
		found, err := compile(t, c[0]).Validate(b, read(t, c[1]))
		var stopped *schema.StopError
		if !errors.As(err, &stopped) || !errors.Is(err, schema.ErrSpent) || len(found) > 0 {
			t.Errorf("%s: %d complaints, %v", name, len(found), err)
		}
		if b.Used() > steps {
			t.Errorf("%s: %d steps were taken", name, b.Used())
		}
	}
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

func TestEveryKeywordStopsSoonAfterTheClientHasLeft(t *testing.T) {
	for name, c := range costly() {
		s, value := compile(t, c[0]), read(t, c[1])
		ctx := &leaving{Context: t.Context(), after: 20}
		b := schema.NewBudget(ctx, 1<<40)
		_, err := s.Validate(b, value)
		if !errors.Is(err, context.Canceled) || ctx.looks != ctx.after+1 {
			t.Errorf("%s: %v after %d looks", name, err, ctx.looks)
		}
		if most := 6_000_000; b.Used() > most { // one pattern over a long text is not interrupted
			t.Errorf("%s: %d steps were taken", name, b.Used())
		}
	}
}

func TestAStopNamesThePlace(t *testing.T) {
	s := compile(t, `{"properties":{"a":{"items":{"pattern":"^x*$"}}}}`)
	value := map[string]any{"a": []any{"x", strings.Repeat("x", 10_000)}}
	_, err := s.Validate(schema.NewBudget(t.Context(), 1000), value)
	var stopped *schema.StopError
	if !errors.As(err, &stopped) || strings.Join(stopped.Path, "/") != "a/1" {
		t.Error(err)
	}
}

func TestComplaintsAreBounded(t *testing.T) {
	names := map[string]any{}
	for i := range 5000 {
		names[fmt.Sprint(i)] = true
	}
	values := []any{strings.Repeat("long", 50_000)}
	for range 600 {
		values = append(values, "x")
	}
	for name, c := range map[string]struct {
		schema string
		value  any
	}{
		"items":    {`{"items":{"type":"string"}}`, numbers(0, 50_000)},
		"names":    {`{"additionalProperties":false}`, names},
		"required": {`{"required":[` + distinct(5000, `"r%d"`) + `]}`, map[string]any{}},
		"branches": {`{"items":{"anyOf":[{"minimum":1e9},{"type":"string"}]}}`, numbers(0, 50_000)},
		"enums":    {`{"items":{"enum":` + asJSON(values) + `}}`, numbers(0, 50_000)},
		"patterns": {`{"items":{"pattern":"` + strings.Repeat("a", 2000) + `"}}`, repeated("b", 20_000)},
	} {
		found, err := compile(t, c.schema).Validate(schema.NewBudget(t.Context(), 1<<30), c.value)
		if err != nil || len(found) != schema.MaxComplaints {
			t.Errorf("%s: %d complaints, %v", name, len(found), err)
		}
		size := 0
		for _, c := range found {
			size += len(c.Message)
		}
		if size > 5<<20 {
			t.Errorf("%s: messages of %d bytes", name, size)
		}
	}
}

func repeated(v any, n int) []any {
	all := make([]any, n)
	for i := range all {
		all[i] = v
	}
	return all
}

func TestPatternsAreCheckedBeforeTheyAreCompiled(t *testing.T) {
	for _, source := range []string{
		`x{1000}{1000}`, strings.Repeat("a{1000}", 1000), strings.Repeat(`\pL`, 5000), strings.Repeat("((((a{10}){10}){10}))", 300),
		strings.Repeat("a", 20_000),
	} {
		if p, err := schema.CompilePattern(nil, source); err == nil {
			t.Errorf("%.20s is accepted: %.20s", source, p)
		}
	}
	var patterns []any
	for i := range 300 {
		patterns = append(patterns, map[string]any{"pattern": fmt.Sprintf("a{1000}b{1000}%d", i)})
	}
	_, err := schema.Compile(schema.NewBudget(t.Context(), 1<<40),
		schema.Source{Document: map[string]any{"allOf": patterns}})
	if !errors.Is(err, schema.ErrPatterns) {
		t.Error(err)
	}
	_, err = schema.Compile(schema.NewBudget(t.Context(), 10_000),
		schema.Source{Document: map[string]any{"allOf": patterns}})
	if !errors.Is(err, schema.ErrSpent) {
		t.Error(err)
	}
}
