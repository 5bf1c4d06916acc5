package casetype

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/expression"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/schema"
	"github.com/casehook/casehook/internal/spelling"
)

// The newest definition of a type marks the fields by which lists of its cases are selected and sorted. A value has a
// sortable form: the letter of its kind, and a text whose order, byte by byte, is that of the values.

// MaxIndexed bounds the indexed fields of a type.
const MaxIndexed = 20

// maxIndexedText bounds the characters of a text that are compared.
const maxIndexedText = 200

// indexKind is the kind of an indexed field, and the first letter of the sortable forms of its values.
type indexKind string

const (
	noIndex    indexKind = ""
	indexBool  indexKind = "b"
	indexTime  indexKind = "d"
	indexNum   indexKind = "n"
	indexText  indexKind = "t"
	afterKinds           = "~"    // is behind all sortable forms
	following            = "\x01" // behind a sortable form, makes the next one: none has a character below it
)

// next returns the sortable form that is behind all values of the kind.
func (k indexKind) next() string { return string(k[0] + 1) }

// indexedField is a field that a definition marks.
type indexedField struct {
	name string
	kind indexKind
}

// checkIndexed checks the mark of a schema at a path.
func (c *checker) checkIndexed(mark any, schema map[string]any, path string) {
	at := path + "/indexed"
	marked, isBool := mark.(bool)
	switch {
	case strings.Count(path, "/") != 3 || !strings.HasPrefix(path, "/fields/properties/"):
		c.fault(at, "has no effect here: a field is indexed as a whole")
	case !isBool:
		c.fault(at, "is neither true nor false")
	case marked && c.indexKind(schema) == noIndex:
		c.fault(at, "needs a field of one kind: a text, a number, or true and false; write its type beside it")
	}
}

// indexKind returns the kind of an indexed field with a schema.
func (c *checker) indexKind(field any) indexKind {
	kinds := shape{checker: c, schemas: []any{field}}.Kinds() &^ expression.NullKind
	switch kinds {
	case expression.BoolKind:
		return indexBool
	case expression.NumberKind:
		return indexNum
	case expression.TextKind:
		if format := c.formatOf(field, 0); format == "date" || format == "date-time" {
			return indexTime
		}
		return indexText
	}
	return noIndex
}

// formatOf returns the format of the values of a schema, or nothing.
func (c *checker) formatOf(field any, depth int) string {
	in := object(field)
	if depth > maxIntegerDepth || !c.spend(10) {
		return ""
	}
	if format, ok := in["format"].(string); ok {
		return format
	}
	if target, _, ok := c.resolve(text(in["$ref"])); ok && in["$ref"] != nil {
		if format := c.formatOf(target, depth+1); format != "" {
			return format
		}
	}
	for _, part := range items(in["allOf"]) {
		if format := c.formatOf(part, depth+1); format != "" {
			return format
		}
	}
	return ""
}

// indexedFields returns the fields that the definition marks, in its order.
func (c *checker) indexedFields() (all []indexedField) {
	fields := c.fieldSchemas()
	for _, name := range c.doc.Keys("/fields/properties") {
		if object(fields[name])["indexed"] == true {
			all = append(all, indexedField{name, c.indexKind(fields[name])})
		}
	}
	return all
}

// checkIndexedFields bounds their number, and warns of those that are not indexed after all.
func (c *checker) checkIndexedFields() {
	all, roles := c.indexedFields(), object(object(c.root()["access"])["fields"])
	for _, f := range all {
		if object(roles[f.name])["read"] != nil {
			c.warn(pointer("/fields/properties", f.name, "indexed"),
				"indexes nothing, since access lists the roles that read the field: the index knows no roles")
		}
	}
	if len(all) > MaxIndexed {
		c.fault(pointer("/fields/properties", all[MaxIndexed].name, "indexed"),
			"is one too many: a case type has %d indexed fields at most", MaxIndexed)
	}
}

// IndexedValue is the value of an indexed field of a case.
type IndexedValue struct {
	Field string
	Level int    // of the clearance that sees the field, by the newest definition and by that of the case
	Value string // in its sortable form
}

// IndexedValues returns the values of a case's data that t, the newest definition, marks. Own is the definition that
// the case works by. A value of another kind than the field has in t is left out.
func (t *Type) IndexedValues(data map[string]any, own *Type) (all []IndexedValue) {
	for _, f := range t.indexed {
		value, ok := f.kind.sortable(data[f.name])
		level := Higher(t.Classification(f.name), own.Classification(f.name)).Level()
		if own.Classification(f.name).Limited() {
			continue // some who may read it by t may not by own, and the index knows levels alone
		}
		if ok && level > 0 {
			all = append(all, IndexedValue{f.name, level, value})
		}
	}
	return all
}

// Reindexed lists the fields that t marks and before does not mark, or marks with another kind or classification.
// Changed reports whether the marks differ at all.
func (t *Type) Reindexed(before *Type) (fields []string, changed bool) {
	for _, f := range t.indexed {
		if !slices.Contains(before.indexed, f) || t.Classification(f.name) != before.Classification(f.name) {
			fields = append(fields, f.name)
		}
	}
	return fields, len(fields) > 0 || len(t.indexed) != len(before.indexed)
}

