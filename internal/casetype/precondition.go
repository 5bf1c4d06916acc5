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

// Input is the data that a precondition sees.
type Input struct {
	Data   map[string]any // as it would be saved
	Before map[string]any // as it is; nil on creation
	State  string         // the current one; empty on creation
	Name   string         // the case's

	Unchanged bool // Before is Data
}

// language declares the variables of preconditions. It is constant.
var language = sync.OnceValue(func() *expression.Language {
	return expression.New(expression.Limits{Cost: maxCost}, nil,
		expression.Variable{Name: "data", Type: expression.Map},
		expression.Variable{Name: "before", Type: expression.Map},
		expression.Variable{Name: "state", Type: expression.Text},
		expression.Variable{Name: "name", Type: expression.Text})
})

// targetLanguage is language for the conditions of targets.
var targetLanguage = sync.OnceValue(func() *expression.Language {
	return language().Otherwise("the submission is refused")
})

// offerLanguage is language for the conditions under which transitions are offered.
var offerLanguage = sync.OnceValue(func() *expression.Language {
	return language().Otherwise("the transition is not offered")
})

// Evaluation evaluates the conditions of a type for one input. It belongs to one goroutine.
type Evaluation struct {
	typ    *Type
	in     Input
	work   *schema.Budget
	values expression.ValueMap // nil: not computed yet
}

// Evaluation returns an Evaluation that spends a budget; nil: it is unlimited. A condition that the budget
// does not suffice for counts as false.
func (t *Type) Evaluation(in Input, work *schema.Budget) *Evaluation {
	return &Evaluation{typ: t, in: in, work: work}
}

// Meets returns nil if the transition has no precondition or it is true. Else the error is a *fault.Error
// of kind Unprocessable for people with the clearance: with the message of the definition, or with the
// fields that the condition depends on, and those of them that are not set.
func (t *Type) Meets(key string, in Input, clearance Classification) error {
	return t.Evaluation(in, nil).Meets(key, clearance)
}

// Meets is [Type.Meets] for the evaluation's input.
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
	isTrue, cost, err := program.EvaluateCost(e.prepared())
	_ = e.work.Spend(int(cost)) // an overrun stops the next evaluation
	if isTrue && err == nil {
		return nil
	}
	if !t.MayReveal(clearance, tr.Precondition.Condition, tr.Precondition.Message) {
		return fault.New(fault.Unprocessable, "case.precondition_failed",
			"The condition of the transition %q is not met. Complete the data first.", key)
	}
	return t.unmet(tr, program, e.in, err)
}

// Offers reports whether lists offer a transition. One whose condition can't be computed is not offered; one for whose
// condition the budget does not suffice is.
func (e *Evaluation) Offers(key string) bool {
	program := e.typ.offers[key]
	if program == nil || e.Spend(key, stepsOfCondition) != nil {
		return true
	}
	isTrue, cost, err := program.EvaluateCost(e.prepared())
	_ = e.work.Spend(int(cost)) // an overrun stops the next evaluation
	return isTrue && err == nil
}

// Spend spends steps of the budget for other checks of a transition. It fails if the budget does not suffice.
func (e *Evaluation) Spend(key string, steps int) error {
	if e.work.Spend(steps) == nil {
		return nil
	}
	return fault.New(fault.Unprocessable, "case.precondition_failed",
		"The condition of the transition %q takes too long to evaluate here. Submit the transition to find out "+
			"whether it is allowed.", key)
}

// stepsOfCondition is the least cost of evaluating a condition, in steps.
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

// MayReveal reports whether texts name no field above the clearance.
func (t *Type) MayReveal(clearance Classification, texts ...string) bool {
	for name := range t.classifiedFields {
		names := func(text string) bool { return strings.Contains(text, name) }
		if !t.Shows(name, clearance) && slices.ContainsFunc(texts, names) {
			return false
		}
	}
	return true
}

