package casetype

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/schema"
)

// typeKeyword names a type of values of CCD and QuickCase, which JSON Schema does not have. Values stay as they are
// sent.
const typeKeyword = "x-casehook-type"

// valueType is such a type: the keywords that stand for it, and the form of its values.
type valueType struct {
	schema map[string]any
	form   *schema.Form
}

func textType(means string, check func(string) bool) valueType {
	return valueType{map[string]any{"type": "string"}, &schema.Form{Means: means, Check: check}}
}

// withValue adds the number that bounds judge.
func (t valueType) withValue(value func(string) *json.Number) valueType {
	t.form.Value = value
	return t
}

var valueTypes = map[string]valueType{
	"number_text": {
		map[string]any{"type": []any{"number", "string"}},
		&schema.Form{Means: `a number, or one in text such as "12.50"`, Check: decimals.MatchString, Value: decimal},
	},
	"yes_no": textType(`"Yes" or "No"`, func(text string) bool {
		return strings.EqualFold(text, "yes") || strings.EqualFold(text, "no")
	}),
	"money_gbp": textType(`an amount of pence in text, such as "4200"`,
		regexp.MustCompile(`^-?[0-9]+$`).MatchString).withValue(decimal),
	"date": textType("a date such as 2026-03-14", func(text string) bool {
		_, ok := dateOf(text)
		return ok
	}).withValue(func(text string) *json.Number { return milliseconds(dateOf(text)) }),
	"date_time": textType("a date and time such as 2026-03-14T15:09:26", func(text string) bool {
		_, ok := dateTimeOf(text)
		return ok
	}).withValue(func(text string) *json.Number { return milliseconds(dateTimeOf(text)) }),
	"email":    textType("an e-mail address such as ada@example.com", schema.IsEmail),
	"phone_uk": textType("a telephone number of the United Kingdom such as 07123456789", isPhoneUK),
	"postcode": textType("a postcode of the United Kingdom such as SW1H 9AJ",
		regexp.MustCompile(`(?i)^ *([A-Z]{1,2}[0-9][A-Z0-9]? *[0-9][A-Z]{2}|GIR *0AA) *$`).MatchString),
	"text_case_reference": textType("the reference of a case: 16 digits, also in groups of four with hyphens",
		regexp.MustCompile(`^([0-9]{4}-?[0-9]{4}-?[0-9]{4}-?[0-9]{4})$`).MatchString),
	"dynamic_list":              choices(choice()),
	"dynamic_multi_select_list": choices(map[string]any{"type": []any{"array", "null"}, "items": choice()}),
	"collection": {
		map[string]any{"type": "array", schema.IDsKeyword: true},
		&schema.Form{Means: `a list of items such as {"id": "1", "value": ...}`},
	},
	documentType: {
		map[string]any{
			"type": "object", "required": []any{"document_url"}, "additionalProperties": false,
			"properties": map[string]any{
				"document_url":        map[string]any{"type": "string", "format": "uri", "minLength": json.Number("1")},
				"document_binary_url": optional(), "document_filename": optional(), "category_id": optional(),
				"upload_timestamp": optional(),
			},
		},
		&schema.Form{Means: "a document, which is an object with document_url"},
	},
}

func optional() map[string]any { return map[string]any{"type": []any{"string", "null"}} }

// choice is the schema of one of the choices of a dynamic list.
func choice() map[string]any {
	return map[string]any{
		"type": []any{"object", "null"}, "additionalProperties": true,
		"properties": map[string]any{"code": optional(), "label": optional()},
	}
}

// choices returns the type of dynamic lists, which bring their choices along.
func choices(value map[string]any) valueType {
	return valueType{
		map[string]any{
			"type": "object", "additionalProperties": true,
			"properties": map[string]any{
				"value": value, "list_items": map[string]any{"type": []any{"array", "null"}, "items": choice()},
			},
		},
		&schema.Form{Means: "a dynamic list, which is an object with value and list_items"},
	}
}

// forms returns the forms of all types, by name.
func forms() map[string]*schema.Form {
	all := map[string]*schema.Form{}
	for name, t := range valueTypes {
		all[name] = t.form
	}
	return all
}

var decimals = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

// decimal returns the number in a text; nil: there is none.
func decimal(text string) *json.Number {
	digits, negative := strings.CutPrefix(text, "-")
	if !decimals.MatchString(digits) {
		return nil
	}
	if digits = strings.TrimLeft(digits, "0"); digits == "" || digits[0] == '.' {
		digits = "0" + digits
	}
	if negative {
		digits = "-" + digits
	}
	n := json.Number(digits)
	return &n
}

// milliseconds returns a time in milliseconds since 1970, as bounds of dates are written.
func milliseconds(at time.Time, ok bool) *json.Number {
	if !ok {
		return nil
	}
	n := json.Number(strconv.FormatInt(at.UnixMilli(), 10))
	return &n
}

