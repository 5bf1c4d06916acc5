package expression_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/expression"
)

// The values of expressions are those of JSON, as cases have them.
func TestValuesOfExpressionsAreThoseOfJSON(t *testing.T) {
	language := expression.New(expression.Limits{Cost: 10_000}, nil,
		expression.Variable{Name: "data", Type: expression.Map})
	data := map[string]any{
		"n": json.Number("12"), "big": json.Number("9007199254740993"), "x": json.Number("0.1"), "t": "é",
		"l": []any{json.Number("1"), map[string]any{"a": nil}},
	}
	values := expression.ValueMap{"data": expression.Data(data, []string{"/n"})}
	for source, want := range map[string]any{
		"data.n / 5": json.Number("2"), "data.x * 3.0": json.Number("0.30000000000000004"),
		"data.big": json.Number("9007199254740993"), "data.x > 0.0 ? 2.0 : 1.0": json.Number("2"), "null": nil,
		"data.t + 'x'": "éx", "data.n == 12": true, "data.l": data["l"], "{'a': [data.n, 'b']}": map[string]any{
			"a": []any{json.Number("12"), "b"},
		},
		"[1, 2].map(i, i * 2)": []any{json.Number("2"), json.Number("4")},
	} {
		compiled := language.CompileValueFor(source, nil)
		if len(compiled.Faults) > 0 {
			t.Errorf("%s: %v", source, compiled.Faults[0])
			continue
		}
		got, _, err := compiled.Program.Value(values)
		if err != nil {
			t.Errorf("%s: %v", source, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", source, diff)
		}
	}
	for source, want := range map[string]string{
		"1.0 / 0.0": "division by zero", "{1: 2}": "its value is none of JSON", "b'x'": "its value is none of JSON",
		"double('NaN')": "its value is none of JSON", "data.m": "no such key: m",
	} {
		compiled := language.CompileValueFor(source, nil)
		if len(compiled.Faults) > 0 {
			t.Errorf("%s: %v", source, compiled.Faults[0])
			continue
		}
		if _, _, err := compiled.Program.Value(values); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", source, err, want)
		}
	}
}
