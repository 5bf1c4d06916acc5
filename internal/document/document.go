// Package document makes PDF documents from text with a little markup: headings
// (# and ##), paragraphs, lists (-), rules (---) and tables (| a | b |, with a
// |---|---| row below a header row). Lines of a paragraph are joined; a backslash
// at the end of a line breaks it there, and one before a mark takes its meaning
// away. [Escape] does that to a value which is put into a template.
//
// The same input gives the same bytes. Letters are those of Latin, Greek and
// Cyrillic; a character that the fonts lack shows as U+FFFD, never as nothing.
package document

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/fault"
)

// The bounds of a document.
const (
	MaxText  = 1 << 20 // bytes of text
	MaxPages = 1000
)

// Doc is what a document is made of.
type Doc struct {
	Title   string    // in the metadata, and at the foot of every page
	Author  string    // in the metadata
	Created time.Time // in the metadata, to the second, UTC; zero is 1970
	Text    string
}

// Render makes a PDF. It fails with fault.Unprocessable, code
// document.too_large, beyond MaxText or MaxPages.
func Render(d Doc) ([]byte, error) {
	if len(d.Text) > MaxText {
		return nil, fault.New(fault.Unprocessable, "document.too_large",
			"The document's text is longer than %d bytes. Shorten the template or the data.", MaxText)
	}
	l := newLayout(d)
	for _, b := range parse(d.Text) {
		if l.pdf.Err() {
			break
		}
		l.block(b)
	}
	var out bytes.Buffer
	if err := l.pdf.Output(&out); err != nil {
		return nil, fmt.Errorf("document: %w", err)
	}
	return out.Bytes(), nil
}

// lineSeparator breaks a line wherever it stands, also in a heading or a cell.
const lineSeparator = "\u2028"

// marks are the characters that a backslash makes plain.
const marks = `\#-*|`

var escaper = func() *strings.Replacer {
	pairs := []string{"\r\n", lineSeparator, "\n", lineSeparator, "\r", lineSeparator}
	for _, mark := range marks {
		pairs = append(pairs, string(mark), `\`+string(mark))
	}
	return strings.NewReplacer(pairs...)
}()

// Escape makes a value plain text: nothing in it is markup, its line breaks stay
// line breaks, and it can't end the line, cell or heading that it is put into.
func Escape(value string) string { return escaper.Replace(value) }
