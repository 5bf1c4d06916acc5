package casetype

import (
	"cmp"
	"maps"
	"regexp"
	"slices"

	"github.com/casehook/casehook/internal/schema"
)

// defaults are the value of a member that is absent when a case is created, and those of its members.
type defaults struct {
	value   any                  // nil: none
	members map[string]*defaults // of the object that it is
}

// effective matches the paths where a default has an effect: a field, or a member of an object that only
// properties lead to.
var effective = regexp.MustCompile(`^/fields(/properties/[^/]+)+$`)

// checkDefault checks that a default has an effect; path leads to its schema.
func (c *checker) checkDefault(value any, path string) {
	switch {
	case c.stored:
	case !effective.MatchString(path):
		c.fault(path+"/default",
			"has no effect here: a default is that of a field, or of a member of an object below properties, "+
				"not of items, of one of several forms, or of what $ref leads to")
	case value == nil:
		c.fault(path+"/default", "is null, which sets nothing: leave it out")
	}
}

// readDefaults reads the defaults of the members of an object.
func readDefaults(s map[string]any) map[string]*defaults {
	var all map[string]*defaults
	for name, sub := range object(s["properties"]) {
		d := &defaults{value: object(sub)["default"], members: readDefaults(object(sub))}
		if d.value == nil && d.members == nil {
			continue
		}
		if all == nil {
			all = map[string]*defaults{}
		}
		all[name] = d
	}
	return all
}

// compileDefaults checks that all defaults fit their schemas. In stored definitions, defaults that do not
// fit have no effect.
func (c *checker) compileDefaults() {
	all := readDefaults(object(c.root()["fields"]))
	if c.schema == nil || all == nil {
		return
	}
	complaints, err := c.schema.Validate(c.budget, sample(all))
	if err != nil {
		c.spend(0) // records why
		return
	}
	for _, complaint := range genuine(complaints) {
		at, sub := defaultAt(all, complaint.Path)
		if at == nil {
			continue
		}
		if c.stored {
			dropDefault(all, at)
			continue
		}
		path := "/fields"
		for _, name := range at {
			path = pointer(path, "properties", name)
		}
		in := ""
		if len(sub) > 0 {
			in = pointer("", sub...) + " "
		}
		c.fault(path+"/default", "does not fit its own schema: %s%s", in, complaint.Message)
	}
	c.defaults = all
	c.checkTogether()
}

// checkTogether warns if data made of the defaults alone breaks rules that empty data does not break: a
// default may require another field.
func (c *checker) checkTogether() {
	if c.stored {
		return
	}
	without, err := c.schema.Validate(c.budget, map[string]any{})
	if err != nil {
		c.spend(0)
		return
	}
	with, err := c.schema.Validate(c.budget, complete(c.defaults, map[string]any{}))
	if err != nil {
		c.spend(0)
		return
	}
	for _, broken := range genuine(with) {
		if !slices.ContainsFunc(without, func(w schema.Complaint) bool {
			return w.Message == broken.Message && slices.Equal(w.Path, broken.Path)
		}) {
			c.warn("/fields", "has defaults that ask for more when a case is created: %s %s",
				cmp.Or(pointer("", broken.Path...), "the data"), broken.Message)
		}
	}
}

// sample returns data with all defaults.
func sample(all map[string]*defaults) map[string]any {
	data := map[string]any{}
	for name, d := range all {
		data[name] = d.value
		if d.value == nil {
			data[name] = sample(d.members)
		}
	}
	return complete(all, data)
}

// defaultAt finds the default that a path leads to or into, and the rest of the path. It returns nil if
// there is none.
func defaultAt(all map[string]*defaults, path []string) (at, rest []string) {
	for i, name := range path {
		d := all[name]
		if d == nil {
			return at, rest
		}
		if d.value != nil {
			at, rest = path[:i+1], path[i+1:]
		}
		all = d.members
	}
	return at, rest
}

func dropDefault(all map[string]*defaults, at []string) {
	for _, name := range at[:len(at)-1] {
		all = all[name].members
	}
	all[at[len(at)-1]].value = nil
}

// complete returns an object with the defaults of its absent members. The object itself is not changed.
func complete(all map[string]*defaults, in map[string]any) map[string]any {
	out, own := in, false
	for name, d := range all {
		value, there := in[name]
		if !there {
			value = d.value
		}
		inner, isObject := value.(map[string]any)
		if isObject && len(d.members) > 0 {
			value = complete(d.members, inner)
		}
		if value == nil || there && !isObject {
			continue
		}
		if !own {
			if out, own = maps.Clone(in), true; out == nil {
				out = map[string]any{}
			}
		}
		out[name] = value
	}
	return out
}

// Complete returns the data of a new case with the defaults of the fields that were not submitted. A field
// that was submitted as null stays empty.
func (t *Type) Complete(data, submitted map[string]any) map[string]any {
	all := t.defaults
	for name, value := range submitted {
		if _, known := all[name]; known && value == nil {
			if all = maps.Clone(all); all != nil {
				delete(all, name)
			}
		}
	}
	return complete(all, data)
}

// withDefault lists the fields that have a default.
func (c *checker) withDefault() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(c.fieldSchemas())), func(name string) bool {
		return object(c.fieldSchemas()[name])["default"] == nil
	})
}
