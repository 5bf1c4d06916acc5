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
		expression.Variable{Name: "data", Type: expression.Map},
		expression.Variable{Name: "before", Type: expression.Map},
		expression.Variable{Name: "state", Type: expression.Text},
		expression.Variable{Name: "name", Type: expression.Text})
})

// Evaluation judges the preconditions of a type for one input. It belongs to one goroutine.
type Evaluation struct {
	typ    *Type
	in     Input
	work   *schema.Budget
	values expression.ValueMap // nil: nobody has asked yet
}

// Evaluation makes a Judge whose evaluations are counted against a budget; nil: it is
// unlimited. A condition of which it can't be told within the budget does not hold.
func (t *Type) Evaluation(in Input, work *schema.Budget) *Evaluation {
	return &Evaluation{typ: t, in: in, work: work}
}

// Meets returns nil if the precondition of a transition holds, or there is none. Else the
// error is a *fault.Error of kind Unprocessable for people with the clearance: with the
// message of the definition, or with what the condition depends on, and the fields of
// that which are not set.
func (t *Type) Meets(key string, in Input, clearance Classification) error {
	return t.Evaluation(in, nil).Meets(key, clearance)
}

// Meets is [Type.Meets] for the judge's input.
func (e *Evaluation) Meets(key string, clearance Classification) error {
	t := e.typ
	tr, ok := t.Transition(key)
	if !ok {
		return fault.New(fault.NotFound, "transition.not_found", "%s has no transition %q.", t.Key, key)
	}
	program := t.preconditions[key]
	if program == nil {
		return nil
	}
	if err := e.Spend(key, stepsOfCondition); err != nil {
		return err
	}
	holds, cost, err := program.EvaluateCost(e.prepared())
	_ = e.work.Spend(int(cost)) // which is for the next
	if holds && err == nil {
		return nil
	}
	if !t.tells(tr.Precondition, clearance) {
		return fault.New(fault.Unprocessable, "case.precondition_failed",
			"What the transition %q needs does not hold. Complete the data first.", key)
	}
	return t.unmet(tr, program, e.in, err)
}

// Spend takes steps from the judge's budget for what else a transition needs. The error
// says that it can't be told whether it may be submitted.
func (e *Evaluation) Spend(key string, steps int) error {
	if e.work.Spend(steps) == nil {
		return nil
	}
	return fault.New(fault.Unprocessable, "case.precondition_failed",
		"It takes too much to tell whether the transition %q may be submitted; submit it to see.", key)
}

// stepsOfCondition is what it takes to evaluate a condition at least.
const stepsOfCondition = 50

// prepared returns the input as conditions see it.
func (e *Evaluation) prepared() expression.ValueMap {
	if e.values == nil {
		data := expression.Data(e.in.Data, e.typ.integers)
		e.values = expression.ValueMap{"data": data, "before": data, "state": e.in.State, "name": e.in.Name}
		if !e.in.Unchanged {
			e.values["before"] = expression.Data(e.in.Before, e.typ.integers)
		}
	}
	return e.values
}

// tells reports whether a precondition may be spoken of to somebody with the clearance: it
// names no field above it.
func (t *Type) tells(p Precondition, clearance Classification) bool {
	for name := range t.classifiedFields {
		if !t.Shows(name, clearance) && (strings.Contains(p.Condition, name) || strings.Contains(p.Message, name)) {
			return false
		}
	}
	return true
}

// unmet says that a precondition does not hold. One that can't be computed does not
// either: where data are missing they are to be completed, and else the definition
// is at fault. The cause is the error of CEL.
func (t *Type) unmet(tr Transition, program *expression.Program, in Input, err error) error {
	u := unmetCondition{tr: tr, err: err, read: t.fieldsRead(program, "data."),
		before: t.fieldsRead(program, "before.")}
	for _, field := range u.read {
		if in.Data[field] == nil {
			u.missing = append(u.missing, field)
		}
	}
	refusal := fault.Wrap(err, fault.Unprocessable, "case.precondition_failed", "%s", t.unmetDetail(u))
	if err != nil && !u.lacksData() {
		refusal = fault.Wrap(err, fault.Unprocessable, "transition.precondition_error", "%s", t.unmetDetail(u))
	}
	for _, field := range u.missing {
		refusal.Fields = append(refusal.Fields, fault.Field{Path: pointer("/data", field), Message: "is not set"})
	}
	return refusal
}

// unmetCondition is a precondition that does not hold.
type unmetCondition struct {
	tr      Transition
	read    []string // the fields that it reads
	before  []string // the fields that it reads as they were before
	missing []string // of those that it reads
	err     error    // it can't be computed
}

// lacksData reports whether the condition can't be computed since a field of the type, or
// something in one, is not set.
func (u unmetCondition) lacksData() bool {
	return u.err != nil && strings.HasPrefix(u.err.Error(), "no such key") && len(u.read)+len(u.before) > 0
}

// demandsAll reports whether the condition holds only if all fields are set that it reads,
// as far as that can be told: one that asks whether something is absent does not.
func (u unmetCondition) demandsAll() bool {
	condition := strings.ReplaceAll(u.tr.Precondition.Condition, "!=", "")
	return !slices.ContainsFunc([]string{"!", "||", "?", "null", "false"}, func(part string) bool {
		return strings.Contains(condition, part)
	})
}

// unmetDetail is what people are told: the message of the precondition, or what to fill
// in, or what it depends on.
func (t *Type) unmetDetail(u unmetCondition) string {
	key := u.tr.Key
	switch {
	case u.tr.Precondition.Message != "":
		return u.tr.Precondition.Message
	case u.err != nil && !u.lacksData():
		return fmt.Sprintf("Whether the transition %q may be submitted can't be told: its "+
			"condition can't be computed (%s). Ask whoever keeps the case type to correct it.", key, u.err)
	case len(u.missing) > 0 && (u.err != nil || u.demandsAll()):
		return Needs(u.tr, t.titlesOf(u.missing))
	case len(u.read) > 0:
		return fmt.Sprintf("The transition %q can't be submitted with the case as it is. It depends on: %s. Complete "+
			"or change the data first.",
			key, list(t.titlesOf(u.read)))
	case len(u.before) > 0:
		return fmt.Sprintf("The transition %q can't be submitted with the case as it was before. It depends on: %s.",
			key, list(t.titlesOf(u.before)))
	}
	return fmt.Sprintf("The transition %q can't be submitted with the case as it is: its condition does not hold. "+
		"Ask whoever keeps the case type what it needs.", key)
}

// Needs tells people which fields they have to fill in to submit a transition.
func Needs(tr Transition, titles []string) string {
	return fmt.Sprintf("%q needs: %s.", tr.Name, strings.Join(titles, ", "))
}

func (t *Type) titlesOf(fields []string) []string {
	titles := make([]string, len(fields))
	for i, field := range fields {
		titles[i] = t.Title(field)
	}
	return titles
}

// fieldsRead lists the fields that a condition reads of a variable ("data."), in the order
// of the definition.
func (t *Type) fieldsRead(program *expression.Program, variable string) (fields []string) {
	for _, field := range t.fields {
		if slices.Contains(program.Reads(), variable+field) {
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
