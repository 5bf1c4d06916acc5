package sheets

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// The bounds of a definition.
const (
	MaxFile = 64 << 20  // bytes of a file
	maxRows = 1_000_000 // of all files together
	maxText = 1 << 20   // bytes of a value
	maxSize = 256 << 20 // bytes of all values together
)

// Options configure the reading.
type Options struct {
	Values map[string]string // of variables: ${NAME} and ${NAME:default} are replaced by them everywhere
}

// reader reads the files of one definition.
type reader struct {
	definition *Definition
	values     map[string]string
	rows, size int
}

const neverRead = UserProfile + ": is never read, since it has e-mail addresses of people"

// Read reads the files of a definition, in any order. A file whose content is a zip is a workbook, and any other JSON.
// An error names the file, or the sheet, the row and the column.
func Read(files []File, o Options) (*Definition, error) {
	files = slices.Clone(files)
	slices.SortStableFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	r := reader{&Definition{rows: map[string][]Row{}}, o.Values, 0, 0}
	for _, f := range files {
		read := r.readJSON
		if bytes.HasPrefix(f.Content, []byte("PK")) {
			read = r.readWorkbook
		}
		if len(f.Content) > MaxFile {
			return nil, Faultf(Place{row: Row{file: f.Path}}, "is larger than %d MiB", MaxFile>>20)
		}
		if err := read(f); err != nil {
			return nil, err
		}
	}
	r.removeRepeated()
	return r.definition, nil
}

// put puts a value into a row, unless the sheet has no such column.
func (r *reader) put(row *Row, column, letter, text string) error {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	key := strings.ToLower(strings.TrimSpace(column))
	name := columnNames[row.Sheet][key]
	if name == "" {
		if key != "" && !strings.HasPrefix(key, "#") {
			r.definition.Notes.Add(fmt.Sprintf("%s: the column %.100q is not known, and is ignored",
				row.Sheet, strings.TrimSpace(column)), row.Place())
		}
		return nil
	}
	if r.size += len(text); len(text) > maxText || r.size > maxSize {
		return Faultf(row.At(name), "is longer than %d MiB, or all values together than %d", maxText>>20, maxSize>>20)
	}
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return Faultf(row.At(name), "holds the character U+0000, or is not valid UTF-8")
	}
	if _, taken := row.cells[strings.ToLower(name)]; taken && key != strings.ToLower(name) {
		return nil // the present name of a column counts, where a row has both
	}
	text = strings.ReplaceAll(text, "\r\n", "\n")
	row.cells[strings.ToLower(name)] = cell{name, Substitute(text, r.values), letter}
	return nil
}

var variable = regexp.MustCompile(`\$\{([^{}$:]+)(?::([^{}]*))?\}`)

// Substitute replaces the variables ${NAME} and ${NAME:default} that have a value.
func Substitute(text string, values map[string]string) string {
	if len(values) == 0 || !strings.Contains(text, "${") {
		return text
	}
	return variable.ReplaceAllStringFunc(text, func(whole string) string {
		if value, ok := values[variable.FindStringSubmatch(whole)[1]]; ok {
			return value
		}
		return whole
	})
}

// Variable is a variable of a text: ${NAME} or ${NAME:default}.
type Variable struct {
	Name, Default string
	HasDefault    bool
}

// EachVariable returns a text with its variables replaced by the result of with.
func EachVariable(text string, with func(Variable) string) string {
	return variable.ReplaceAllStringFunc(text, func(whole string) string {
		parts := variable.FindStringSubmatch(whole)
		return with(Variable{parts[1], parts[2], strings.Contains(whole, ":")})
	})
}

// add adds a row to the definition, unless it is empty.
func (r *reader) add(row Row) error {
	if len(row.cells) == 0 {
		return nil
	}
	if r.rows++; r.rows > maxRows {
		return Faultf(row.Place(), "is more than %d rows in all", maxRows)
	}
	r.definition.rows[row.Sheet] = append(r.definition.rows[row.Sheet], row)
	return nil
}

// leaveOut notes a row of a sheet that is not imported.
func (r *reader) leaveOut(row Row) {
	r.definition.Notes.Add(row.Sheet+": "+leftOut[row.Sheet], row.Place())
}

// removeRepeated removes rows without the ids that identify them, and all but the first of those that have the same.
func (r *reader) removeRepeated() {
	d := r.definition
	for sheet, rows := range d.rows {
		first := map[string]bool{}
		d.rows[sheet] = slices.DeleteFunc(rows, func(row Row) bool {
			key := ""
			for _, column := range identity[sheet] {
				if !row.Has(column) {
					d.Notes.Add(fmt.Sprintf("%s: a row has no %s, and is ignored", sheet, column), row.Place())
					return true
				}
				key += row.ID(column) + "\x00"
			}
			if sheet == RoleToAccessProfiles {
				key += row.ID("AccessProfiles")
			}
			if sheet == EventMembers {
				key += row.ID("CaseTypeID")
			}
			if first[key] {
				d.Notes.Add(repeated(sheet), row.Place())
				return true
			}
			first[key] = true
			return false
		})
	}
}

func repeated(sheet string) string {
	if sheet == FixedLists {
		return sheet + ": a code of a list is given twice; the first counts"
	}
	return sheet + ": a row is given twice; the first counts"
}

// Excluded reports whether a pattern matches a part of a path. In a pattern, * stands for any text.
func Excluded(below string, patterns []string) bool {
	for part := range strings.SplitSeq(below, "/") {
		for _, pattern := range patterns {
			if matches(pattern, part) {
				return true
			}
		}
	}
	return false
}

func matches(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	last := len(parts) - 1
	if last == 0 {
		return text == pattern
	}
	if !strings.HasPrefix(text, parts[0]) {
		return false
	}
	text = text[len(parts[0]):]
	for _, part := range parts[1:last] {
		at := strings.Index(text, part)
		if at < 0 {
			return false
		}
		text = text[at+len(part):]
	}
	return strings.HasSuffix(text, parts[last])
}
