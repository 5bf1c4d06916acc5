package expression_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/expression"
)

// costOf evaluates a condition over data, and returns its cost.
func costOf(t *testing.T, source string, data map[string]any) int {
	t.Helper()
	p, wrong := language(expression.Limits{Cost: 1_000_000}).Compile(source)
	if wrong != nil {
		t.Fatalf("%s: %v", source, wrong)
	}
	_, cost, err := p.EvaluateCost(expression.ValueMap{"data": expression.Data(data, nil)})
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	return int(cost)
}

// Ten bytes of text, or ten items, cost one unit, in addition to the cost of the operation with empty values.
func TestAnOperationCostsATenthOfItsInput(t *testing.T) {
	text := strings.Repeat("x", 504)
	list, members := make([]any, 503), map[string]any{}
	for i := range 100 {
		members[fmt.Sprintf("k%03d", i)] = strings.Repeat("v", 5)
	}
	for source, want := range map[string]struct {
		small, large any
		more         int
	}{
		`data.v == data.v`:           {"", text, 101},                  // 2 * 505
		`data.v != data.v`:           {[]any{}, list, 100},             // 2 * 504, which rounds down
		`data.v == {}`:               {map[string]any{}, members, 100}, // 100 * (4 + 1 + 5) + 1, and 1
		`data.v in [""]`:             {"", text, 50},                   // 505, and 2
		`data.v < "xx"`:              {"", text, 50},                   // 504, and 2
		`(data.v + "xx").size() > 0`: {"", text, 151},                  // 506 are read, made, and read again
		`[data.v] != [""]`:           {"", text, 100},                  // 505 are made, and compared
		`data.v.matches("` + strings.Repeat("x", 36) + `")`:  {"", text, 504}, // each byte by 1 + 36 / 4
		`data.v.contains("` + strings.Repeat("x", 36) + `")`: {"", text, 51},  // 540, more than 36
	} {
		small := costOf(t, source, map[string]any{"v": want.small})
		large := costOf(t, source, map[string]any{"v": want.large})
		if large-small != want.more {
			t.Errorf("%s costs %d more, not %d", source, large-small, want.more)
		}
	}
}

// An evaluation may cost the limit, and no more.
func TestAnExpressionMayCostItsLimit(t *testing.T) {
	const source = `data.done && data.late`
	values := expression.ValueMap{"data": map[string]any{"done": true, "late": true}}
	p, wrong := language(expression.Limits{Cost: 1000}).Compile(source)
	if wrong != nil {
		t.Fatal(wrong)
	}
	_, cost, err := p.EvaluateCost(values)
	if err != nil {
		t.Fatal(err)
	}
	p, wrong = language(expression.Limits{Cost: cost, Foresee: true}).Compile(source)
	if wrong != nil {
		t.Fatalf("with a limit of %d: %v", cost, wrong)
	}
	if holds, err := p.Evaluate(values); err != nil || !holds {
		t.Errorf("with a limit of %d: %v, %v", cost, holds, err)
	}
	if _, wrong := language(expression.Limits{Cost: cost - 1, Foresee: true}).Compile(source); wrong == nil {
		t.Errorf("a limit of %d is not foreseen to be exceeded", cost-1)
	}
}

// A number that no double represents is computed in steps.
func TestAWideNumberCostsAsMuchAs500Bytes(t *testing.T) {
	for _, source := range []string{`data.v == 5`, `data.v + 4 == 5`, `data.v < 5`} {
		small := costOf(t, source, map[string]any{"v": json.Number("5")})
		wide := costOf(t, source, map[string]any{"v": json.Number("9007199254740993")})
		operations := 1 + strings.Count(source, "+") // a sum is wide itself
		if wide-small != 50*operations {
			t.Errorf("%s costs %d more", source, wide-small)
		}
	}
}

func TestCompilingCostsByLengthAndByLists(t *testing.T) {
	for source, want := range map[string]int{
		"": 0, "true": 400, "[1]": 300 + 1500, "{1:[]}": 600 + 2*1500,
		strings.Repeat("x", 16_000): 1_600_000, strings.Repeat("x", 16_001): 1_600_000, // longer ones are refused
	} {
		if got := expression.Steps(source); got != want {
			t.Errorf("%.10s costs %d steps, not %d", source, got, want)
		}
	}
}

// listsIn returns lists nested to a depth; the innermost holds 1. The squares of their sizes are 1², 2² and so on,
// up to the square of depth + 1.
func listsIn(depth int) string { return strings.Repeat("[", depth) + "1" + strings.Repeat("]", depth) }

func TestTypesOf40000UnitsAreChecked(t *testing.T) {
	l := language(expression.Limits{Cost: 10_000})
	var inner []string
	for _, depth := range []int{46, 16, 6, 3, 2, 1, 0, 0} {
		inner = append(inner, listsIn(depth))
	}
	most := strings.Join(inner, ", ")
	for source, want := range map[string]string{
		"[" + most + "]":    "yields list",
		"[" + most + ", 1]": "builds nested lists and maps that are too large together; build fewer",
	} {
		if _, wrong := l.Compile(source); wrong == nil || !strings.HasPrefix(wrong.Error(), want) {
			t.Errorf("%s: %v, want %s", source, wrong, want)
		}
	}
}
