package casetype

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/casehook/casehook/internal/expression"
)

// shape is an [expression.Shape] by the schema of the fields. Any of the schemas may be the value's.
type shape struct {
	checker *checker
	schemas []any
	root    bool     // it is the data
	needed  []string // members that are there besides those that the schema requires
	assume  bool     // all members are taken to be there
}

// data returns the shape of a case's data, with the members that the caller requires in addition to the
// schema.
func (c *checker) data(needed []string) shape {
	return shape{checker: c, schemas: []any{c.root()["fields"]}, root: true, needed: needed}
}

// Member returns the shape of a member. The members of data are the fields.
func (s shape) Member(name string) (expression.Shape, bool) {
	if s.root {
		field, ok := s.checker.fieldSchemas()[name]
		return shape{checker: s.checker, schemas: []any{field}, assume: s.assume}, ok
	}
	var found []any
	open := false
	for _, schema := range s.schemas {
		d := s.checker.describe(schema, "", name, map[string]bool{})
		found, open = append(found, d.at...), open || len(d.at) == 0 && d.open
	}
	switch {
	case open:
		return nil, true
	case len(found) == 0:
		return nil, false
	}
	return shape{checker: s.checker, schemas: found, assume: s.assume}, true
}

// Near suggests the member that was meant, or lists the members.
func (s shape) Near(name string) string { return s.checker.oneOf(name, s.members()) }

func (s shape) members() []string {
	if s.root {
		return slices.Sorted(maps.Keys(s.checker.fieldSchemas()))
	}
	names := map[string]bool{}
	for _, schema := range s.schemas {
		s.checker.addNames(names, schema, "", map[string]bool{})
	}
	return slices.Sorted(maps.Keys(names))
}

// Requires reports whether a member is always present.
func (s shape) Requires(name string) bool {
	if s.assume || slices.Contains(s.needed, name) {
		return true
	}
	return !slices.ContainsFunc(s.schemas, func(schema any) bool { return !s.requires(schema, name, 0) })
}

func (s shape) requires(schema any, name string, depth int) bool {
	in := object(schema)
	if depth > maxIntegerDepth || !s.checker.spend(10) {
		return true // unknown
	}
	if slices.Contains(items(in["required"]), any(name)) {
		return true
	}
	if target, _, ok := s.checker.resolve(text(in["$ref"])); ok && in["$ref"] != nil &&
		s.requires(target, name, depth+1) {
		return true
	}
	return slices.ContainsFunc(items(in["allOf"]), func(part any) bool { return s.requires(part, name, depth+1) })
}

// Item returns the shape of the items of a list, or nil if it is unknown.
func (s shape) Item() expression.Shape {
	var found []any
	for _, schema := range s.schemas {
		all := s.itemsOf(schema, 0)
		if len(all) == 0 {
			return nil
		}
		found = append(found, all...)
	}
	return shape{checker: s.checker, schemas: found, assume: s.assume}
}

// itemsOf returns the schemas of the items of a list; without any, an item may be anything.
func (s shape) itemsOf(schema any, depth int) []any {
	in := object(schema)
	if depth > maxIntegerDepth || !s.checker.spend(10) {
		return nil
	}
	all := slices.Clone(items(in["prefixItems"]))
	switch {
	case in["items"] != nil:
		return append(all, in["items"])
	case len(all) > 0:
		return nil // the items behind the first ones are open
	}
	if target, _, ok := s.checker.resolve(text(in["$ref"])); ok && in["$ref"] != nil {
		return s.itemsOf(target, depth+1)
	}
	for _, part := range items(in["allOf"]) {
		if found := s.itemsOf(part, depth+1); len(found) > 0 {
			return found
		}
	}
	return nil
}

// Kinds returns the kinds that the value may have, or 0 if they are unknown.
func (s shape) Kinds() (all expression.Kinds) {
	for _, schema := range s.schemas {
		kinds := s.kindsOf(schema, 0)
		if kinds == 0 {
			return 0
		}
		all |= kinds
	}
	return all
}

// Admits reports whether enum and const allow the value to be a text.
func (s shape) Admits(written string) (near string, ok bool) {
	var all []string
	for _, schema := range s.schemas {
		choices, bounded := s.choicesOf(schema, 0)
		if !bounded || slices.Contains(choices, any(written)) {
			return "", true
		}
		for _, choice := range choices {
			if choice, isText := choice.(string); isText {
				all = append(all, choice)
			}
		}
	}
	return s.checker.oneOf(written, all), len(s.schemas) == 0
}

// choicesOf returns the constants that a schema allows, and reports whether it allows no others.
func (s shape) choicesOf(schema any, depth int) (choices []any, bounded bool) {
	in := object(schema)
	if depth > maxIntegerDepth || !s.checker.spend(10) {
		return nil, false
	}
	if one, ok := in["const"]; ok {
		return []any{one}, true
	}
	if all, ok := in["enum"].([]any); ok {
		return all, true
	}
	if target, _, ok := s.checker.resolve(text(in["$ref"])); ok && in["$ref"] != nil {
		if choices, bounded = s.choicesOf(target, depth+1); bounded {
			return choices, true
		}
	}
	for _, part := range items(in["allOf"]) {
		if choices, bounded = s.choicesOf(part, depth+1); bounded {
			return choices, true
		}
	}
	return nil, false
}

