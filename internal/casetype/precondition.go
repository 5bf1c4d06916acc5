package casetype

import (
	"sync"

	"github.com/casehook/casehook/internal/expression"
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

// language is what preconditions may use. It is constant.
var language = sync.OnceValue(func() *expression.Language {
	return expression.New(expression.Limits{Cost: maxCost}, nil,
		expression.Variable{Name: "data", Type: expression.Map}, expression.Variable{Name: "before", Type: expression.Map},
		expression.Variable{Name: "state", Type: expression.Text}, expression.Variable{Name: "name", Type: expression.Text})
})

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
	holds, err := program.Holds(expression.ByName{
		"data": expression.Data(in.Data, t.integers), "before": expression.Data(in.Before, t.integers),
		"state": in.State, "name": in.Name,
	})
	if err != nil {
		return false, fault.New(fault.Unprocessable, "transition.precondition_error",
			"The precondition of the transition %q could not be evaluated: %s (%s). Complete the data, or correct the case type.",
			key, err, tr.Precondition)
	}
	return holds, nil
}
