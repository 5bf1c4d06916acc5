package expression

import (
	"encoding/json"
	"strconv"
	"strings"
)

// The notation of places of integers, besides names and indexes.
const (
	Others    = "*" // the names or indexes that no other place names
	NoInteger = "-" // before a place: it is not one of the others
)

var placeEscape = strings.NewReplacer("~", "~0", "/", "~1", "*", "~2")

// PlaceName returns a name as it stands in a place.
func PlaceName(name string) string { return placeEscape.Replace(name) }

// Data converts an object of JSON, whose numbers are json.Number, into the values that expressions compute
// with. Integers are the places of numbers that a definition calls integers, each like a JSON Pointer;
// these become ints, and all other numbers doubles. Texts are in their canonical composition.
func Data(data map[string]any, integers []string) map[string]any {
	return convert(data, placesOf(integers)).(map[string]any)
}

// places marks whether a value is an integer, and which of its parts are.
type places struct {
	integer bool
	parts   map[string]*places // by PlaceName
}

func placesOf(integers []string) *places {
	if len(integers) == 0 {
		return nil
	}
	root := &places{}
	for _, place := range integers {
		place, not := strings.CutPrefix(place, NoInteger)
		at := root
		for i, name := range strings.Split(place, "/") {
			if i > 0 { // before the first slash
				at = at.add(name)
			}
		}
		at.integer = !not
	}
	return root
}

func (p *places) add(name string) *places {
	if p.parts == nil {
		p.parts = map[string]*places{}
	}
	if p.parts[name] == nil {
		p.parts[name] = &places{}
	}
	return p.parts[name]
}

// of returns the places of a part, or nil.
func (p *places) of(name string) *places {
	if p == nil || p.parts == nil {
		return nil
	}
	if part := p.parts[PlaceName(name)]; part != nil {
		return part
	}
	return p.parts[Others]
}

func convert(v any, p *places) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, value := range v {
			name := composedName(name, v)
			out[name] = convert(value, p.of(name))
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = convert(item, p.item(i))
		}
		return out
	case json.Number:
		return number(v, p != nil && p.integer)
	}
	return composed(v)
}

// item returns the places of an item of a list.
func (p *places) item(i int) *places {
	if p == nil || len(p.parts) == 0 {
		return nil
	}
	return p.of(strconv.Itoa(i))
}
