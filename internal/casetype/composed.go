package casetype

import (
	"strconv"

	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/spelling"
)

// composed returns data with texts and names in their canonical composition, as definitions have them. It
// lists the names that occur twice in two spellings.
func composed(v any, path string) (any, []fault.Field) {
	var wrong []fault.Field
	switch v := v.(type) {
	case string:
		return spelling.Composed(v), nil
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			value, twice := composed(item, pointer(path, strconv.Itoa(i)))
			out[i], wrong = value, append(wrong, twice...)
		}
		return out, wrong
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, item := range v {
			name = spelling.Composed(name)
			value, twice := composed(item, pointer(path, name))
			if _, taken := out[name]; taken {
				twice = append(twice,
					fault.Field{Path: pointer(path, name), Message: "is given twice, in two spellings"})
			}
			out[name], wrong = value, append(wrong, twice...)
		}
		return out, wrong
	}
	return v, nil
}

// isComposed reports whether all texts and names in a value are composed.
func isComposed(v any) bool {
	switch v := v.(type) {
	case string:
		return spelling.IsComposed(v)
	case map[string]any:
		for name, item := range v {
			if !spelling.IsComposed(name) || !isComposed(item) {
				return false
			}
		}
	case []any:
		for _, item := range v {
			if !isComposed(item) {
				return false
			}
		}
	}
	return true
}
