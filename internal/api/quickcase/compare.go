package quickcase

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/schema"
	"github.com/casehook/casehook/internal/spelling"
)

// orders are the comparisons of words.
var orders = map[string]string{
	"greaterThan": ">", "greaterThanOrEquals": ">=", "lessThan": "<", "lessThanOrEquals": "<=",
}

// plain returns a value that is compared: a text, a number, or true or false.
func (q *query) plain(value any, path string) any {
	switch value.(type) {
	case string, json.Number, bool:
		return value
	}
	q.refuse(path, "is neither a text nor a number, nor true or false")
	return nil
}

func (q *query) equals(value any, path string) func(any) bool {
	wanted := q.plain(value, path)
	return func(actual any) bool { return same(actual, wanted) }
}

func (q *query) equalsIgnoreCase(value any, path string) func(any) bool {
	wanted := folded(q.plain(value, path))
	return func(actual any) bool { return same(folded(actual), wanted) }
}

func (q *query) equalsAny(value any, path string) func(any) bool {
	return q.among(value, path, func(v any) any { return v })
}

func (q *query) equalsAnyIgnoreCase(value any, path string) func(any) bool {
	return q.among(value, path, folded)
}

// among reads a list of values, one of which a field must have.
func (q *query) among(value any, path string, fold func(any) any) func(any) bool {
	list, isList := value.([]any)
	if !isList || len(list) > mostValues {
		q.refuse(path, fmt.Sprintf("is not a list of up to %d values", mostValues))
		return nil
	}
	wanted := map[string]bool{}
	for i, one := range list {
		wanted[identity(fold(q.plain(one, fmt.Sprintf("%s/%d", path, i))))] = true
	}
	return func(actual any) bool { return actual != nil && wanted[identity(fold(actual))] }
}

func (q *query) hasValue(value any, path string) func(any) bool {
	wanted, isBool := value.(bool)
	if !isBool {
		q.refuse(path, "is neither true nor false")
	}
	return func(actual any) bool { return !blank(actual) == wanted }
}

func (q *query) is(value any, path string) func(any) bool {
	wanted, isBool := value.(bool)
	if !isBool {
		q.refuse(path, "is neither true nor false")
	}
	word := map[bool]string{true: "yes", false: "no"}[wanted]
	return func(actual any) bool {
		text, isText := actual.(string)
		return isText && strings.EqualFold(text, word) || actual == wanted
	}
}

// contains reads one of several choices, or the value of a field of an item.
func (q *query) contains(value any, path string) func(any) bool {
	var names []string
	if in, isObject := value.(map[string]any); isObject {
		field, isText := in["field"].(string)
		if !isText {
			q.refuse(path+"/field", "is missing")
			return nil
		}
		names, value, path = strings.Split(field, "."), in["value"], path+"/value"
	}
	wanted := q.plain(value, path)
	return func(actual any) bool {
		return slices.ContainsFunc(itemsOf(actual), func(item any) bool {
			if names == nil {
				return same(item, wanted) || same(follow(item, []string{"value"}), wanted) ||
					same(follow(item, []string{"code"}), wanted)
			}
			return same(follow(follow(item, []string{"value"}), names), wanted) || same(follow(item, names), wanted)
		})
	}
}

// itemsOf returns the items of a list, or of the choices of a dynamic one.
func itemsOf(value any) []any {
	if in, isObject := value.(map[string]any); isObject {
		value = in["value"]
	}
	list, _ := value.([]any)
	return list
}

func (q *query) dateRange(value any, path string) func(any) bool {
	in, _ := value.(map[string]any)
	if in["from"] == nil && in["to"] == nil {
		q.refuse(path, "has neither from nor to")
		return nil
	}
	for _, bound := range []string{"from", "to"} {
		if _, ok := spanOf(in[bound]); in[bound] != nil && !ok {
			q.refuse(path+"/"+bound, "is neither a date nor a time such as 2026-01-31 or 2026-01-31T08:00:00Z")
		}
	}
	return func(actual any) bool {
		return (in["from"] == nil || compare(actual, ">=", in["from"])) &&
			(in["to"] == nil || compare(actual, "<=", in["to"])) && isMoment(actual)
	}
}

