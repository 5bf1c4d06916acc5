package quickcase

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/schema"
)

// The bounds of a query.
const (
	mostCriteria = 100
	mostNesting  = 20
	mostValues   = 1000 // of equalsAny
	mostIndexed  = 5    // conditions along indexes, each of a field of its own
)

// criterion reports whether a case meets a part of a query.
type criterion func(casework.View, *schema.Budget) (bool, error)

// query is a query under way: it collects the faults, and what indexes know of the conditions.
type query struct {
	typ      *casetype.Type
	shows    func(field string) bool
	criteria int
	wrong    []fault.Field
	state    string
	indexed  []casetype.Condition
}

// read reads the query of a search; nil: all cases meet it.
func (q *query) read(written any) criterion {
	if written == nil {
		return nil
	}
	return q.group(written, "/query", 0, true)
}

func (q *query) refuse(path, message string) criterion {
	q.wrong = append(q.wrong, fault.Field{Path: path, Message: message})
	return func(casework.View, *schema.Budget) (bool, error) { return false, nil }
}

// group reads criteria side by side, all of which must hold. All is true where every case that is found meets them.
func (q *query) group(written any, path string, depth int, all bool) criterion {
	words, isObject := written.(map[string]any)
	if !isObject {
		return q.refuse(path, "is not an object of criteria")
	}
	if depth > mostNesting {
		return q.refuse(path, "is nested too deeply")
	}
	var parts []criterion
	for _, word := range slices.Sorted(maps.Keys(words)) {
		if q.criteria++; q.criteria > mostCriteria {
			return q.refuse(path, "has more than "+strconv.Itoa(mostCriteria)+" criteria")
		}
		at := path + "/" + word
		switch word {
		case "and":
			parts = append(parts, q.list(words[word], at, depth, all)...)
		case "or":
			parts = append(parts, anyOf(q.list(words[word], at, depth, false)))
		case "not":
			parts = append(parts, not(q.group(words[word], at, depth+1, false)))
		default:
			parts = append(parts, q.match(word, words[word], at, all))
		}
	}
	return allOf(parts)
}

func (q *query) list(written any, path string, depth int, all bool) (parts []criterion) {
	list, isList := written.([]any)
	if !isList {
		return []criterion{q.refuse(path, "is not a list of criteria")}
	}
	for i, item := range list {
		parts = append(parts, q.group(item, path+"/"+strconv.Itoa(i), depth+1, all))
	}
	return parts
}

func allOf(parts []criterion) criterion {
	return func(v casework.View, work *schema.Budget) (bool, error) {
		for _, part := range parts {
			if holds, err := part(v, work); err != nil || !holds {
				return false, err
			}
		}
		return true, nil
	}
}

func anyOf(parts []criterion) criterion {
	return func(v casework.View, work *schema.Budget) (bool, error) {
		for _, part := range parts {
			if holds, err := part(v, work); err != nil || holds {
				return holds, err
			}
		}
		return false, nil
	}
}

func not(part criterion) criterion {
	return func(v casework.View, work *schema.Budget) (bool, error) {
		holds, err := part(v, work)
		return err == nil && !holds, err
	}
}

// words read the value that a criterion compares a field with.
var words = map[string]func(q *query, value any, path string) func(actual any) bool{
	"equals":              (*query).equals,
	"equalsIgnoreCase":    (*query).equalsIgnoreCase,
	"equalsAny":           (*query).equalsAny,
	"equalsAnyIgnoreCase": (*query).equalsAnyIgnoreCase,
	"hasValue":            (*query).hasValue,
	"is":                  (*query).is,
	"contains":            (*query).contains,
	"dateRange":           (*query).dateRange,
	"greaterThan":         ordered(">"),
	"greaterThanOrEquals": ordered(">="),
	"lessThan":            ordered("<"),
	"lessThanOrEquals":    ordered("<="),
}

// match reads a criterion of one field: {field, value}.
func (q *query) match(word string, written any, path string, all bool) criterion {
	test, known := words[word]
	if !known {
		return q.refuse(path, "is not a word of queries")
	}
	in, isObject := written.(map[string]any)
	field, isText := in["field"].(string)
	if !isObject || !isText {
		return q.refuse(path+"/field", "is missing")
	}
	value, has := in["value"]
	if !has {
		return q.refuse(path+"/value", "is missing")
	}
	read := q.field(field, path+"/field")
	if other, isOther := otherField(word, value); isOther {
		return compared(word, read, q.field(other, path+"/value/field"))
	}
	holds := test(q, value, path+"/value")
	if all {
		q.narrow(word, field, value)
	}
	return func(v casework.View, work *schema.Budget) (bool, error) {
		actual := read(v)
		return holds(actual), work.Spend(5 + weight(actual))
	}
}

