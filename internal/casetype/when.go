package casetype

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/casehook/casehook/internal/expression"
	"github.com/casehook/casehook/internal/fault"
)

// whenLanguage is language for the conditions of asking callbacks.
var whenLanguage = sync.OnceValue(func() *expression.Language {
	return language().Otherwise("the callback has failed without being asked")
})

// compileWhen compiles the condition of asking a callback. The condition sees no more than the callback, or it would
// tell the callback of the rest by asking it.
func (c *checker) compileWhen(p callbackPoint, ask map[string]any, path string) {
	program := c.compile(p.transition, text(ask["when"]), path+"/when", condition{whenLanguage(), p.states})
	if program == nil {
		return
	}
	p.Callback = text(ask["key"])
	c.whens[p.Point] = program
	clearance := Classification(text(ask["clearance"]))
	if clearance == "" {
		return // that of the author, who sees all fields
	}
	for name, schema := range c.fieldSchemas() {
		class := Classification(text(object(schema)["x-classification"]))
		if class != "" && !clearance.Sees(class) && readsField(program, name) {
			c.fault(path+"/when", "reads data.%s, which is %s, and the callback is cleared for %s", name, class,
				clearance)
		}
	}
}

// readsField reports whether a condition reads a field, now or before, or may do so.
func readsField(program *expression.Program, name string) bool {
	for _, variable := range []string{"data", "before"} {
		if slices.Contains(program.ReadsAll(), variable) || slices.Contains(program.Reads(), variable+"."+name) {
			return true
		}
	}
	return false
}

// Asks reports whether the callback at a point has no condition, or a true one. The input is what the callback is
// shown. Else the error is a *fault.Error of kind Unprocessable for people with the clearance: the condition can't be
// computed.
func (t *Type) Asks(at Point, in Input, clearance Classification) (bool, error) {
	program := t.whens[at]
	if program == nil {
		return true, nil
	}
	isTrue, _, err := program.EvaluateCost(t.Evaluation(in, nil).prepared())
	if err == nil {
		return isTrue, nil
	}
	refusal := fault.Wrap(err, fault.Unprocessable, CodeWhenError,
		"A callback of %q was not asked, because its condition can't be evaluated. Complete the data, or ask the case "+
			"type's maintainer to correct the condition.", at.Name)
	settings, _ := t.Callback(at)
	if !t.MayReveal(clearance, settings.When) {
		return false, refusal
	}
	refusal.Detail = fmt.Sprintf("A callback of %q was not asked, because its condition can't be evaluated (%s). "+
		"Complete the data, or ask the case type's maintainer to correct the condition.", at.Name, err)
	if strings.HasPrefix(err.Error(), "no such key") {
		refusal = unset(refusal, in.missing(t.fieldsRead(program, "data.")))
	}
	return false, refusal
}

// CodeWhenError is the code of the error of a callback whose condition can't be computed.
const CodeWhenError = "callback.condition_error"

// WhenClass returns the highest classification of what the condition of a callback reads: who sees all of that may know
// whether it was asked.
func (t *Type) WhenClass(at Point) Classification {
	class := Public
	program := t.whens[at]
	if program == nil {
		return class
	}
	for _, name := range t.fields {
		if readsField(program, name) {
			class = Higher(class, t.Classification(name))
		}
	}
	if slices.Contains(program.ReadsAll(), "name") {
		class = Higher(class, t.nameClass)
	}
	return class
}
