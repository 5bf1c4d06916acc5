package schema

import "encoding/json"

// Form is a kind of values beyond the formats of JSON Schema. A schema names one of its [Source] in the keyword
// FormKeyword.
type Form struct {
	Means string                         // "a date such as 2026-03-14": follows "is not"
	Check func(text string) bool         // nil: all texts are valid
	Value func(text string) *json.Number // the number that minimum and maximum judge; nil: none
}

// The keywords that stand for rules which JSON Schema can't express.
const (
	FormKeyword = "casehook:form" // the name of a form
	IDsKeyword  = "casehook:ids"  // true: no two items of a list have the same id
)

// IsEmail reports whether a text is an e-mail address, as the format email has it.
func IsEmail(text string) bool { return formats()["email"].check(text) == nil }

// form returns the form that a schema names, or nil.
func (s source) form() *Form {
	name, _ := s.object[FormKeyword].(string)
	return s.compiler.Forms[name]
}

// checkForm checks a text, and its value by the rules for numbers.
func (v *validation) checkForm(n *node, text string) bool {
	f := n.form
	v.spend(10 + len(text)/2)
	if f.Check != nil && !f.Check(text) {
		v.complain("is not " + f.Means)
		return false
	}
	if f.Value != nil && n.number != nil {
		if value := f.Value(text); value != nil {
			return v.checkNumber(n.number, *value)
		}
	}
	return true
}

// checkIDs checks that no two items have the same id.
func (v *validation) checkIDs(items []any) bool {
	v.spend(4 * len(items))
	at := map[string]int{}
	for i, item := range items {
		object, _ := item.(map[string]any)
		id, isText := object["id"].(string)
		if !isText || id == "" {
			continue
		}
		if first, taken := at[id]; taken {
			v.complain("holds the same id twice, at %d and %d", first, i)
			return false
		}
		at[id] = i
	}
	return true
}

// isBlank reports whether a value is null, an empty text or an empty object.
func isBlank(value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case string:
		return value == ""
	case map[string]any:
		return len(value) == 0
	}
	return false
}
