package ccd

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/schema"
	"github.com/casehook/casehook/internal/sheets"
)

// sort is the sort of a field type: what its bounds, its default and conditions on it mean.
type sort int

// The sorts.
const (
	unknownSort sort = iota
	textSort
	numberSort
	moneySort
	dateSort
	yesNoSort
	listSort   // one of several codes
	choiceSort // several of them
	collectionSort
	complexSort
	dynamicSort
	documentSort
	noDataSort // a text or a widget of a form, which no case has data of
)

// baseTypes are the types that are no complex types: their sort, and the schema of their values.
var baseTypes = map[string]struct {
	sort   sort
	schema tree
}{
	"text": {textSort, typed("string")}, "textarea": {textSort, typed("string")},
	"richtextarea": {textSort, typed("string")}, "region": {textSort, typed("string")},
	"baselocation": {textSort, typed("string")},
	"textmax14":    {textSort, bound(14)}, "textmax50": {textSort, bound(50)}, "textmax150": {textSort, bound(150)},
	"textcasereference": {textSort, ours("text_case_reference")},
	"number":            {numberSort, ours("number_text")},
	"moneygbp":          {moneySort, ours("money_gbp")},
	"yesorno":           {yesNoSort, ours("yes_no")},
	"date":              {dateSort, ours("date")},
	"datetime":          {dateSort, ours("date_time")},
	"email":             {textSort, ours("email")},
	"phoneuk":           {textSort, ours("phone_uk")},
	"postcode":          {textSort, ours("postcode")},
	"document":          {documentSort, ours("document")},
	"fixedlist":         {sort: listSort}, "fixedradiolist": {sort: listSort}, "multiselectlist": {sort: choiceSort},
	"collection":             {sort: collectionSort},
	"dynamiclist":            {dynamicSort, ours("dynamic_list")},
	"dynamicradiolist":       {dynamicSort, ours("dynamic_list")},
	"dynamicmultiselectlist": {dynamicSort, ours("dynamic_multi_select_list")},
	"label":                  {sort: noDataSort}, "casehistoryviewer": {sort: noDataSort},
	"casepaymenthistoryviewer": {sort: noDataSort}, "flaglauncher": {sort: noDataSort},
	"componentlauncher": {sort: noDataSort}, "waystopay": {sort: noDataSort},
}

func typed(name string) tree { return tree{{"type", name}} }
func ours(name string) tree  { return tree{{"x-casehook-type", name}} }
func bound(most int) tree    { return append(typed("string"), member{"maxLength", most}) }

// fieldType is the type of a field, of a member or of the items of a collection.
type fieldType struct {
	name      string // as the sheet has it
	parameter string // of a list its id, of a collection the type of its items
	min, max  string
	pattern   string
	row       sheets.Row // where it is written, for notes
}

// typeOf returns the type that a row of fields or members describes.
func typeOf(row sheets.Row) fieldType {
	return fieldType{row.ID("FieldType"), row.ID("FieldTypeParameter"), row.ID("Min"), row.ID("Max"),
		row.ID("RegularExpression"), row}
}

// sort returns the sort of a type.
func (im *importer) sort(t fieldType) sort {
	if im.isComplex(t.name) {
		return complexSort
	}
	if builtInCollections[t.name] != "" {
		return collectionSort
	}
	return baseTypes[strings.ToLower(t.name)].sort
}

func (im *importer) isComplex(id string) bool { return len(im.complex[id]) > 0 || builtIn[id] != "" }

// complexType has the members of a complex type.
type complexType struct {
	names []string // in their order
	types map[string]fieldType
}

// members returns the members of a complex type.
func (im *importer) members(id string) *complexType {
	if known := im.types[id]; known != nil {
		return known
	}
	c := &complexType{types: map[string]fieldType{}}
	for _, row := range im.complex[id] {
		c.names = append(c.names, row.ID("ListElementCode"))
		c.types[row.ID("ListElementCode")] = typeOf(row)
	}
	if c.names == nil {
		for _, m := range builtInMembers(id) {
			c.names = append(c.names, m.name)
			c.types[m.name] = fieldType{name: m.fieldType, parameter: m.parameter, max: m.max}
		}
	}
	im.types[id] = c
	return c
}

// schemas makes the schemas of one case type.
type schemas struct {
	im    *importer
	names map[string]string // of the complex types that its fields have, by id
	defs  map[string]tree   // of them, by name
}

// of returns the schema of a type's values, or nil if there are none.
func (s *schemas) of(t fieldType) tree {
	base := baseTypes[strings.ToLower(t.name)]
	var made tree
	switch kind := s.im.sort(t); kind {
	case complexSort:
		return tree{{"$ref", "#/$defs/" + s.define(t)}}
	case noDataSort:
		return nil
	case unknownSort:
		s.im.note(t.row.At("FieldType"), "%s: the type %q is nowhere; any value is valid", t.row.Sheet, t.name)
		return tree{}
	case listSort:
		made = s.list(t)
	case choiceSort:
		made = append(typed("array"), member{"uniqueItems", true}, member{"items", s.list(t)})
	case collectionSort:
		made = s.collection(t)
	default:
		made = slices.Clone(base.schema)
	}
	return s.pattern(t, s.bounds(t, made))
}

