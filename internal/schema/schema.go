// Package schema validates JSON values against JSON Schema 2020-12 within a budget.
// It is pure.
//
// Validation counts its steps while it runs and stops at the first that is one too
// many, or when the request has ended. So the cost of a request is bounded whatever
// schema its author wrote and whatever data a client sends: enums are sets, items
// are compared by their hashes, patterns are charged by their size and the length
// of the text, and the number of faults that are listed is bounded.
//
// A schema consists of one document. References lead to a place in it by a JSON
// Pointer ("#/$defs/address"), or to another document that is given to [Compile].
// Keywords that make schemas reachable by other addresses are not supported, and
// the contents of texts (contentSchema and the like) are not validated.
package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Schema is a compiled schema. It never changes, and is safe for concurrent use.
type Schema struct {
	root  *node
	blank bool // blank parts are valid
}

// Complaint is a violation of a schema by a value. Its message never quotes the value.
type Complaint struct {
	Path    []string // to the value, or to the name that is missing or unknown
	Message string
	Unknown bool // the complaint is about an unknown name

	// Unevaluated means that no fitting part of the schema has described the name, and Seeming that a part would have
	// if it had not failed for another reason.
	Unevaluated, Seeming bool
}

// Name returns the last token of the path, or "" for the whole value.
func (c Complaint) Name() string {
	if len(c.Path) == 0 {
		return ""
	}
	return c.Path[len(c.Path)-1]
}

// MaxComplaints is how many complaints a validation lists at most.
const MaxComplaints = 1000

// StopError is the error of an unfinished validation: the budget was spent, or its context ended. It wraps
// the budget's error.
type StopError struct {
	Path []string // to the value that was being validated
	Err  error
}

func (s *StopError) Error() string { return fmt.Sprintf("validation stopped at %q: %v", s.Path, s.Err) }

// Unwrap returns the budget's error.
func (s *StopError) Unwrap() error { return s.Err }

// Validate lists the complaints about a JSON value: numbers are json.Number, float64 or integers. It
// returns none if the value fits. The error is a *StopError.
func (s *Schema) Validate(b *Budget, value any) (found []Complaint, err error) {
	v := validation{budget: b, blank: s.blank}
	defer func() {
		if stop := recover(); stop != nil {
			stopped, ours := stop.(*StopError)
			if !ours {
				panic(stop)
			}
			found, err = nil, stopped
		}
	}()
	v.check(s.root, value, false)
	return v.found, nil
}

// kinds is a set of JSON's types. An integer is a number, too.
type kinds uint8

const (
	null kinds = 1 << iota
	boolean
	number
	integer
	text
	list
	object
)

var kindsByName = map[string]kinds{
	"null": null, "boolean": boolean, "number": number, "integer": integer, "string": text, "array": list,
	"object": object,
}

// kindOf returns the type of a value; an integer is a number here. It returns 0 for a value that is not
// JSON.
func kindOf(value any) kinds {
	switch value.(type) {
	case nil:
		return null
	case bool:
		return boolean
	case json.Number, float64, int, int64:
		return number
	case string:
		return text
	case []any:
		return list
	case map[string]any:
		return object
	}
	return 0
}

// node is one schema inside a schema.
type node struct {
	never    bool // the schema false
	types    kinds
	constant *values
	enum     *values
	format   *format
	form     *Form
	ref      *node
	object   *objectRules
	list     *listRules
	text     *textRules
	number   *numberRules
	branches *branches

	openNames *node // unevaluatedProperties
	openItems *node // unevaluatedItems
}

// inPlace returns the schemas that validate the same value.
func (n *node) inPlace() []*node {
	var all []*node
	if n.ref != nil {
		all = append(all, n.ref)
	}
	if b := n.branches; b != nil {
		for _, one := range []*node{b.not, b.when, b.then, b.otherwise} {
			if one != nil {
				all = append(all, one)
			}
		}
		all = slices.Concat(all, b.all, b.any, b.one)
	}
	if n.object != nil {
		for _, c := range n.object.conditionals {
			all = append(all, c.node)
		}
	}
	return all
}

type objectRules struct {
	least, most  int // entries; most < 0: any number
	required     []string
	properties   map[string]*node
	patterns     []patternRule
	additional   *node
	names        *node
	needs        []dependency
	conditionals []condition
}

// patternRule is a schema for the names that match a pattern.
type patternRule struct {
	pattern *Pattern
	node    *node
}

// dependency lists the names that are required when a name is given.
type dependency struct {
	name     string
	required []string
}

// condition is a schema for the objects in which a name is given.
type condition struct {
	name string
	node *node
}

type listRules struct {
	least, most int
	unique      bool
	ids         bool // no two items have the same id
	first       []*node
	rest        *node

	contains                  *node
	leastMatches, mostMatches int // leastMatches < 0: absent, which means 1
}

type textRules struct {
	least, most int // characters
	pattern     *Pattern
}

type numberRules struct {
	minimum, maximum, above, below, multiple *limit
}

type branches struct {
	not, when, then, otherwise *node
	all, any, one              []*node
}

// errNotSchema is the error of a document that is no schema.
var errNotSchema = errors.New("is neither an object nor true nor false")