func isMoment(value any) bool {
	_, ok := spanOf(value)
	return ok
}

// ordered returns the reader of a bound.
func ordered(operator string) func(*query, any, string) func(any) bool {
	return func(q *query, value any, path string) func(any) bool {
		bound := q.plain(value, path)
		return func(actual any) bool { return compare(actual, operator, bound) }
	}
}

// same reports whether two values are equal: numbers by their value, texts letter by letter.
func same(a, b any) bool { return a != nil && b != nil && identity(a) == identity(b) }

// identity returns a text that equal values share, and no others.
func identity(value any) string {
	switch value := value.(type) {
	case json.Number:
		if form, ok := schema.SortableNumber(value); ok {
			return "n" + form
		}
		return "n" + string(value)
	case string:
		return "t" + value
	case bool:
		return fmt.Sprint("b", value)
	}
	return ""
}

// folded returns a text in a form that is the same for both letter cases. Other values stay.
func folded(value any) any {
	if text, isText := value.(string); isText {
		return spelling.Key(text)
	}
	return value
}

func blank(value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case string:
		return value == ""
	case []any:
		return len(value) == 0
	case map[string]any:
		return len(value) == 0
	}
	return false
}

// compare compares two values: as numbers if both are, else as dates and times if both are, else as texts.
func compare(a any, operator string, b any) bool {
	x, xNumber := number(a)
	y, yNumber := number(b)
	if xNumber && yNumber {
		return holds(strings.Compare(x, y), operator)
	}
	span, isSpan := spanOf(b)
	if at, isTime := spanOf(a); isTime && isSpan {
		switch operator {
		case "<":
			return at.from.Before(span.from)
		case "<=":
			return at.from.Before(span.until)
		case ">=":
			return !at.from.Before(span.from)
		}
		return !at.from.Before(span.until)
	}
	s, isText := a.(string)
	t, areTexts := b.(string)
	return isText && areTexts && holds(strings.Compare(s, t), operator)
}

func holds(order int, operator string) bool {
	switch operator {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">=":
		return order >= 0
	}
	return order > 0
}

var numeral = regexp.MustCompile(`^-?[0-9]{1,1000}(\.[0-9]{1,1000})?$`)

// number returns the sortable form of a number, which may be a text.
func number(value any) (string, bool) {
	switch value := value.(type) {
	case json.Number:
		return schema.SortableNumber(value)
	case string:
		if numeral.MatchString(value) {
			return schema.SortableNumber(json.Number(value))
		}
	}
	return "", false
}

// span is the time that a date or a moment takes: from its beginning until the next one's.
type span struct{ from, until time.Time }

var momentForms = []string{time.RFC3339, "2006-01-02T15:04:05"}

// spanOf reads a date or a time. Without a zone, it is in UTC.
func spanOf(value any) (span, bool) {
	text, isText := value.(string)
	if !isText || len(text) < len(time.DateOnly) || len(text) > 40 {
		return span{}, false
	}
	for _, form := range []string{time.DateOnly, "2006-01-02Z07:00"} {
		if day, err := time.Parse(form, text); err == nil {
			return span{day, day.AddDate(0, 0, 1)}, true
		}
	}
	for _, form := range momentForms {
		if at, err := time.Parse(form, text); err == nil {
			return span{at, at.Add(time.Nanosecond)}, true
		}
	}
	return span{}, false
}

// written returns a time as cases have it in their metadata.
func written(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// sortable returns the key of a value by which cases are sorted; empty: it has none.
func sortable(value any) string {
	if form, isNumber := number(value); isNumber {
		return "n" + form
	}
	if at, isTime := spanOf(value); isTime {
		return fmt.Sprintf("d%020d", at.from.UnixMicro()+1<<62)
	}
	switch value := value.(type) {
	case string:
		if value == "" {
			return ""
		}
		key := spelling.Key(value)
		return "t" + key[:min(len(key), 500)]
	case bool:
		return fmt.Sprint("b", value)
	}
	return ""
}