// define makes the definition of a complex type, and of those that it has. It returns the name, which has no characters
// that a reference would have to escape.
func (s *schemas) define(t fieldType) (name string) {
	if name, known := s.names[t.name]; known {
		return name
	}
	name = notInKeys.ReplaceAllString(t.name, "_")
	for s.defs[name] != nil {
		name += "_"
	}
	s.names[t.name], s.defs[name], s.im.used[t.name] = name, tree{}, true
	of := s.im.members(t.name)
	properties := tree{}
	for _, name := range of.names {
		m := of.types[name]
		schema := s.of(m)
		if schema == nil {
			s.im.note(m.row.Place(), "ComplexTypes: labels and widgets among the members are left out")
			continue
		}
		properties = append(properties, member{name, s.described(schema, m.row, "ElementLabel", t)})
	}
	s.defs[name] = append(typed("object"), member{"properties", properties})
	return name
}

// described adds the label and the hint of a row, unless the row is that of a field with a built-in type.
func (s *schemas) described(schema tree, row sheets.Row, label string, in fieldType) tree {
	if label == "ElementLabel" && len(s.im.complex[in.name]) == 0 {
		return schema
	}
	return append(tree(nil).with("title", row.Text(label)).with("description", row.Text("HintText")), schema...)
}

// list returns the schema of a code of a list.
func (s *schemas) list(t fieldType) tree {
	rows := s.im.lists[t.parameter]
	if len(rows) == 0 {
		s.im.note(t.row.At("FieldTypeParameter"), "%s: %q is no list of the sheet FixedLists; any text is valid",
			t.row.Sheet, t.parameter)
		return typed("string")
	}
	codes, names := []any{}, tree{}
	for _, row := range rows {
		code := row.ID("ListElementCode")
		codes = append(codes, code)
		if name := row.Text("ListElement"); name != "" && name != code {
			names = append(names, member{code, name})
		}
	}
	made := tree{{"enum", codes}}
	if len(names) > 0 {
		made = append(made, member{"x-labels", names})
	}
	return made
}

// collection returns the schema of a collection.
func (s *schemas) collection(t fieldType) tree {
	item := fieldType{name: t.parameter, row: t.row}
	if id := builtInCollections[t.name]; id != "" {
		item.name = id
	}
	if len(s.im.lists[item.name]) > 0 && !s.im.isComplex(item.name) && baseTypes[strings.ToLower(item.name)].sort == 0 {
		item = fieldType{name: "FixedList", parameter: item.name, row: t.row}
	}
	items := s.of(item)
	if items == nil {
		items = tree{}
	}
	return append(ours("collection"), member{"items", items})
}

// bounds adds the least and the greatest value, length or count.
func (s *schemas) bounds(t fieldType, made tree) tree {
	keywords := [2]string{"minimum", "maximum"}
	kind := s.im.sort(t)
	switch kind {
	case textSort:
		keywords = [2]string{"minLength", "maxLength"}
	case collectionSort, choiceSort:
		keywords = [2]string{"minItems", "maxItems"}
	case numberSort, moneySort, dateSort:
	default:
		keywords = [2]string{}
	}
	for i, written := range []string{t.min, t.max} {
		if written == "" {
			continue
		}
		column := []string{"Min", "Max"}[i]
		if keywords[i] == "" {
			s.im.note(t.row.At(column), "%s.%s: means nothing for the type %s, and is left out",
				t.row.Sheet, column, t.name)
			continue
		}
		value, ok := number(written, kind)
		if !ok {
			s.im.note(t.row.At(column), "%s.%s: %.60q is no bound, and is left out", t.row.Sheet, column, written)
			continue
		}
		made = slices.DeleteFunc(made, func(m member) bool { return m.key == keywords[i] })
		made = append(made, member{keywords[i], value})
	}
	return made
}

// number reads a bound. That of a date is the time in milliseconds since 1970.
func number(written string, kind sort) (json.Number, bool) {
	n, err := strconv.ParseFloat(written, 64)
	if kind == dateSort && err != nil {
		for _, layout := range []string{"02/01/2006", time.DateOnly, "2006-01-02T15:04:05"} {
			if at, err := time.Parse(layout, written); err == nil {
				return json.Number(strconv.FormatInt(at.UnixMilli(), 10)), true
			}
		}
	}
	whole := kind != numberSort
	if err != nil || whole && n != float64(int64(n)) || n > 1e15 || n < -1e15 {
		return "", false
	}
	return json.Number(strconv.FormatFloat(n, 'f', -1, 64)), true
}

// pattern adds the regular expression, which the whole text has to match.
func (s *schemas) pattern(t fieldType, made tree) tree {
	if t.pattern == "" {
		return made
	}
	kind := s.im.sort(t)
	if kind != textSort && kind != numberSort && kind != moneySort && kind != dateSort {
		s.im.note(t.row.At("RegularExpression"), "%s.RegularExpression: means nothing for the type %s, and is left out",
			t.row.Sheet, t.name)
		return made
	}
	whole := "^(?:" + t.pattern + ")$"
	if _, err := schema.CompilePattern(nil, whole); err != nil {
		s.im.note(t.row.At("RegularExpression"), "%s.RegularExpression: %.200s of %s is left out: %v",
			t.row.Sheet, t.pattern, idOf(t.row), err)
		return made
	}
	made = slices.DeleteFunc(made, func(m member) bool { return m.key == "pattern" })
	return append(made, member{"pattern", whole})
}

// idOf names the field or the member of a row.
func idOf(row sheets.Row) string {
	if row.Sheet == sheets.ComplexTypes {
		return row.ID("ID") + "." + row.ID("ListElementCode")
	}
	return row.ID("ID")
}