// stateShape is the shape of the state of a case.
type stateShape struct {
	checker *checker
	keys    []string
}

func (stateShape) Member(string) (expression.Shape, bool) { return nil, false }
func (stateShape) Near(string) string                     { return "" }
func (stateShape) Requires(string) bool                   { return true }
func (stateShape) Item() expression.Shape                 { return nil }
func (stateShape) Kinds() expression.Kinds                { return expression.TextKind }

// Admits reports whether a state has the key. Before its creation a case has no state.
func (s stateShape) Admits(key string) (near string, ok bool) {
	if key == "" || slices.Contains(s.keys, key) {
		return "", true
	}
	return s.checker.oneOf(key, s.keys), false
}

var kindsOfTypes = map[string]expression.Kinds{
	"string": expression.TextKind, "number": expression.NumberKind, "integer": expression.NumberKind,
	"boolean": expression.BoolKind,
	"null":    expression.NullKind, "array": expression.ListKind, "object": expression.ObjectKind,
}

func (s shape) kindsOf(schema any, depth int) (all expression.Kinds) {
	in := object(schema)
	if depth > maxIntegerDepth || !s.checker.spend(10) {
		return 0
	}
	types := items(in["type"])
	if one, ok := in["type"].(string); ok {
		types = []any{one}
	}
	for _, one := range types {
		all |= kindsOfTypes[text(one)]
	}
	values, isList := in["enum"].([]any)
	if one, ok := in["const"]; ok {
		values, isList = []any{one}, true
	}
	switch target, _, ok := s.checker.resolve(text(in["$ref"])); {
	case all != 0:
		return all
	case isList:
		for _, value := range values {
			all |= kindOfValue(value)
		}
		return all
	case ok && in["$ref"] != nil:
		return s.kindsOf(target, depth+1)
	}
	for _, part := range items(in["allOf"]) {
		if kinds := s.kindsOf(part, depth+1); kinds != 0 {
			return kinds
		}
	}
	return 0
}

func kindOfValue(value any) expression.Kinds {
	switch value.(type) {
	case nil:
		return expression.NullKind
	case bool:
		return expression.BoolKind
	case string:
		return expression.TextKind
	case json.Number:
		return expression.NumberKind
	case []any:
		return expression.ListKind
	}
	return expression.ObjectKind
}

// memberSchema describes a member of an object.
type memberSchema struct {
	named bool  // the schema describes some member
	at    []any // the schemas of this member
	open  bool  // the object admits other members
}

// describe looks up a member in a schema and in those that apply in place or by reference, and determines
// whether the object may have others.
func (c *checker) describe(schema any, path, name string, seen map[string]bool) memberSchema {
	s, isObject := schema.(map[string]any)
	if !isObject {
		return memberSchema{open: schema == true}
	}
	var d memberSchema
	properties := object(s["properties"])
	d.named = len(properties) > 0
	if at, described := properties[name]; described {
		d.at = []any{at}
	}
	d.open = admitsObject(s["type"]) && s["enum"] == nil && s["const"] == nil && !d.named
	explicit := s["patternProperties"] != nil || admitsMore(s["additionalProperties"]) ||
		admitsMore(s["unevaluatedProperties"])
	for at, part := range c.describing(s, path) {
		if seen[at] || !c.spend(20+len(at)/8) {
			continue
		}
		seen[at] = true
		more := c.describe(part, at, name, seen)
		d.at = append(d.at, more.at...)
		d.named = d.named || more.named
		d.open = d.open && more.open
	}
	d.open = d.open && !d.named || explicit
	return d
}

// describing returns the schemas in place and by reference that describe members of the value.
func (c *checker) describing(s map[string]any, path string) map[string]any {
	parts := inPlace(s, path)
	delete(parts, pointer(path, "not"))
	if target, at, ok := c.resolve(text(s["$ref"])); ok && s["$ref"] != nil {
		parts[at] = target
	}
	return parts
}

// addNames adds the names of the members that a schema describes.
func (c *checker) addNames(names map[string]bool, schema any, path string, seen map[string]bool) {
	s := object(schema)
	properties := object(s["properties"])
	if !c.spend(len(properties)) {
		return
	}
	for name := range properties {
		names[name] = true
	}
	for at, part := range c.describing(s, path) {
		if !seen[at] && c.spend(20+len(at)/8) {
			seen[at] = true
			c.addNames(names, part, at, seen)
		}
	}
}

// admitsMore reports whether a schema for members without a schema of their own allows any.
func admitsMore(others any) bool { return others != nil && others != false }

func admitsObject(types any) bool {
	switch types := types.(type) {
	case string:
		return types == "object"
	case []any:
		return slices.Contains(types, any("object"))
	}
	return true
}
