package sheets

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
)

// The bounds of a workbook, whose parts are compressed.
const (
	maxUnpacked = 512 << 20 // bytes of XML that are read, of all parts together
	maxTexts    = 128 << 20 // bytes of shared texts
	maxColumns  = 1000      // of a sheet
)

// workbook is an XLSX file: a zip with parts in XML.
type workbook struct {
	file   string
	parts  map[string]*zip.File
	left   int64    // bytes of XML that may still be read
	shared []string // texts that cells refer to by number
	dates  []bool   // by the number of a style: its numbers are dates
	since  int      // the year in which days are counted from: 1900 or 1904
}

// tab is a sheet of a workbook, and the part that has it.
type tab struct{ name, part string }

// errUnpacked ends the reading of a workbook that would take too much memory.
var errUnpacked = fmt.Errorf("is larger than %d MiB when it is unpacked", maxUnpacked>>20)

// readWorkbook reads the sheets of an XLSX file. Cell A1 names the sheet, row 3 has the columns, and the rows begin
// behind it.
func (r *reader) readWorkbook(f File) error {
	at := Place{row: Row{file: f.Path}}
	archive, err := zip.NewReader(bytes.NewReader(f.Content), int64(len(f.Content)))
	if err != nil {
		return Faultf(at, "is not a workbook in XLSX: %v", err)
	}
	w := workbook{file: f.Path, parts: map[string]*zip.File{}, left: maxUnpacked, since: 1900}
	for _, part := range archive.File {
		w.parts[strings.ToLower(strings.TrimPrefix(part.Name, "/"))] = part
	}
	tabs, err := w.open()
	if err != nil {
		return Faultf(at, "%v", err)
	}
	for _, one := range tabs {
		s := sheetReader{reader: r, workbook: &w, tab: one.name, letters: map[int]string{}}
		if err := s.read(one.part); err != nil {
			var fault *Fault
			if errors.As(err, &fault) {
				return err
			}
			return Faultf(Place{row: Row{file: f.Path, tab: one.name, line: max(1, s.line)}}, "%v", err)
		}
	}
	return nil
}

// open reads the parts that all sheets share, and lists the sheets.
func (w *workbook) open() ([]tab, error) {
	const book = "xl/workbook.xml"
	if w.parts[book] == nil {
		return nil, errors.New("is not a workbook in XLSX: it has no " + book)
	}
	targets, shared, styles, err := w.relations("xl/_rels/workbook.xml.rels")
	if err != nil {
		return nil, err
	}
	var tabs []tab
	err = w.each(book, func(d *xml.Decoder, e xml.StartElement) error {
		switch e.Name.Local {
		case "workbookPr":
			if on := attribute(e, "date1904"); on == "1" || on == "true" {
				w.since = 1904
			}
		case "sheet":
			if part := targets[attribute(e, "id")]; part != "" {
				tabs = append(tabs, tab{attribute(e, "name"), part})
			}
		}
		return nil
	})
	if err == nil {
		err = w.readShared(shared)
	}
	if err == nil {
		err = w.readStyles(styles)
	}
	return tabs, err
}

// relations reads which part has which sheet, and which ones have shared texts and styles.
func (w *workbook) relations(part string) (sheets map[string]string, shared, styles string, err error) {
	sheets = map[string]string{}
	err = w.each(part, func(_ *xml.Decoder, e xml.StartElement) error {
		if e.Name.Local != "Relationship" {
			return nil
		}
		target := attribute(e, "Target")
		if !strings.HasPrefix(target, "/") {
			target = "xl/" + target
		}
		target = strings.ToLower(strings.TrimPrefix(path.Clean(target), "/"))
		switch kind := attribute(e, "Type"); {
		case strings.HasSuffix(kind, "/worksheet"):
			sheets[attribute(e, "Id")] = target
		case strings.HasSuffix(kind, "/sharedStrings"):
			shared = target
		case strings.HasSuffix(kind, "/styles"):
			styles = target
		}
		return nil
	})
	return sheets, shared, styles, err
}

// attribute returns an attribute by its name without the namespace.
func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// bounded reads from a part, within what may be read of the whole workbook.
type bounded struct {
	from io.Reader
	left *int64
}

func (b bounded) Read(into []byte) (int, error) {
	n, err := b.from.Read(into)
	if *b.left -= int64(n); *b.left < 0 {
		return 0, errUnpacked
	}
	return n, err
}

