// Package sheets reads the sheets of a CCD or QuickCase definition, which people keep as JSON files or as a workbook,
// into rows of texts that no longer tell which of the two they come from. It is pure.
package sheets

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// File is a file of a definition.
type File struct {
	Path    string // for people
	Below   string // the path below the folder that was named, with slashes; of a file that was named, its name
	Content []byte
}

// Row is a row of a sheet.
type Row struct {
	Sheet string // as the list of sheets spells it
	file  string
	tab   string // of a workbook; empty: the file is JSON
	line  int    // in the workbook, or in the list of the JSON file; starts at 1
	cells map[string]cell
}

// cell is a value with the column that a workbook has it in.
type cell struct {
	column string // as the list of columns spells it
	text   string
	letter string // "J"; empty in JSON
}

// Text returns the value of a column, or "" if it has none.
func (r Row) Text(column string) string { return r.cells[strings.ToLower(column)].text }

// ID returns the value of a column that holds an id, a type or a word: without blanks around it.
func (r Row) ID(column string) string { return strings.TrimSpace(r.Text(column)) }

// Has reports whether a column has a value.
func (r Row) Has(column string) bool { return r.ID(column) != "" }

// Columns lists the columns that have a value, in alphabetical order.
func (r Row) Columns() (names []string) {
	for _, c := range r.cells {
		names = append(names, c.column)
	}
	slices.Sort(names)
	return names
}

// With returns a copy of the row with another value in a column.
func (r Row) With(column, text string) Row {
	copied := make(map[string]cell, len(r.cells)+1)
	for name, c := range r.cells {
		copied[name] = c
	}
	key := strings.ToLower(column)
	copied[key] = cell{column: column, text: text, letter: r.cells[key].letter}
	r.cells = copied
	return r
}

// Place returns the place of the row for people.
func (r Row) Place() Place { return Place{r, ""} }

// At returns the place of one of the row's columns.
func (r Row) At(column string) Place { return Place{r, column} }

// Place is the place of a row or of one of its columns.
type Place struct {
	row    Row
	column string
}

func (p Place) String() string {
	if p.row.line == 0 {
		return p.row.file
	}
	if p.row.tab == "" {
		text := fmt.Sprintf("%s, row %d", p.row.file, p.row.line)
		if p.column != "" {
			text += ", " + p.column
		}
		return text
	}
	letter := p.row.cells[strings.ToLower(p.column)].letter
	switch {
	case p.column == "":
		return fmt.Sprintf("%s, %s, row %d", p.row.file, p.row.tab, p.row.line)
	case letter == "":
		return fmt.Sprintf("%s, %s, row %d, %s", p.row.file, p.row.tab, p.row.line, p.column)
	}
	return fmt.Sprintf("%s, %s!%s%d, %s", p.row.file, p.row.tab, letter, p.row.line, p.column)
}

// compare orders places by file, tab and row.
func (p Place) compare(other Place) int {
	return cmp.Or(strings.Compare(p.row.file, other.row.file), strings.Compare(p.row.tab, other.row.tab),
		cmp.Compare(p.row.line, other.row.line))
}

// Fault is the reason why a definition can't be imported.
type Fault struct {
	Place   Place
	Message string
}

func (f *Fault) Error() string { return f.Place.String() + ": " + f.Message }

// Faultf makes a fault.
func Faultf(at Place, format string, args ...any) *Fault {
	return &Fault{at, fmt.Sprintf(format, args...)}
}

// Definition has the rows of all files of a definition.
type Definition struct {
	rows  map[string][]Row // by sheet
	Notes Notes
}

// Rows returns the rows of a sheet. Those of JSON files and of a workbook have the same order as far as their order
// counts: by file, tab and row.
func (d *Definition) Rows(sheet string) []Row { return d.rows[sheet] }

// Sheets lists the sheets that have rows, in alphabetical order.
func (d *Definition) Sheets() (names []string) {
	for name := range d.rows {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
