package sheets

import (
	"encoding/xml"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The rows of a sheet that are no data.
const (
	nameRow   = 1 // its cell A1 has the name of the sheet
	columnRow = 3
)

// sheetReader reads one sheet of a workbook.
type sheetReader struct {
	reader   *reader
	workbook *workbook
	tab      string
	sheet    string         // empty: it is not known yet, or not read
	name     string         // in A1
	columns  map[int]string // by number, from 1
	letters  map[int]string
	skip     bool
	line     int
	cells    []workCell // of the row
}

// workCell is a cell while it is read.
type workCell struct {
	column int
	kind   string // "s": a shared text; "inlineStr", "str", "b", "e", "d"; else a number
	style  int
	value  []byte
	rich   richText
}

// errEnough ends the reading of a sheet.
var errEnough = errors.New("enough")

// read reads the part that has the sheet.
func (s *sheetReader) read(part string) error {
	inValue := false
	err := s.workbook.tokens(part, func(_ *xml.Decoder, token xml.Token) error {
		switch token := token.(type) {
		case xml.StartElement:
			switch token.Name.Local {
			case "row":
				if err := s.beginRow(attribute(token, "r")); err != nil {
					return err
				}
			case "c":
				if err := s.beginCell(token); err != nil {
					return err
				}
			case "v":
				inValue = true
			}
		case xml.EndElement:
			switch token.Name.Local {
			case "v":
				inValue = false
			case "row":
				if err := s.endRow(); err != nil {
					return err
				}
			}
		}
		if len(s.cells) > 0 {
			c := &s.cells[len(s.cells)-1]
			c.rich.take(token)
			if text, ok := token.(xml.CharData); ok && inValue {
				c.value = append(c.value, text...)
			}
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

func (s *sheetReader) beginRow(number string) error {
	s.cells = nil
	if number == "" {
		s.line++
		return nil
	}
	n, err := strconv.Atoi(number)
	if err != nil || n <= s.line {
		return fmt.Errorf("has the row %.20q behind row %d", number, s.line)
	}
	s.line = n
	return nil
}

func (s *sheetReader) beginCell(e xml.StartElement) error {
	column := 1
	if len(s.cells) > 0 {
		column = s.cells[len(s.cells)-1].column + 1
	}
	if reference := attribute(e, "r"); reference != "" {
		if column = columnNumber(reference); column == 0 {
			return fmt.Errorf("has the cell %.20q, which is no cell", reference)
		}
	}
	if column > maxColumns {
		return fmt.Errorf("has more than %d columns", maxColumns)
	}
	if len(s.cells) > maxColumns {
		return fmt.Errorf("has more than %d cells in a row", maxColumns)
	}
	style, _ := strconv.Atoi(attribute(e, "s"))
	s.cells = append(s.cells, workCell{column: column, kind: attribute(e, "t"), style: style})
	return nil
}

// columnNumber returns the number of a cell's column, 1 for A, or 0 if it is no cell.
func columnNumber(reference string) (n int) {
	for i, c := range reference {
		switch {
		case c >= 'A' && c <= 'Z' && n < maxColumns*26:
			n = n*26 + int(c-'A') + 1
		case c >= '0' && c <= '9' && i > 0:
			return n
		default:
			return 0
		}
	}
	return n
}

// letter returns the letters of a column.
func letter(n int) (letters string) {
	for ; n > 0; n = (n - 1) / 26 {
		letters = string(rune('A'+(n-1)%26)) + letters
	}
	return letters
}

func (s *sheetReader) endRow() error {
	defer func() { s.cells = nil }()
	texts := map[int]string{}
	row := Row{Sheet: s.sheet, file: s.workbook.file, tab: s.tab, line: s.line, cells: map[string]cell{}}
	for i := range s.cells {
		c := &s.cells[i]
		text, err := s.workbook.textOf(c)
		if err != nil && !s.skip && s.line >= columnRow {
			return Faultf(row.Place(), "cell %s%d %v", letter(c.column), s.line, err)
		}
		if text != "" {
			texts[c.column] = text
		}
	}
	switch {
	case s.skip:
		return errEnough
	case s.line == nameRow:
		return s.named(texts[1])
	case s.line < columnRow:
		return nil
	case s.line == columnRow:
		return s.begin(texts, row)
	case s.columns == nil:
		return nil
	}
	return s.add(row, texts)
}

// named takes the name of the sheet.
func (s *sheetReader) named(name string) error {
	s.name = strings.TrimSpace(name)
	switch s.sheet = sheetNamed(s.name); s.sheet {
	case UserProfile:
		s.reader.definition.Notes.Add(neverRead, Row{file: s.workbook.file, tab: s.tab, line: nameRow}.Place())
		return errEnough
	case ChangeHistory:
		return errEnough
	}
	return nil
}

// begin takes the columns.
func (s *sheetReader) begin(texts map[int]string, row Row) error {
	s.columns = texts
	if s.sheet == "" {
		columns := map[string]bool{}
		for _, column := range texts {
			columns[column] = true
		}
		s.sheet = s.reader.sheet(pathSheets{}, columns, row.Place())
		s.skip = s.sheet == ""
	}
	for column := range texts {
		s.letters[column] = letter(column)
	}
	return nil
}

// add adds a row of data.
func (s *sheetReader) add(row Row, texts map[int]string) error {
	blank := true
	for _, text := range texts {
		blank = blank && strings.TrimSpace(text) == ""
	}
	if blank {
		return nil
	}
	if _, out := leftOut[s.sheet]; out {
		s.reader.leaveOut(row)
		return nil
	}
	var roles string
	for _, column := range slices.Sorted(maps.Keys(texts)) {
		name, text := s.columns[column], texts[column]
		switch {
		case name == "" || text == "":
		case strings.EqualFold(strings.TrimSpace(name), userRoles):
			roles = text
		default:
			if err := s.reader.put(&row, name, s.letters[column], text); err != nil {
				return err
			}
		}
	}
	if roles == "" {
		return s.reader.add(row)
	}
	for role := range strings.SplitSeq(roles, ",") {
		if err := s.reader.add(row.With(AccessProfile, role)); err != nil {
			return err
		}
	}
	return nil
}

// textOf returns the value of a cell as a text.
func (w *workbook) textOf(c *workCell) (string, error) {
	value := string(c.value)
	switch c.kind {
	case "s":
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 || n >= len(w.shared) {
			return "", fmt.Errorf("refers to the text %.20q, which is not there", value)
		}
		return w.shared[n], nil
	case "inlineStr":
		return c.rich.text(), nil
	case "str", "d":
		return unescape(value), nil
	case "b":
		return strconv.FormatBool(value == "1" || value == "true"), nil
	case "e":
		return "", fmt.Errorf("has the error %.20s", value)
	}
	if c.style >= 0 && c.style < len(w.dates) && w.dates[c.style] {
		return w.date(value), nil
	}
	return number(value), nil
}

// date returns a date as JSON files have it, 31/12/2024. The workbook counts days.
func (w *workbook) date(value string) string {
	days, err := strconv.ParseFloat(value, 64)
	if err != nil || days < 0 || days > 3_000_000 {
		return value
	}
	first := time.Date(1899, time.December, 30, 0, 0, 0, 0, time.UTC)
	if w.since == 1904 {
		first = time.Date(1904, time.January, 1, 0, 0, 0, 0, time.UTC)
	}
	return first.AddDate(0, 0, int(math.Floor(days))).Format("02/01/2006")
}
