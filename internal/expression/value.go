package expression

import (
	"encoding/json"
	"slices"
	"strings"
)

// Data turns an object of JSON, whose numbers are json.Number, into what
// expressions compute with. Integers are the places of numbers that a definition
// calls so, as sorted JSON Pointers in which * is any item of a list; these are
// ints, and all other numbers doubles. Texts are in their canonical composition.
func Data(data map[string]any, integers []string) map[string]any {
	return convert(data, "", integers).(map[string]any)
}

func convert(v any, path string, integers []string) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, value := range v {
			name := composedName(name, v)
			out[name] = convert(value, below(path, name, integers), integers)
		}
		return out
	case []any:
		out, path := make([]any, len(v)), below(path, "*", integers)
		for i, item := range v {
			out[i] = convert(item, path, integers)
		}
		return out
	case json.Number:
		_, integer := slices.BinarySearch(integers, path)
		return number(v, integer)
	}
	return composed(v)
}

var escape = strings.NewReplacer("~", "~0", "/", "~1")

// below is the path of a part, where somebody asks for it.
func below(path, name string, integers []string) string {
	if len(integers) == 0 {
		return ""
	}
	return path + "/" + escape.Replace(name)
}
