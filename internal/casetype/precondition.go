package casetype

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/casehook/casehook/internal/expression"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/schema"
)

// maxCost bounds the work of one evaluation, in CEL's units: about 10 ms.
const maxCost = 100_000

// Input is what a precondition sees.
type Input struct {
	Data   map[string]any // as it would be saved
	Before map[string]any // as it is; nil on creation
	State  string         // the current one; empty on creation
	Name   string         // the case's

	Unchanged bool // Before is Data
}

// language is what preconditions may use. It is constant.
var language = sync.OnceValue(func() *expression.Language {
	return expression.New(expression.Limits{Cost: maxCost}, nil,
		expression.Variable{Name: "data", Type: expression.Map}, expression.Variable{Name: "before", Type: expression.Map},
		expression.Variable{Name: "state", Type: expression.Text}, expression.Variable{Name: "name", Type: expression.Text})
})

// Judge judges the preconditions of a type for one input. It belongs to one goroutine.
type Judge struct {
	typ    *Type
	in     Input
	work   *schema.Budget
	values expression.ByName // nil: nobody has asked yet
}

// Judge makes a Judge whose evaluations are counted against a budget; nil: it is
// unlimited. A condition of which it can't be told within the budget does not hold.
func (t *Type) Judge(in Input, work *schema.Budget) *Judge { return &Judge{typ: t, in: in, work: work} }

// Meets returns nil if the precondition of a transition holds, or there is none. Else the
// error is a *fault.Error of kind Unprocessable for people with the clearance: with the
// message of the definition, or with what the condition depends on, and the fields of
// that which are not set.
func (t *Type) Meets(key string, in Input, clearance Classification) error {
	return t.Judge(in, nil).Meets(key, clearance)
}

// Meets is [Type.Meets] for the judge's input.
func (j *Judge) Meets(key string, clearance Classification) error {
	t := j.typ
	tr, ok := t.Transition(key)
	if !ok {
		return fault.New(fault.NotFound, "transition.not_found", "%s has no transition %q.", t.Key, key)
	}
	program := t.preconditions[key]
	if program == nil {
		return nil
	}
	if err := j.Spend(key, stepsOfCondition); err != nil {
		return err
	}
	holds, cost, err := program.Cost(j.prepared())
	_ = j.work.Spend(int(cost)) // which is for the next
	if holds && err == nil {
		return nil
	}
	if !t.tells(tr.Precondition, clearance) {
		return fault.New(fault.Unprocessable, "case.precondition_failed",
			"What the transition %q needs does not hold. Complete the data first.", key)
	}
	return t.unmet(tr, program, j.in, err)
}

// Spend takes steps from the judge's budget for what else a transition needs. The error
// says that it can't be told whether it may be submitted.
func (j *Judge) Spend(key string, steps int) error {
	if j.work.Spend(steps) == nil {
		return nil
	}
	return fault.New(fault.Unprocessable, "case.precondition_failed",
		"It takes too much to tell whether the transition %q may be submitted; submit it to see.", key)
}

// stepsOfCondition is what it takes to evaluate a condition at least.
const stepsOfCondition = 50

// prepared returns the input as conditions see it.
func (j *Judge) prepared() expression.ByName {
	if j.values == nil {
		data := expression.Data(j.in.Data, j.typ.integers)
		j.values = expression.ByName{"data": data, "before": data, "state": j.in.State, "name": j.in.Name}
		if !j.in.Unchanged {
			j.values["before"] = expression.Data(j.in.Before, j.typ.integers)
		}
	}
	return j.values
}

// tells reports whether a precondition may be spoken of to somebody with the clearance: it
// names no field above it.
func (t *Type) tells(p Precondition, clearance Classification) bool {
	for name := range t.marks {
		if !t.Shows(name, clearance) && (strings.Contains(p.Condition, name) || strings.Contains(p.Message, name)) {
			return false
		}
	}
	return true
}

// unmet says that a precondition does not hold, or why that can't be computed.
func (t *Type) unmet(tr Transition, program *expression.Program, in Input, err error) error {
	read := t.fieldsRead(program)
	refusal := fault.New(fault.Unprocessable, "case.precondition_failed", "%s", t.unmetDetail(tr, read))
	if err != nil {
		refusal = fault.New(fault.Unprocessable, "transition.precondition_error", "%s", tr.Precondition.Message)
		if tr.Precondition.Message == "" {
			refusal.Detail = fmt.Sprintf("Whether the transition %q may be submitted can't be told from the data: %s. "+
				"Complete the data, or correct the case type.", tr.Key, err)
		}
	}
	for _, field := range read {
		if in.Data[field] == nil {
			refusal.Fields = append(refusal.Fields, fault.Field{Path: pointer("/data", field), Message: "is not set"})
		}
	}
	return refusal
}

// unmetDetail is what people are told: the message of the precondition, or what it
// depends on.
func (t *Type) unmetDetail(tr Transition, read []string) string {
	if tr.Precondition.Message != "" {
		return tr.Precondition.Message
	}
	if len(read) == 0 {
		return fmt.Sprintf("What the transition %q needs does not hold.", tr.Key)
	}
	titles := make([]string, len(read))
	for i, field := range read {
		titles[i] = t.Title(field)
	}
	return fmt.Sprintf("The transition %q can't be submitted with the case as it is. It depends on: %s. Complete or change the data first.",
		tr.Key, list(titles))
}

// fieldsRead lists the fields that a condition reads, in the order of the definition.
func (t *Type) fieldsRead(program *expression.Program) (fields []string) {
	for _, field := range t.fields {
		if slices.Contains(program.Reads(), "data."+field) {
			fields = append(fields, field)
		}
	}
	return fields
}

// Title returns how people call a field: its title, or its name.
func (t *Type) Title(field string) string {
	if title := t.titles[field]; title != "" {
		return title
	}
	return field
}
