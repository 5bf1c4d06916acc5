package casetype

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/casehook/casehook/internal/expression"
)

// The bounds of the places that integers lists; numbers at other places are not known to be integers.
const (
	maxIntegers     = 200
	maxIntegerDepth = 8
	maxIntegerSteps = 10_000 // schemas that are looked at
)

// numbers is the set of numbers that a schema accepts.
type numbers int

const (
	anyNumbers numbers = iota // no restriction
	integers
	noNumbers
)

// form describes the numbers in one value, by all its schemas together.
type form struct {
	numbers numbers
	names   map[string]*form // of an object; of a list, the first items by their index
	others  *form            // of the other names or items; nil: unrestricted
	partly  bool             // only some of several alternatives restrict it
}

// integers lists the places of integers by the definition, in the form that expression.Data reads.
func (c *checker) integers() []string {
	r := formReader{checker: c}
	places := r.read(c.root()["fields"], 0).places("", maxIntegers)
	slices.Sort(places)
	return slices.Compact(places)
}

// places lists the places of integers in a value, up to a number. If members with unlisted names are
// integers, it also lists the members that are not.
func (f *form) places(place string, most int) []string {
	if f == nil || most <= 0 {
		return nil
	}
	var all []string
	if f.numbers == integers {
		all = append(all, place)
	}
	others := f.others.places(place+"/"+expression.Others, most)
	if len(others)+len(f.names) > most {
		others = nil
	}
	all = append(all, others...)
	for _, name := range slices.Sorted(maps.Keys(f.names)) {
		at := place + "/" + expression.PlaceName(name)
		named := f.names[name].places(at, most-len(all))
		if len(named) == 0 && len(others) > 0 {
			named = []string{expression.NoInteger + at}
		}
		all = append(all, named...)
	}
	return all
}

// of returns the form of a part, or nil.
func (f *form) of(name string) *form {
	if f == nil {
		return nil
	}
	if part, ok := f.names[name]; ok {
		return part
	}
	return f.others
}

// formReader reads forms out of schemas.
type formReader struct {
	checker *checker
	steps   int
}

// read returns the form that a schema describes, or nil if it says nothing or lies too deep.
func (r *formReader) read(schema any, depth int) *form {
	if r.steps++; r.steps > maxIntegerSteps || depth > maxIntegerDepth {
		return nil
	}
	s, isObject := schema.(map[string]any)
	if !isObject {
		if schema == false {
			return &form{numbers: noNumbers}
		}
		return nil
	}
	f := r.parts(s, depth)
	f.numbers = numbersOf(s)
	if target, _, ok := r.checker.resolve(text(s["$ref"])); ok && s["$ref"] != nil {
		f = both(f, r.read(target, depth+1))
	}
	for _, sub := range items(s["allOf"]) {
		f = both(f, r.read(sub, depth+1))
	}
	for _, alternatives := range alternativesOf(s) {
		forms := make([]*form, len(alternatives))
		for i, sub := range alternatives {
			forms[i] = r.read(sub, depth+1)
		}
		f = both(f, either(forms))
	}
	return f
}

// alternativesOf returns the lists of schemas of which some apply, and maybe not all.
func alternativesOf(s map[string]any) (all [][]any) {
	for _, keyword := range []string{"anyOf", "oneOf"} {
		if list := items(s[keyword]); len(list) > 0 {
			all = append(all, list)
		}
	}
	if s["if"] != nil {
		all = append(all, []any{s["then"], s["else"]})
	}
	dependent := object(s["dependentSchemas"])
	for _, name := range slices.Sorted(maps.Keys(dependent)) {
		all = append(all, []any{dependent[name], nil})
	}
	return all
}

// parts reads the parts of a value that a schema describes in its own keywords.
func (r *formReader) parts(s map[string]any, depth int) *form {
	f := &form{names: map[string]*form{}}
	properties, byPattern := object(s["properties"]), object(s["patternProperties"])
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		f.names[name] = r.read(properties[name], depth+1)
	}
	for i, sub := range items(s["prefixItems"]) {
		f.names[strconv.Itoa(i)] = r.read(sub, depth+1)
	}
	for _, keyword := range []string{"additionalProperties", "unevaluatedProperties", "items", "unevaluatedItems"} {
		if s[keyword] != nil && f.others == nil {
			f.others = r.read(s[keyword], depth+1)
		}
	}
	if len(byPattern) == 0 {
		return f
	}
	others := []*form{f.others}
	if f.others == nil && properties != nil { // then there are no other names
		others = nil
	}
	for _, pattern := range slices.Sorted(maps.Keys(byPattern)) {
		others = append(others, r.read(byPattern[pattern], depth+1))
	}
	f.others = either(others)
	return f
}

// numbersOf returns the numbers that the type of a schema, or its enumeration, accepts.
func numbersOf(s map[string]any) numbers {
	types := items(s["type"])
	if one, ok := s["type"].(string); ok {
		types = []any{one}
	}
	switch {
	case slices.Contains(types, any("number")):
	case slices.Contains(types, any("integer")):
		return integers
	case len(types) > 0:
		return noNumbers
	}
	listed, isList := s["enum"].([]any)
	if one, ok := s["const"]; ok {
		listed, isList = []any{one}, true
	}
	if isList && !slices.ContainsFunc(listed, func(v any) bool { _, ok := v.(json.Number); return ok }) {
		return noNumbers
	}
	return anyNumbers
}

// both returns the form of values that fit two forms. The claim of one alternative alone does not count
// beside a claim that always applies.
func both(a, b *form) *form {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	f := &form{numbers: max(a.numbers, b.numbers), names: map[string]*form{}, partly: a.partly && b.partly}
	switch {
	case a.partly && !b.partly:
		f.numbers = b.numbers
	case b.partly && !a.partly:
		f.numbers = a.numbers
	}
	f.others = both(a.others, b.others)
	for _, name := range namesOf(a, b) {
		f.names[name] = both(a.of(name), b.of(name))
	}
	return f
}

// either returns the form of values that fit one or more of the forms.
func either(all []*form) *form {
	f := &form{numbers: noNumbers, names: map[string]*form{}}
	var others []*form
	for _, a := range all {
		if a == nil {
			f.partly, others = true, append(others, nil)
			continue
		}
		if a.numbers != noNumbers && f.numbers != anyNumbers {
			f.numbers = a.numbers
		}
		others = append(others, a.others)
	}
	if !slices.ContainsFunc(all, func(a *form) bool { return a != nil }) {
		return nil
	}
	f.others = either(others)
	for _, name := range namesOf(all...) {
		parts := make([]*form, len(all))
		for i, a := range all {
			parts[i] = a.of(name)
		}
		f.names[name] = either(parts)
	}
	return f
}

// namesOf returns all names that the forms list.
func namesOf(all ...*form) (names []string) {
	for _, f := range all {
		if f == nil {
			continue
		}
		names = slices.AppendSeq(names, maps.Keys(f.names))
	}
	slices.Sort(names)
	return slices.Compact(names)
}
