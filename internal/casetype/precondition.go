package casetype

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"

	"github.com/casehook/casehook/internal/fault"
)

// maxCost bounds the work of one evaluation, in CEL's units: about 10 ms.
const maxCost = 100_000

// Input is what a precondition sees.
type Input struct {
	Data   map[string]any // as it would be saved
	Before map[string]any // as it is; nil on creation
	State  string         // the current one; empty on creation
	Name   string         // the case's
}

// celEnv declares what preconditions may use. It is constant.
var celEnv = sync.OnceValue(func() *cel.Env {
	text := []*cel.Type{cel.StringType}
	env, err := cel.NewEnv(
		cel.Variable("data", cel.MapType(cel.StringType, cel.DynType)),
		cel.Variable("before", cel.MapType(cel.StringType, cel.DynType)),
		cel.Variable("state", cel.StringType),
		cel.Variable("name", cel.StringType),
		cel.CrossTypeNumericComparisons(true),
		cel.ParserExpressionSizeLimit(4000),
		cel.ParserRecursionLimit(100),
		cel.DefaultUTCTimeZone(true),
		// Later versions have join, and all have replace: their results may be as
		// long as the product of their arguments.
		ext.Strings(ext.StringsVersion(0)),
		cel.Function("replace", cel.DisableDeclaration(true),
			cel.MemberOverload("string_replace_string_string", slices.Repeat(text, 3), cel.StringType),
			cel.MemberOverload("string_replace_string_string_int", append(slices.Repeat(text, 3), cel.IntType), cel.StringType)),
	)
	if err != nil {
		panic("casetype: CEL environment: " + err.Error()) // the options are ours
	}
	return env
})

// weigher charges for the text that a call makes, which CEL takes for free where
// it does not know the types beforehand.
type weigher struct{}

func (weigher) CallCost(_, _ string, _ []ref.Val, result ref.Val) *uint64 {
	var cost uint64
	switch result := result.(type) {
	case types.String:
		cost = 1 + uint64(len(result))/10
	case types.Bytes:
		cost = 1 + uint64(len(result))/10
	default:
		return nil
	}
	return &cost
}

// compilePrecondition compiles an expression, or says what is wrong with it.
func compilePrecondition(source string) (program cel.Program, message string) {
	ast, issues := celEnv().Compile(source)
	if err := issues.Err(); err != nil {
		first, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "ERROR: <input>:"), "\n")
		return nil, "is not CEL: " + first
	}
	if kind := ast.OutputType(); !kind.IsExactType(cel.BoolType) && !kind.IsExactType(cel.DynType) {
		return nil, "yields " + kind.String() + ", not true or false"
	}
	program, err := celEnv().Program(ast, cel.CostLimit(maxCost), cel.CostTracking(weigher{}), cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, "is not usable: " + err.Error()
	}
	return program, ""
}

// Precondition reports whether the precondition of a transition holds; without
// one it does. When it can't be evaluated, the error is a *fault.Error of kind
// Unprocessable that names it.
func (t *Type) Precondition(key string, in Input) (bool, error) {
	tr, ok := t.Transition(key)
	if !ok {
		return false, fault.New(fault.NotFound, "transition.not_found", "%s has no transition %q.", t.Key, key)
	}
	program := t.preconditions[key]
	if program == nil {
		return true, nil
	}
	result, _, err := program.Eval(map[string]any{
		"data": celObject(in.Data), "before": celObject(in.Before), "state": in.State, "name": in.Name,
	})
	if err != nil {
		return false, fault.New(fault.Unprocessable, "transition.precondition_error",
			"The precondition of the transition %q could not be evaluated: %s (%s). Complete the data, or correct the case type.",
			key, evaluationProblem(err), tr.Precondition)
	}
	holds, ok := result.Value().(bool)
	if !ok {
		return false, fault.New(fault.Unprocessable, "transition.precondition_error",
			"The precondition of the transition %q is neither true nor false (%s). Complete the data, or correct the case type.",
			key, tr.Precondition)
	}
	return holds, nil
}

// evaluationProblem repeats of CEL's errors only those that quote no data.
func evaluationProblem(err error) string {
	text := err.Error()
	for _, safe := range []string{"no such key", "no such overload", "no such attribute", "division by zero", "actual cost limit exceeded"} {
		if strings.Contains(text, safe) {
			return text
		}
	}
	return "a value is not of the form that it needs"
}

func celObject(data map[string]any) map[string]any {
	out := make(map[string]any, len(data))
	for name, value := range data {
		out[name] = celValue(value)
	}
	return out
}

// celValue turns numbers into what CEL computes with: int, uint, else double.
func celValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		return celObject(v)
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = celValue(item)
		}
		return out
	case json.Number:
		if i, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			return i
		}
		if u, err := strconv.ParseUint(string(v), 10, 64); err == nil {
			return u
		}
		f, _ := strconv.ParseFloat(string(v), 64) // out of range is ±Inf, which compares rightly
		return f
	}
	return v
}
