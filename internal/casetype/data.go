package casetype

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/schema"
	"github.com/casehook/casehook/internal/yaml"
)

// Decode reads case data: a JSON object in UTF-8, numbers kept as json.Number. It refuses duplicate names,
// anything after the object, and nesting beyond 64 levels with a *fault.Error of kind Invalid.
func Decode(raw []byte) (map[string]any, error) { return decode(raw, 0) }

// maxSent is the most values that a client or a callback may send at once.
const maxSent = 1_000_000

// DecodeSent is Decode for an object that a client or a callback has sent: one of more than a million values is
// refused, too.
func DecodeSent(raw []byte) (map[string]any, error) { return decode(raw, maxSent) }

func decode(raw []byte, values int) (map[string]any, error) {
	doc := yaml.ReadJSONUpTo(raw, values)
	data, isObject := doc.Value.(map[string]any)
	if len(doc.Faults) == 0 && isObject {
		return data, nil
	}
	refusal := fault.New(fault.Invalid, "json.malformed", "The data can't be read; send one JSON object in UTF-8.")
	for _, f := range doc.Faults {
		refusal.Fields = append(refusal.Fields, fault.Field{Path: f.Path, Message: f.Message})
	}
	if len(doc.Faults) == 0 {
		refusal.Fields = []fault.Field{{Message: "is not a JSON object"}}
	}
	return nil, refusal
}

// Encode writes case data with sorted names: equal data have equal bytes. A nil map is an empty object.
func Encode(data map[string]any) ([]byte, error) {
	if data == nil {
		return []byte("{}"), nil
	}
	return yaml.JSON(data)
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

// Validate lists, ordered by path, the faults in the data of a case. Root is the JSON Pointer of the data in the
// request. A budget that does not suffice is a fault. The error is that of a request that has ended.
func (t *Type) Validate(b *schema.Budget, data map[string]any, root string) ([]fault.Field, error) {
	if data == nil {
		data = map[string]any{}
	}
	u := unfitValues{budget: b}
	err := u.visit(data, 0)
	if len(u.wrong) > 0 {
		return tidy(u.wrong, root), nil
	}
	if err == nil && !isComposed(data) { // data are kept as sent, and validated in composed form
		out, twice := composed(data, "")
		if len(twice) > 0 {
			return tidy(twice, root), nil
		}
		data, _ = out.(map[string]any)
	}
	var complaints []schema.Complaint
	if err == nil {
		complaints, err = t.schema.Validate(b, data)
	}
	if err != nil {
		path, spent, other := stopped(err)
		if !spent {
			return nil, fmt.Errorf("validating data: %w", other)
		}
		return []fault.Field{{Path: pointer(root, path...), Message: tooCostly(maxDataSteps)}}, nil
	}
	return tidy(t.explain(complaints), root), nil
}

// WithoutMissing returns those of the faults of data that are not about something required that is missing.
func WithoutMissing(wrong []fault.Field) []fault.Field {
	return slices.DeleteFunc(slices.Clone(wrong), func(f fault.Field) bool {
		return f.Message == "is required" || strings.HasPrefix(f.Message, "is required when ")
	})
}

// explain turns complaints into faults whose paths start at the data.
func (t *Type) explain(complaints []schema.Complaint) []fault.Field {
	var wrong []fault.Field
	for _, c := range genuine(complaints) {
		message := c.Message
		if c.Unknown && len(c.Path) == 1 {
			message = t.unknown(c.Name(), len(wrong), t.fields)
		}
		wrong = append(wrong, fault.Field{Path: pointer("", c.Path...), Message: message})
	}
	return wrong
}

// unknown describes a name that is no field. The first of many come with a suggestion.
func (t *Type) unknown(name string, before int, fields []string) string {
	message := "is not a field of " + t.Key
	if before >= maxSuggestions {
		return message
	}
	return message + suggest(name, fields)
}

// genuine drops names that seem unknown only because the part of the schema that knows them has failed for
// another reason.
func genuine(all []schema.Complaint) []schema.Complaint {
	return slices.DeleteFunc(slices.Clone(all), func(c schema.Complaint) bool {
		if !c.Seeming {
			return false
		}
		parent := c.Path[:len(c.Path)-1]
		return slices.ContainsFunc(all, func(other schema.Complaint) bool {
			return !other.Unevaluated && len(other.Path) >= len(parent) &&
				slices.Equal(other.Path[:len(parent)], parent)
		})
	})
}

// unfitValues lists the values that are not JSON, or that can't be validated exactly.
type unfitValues struct {
	budget *schema.Budget
	path   yaml.Path
	wrong  []fault.Field
}

func (u *unfitValues) add(message string) {
	if len(u.wrong) < yaml.MaxFaults {
		u.wrong = append(u.wrong, fault.Field{Path: u.path.Pointer(), Message: message})
	}
}

func (u *unfitValues) visit(v any, depth int) error {
	if depth > yaml.MaxDepth {
		u.add("is nested deeper than " + strconv.Itoa(yaml.MaxDepth) + " levels")
		return nil
	}
	if err := u.budget.Spend(1); err != nil {
		return &schema.StopError{Path: u.path.Tokens(), Err: err}
	}
	part := func(v any, at yaml.Step) error {
		u.path = append(u.path, at)
		err := u.visit(v, depth+1)
		u.path = u.path[:len(u.path)-1]
		return err
	}
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			if err := part(value, yaml.Member(name)); err != nil {
				return err
			}
		}
	case []any:
		for i, value := range v {
			if err := part(value, yaml.Item(i)); err != nil {
				return err
			}
		}
	default:
		if message := scalarProblem(v); message != "" {
			u.add(message)
		}
	}
	return nil
}

// isJSONNumber reports whether a text is a number as JSON writes it.
func isJSONNumber(text string) bool {
	if text == "" || text[0] != '-' && (text[0] < '0' || text[0] > '9') || text[len(text)-1] < '0' ||
		text[len(text)-1] > '9' {
		return false
	}
	return json.Valid([]byte(text))
}

func scalarProblem(v any) string {
	switch v := v.(type) {
	case json.Number:
		if !isJSONNumber(string(v)) {
			return "is not a number"
		}
		return yaml.NumberProblem(v)
	case float64:
		if v-v != 0 {
			return "is not a number"
		}
	case nil, bool, string, int, int64:
	default:
		return "is not a JSON value"
	}
	return ""
}

// Disallowed lists the submitted names that a transition may not set. Fields above the clearance are reported as
// unknown.
func (t *Type) Disallowed(
	tr Transition, submitted map[string]any, root string, clearance Classification,
) []fault.Field {
	var wrong []fault.Field
	for _, name := range slices.Sorted(maps.Keys(submitted)) {
		message := ""
		switch {
		case len(wrong) == yaml.MaxFaults:
			return tidy(wrong, root)
		case !t.Shows(name, clearance):
			message = t.unknown(name, len(wrong), t.shownFields(clearance))
		case tr.Fields != nil && !slices.Contains(tr.Fields, name):
			message = "may not be set by the transition " + tr.Key
		default:
			continue
		}
		wrong = append(wrong, fault.Field{Path: pointer("", name), Message: message})
	}
	return tidy(wrong, root)
}

// tidy orders faults, drops duplicates, and puts root before their paths.
func tidy(fields []fault.Field, root string) []fault.Field {
	for i := range fields {
		fields[i].Path = root + fields[i].Path
	}
	slices.SortFunc(fields, func(a, b fault.Field) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Message, b.Message))
	})
	fields = slices.Compact(fields)
	return fields[:min(len(fields), yaml.MaxFaults)]
}
