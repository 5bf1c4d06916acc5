package casetype

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/casehook/casehook/internal/expression"
	"github.com/casehook/casehook/internal/schema"
	"github.com/casehook/casehook/internal/yaml"
)

// startValue is a value that starting a transition puts in where there is none.
type startValue struct {
	path  []string // to it in the data: the field, and the members below
	value any
}

// Begin returns the data with which a transition starts: its defaults, and blank values for the fields to nullify,
// where the data has no value. A value that is there stays. The data itself is not changed.
func (t *Type) Begin(tr Transition, data map[string]any) map[string]any {
	begun := make(map[string]any, len(data))
	maps.Copy(begun, data)
	for _, start := range t.starts[tr.Key] {
		begun = putMissing(begun, start.path, start.value)
	}
	return begun
}

// putMissing returns an object with a value at a path where there is none. The object itself is not changed.
func putMissing(in map[string]any, path []string, value any) map[string]any {
	name, rest := path[0], path[1:]
	present := in[name]
	if len(rest) > 0 {
		inner, isObject := present.(map[string]any)
		if present != nil && !isObject {
			return in
		}
		value = putMissing(inner, rest, value)
	} else if present != nil {
		return in
	}
	out := make(map[string]any, len(in)+1)
	maps.Copy(out, in)
	out[name] = value
	return out
}

// checkStarts checks the defaults and the fields to nullify of all transitions, and compiles them.
func (c *checker) checkStarts() {
	c.starts = map[string][]startValue{}
	for i, item := range items(c.root()["transitions"]) {
		tr, path := object(item), pointer("", "transitions", strconv.Itoa(i))
		var all []startValue
		for _, name := range slices.Sorted(maps.Keys(object(tr["defaults"]))) {
			start := startValue{strings.Split(name, "."), object(tr["defaults"])[name]}
			if c.checkStart(start, pointer(path, "defaults", name)) {
				all = append(all, start)
			}
		}
		for j, name := range texts(tr["nullify"]) {
			at, blank := pointer(path, "nullify", strconv.Itoa(j)), startValue{path: strings.Split(name, ".")}
			if _, twice := object(tr["defaults"])[name]; twice {
				c.fault(at, "has a default too: a field is either nullified or has a default")
			}
			if shape, ok := c.checkPath(blank.path, at); ok {
				blank.value = blankOf(shape)
				all = append(all, blank)
			}
		}
		if len(all) > 0 {
			c.starts[text(tr["key"])] = all
		}
	}
}

// blankOf returns the value of a field or a member that is there and empty.
func blankOf(shape expression.Shape) any {
	if shape == nil {
		return nil
	}
	switch shape.Kinds() &^ expression.NullKind {
	case expression.ListKind:
		return []any{}
	case expression.ObjectKind:
		return map[string]any{}
	}
	return nil
}

// checkPath reports whether names lead to a field, or to a member of one, and returns its shape; nil: it is unknown.
func (c *checker) checkPath(names []string, path string) (expression.Shape, bool) {
	var at expression.Shape = c.data(nil)
	for _, name := range names {
		member, ok := at.Member(name)
		if !ok {
			if !c.stored {
				c.fault(path, "%q is not a field%s", strings.Join(names, "."), at.Near(name))
			}
			return nil, false
		}
		if member == nil {
			return nil, true
		}
		at = member
	}
	return at, true
}

// checkStart reports whether a default names a field, or a member of one, and fits its schema. A stored definition's
// has done so when it was put.
func (c *checker) checkStart(start startValue, path string) bool {
	if c.stored || c.schema == nil {
		return true
	}
	if _, ok := c.checkPath(start.path, path); !ok {
		return false
	}
	if start.value == nil {
		c.fault(path, "is null, which is no value: list the field in nullify")
		return false
	}
	complaints, err := c.schema.Validate(c.budget, putMissing(nil, start.path, start.value))
	if err != nil {
		c.spend(0) // records why
		return false
	}
	unfit := slices.DeleteFunc(genuine(complaints), func(wrong schema.Complaint) bool {
		return len(wrong.Path) < len(start.path) || !slices.Equal(wrong.Path[:len(start.path)], start.path)
	})
	for _, wrong := range unfit[:min(len(unfit), yaml.MaxFaults)] {
		in := ""
		if below := wrong.Path[len(start.path):]; len(below) > 0 {
			in = pointer("", below...) + " "
		}
		c.fault(path, "does not fit the schema of %s: %s%s", strings.Join(start.path, "."), in, wrong.Message)
	}
	return len(unfit) == 0
}