var (
	dateForm     = regexp.MustCompile(`^([0-9]{4}-[0-9]{2}-[0-9]{2})(Z|[+-][0-9]{2}:[0-9]{2})?$`)
	dateTimeForm = regexp.MustCompile(`^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,9})?` +
		`(Z|[+-][0-9]{2}:[0-9]{2})?$`)
)

// dateOf reads a date, which may name its offset from UTC; false: it is none. It begins in UTC.
func dateOf(text string) (time.Time, bool) {
	m := dateForm.FindStringSubmatch(text)
	if m == nil || !isOffset(m[2]) {
		return time.Time{}, false
	}
	at, err := time.Parse(time.DateOnly, m[1])
	return at, err == nil
}

// dateTimeOf reads a date and time, which is in UTC where it names no offset; false: it is none.
func dateTimeOf(text string) (time.Time, bool) {
	m := dateTimeForm.FindStringSubmatch(text)
	if m == nil || !isOffset(m[3]) {
		return time.Time{}, false
	}
	if m[3] == "" {
		text += "Z"
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	return at, err == nil
}

// isOffset reports whether a text may be an offset from UTC, or none.
func isOffset(text string) bool {
	if text == "" || text == "Z" {
		return true
	}
	_, err := time.Parse("-07:00", text)
	return err == nil
}

var (
	betweenDigits = strings.NewReplacer(" ", "", "-", "", "(", "", ")", "")
	phoneUK       = regexp.MustCompile(`^(\+44|0)[0-9]{9,10}(#[0-9]{3,4})?$`)
)

func isPhoneUK(text string) bool { return phoneUK.MatchString(betweenDigits.Replace(text)) }

// withTypes copies a schema, with keywords of JSON Schema in place of the types that it does not have.
func withTypes(v any) any {
	s, ok := v.(map[string]any)
	if !ok {
		return v
	}
	out := make(map[string]any, len(s))
	for keyword, value := range s {
		switch {
		case isOneOf(keyword, partOnes, inPlaceOnes):
			value = withTypes(value)
		case isOneOf(keyword, partLists, inPlaceLists):
			value = slices.Clone(items(value))
			for i, sub := range items(value) {
				items(value)[i] = withTypes(sub)
			}
		case keyword == "$defs" || isOneOf(keyword, partMaps, inPlaceMaps):
			all := make(map[string]any, len(object(value)))
			for name, sub := range object(value) {
				all[name] = withTypes(sub)
			}
			value = all
		}
		out[keyword] = value
	}
	if t, known := valueTypes[text(s[typeKeyword])]; known {
		t.replace(out)
	}
	return out
}

// replace adds the keywords that stand for a type to a schema.
func (t valueType) replace(out map[string]any) {
	name := text(out[typeKeyword])
	for keyword, value := range t.schema {
		if out[keyword] == nil {
			out[keyword] = value
		}
	}
	out[schema.FormKeyword] = name
	if name != "collection" {
		return
	}
	properties := map[string]any{"id": optional(), "value": true}
	if value, ok := out["items"]; ok {
		properties["value"] = value
	}
	out["items"] = map[string]any{"type": "object", "required": []any{"value"}, "properties": properties}
}

// InJSONSchema returns the schema of the fields of a definition with JSON Schema's own keywords alone, for programs
// that know no others.
func InJSONSchema(fields any) any { return withoutOurs(withTypes(fields)) }

func withoutOurs(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, value := range v {
			if key != schema.FormKeyword && key != schema.IDsKeyword {
				out[key] = withoutOurs(value)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = withoutOurs(item)
		}
		return out
	}
	return v
}

// replaceTypes makes the checks see keywords of JSON Schema in place of the types that it does not have.
func (c *checker) replaceTypes() {
	root, isObject := c.doc.Value.(map[string]any)
	if _, has := root["fields"].(map[string]any); !isObject || !has {
		return
	}
	c.tree = maps.Clone(root)
	c.tree["fields"] = withTypes(root["fields"])
}

// checkType checks the type of values that a schema names.
func (c *checker) checkType(value any, s map[string]any, path string) {
	t, known := valueTypes[text(value)]
	if !known {
		c.fault(path, "is not one of the types of values%s", c.oneOf(text(value), slices.Sorted(maps.Keys(valueTypes))))
		return
	}
	if !Equal(s["type"], t.schema["type"]) {
		c.fault(path, "has a type of its own: leave type out beside it")
	}
}

// checkLabels checks the labels of the codes that enum lists.
func (c *checker) checkLabels(value any, s map[string]any, path string) {
	labels, isObject := value.(map[string]any)
	if c.stored {
		return // it may be a keyword of its author's own, from before
	}
	if !isObject {
		c.fault(path, "is not an object of texts, by code: {N: North, S: South}")
		return
	}
	for _, code := range slices.Sorted(maps.Keys(labels)) {
		at := pointer(path, code)
		if _, isText := labels[code].(string); !isText {
			c.fault(at, "is not text")
		} else if !slices.Contains(items(s["enum"]), any(code)) {
			c.warn(at, "is a label for what the enum beside it does not list")
		}
	}
}
