package casetype

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/casehook/casehook/internal/fault"
)

// Decode reads case data: a JSON object in UTF-8, numbers kept as json.Number.
// Duplicate names, anything after the object, and nesting beyond 64 levels are
// refused with a *fault.Error of kind Invalid.
func Decode(raw []byte) (map[string]any, error) {
	doc := readJSON(raw, false, 0)
	data, isObject := doc.value.(map[string]any)
	if len(doc.wrong) == 0 && isObject {
		return data, nil
	}
	refusal := fault.New(fault.Invalid, "json.malformed", "The data can't be read; send one JSON object in UTF-8.")
	for _, f := range doc.wrong {
		refusal.Fields = append(refusal.Fields, fault.Field{Path: f.Path, Message: f.Message})
	}
	if len(doc.wrong) == 0 {
		refusal.Fields = []fault.Field{{Message: "is not a JSON object"}}
	}
	return nil, refusal
}

// Encode writes case data with sorted names: equal data give equal bytes. A nil
// map is an empty object.
func Encode(data map[string]any) ([]byte, error) {
	if data == nil {
		return []byte("{}"), nil
	}
	return encode(data)
}

// Merge returns the data after the submitted fields have replaced those before. A
// null removes a field. Neither argument is changed.
func Merge(before, submitted map[string]any) map[string]any {
	after := make(map[string]any, len(before)+len(submitted))
	maps.Copy(after, before)
	for name, value := range submitted {
		if value == nil {
			delete(after, name)
		} else {
			after[name] = value
		}
	}
	return after
}

// Dropped lists, sorted, the populated fields of before that are not populated
// after. Null, "", [] and {} do not populate a field.
func Dropped(before, after map[string]any) []string {
	var dropped []string
	for name, value := range before {
		if populated(value) && !populated(after[name]) {
			dropped = append(dropped, name)
		}
	}
	slices.Sort(dropped)
	return dropped
}

func populated(value any) bool {
	switch value := value.(type) {
	case nil:
		return false
	case string:
		return value != ""
	case []any:
		return len(value) > 0
	case map[string]any:
		return len(value) > 0
	}
	return true
}

// Validate lists, ordered by path, all that is wrong with the data of a case.
// Root is the JSON Pointer of the data in what the caller sent.
func (t *Type) Validate(data map[string]any, root string) []fault.Field {
	if data == nil {
		data = map[string]any{}
	}
	if wrong := unfit(data, root, 0); len(wrong) > 0 {
		return tidy(wrong)
	}
	if message := t.tooMuchWork(data); message != "" {
		return []fault.Field{{Path: root, Message: message}}
	}
	var wrong []fault.Field
	for _, c := range t.genuine(complaints(t.schema.Validate(data))) {
		message := c.message
		if c.unknown && len(c.path) == 1 {
			message = t.unknown(c.name())
		}
		wrong = append(wrong, fault.Field{Path: pointer(root, c.path...), Message: message})
	}
	return tidy(wrong)
}

func (t *Type) unknown(name string) string {
	return "is not a field of " + t.Key + suggest(name, t.fields)
}

// genuine drops names that only seem unknown because the part of the schema that
// knows them has failed for another reason.
func (t *Type) genuine(all []complaint) []complaint {
	return slices.DeleteFunc(slices.Clone(all), func(c complaint) bool {
		if c.unevaluated == "" || !slices.Contains(t.described[location(c.unevaluated)], c.name()) {
			return false
		}
		parent := c.path[:len(c.path)-1]
		return slices.ContainsFunc(all, func(other complaint) bool {
			return other.unevaluated == "" && len(other.path) >= len(parent) && slices.Equal(other.path[:len(parent)], parent)
		})
	})
}

// unfit lists the values that are not JSON, or that can't be judged exactly.
func unfit(v any, path string, depth int) []fault.Field {
	one := func(message string) []fault.Field { return []fault.Field{{Path: path, Message: message}} }
	if depth > maxDepth {
		return one("is nested deeper than " + strconv.Itoa(maxDepth) + " levels")
	}
	var wrong []fault.Field
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			wrong = append(wrong, unfit(value, pointer(path, name), depth+1)...)
		}
	case []any:
		for i, value := range v {
			wrong = append(wrong, unfit(value, pointer(path, strconv.Itoa(i)), depth+1)...)
		}
	case json.Number:
		if !jsonNumber.MatchString(string(v)) {
			return one("is not a number")
		}
		if message := numberProblem(v); message != "" {
			return one(message)
		}
	case float64:
		if v-v != 0 {
			return one("is not a number")
		}
	case nil, bool, string, int, int64:
	default:
		return one("is not a JSON value")
	}
	return wrong
}

// Allowed lists the names that a transition may not set. To somebody with the
// clearance, fields above it are unknown.
func (t *Type) Allowed(tr Transition, submitted map[string]any, root string, clearance Classification) []fault.Field {
	var wrong []fault.Field
	for name := range submitted {
		if !t.Shows(name, clearance) {
			message := "is not a field of " + t.Key + suggest(name, t.shownFields(clearance))
			wrong = append(wrong, fault.Field{Path: pointer(root, name), Message: message})
		} else if tr.Fields != nil && !slices.Contains(tr.Fields, name) {
			wrong = append(wrong, fault.Field{Path: pointer(root, name), Message: "may not be set by the transition " + tr.Key})
		}
	}
	return tidy(wrong)
}

func tidy(fields []fault.Field) []fault.Field {
	slices.SortFunc(fields, func(a, b fault.Field) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Message, b.Message))
	})
	fields = slices.Compact(fields)
	return fields[:min(len(fields), maxFaults)]
}