// sortable returns the sortable form of a value; false: it has another kind.
func (k indexKind) sortable(v any) (string, bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return string(k) + "1", k == indexBool
		}
		return string(k) + "0", k == indexBool
	case json.Number:
		form, ok := schema.SortableNumber(v)
		return string(k) + form, ok && k == indexNum
	case string:
		if k == indexTime {
			at, ok := moment(v)
			return string(k) + at, ok
		}
		return string(k) + sortableText(v), k == indexText
	}
	return "", false
}

// sortableText returns the beginning of a text's key, without the characters that a database may not hold.
func sortableText(v string) string {
	key := []rune(strings.ReplaceAll(spelling.Key(v), "\x00", ""))
	return string(key[:min(len(key), maxIndexedText)])
}

// moment returns the sortable form of a date, which begins in UTC, or of a time by RFC 3339.
func moment(v string) (string, bool) {
	v = strings.ToUpper(v)
	at, err := time.Parse(time.DateOnly, v)
	if err != nil {
		at, err = time.Parse(time.RFC3339, v)
	}
	if err != nil { // a leap second counts as the one before it
		at, err = time.Parse(time.RFC3339, strings.Replace(v, ":60", ":59", 1))
	}
	return fmt.Sprintf("%019d", at.UnixMicro()+1<<62), err == nil
}

// Condition selects cases by an indexed field, as a client writes it.
type Condition struct {
	Field    string
	Operator string // =, >=, >, <= or <
	Value    string
}

// IndexedRange selects the cases whose indexed field has a value in a range, in sortable forms: From and above, below
// Until.
type IndexedRange struct{ Field, From, Until string }

// AnyIndexed is the range of all values of a field.
func AnyIndexed(field string) IndexedRange { return IndexedRange{field, "", afterKinds} }

// Single reports whether the range has one value, which is From.
func (r IndexedRange) Single() bool { return r.Until == r.From+following }

// Ranges returns the ranges that conditions select, one for each field, and the faults of the conditions. A field above
// the clearance is as unknown as one that is not indexed.
func (t *Type) Ranges(conditions []Condition, clearance Classification) (all []IndexedRange, wrong []fault.Field) {
	refuse := func(message string) {
		wrong = append(wrong, fault.Field{Path: "query.where", Message: message})
	}
	for _, c := range conditions {
		f, ok := t.indexedField(c.Field, clearance)
		if !ok {
			refuse(t.NotIndexed(c.Field, clearance))
			continue
		}
		form, ok := f.kind.sortable(f.kind.typed(c.Value))
		if !ok {
			refuse("data." + c.Field + " is compared with " + kindWords[f.kind])
			continue
		}
		i := slices.IndexFunc(all, func(r IndexedRange) bool { return r.Field == c.Field })
		if i < 0 {
			i, all = len(all), append(all, IndexedRange{c.Field, string(f.kind), f.kind.next()})
		}
		all[i].narrow(c.Operator, form)
	}
	return all, wrong
}

// narrow leaves the values that meet a condition.
func (r *IndexedRange) narrow(operator, form string) {
	from, until := r.From, r.Until
	switch operator {
	case "=":
		from, until = form, form+following
	case ">=":
		from = form
	case ">":
		from = form + following
	case "<=":
		until = form + following
	case "<":
		until = form
	}
	r.From, r.Until = max(r.From, from), min(r.Until, until)
}

// kindWords names what the fields of a kind are compared with.
var kindWords = map[indexKind]string{
	indexBool: "true or false", indexNum: "a number such as 12.50",
	indexTime: "a date or a time such as 2026-01-31 or 2026-01-31T08:00:00Z", indexText: "a text",
}

// typed returns the value that a client writes for a field of the kind.
func (k indexKind) typed(written string) any {
	switch {
	case k == indexBool && (written == "true" || written == "false"):
		return written == "true"
	case k == indexBool:
		return nil
	case k != indexNum:
		return written
	case scalarProblem(json.Number(written)) == "":
		return json.Number(written)
	}
	return nil
}

// IsIndexed reports whether the field is indexed, and the clearance sees it.
func (t *Type) IsIndexed(field string, clearance Classification) bool {
	_, ok := t.indexedField(field, clearance)
	return ok
}

// The kinds of indexed fields, as [Type.IndexedAs] names them.
const (
	IndexedText   = string(indexText)
	IndexedNumber = string(indexNum)
	IndexedTime   = string(indexTime)
)

// IndexedAs returns the kind of an indexed field; empty: the field is not indexed.
func (t *Type) IndexedAs(field string) string {
	f, _ := find(t.indexed, func(f indexedField) bool { return f.name == field })
	return string(f.kind)
}

func (t *Type) indexedField(field string, clearance Classification) (indexedField, bool) {
	f, ok := find(t.indexed, func(f indexedField) bool { return f.name == field })
	return f, ok && t.Shows(field, clearance)
}

// NotIndexed explains that a field is not indexed, and which fields are.
func (t *Type) NotIndexed(field string, clearance Classification) string {
	var names []string
	for _, f := range t.indexed {
		if t.Shows(f.name, clearance) {
			names = append(names, "data."+f.name)
		}
	}
	message := "data." + field + " is not an indexed field of " + t.Key
	if len(names) == 0 {
		return message + "; it has none that you see"
	}
	return message + "; it has " + strings.Join(names, ", ")
}
