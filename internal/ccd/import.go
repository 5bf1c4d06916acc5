package ccd

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/casehook/casehook/internal/sheets"
)

// The products whose reading of columns on retries can be chosen.
const (
	HMCTS     = "hmcts"
	QuickCase = "quickcase"
)

// Options configure an import.
type Options struct {
	Retries string // HMCTS or QuickCase
}

// Import is the result of an import.
type Import struct {
	Types     []CaseType // by key
	Variables []Variable // of the URLs of callbacks, by name
	Notes     []sheets.Note

	ComplexTypes, Members int // in the definition, whether or not a field uses them
	Lists, Codes          int
}

// CaseType is a case type that was imported.
type CaseType struct {
	Key    string
	YAML   []byte
	Counts Counts
}

// Counts counts the parts of a case type's definition.
type Counts struct {
	Fields, States, Events, Pages, Roles  int
	Creations, FromAny, FromList, FromOne int // events by the states before them
	Stay, ToOne, ToConditional            int // events by the states after them
	AboutToStart, AboutToSubmit           int // callbacks
	Submitted, MidEvents                  int
}

// Variable is a variable in the URLs of callbacks.
type Variable struct {
	Name    string // as the definition spells it
	Becomes string // the variable in the environment of the server
	Default string // the definition's; Casehook does not know it
}

// importer makes the case types of one definition.
type importer struct {
	rows      map[string][]sheets.Row
	byType    map[string]map[string][]sheets.Row // by sheet and case type
	types     map[string]*complexType
	notes     *sheets.Notes
	retries   string
	complex   map[string][]sheets.Row // members of the complex types, in their order
	lists     map[string][]sheets.Row // codes of the lists, in their order
	used      map[string]bool         // complex types
	variables map[string]Variable
}

// From makes the case types of a definition. An error is a [sheets.Fault].
func From(d *sheets.Definition, o Options) (*Import, error) {
	im := importer{rows: map[string][]sheets.Row{}, byType: map[string]map[string][]sheets.Row{},
		types: map[string]*complexType{}, notes: &d.Notes, retries: o.Retries, used: map[string]bool{},
		variables: map[string]Variable{}}
	for _, sheet := range d.Sheets() {
		im.byType[sheet] = map[string][]sheets.Row{}
		for _, row := range d.Rows(sheet) {
			row, err := im.resolve(row)
			if err != nil {
				return nil, err
			}
			im.rows[sheet] = append(im.rows[sheet], row)
			of := row.ID("CaseTypeID")
			im.byType[sheet][of] = append(im.byType[sheet][of], row)
		}
	}
	im.complex = im.grouped(sheets.ComplexTypes, "ListElementCode")
	im.lists = im.grouped(sheets.FixedLists, "ListElementCode")
	result := &Import{ComplexTypes: len(im.complex), Members: len(im.rows[sheets.ComplexTypes]),
		Lists: len(im.lists), Codes: len(im.rows[sheets.FixedLists])}
	types := slices.Clone(im.rows[sheets.CaseType])
	if len(types) == 0 {
		return nil, sheets.Faultf(sheets.Place{}, "no sheet CaseType with a row was found")
	}
	slices.SortStableFunc(types, func(a, b sheets.Row) int { return strings.Compare(a.ID("ID"), b.ID("ID")) })
	for _, row := range types {
		t, err := im.caseType(row)
		if err != nil {
			return nil, err
		}
		result.Types = append(result.Types, t)
	}
	im.noteRest(types)
	for _, name := range sortedKeys(im.variables) {
		result.Variables = append(result.Variables, im.variables[name])
	}
	result.Notes = d.Notes.List()
	return result, nil
}

// grouped returns the rows of a sheet by their id, in order.
func (im *importer) grouped(sheet, by string) map[string][]sheets.Row {
	all := map[string][]sheets.Row{}
	for _, row := range im.rows[sheet] {
		all[row.ID("ID")] = append(all[row.ID("ID")], row)
	}
	for _, rows := range all {
		inOrder(rows, "DisplayOrder", by)
	}
	return all
}

// of returns the rows of a sheet that belong to a case type.
func (im *importer) of(sheet, caseType string) []sheets.Row { return im.byType[sheet][caseType] }

// noteRest notes the rows that no case type has taken.
func (im *importer) noteRest(types []sheets.Row) {
	known := map[string]bool{}
	for _, row := range types {
		known[row.ID("ID")] = true
	}
	for _, sheet := range sortedKeys(im.rows) {
		for _, row := range im.rows[sheet] {
			if id := row.ID("CaseTypeID"); id != "" && !known[id] {
				im.note(row.At("CaseTypeID"), "%s: %q is no case type; its rows are ignored", sheet, id)
			}
		}
	}
	for _, id := range sortedKeys(im.complex) {
		if !im.used[id] {
			im.note(im.complex[id][0].Place(), "ComplexTypes: a type that no field has is left out")
		}
	}
	for _, row := range im.rows[sheets.Jurisdiction] {
		if yes(row.ID("Shuttered")) {
			im.note(row.At("Shuttered"), "Jurisdiction.Shuttered: the closing of a jurisdiction is not imported")
		}
	}
}

func (im *importer) note(at sheets.Place, format string, args ...any) {
	im.notes.Add(fmt.Sprintf(format, args...), at)
}

// noteColumns notes the columns of a row that are not imported, each with the reason.
func (im *importer) noteColumns(row sheets.Row, reasons map[string]string) {
	for _, column := range row.Columns() {
		said := column == "Description" && row.ID(column) == row.ID("Name")
		if reason := reasons[column]; reason != "" && !said {
			im.note(row.At(column), "%s.%s: %s", row.Sheet, column, reason)
		}
	}
}

// order returns the number in a column; rows without one come last.
func order(row sheets.Row, column string) float64 {
	n, err := strconv.ParseFloat(row.ID(column), 64)
	if err != nil {
		return 1e18
	}
	return n
}

// inOrder sorts rows by a number, and then by an id.
func inOrder(rows []sheets.Row, number, id string) {
	slices.SortStableFunc(rows, func(a, b sheets.Row) int {
		return cmp.Or(cmp.Compare(order(a, number), order(b, number)), compareIDs(a.ID(id), b.ID(id)))
	})
}

// compareIDs compares ids: numbers by their value, and before others.
func compareIDs(a, b string) int {
	n, errA := strconv.ParseFloat(a, 64)
	m, errB := strconv.ParseFloat(b, 64)
	switch {
	case errA == nil && errB == nil:
		return cmp.Or(cmp.Compare(n, m), strings.Compare(a, b))
	case errA == nil:
		return -1
	case errB == nil:
		return 1
	}
	return strings.Compare(a, b)
}

// yes reports whether a word says yes.
func yes(word string) bool {
	switch strings.ToLower(strings.TrimSpace(word)) {
	case "y", "yes", "t", "true":
		return true
	}
	return false
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