// weight returns the steps that a look at a value takes.
func weight(value any) int {
	switch value := value.(type) {
	case string:
		return len(value) / 16
	case []any:
		return 10 * len(value)
	}
	return 1
}

// otherField returns the field that a field is compared with, as in {field: "data.limit"}.
func otherField(word string, value any) (string, bool) {
	in, isObject := value.(map[string]any)
	name, isText := in["field"].(string)
	_, compares := orders[word]
	return name, isObject && isText && len(in) == 1 && (compares || word == "equals")
}

// compared compares two fields of a case.
func compared(word string, a, b reader) criterion {
	return func(v casework.View, work *schema.Budget) (bool, error) {
		x, y := a(v), b(v)
		if err := work.Spend(10 + weight(x) + weight(y)); err != nil {
			return false, err
		}
		if word == "equals" {
			return same(x, y), nil
		}
		return compare(x, orders[word], y), nil
	}
}

// reader returns the value of a field of a case; nil: it has none.
type reader func(casework.View) any

func nothing(casework.View) any { return nil }

// field returns the reader of a field: data.a.b, or a name in metadata. One that the caller does not see is as unknown
// as one that does not exist.
func (q *query) field(name, path string) reader {
	if inData, is := strings.CutPrefix(name, "data."); is {
		parts := strings.Split(inData, ".")
		if !q.shows(parts[0]) {
			q.refuse(path, "is not a field of "+q.typ.Key)
			return nothing
		}
		return func(v casework.View) any { return follow(v.Data, parts) }
	}
	if strings.HasPrefix(name, ":") {
		q.refuse(path, "is a computed field, which there are none of")
		return nothing
	}
	for _, m := range metadata {
		if slices.Contains(m.names, name) {
			return m.read
		}
	}
	q.refuse(path, "is neither in the metadata of cases nor begins with data.")
	return nothing
}

// follow returns a member of a value. Its names lead through objects alone.
func follow(value any, names []string) any {
	for _, name := range names {
		in, isObject := value.(map[string]any)
		if !isObject {
			return nil
		}
		value = in[name]
	}
	return value
}

// metadata are the fields of a case besides its data.
var metadata = []struct {
	names []string
	sort  string // by which lists are sorted; empty: none is
	read  reader
}{
	{[]string{"id", "reference"}, "", func(v casework.View) any { return strconv.FormatInt(v.ID, 10) }},
	{[]string{"state"}, "", func(v casework.View) any { return v.State }},
	{[]string{"case_type", "case_type_id"}, "", func(v casework.View) any { return v.Type }},
	{[]string{"jurisdiction"}, "", func(v casework.View) any { return v.Definition.Jurisdiction }},
	{[]string{"security_classification"}, "", func(v casework.View) any { return string(v.Classification) }},
	{[]string{"created_on", "created_date"}, "created", func(v casework.View) any { return written(v.CreatedAt) }},
	{[]string{"last_modified_on", "last_modified"}, "modified", func(v casework.View) any {
		return written(v.ModifiedAt)
	}},
	{[]string{"last_state_modified_on"}, "", func(v casework.View) any { return written(v.StateSince) }},
}

// narrow adds what indexes know of a criterion that every case that is found has to meet. It may select more cases
// than the criterion, and never fewer.
func (q *query) narrow(word, name string, value any) {
	text, isText := value.(string)
	if name == "state" && word == "equals" && isText {
		q.state = text
	}
	field, inData := strings.CutPrefix(name, "data.")
	if !inData || len(q.indexed) >= mostIndexed ||
		slices.ContainsFunc(q.indexed, func(c casetype.Condition) bool { return c.Field == field }) {
		return
	}
	operator := orders[word]
	switch kind := q.typ.IndexedAs(field); {
	case word == "equals" && kind == casetype.IndexedText && isText && text != "":
		q.indexed = append(q.indexed, casetype.Condition{Field: field, Operator: "=", Value: text})
	case word == "dateRange" && kind == casetype.IndexedTime:
		in, _ := value.(map[string]any)
		q.period(field, ">=", in["from"])
		q.period(field, "<=", in["to"])
	case operator != "" && kind == casetype.IndexedTime:
		q.period(field, operator, value)
	case kind == casetype.IndexedNumber && (operator != "" || word == "equals"):
		if number, ok := value.(json.Number); ok && sortable(number) != "" {
			if word == "equals" {
				operator = "="
			}
			q.indexed = append(q.indexed, casetype.Condition{Field: field, Operator: operator, Value: string(number)})
		}
	}
}

// period adds a bound on an indexed time.
func (q *query) period(field, operator string, bound any) {
	span, ok := spanOf(bound)
	if !ok {
		return
	}
	condition := casetype.Condition{Field: field, Operator: ">=", Value: written(span.from)}
	if operator[0] == '<' {
		condition.Operator, condition.Value = "<", written(span.until)
	}
	q.indexed = append(q.indexed, condition)
}