// unmet returns the error for a precondition that is not true. One that can't be computed counts as not true: either
// data are missing and have to be completed, or the definition is wrong. The cause is CEL's error.
func (t *Type) unmet(tr Transition, program *expression.Program, in Input, err error) error {
	u := unmetCondition{tr: tr, err: err, read: t.fieldsRead(program, "data."),
		before: t.fieldsRead(program, "before.")}
	u.missing = in.missing(u.read)
	refusal := fault.Wrap(err, fault.Unprocessable, "case.precondition_failed", "%s", t.unmetDetail(u))
	if err != nil && !u.lacksData() {
		refusal = fault.Wrap(err, fault.Unprocessable, "transition.precondition_error", "%s", t.unmetDetail(u))
	}
	return unset(refusal, u.missing)
}

// missing lists the fields of the data that are not set.
func (in Input) missing(fields []string) (missing []string) {
	for _, field := range fields {
		if in.Data[field] == nil {
			missing = append(missing, field)
		}
	}
	return missing
}

// unset adds the fields that are not set to a refusal.
func unset(refusal *fault.Error, missing []string) *fault.Error {
	for _, field := range missing {
		refusal.Fields = append(refusal.Fields, fault.Field{Path: pointer("/data", field), Message: "is not set"})
	}
	return refusal
}

// unmetCondition is a precondition that is not true.
type unmetCondition struct {
	tr      Transition
	read    []string // the fields that it reads
	before  []string // the fields that it reads as they were before
	missing []string // of those that it reads
	err     error    // why it can't be computed
}

// lacksData reports whether the condition can't be computed because a field of the type, or a part of one,
// is not set.
func (u unmetCondition) lacksData() bool {
	return u.err != nil && strings.HasPrefix(u.err.Error(), "no such key") && len(u.read)+len(u.before) > 0
}

// demandsAll reports whether the condition is probably true only if all fields that it reads are set. A condition
// that tests for absence is not.
func (u unmetCondition) demandsAll() bool {
	condition := strings.ReplaceAll(u.tr.Precondition.Condition, "!=", "")
	return !slices.ContainsFunc([]string{"!", "||", "?", "null", "false"}, func(part string) bool {
		return strings.Contains(condition, part)
	})
}

// unmetDetail returns the text for people: the message of the precondition, or the fields to fill in, or
// those that it depends on.
func (t *Type) unmetDetail(u unmetCondition) string {
	key := u.tr.Key
	switch {
	case u.tr.Precondition.Message != "":
		return u.tr.Precondition.Message
	case u.err != nil && !u.lacksData():
		return fmt.Sprintf("Whether the transition %q may be submitted can't be determined: its condition can't be "+
			"evaluated (%s). Ask the case type's maintainer to correct it.", key, u.err)
	case len(u.missing) > 0 && (u.err != nil || u.demandsAll()):
		return Needs(u.tr, t.titlesOf(u.missing))
	case len(u.read) > 0:
		return fmt.Sprintf("The transition %q can't be submitted with the case as it is. It depends on: %s. Complete "+
			"or change the data first.",
			key, list(t.titlesOf(u.read)))
	case len(u.before) > 0:
		return fmt.Sprintf("The transition %q can't be submitted with the case as it was before the change. It "+
			"depends on: %s.",
			key, list(t.titlesOf(u.before)))
	}
	return fmt.Sprintf("The transition %q can't be submitted with the case as it is: its condition is not met. Ask "+
		"the case type's maintainer what it requires.", key)
}

// Needs lists for people the fields that they have to fill in to submit a transition.
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

// fieldsRead lists the fields of a variable ("data.") that a condition reads, in the order of the
// definition.
func (t *Type) fieldsRead(program *expression.Program, variable string) (fields []string) {
	for _, field := range t.fields {
		if slices.Contains(program.Reads(), variable+field) {
			fields = append(fields, field)
		}
	}
	return fields
}

// Title returns a field's title, or its name if it has none.
func (t *Type) Title(field string) string {
	if title := t.titles[field]; title != "" {
		return title
	}
	return field
}
