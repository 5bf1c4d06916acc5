package casetype

import (
	"maps"
	"slices"

	"github.com/casehook/casehook/internal/schema"
)

// place describes the collections in a value: lists whose items have ids.
type place struct {
	collection bool
	members    map[string]*place
	items      *place
	also       []*place // of the same value
}

// collections returns the places of collections in the data, or nil if there are none.
func (c *checker) collections() *place {
	known, some := map[string]*place{}, false
	var read func(v any, path string) *place
	read = func(v any, path string) *place {
		s := object(v)
		if p, seen := known[path]; seen || s == nil || !c.spend(20+len(path)/8) {
			return p
		}
		p := &place{members: map[string]*place{}, collection: s[schema.IDsKeyword] == true}
		known[path], some = p, some || p.collection
		for name, sub := range object(s["properties"]) {
			p.members[name] = read(sub, pointer(path, "properties", name))
		}
		p.items = read(s["items"], pointer(path, "items"))
		if target, at, ok := c.resolve(text(s["$ref"])); ok && s["$ref"] != nil {
			p.also = append(p.also, read(target, at))
		}
		for at, sub := range within(map[string]any{"allOf": s["allOf"]}, path, inPlaceLists, nil, nil) {
			p.also = append(p.also, read(sub, at))
		}
		return p
	}
	root := read(c.root()["fields"], "/fields")
	if !some {
		return nil
	}
	return root
}

// Identify returns data in which each item of a collection has an id: those without get one of newID. The data that are
// given are not changed. If the budget is spent the rest stays as it is; validation reports that.
func (t *Type) Identify(
	b *schema.Budget, data map[string]any, newID func() (string, error),
) (map[string]any, error) {
	if t.collections == nil {
		return data, nil
	}
	i := identification{budget: b, newID: newID}
	value, _ := i.visit(t.collections, data)
	identified, _ := value.(map[string]any)
	return identified, i.err
}

type identification struct {
	budget *schema.Budget
	newID  func() (string, error)
	err    error // of newID
}

// visit returns a value with ids, and whether it was changed.
func (i *identification) visit(p *place, v any) (out any, changed bool) {
	if p == nil || i.err != nil || i.budget.Spend(1) != nil {
		return v, false
	}
	for _, other := range p.also {
		after, differs := i.visit(other, v)
		v, changed = after, changed || differs
	}
	differs := false
	switch value := v.(type) {
	case map[string]any:
		v, differs = i.object(p, value)
	case []any:
		v, differs = i.list(p, value)
	}
	return v, changed || differs
}

func (i *identification) object(p *place, value map[string]any) (out map[string]any, changed bool) {
	out = value
	for name, sub := range p.members {
		before, there := value[name]
		if !there || sub == nil {
			continue
		}
		after, differs := i.visit(sub, before)
		if differs && !changed {
			out, changed = maps.Clone(value), true
		}
		if differs {
			out[name] = after
		}
	}
	return out, changed
}

func (i *identification) list(p *place, value []any) (out []any, changed bool) {
	out = value
	for n, before := range value {
		after, differs := i.visit(p.items, before)
		if p.collection {
			identified, isNew := i.item(after)
			after, differs = identified, differs || isNew
		}
		if differs && !changed {
			out, changed = slices.Clone(value), true
		}
		if differs {
			out[n] = after
		}
	}
	return out, changed
}

// item returns an item of a collection with an id, and whether that is new.
func (i *identification) item(v any) (any, bool) {
	item, isObject := v.(map[string]any)
	if id, there := item["id"]; !isObject || there && id != nil && id != "" {
		return v, false
	}
	id, err := i.newID()
	if err != nil {
		i.err = err
		return v, false
	}
	item = maps.Clone(item)
	item["id"] = id
	return item, true
}
