// Package filter decides which messages an endpoint is sent: by its settings, and by its filter, a condition in CEL
// over the message and its subject. It is pure. A filter sees the data that the endpoint's clearance sees;
// everything else is absent.
package filter

import (
	"sync"

	"github.com/casehook/casehook/internal/expression"
	"github.com/casehook/casehook/internal/spelling"
)

// maxCost bounds one evaluation, in CEL's units: about 5 ms. Delivery to an
// endpoint waits for that endpoint's evaluations only.
const maxCost = 50_000

// language declares the variables of filters. It is constant.
var language = sync.OnceValue(func() *expression.Language {
	return expression.New(expression.Limits{Cost: maxCost, Foresee: true}, objects(),
		variables()...).Near(spelling.DidYouMean)
})

// Filter is a compiled filter. It is safe for concurrent use.
type Filter struct{ program *expression.Program }

// Compile compiles a filter; the empty source compiles to the nil Filter. A fault's text follows the name of the
// filter: "is not CEL at line 1, column 6: ...".
func Compile(source string) (*Filter, *expression.Fault) {
	if source == "" {
		return nil, nil
	}
	program, fault := language().Compile(source)
	if fault != nil {
		return nil, fault
	}
	return &Filter{program}, nil
}

// Passes reports whether the message passes the filter. All pass the nil filter. The error is that of the
// evaluation; its text quotes no data.
func (f *Filter) Passes(m *Message) (bool, error) {
	if f == nil {
		return true, nil
	}
	return f.program.Evaluate(m)
}