// each calls do for each element of a part that begins. A missing part has none.
func (w *workbook) each(part string, do func(*xml.Decoder, xml.StartElement) error) error {
	return w.tokens(part, func(d *xml.Decoder, token xml.Token) error {
		if e, ok := token.(xml.StartElement); ok {
			return do(d, e)
		}
		return nil
	})
}

// tokens calls do for each token of a part.
func (w *workbook) tokens(part string, do func(*xml.Decoder, xml.Token) error) error {
	entry := w.parts[part]
	if entry == nil {
		return nil
	}
	content, err := entry.Open()
	if err != nil {
		return fmt.Errorf("%s can't be unpacked: %w", part, err)
	}
	defer func() { _ = content.Close() }()
	d := xml.NewDecoder(bounded{content, &w.left})
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if errors.Is(err, errUnpacked) {
			return errUnpacked
		}
		if err != nil {
			return fmt.Errorf("%s is not XML: %w", part, err)
		}
		if err := do(d, token); err != nil {
			return err
		}
	}
}

// readShared reads the texts that cells share.
func (w *workbook) readShared(part string) error {
	var t richText
	size := 0
	return w.tokens(part, func(_ *xml.Decoder, token xml.Token) error {
		t.take(token)
		if e, ok := token.(xml.EndElement); ok && e.Name.Local == "si" {
			text := t.text()
			if size += len(text) + 16; size > maxTexts {
				return fmt.Errorf("has more than %d MiB of texts", maxTexts>>20)
			}
			w.shared = append(w.shared, text)
		}
		return nil
	})
}

// richText collects the text of a cell from the runs that differ in their look.
type richText struct {
	written  []byte
	inText   bool
	phonetic int // levels of elements that say how a text is pronounced
}

func (t *richText) take(token xml.Token) {
	switch token := token.(type) {
	case xml.StartElement:
		switch token.Name.Local {
		case "rPh":
			t.phonetic++
		case "t":
			t.inText = t.phonetic == 0
		}
	case xml.EndElement:
		switch token.Name.Local {
		case "rPh":
			t.phonetic--
		case "t":
			t.inText = false
		}
	case xml.CharData:
		if t.inText {
			t.written = append(t.written, token...)
		}
	}
}

// text returns the text, and begins another.
func (t *richText) text() string {
	text := unescape(string(t.written))
	t.written = t.written[:0]
	return text
}

// unescape replaces _x000D_ and the like by the character that it stands for.
func unescape(text string) string {
	if !strings.Contains(text, "_x") {
		return text
	}
	var out strings.Builder
	for {
		i := strings.Index(text, "_x")
		if i < 0 || len(text) < i+7 {
			out.WriteString(text)
			return out.String()
		}
		code, err := strconv.ParseUint(text[i+2:i+6], 16, 32)
		if err != nil || text[i+6] != '_' {
			out.WriteString(text[:i+2])
			text = text[i+2:]
			continue
		}
		out.WriteString(text[:i])
		out.WriteRune(rune(code))
		text = text[i+7:]
	}
}

// readStyles notes which styles are those of dates.
func (w *workbook) readStyles(part string) error {
	formats := map[string]bool{}
	inCells := false
	return w.tokens(part, func(_ *xml.Decoder, token xml.Token) error {
		switch e := token.(type) {
		case xml.StartElement:
			switch e.Name.Local {
			case "numFmt":
				formats[attribute(e, "numFmtId")] = isDateFormat(attribute(e, "formatCode"))
			case "cellXfs":
				inCells = true
			case "xf":
				if inCells {
					id := attribute(e, "numFmtId")
					n, _ := strconv.Atoi(id)
					w.dates = append(w.dates, formats[id] || n >= 14 && n <= 17 || n == 22)
				}
			}
		case xml.EndElement:
			inCells = inCells && e.Name.Local != "cellXfs"
		}
		return nil
	})
}

// isDateFormat reports whether a format of numbers shows years or days, outside of quotation marks and brackets.
func isDateFormat(code string) bool {
	quoted, bracketed := false, false
	for i := 0; i < len(code); i++ {
		switch c := code[i]; {
		case c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == ']':
			bracketed = c == '['
		case !bracketed && strings.IndexByte("yYdD", c) >= 0:
			return true
		}
	}
	return false
}
