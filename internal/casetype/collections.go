package casetype

import (
	"maps"
	"slices"
	"strconv"

	"github.com/casehook/casehook/internal/schema"
)

// place describes the collections and the documents in a value. Collections are lists whose items have ids.
type place struct {
	collection bool
	document   bool
	members    map[string]*place
	items      *place
	also       []*place // of the same value

	// Where documents alone are looked for, which have to be found whichever schema a value fits.
	others []*place // of members that have no place of their own
	maybe  []*place // of the same value, if it fits them
}

// places returns the places of collections and documents in the data, or nil if there are none.
func (c *checker) places() *place {
	known, some := map[string]*place{}, false
	var read func(v any, path string) *place
	read = func(v any, path string) *place {
		s := object(v)
		if p, seen := known[path]; seen || s == nil || !c.spend(20+len(path)/8) {
			return p
		}
		if s[schema.FormKeyword] == documentType {
			c.documents = true
		}
		p := &place{
			members: map[string]*place{}, collection: s[schema.IDsKeyword] == true,
			document: s[schema.FormKeyword] == documentType,
		}
		known[path], some = p, some || p.collection || p.document
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
		for at, sub := range within(s, path, []string{"anyOf", "oneOf"}, []string{"then", "else"}, inPlaceMaps) {
			p.maybe = append(p.maybe, read(sub, at))
		}
		more := []string{"additionalProperties", "unevaluatedProperties"}
		for at, sub := range within(s, path, nil, more, []string{"patternProperties"}) {
			if other := read(sub, at); other != nil {
				p.others = append(p.others, other)
			}
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
	e := edition{budget: b, newID: newID}
	return e.of(t.places, data, "")
}

// edition makes data of which some values are replaced.
type edition struct {
	budget *schema.Budget
	newID  func() (string, error) // of an item of a collection; nil: they stay without
	// document returns what comes in place of a document, and whether that is something else; nil: documents stay.
	document func(path string, document map[string]any) (map[string]any, bool)
	err      error // of newID
}

func (e *edition) of(p *place, data map[string]any, path string) (map[string]any, error) {
	if p == nil {
		return data, nil
	}
	value, _ := e.visit(p, data, path)
	edited, _ := value.(map[string]any)
	return edited, e.err
}

// visit returns a value as it is edited, and whether it was changed.
func (e *edition) visit(p *place, v any, path string) (out any, changed bool) {
	if p == nil || e.err != nil || e.budget.Spend(1) != nil {
		return v, false
	}
	for _, other := range p.also {
		after, differs := e.visit(other, v, path)
		v, changed = after, changed || differs
	}
	if e.document != nil {
		for _, other := range p.maybe {
			after, differs := e.visit(other, v, path)
			v, changed = after, changed || differs
		}
	}
	differs := false
	switch value := v.(type) {
	case map[string]any:
		if p.document && e.document != nil {
			v, differs = e.document(path, value)
			break
		}
		v, differs = e.object(p, value, path)
	case []any:
		v, differs = e.list(p, value, path)
	}
	return v, changed || differs
}

// below returns the path of a part of a value. Only documents need it.
func (e *edition) below(path, part string) string {
	if e.document == nil {
		return ""
	}
	return pointer(path, part)
}

func (e *edition) object(p *place, value map[string]any, path string) (out map[string]any, changed bool) {
	out = value
	set := func(name string, sub *place) {
		after, differs := e.visit(sub, out[name], e.below(path, name))
		if differs && !changed {
			out, changed = maps.Clone(value), true
		}
		if differs {
			out[name] = after
		}
	}
	for name, sub := range p.members {
		if _, there := value[name]; there {
			set(name, sub)
		}
	}
	if e.document == nil || len(p.others) == 0 {
		return out, changed
	}
	for name := range value {
		for _, sub := range p.others {
			if p.members[name] == nil {
				set(name, sub)
			}
		}
	}
	return out, changed
}

func (e *edition) list(p *place, value []any, path string) (out []any, changed bool) {
	out = value
	for n, before := range value {
		after, differs := e.visit(p.items, before, e.below(path, strconv.Itoa(n)))
		if p.collection && e.newID != nil {
			identified, isNew := e.item(after)
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
func (e *edition) item(v any) (any, bool) {
	item, isObject := v.(map[string]any)
	if id, there := item["id"]; !isObject || there && id != nil && id != "" {
		return v, false
	}
	id, err := e.newID()
	if err != nil {
		e.err = err
		return v, false
	}
	item = maps.Clone(item)
	item["id"] = id
	return item, true
}
