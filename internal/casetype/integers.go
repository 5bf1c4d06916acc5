package casetype

import (
	"maps"
	"slices"
)

// The bounds of the places that integers lists; numbers elsewhere count as any.
const (
	maxIntegers     = 200
	maxIntegerDepth = 8
	maxIntegerSteps = 10_000 // schemas that are looked at
)

// integers lists where the definition says that a number is an integer, as JSON
// Pointers in which * is any item of a list.
func (c *checker) integers() []string {
	var places []string
	steps := 0
	var visit func(schema any, place string, depth int)
	visit = func(schema any, place string, depth int) {
		s := object(schema)
		if steps++; steps > maxIntegerSteps || depth > maxIntegerDepth || len(places) == maxIntegers {
			return
		}
		if isInteger(s["type"]) {
			places = append(places, place)
			return
		}
		if ref, ok := s["$ref"].(string); ok {
			if target, _, ok := c.resolve(ref); ok {
				visit(target, place, depth+1)
			}
		}
		properties := object(s["properties"])
		for _, name := range slices.Sorted(maps.Keys(properties)) {
			visit(properties[name], pointer(place, name), depth+1)
		}
		if s["items"] != nil {
			visit(s["items"], pointer(place, "*"), depth+1)
		}
	}
	visit(c.root()["fields"], "", 0)
	return slices.Compact(slices.Sorted(slices.Values(places)))
}

// isInteger reports whether a schema's type lets no number in but integers.
func isInteger(types any) bool {
	if types == "integer" {
		return true
	}
	list := items(types)
	return slices.Contains(list, any("integer")) && !slices.Contains(list, any("number"))
}
