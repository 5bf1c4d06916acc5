package casetype

import (
	"bytes"
	"slices"
	"time"

	"github.com/casehook/casehook/internal/expression"
	"github.com/casehook/casehook/internal/schema"
)

// The defaults and bounds of a callback.
const (
	DefaultTimeout = Duration(5 * time.Second)
	MaxTimeout     = Duration(time.Minute)
	DefaultBudget  = Duration(15 * time.Second)
	MaxBudget      = Duration(5 * time.Minute)
	MaxRetryWait   = Duration(time.Minute)
)

// DefaultRetries returns the waits of a callback that sets none.
func DefaultRetries() []Duration {
	return []Duration{Duration(time.Second), Duration(3 * time.Second)}
}

// Type is a definition without faults, with all defaults filled in, ready to validate cases. Its lists of roles name
// those of users and tokens in place of the type's. It never
// changes and is safe for concurrent use; the values that it returns are shared and must not be changed.
type Type struct {
	Definition
	json             []byte
	fields           []string
	schema           *schema.Schema // of the data
	classes          map[string]Classification
	highest          Classification    // of the classes
	classifiedFields map[string]string // the classes above PUBLIC
	unseen           [4][]string       // by the level of a clearance: the fields above it
	titles           map[string]string // of the fields that have one
	nameClass        Classification
	integers         []string
	indexed          []indexedField
	preconditions    map[string]*expression.Program
	targets          map[string][]*expression.Program // by transition; nil: the target has no condition
	offers           map[string]*expression.Program   // by transition: the condition of offering it
	rules            map[string][]compiledRule        // by transition
	whens            map[Point]*expression.Program    // the conditions of asking callbacks
	starts           map[string][]startValue          // by transition
	defaults         map[string]*defaults             // of the fields
	places           *place                           // of collections and documents; nil: there are none
	documents        bool                             // some of the places are of documents
	warnings         Faults                           // empty where it was loaded
	variables        []variable                       // that URLs begin with; none where it was loaded
}

// JSON returns the definition in the form that [Load] reads. Equal definitions have equal bytes.
func (t *Type) JSON() []byte { return bytes.Clone(t.json) }

// Size returns the length of [Type.JSON].
func (t *Type) Size() int { return len(t.json) }

// FieldNames lists the fields in the order in which they are defined.
func (t *Type) FieldNames() []string { return t.fields }

// Integers lists the places of numbers in the data that the definition declares to be integers, sorted, as
// expression.Data reads them.
func (t *Type) Integers() []string { return t.integers }

// State finds a state by its key.
func (t *Type) State(key string) (State, bool) {
	return find(t.States, func(s State) bool { return s.Key == key })
}

// Transition finds a transition by its key.
func (t *Type) Transition(key string) (Transition, bool) {
	return find(t.Transitions, func(tr Transition) bool { return tr.Key == key })
}

// Creations lists the transitions that create a case.
func (t *Type) Creations() []Transition {
	var all []Transition
	for _, tr := range t.Transitions {
		if tr.Creates() {
			all = append(all, tr)
		}
	}
	return all
}

// Document finds a kind of document by its key.
func (t *Type) Document(key string) (Document, bool) {
	return find(t.Documents, func(d Document) bool { return d.Key == key })
}

// Proof finds a kind of proof by its key.
func (t *Type) Proof(key string) (Proof, bool) {
	return find(t.Proofs, func(p Proof) bool { return p.Key == key })
}

func find[T any](in []T, is func(T) bool) (T, bool) {
	if i := slices.IndexFunc(in, is); i >= 0 {
		return in[i], true
	}
	var none T
	return none, false
}

// Creates reports whether submitting the transition makes a new case.
func (tr Transition) Creates() bool { return len(tr.From) == 0 }

// Starts reports whether the transition may be submitted in the state. A case that does not exist yet has none: "".
func (tr Transition) Starts(state string) bool {
	return state != "" && (tr.From.all() || slices.Contains(tr.From, state))
}

// Classification returns the classification of a field, with the roles that may read it; PUBLIC is the default.
func (t *Type) Classification(field string) Classification {
	if class, ok := t.classes[field]; ok {
		return class
	}
	return Public
}

// Classifications returns the classification of every field in data.
func (t *Type) Classifications(data map[string]any) map[string]string {
	all := make(map[string]string, len(data))
	for field := range data {
		all[field] = string(t.Classification(field).Plain())
	}
	return all
}
