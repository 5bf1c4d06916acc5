package expression

import (
	"encoding/json"
	"strconv"
)

// Data turns an object of JSON, whose numbers are json.Number, into what
// expressions compute with.
func Data(data map[string]any) map[string]any {
	out := make(map[string]any, len(data))
	for name, value := range data {
		out[name] = convert(value)
	}
	return out
}

// convert turns numbers into what CEL computes with: int, uint, else double.
func convert(v any) any {
	switch v := v.(type) {
	case map[string]any:
		return Data(v)
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = convert(item)
		}
		return out
	case json.Number:
		if i, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			return i
		}
		if u, err := strconv.ParseUint(string(v), 10, 64); err == nil {
			return u
		}
		f, _ := strconv.ParseFloat(string(v), 64) // out of range is ±Inf, which compares rightly
		return f
	}
	return v
}
