// Package document makes PDF documents from text with a little markup: headings (# and ##), paragraphs, lists (-),
// rules (---) and tables (| a | b |, with a |---|---| row below a header row). Lines of a paragraph are joined; a
// backslash at the end of a line breaks it there, and one before a markup character removes its meaning. [Escape]
// does that to a value that is put into a template.
//
// Text is set as its script is written: right to left, joined, with marks in place. Text that is copied
// from a document is the text of the source. Fonts for Latin, Greek, Cyrillic, Arabic, Hebrew, Devanagari,
// Thai and emoji are built in; others come from folders ([Fonts]). A character that no font has is refused
// by name, and never left blank.
//
// Text is split by direction (Unicode's levels), script and font, shaped by go-text's port of HarfBuzz, and broken into
// lines by Unicode's rules. Of a paragraph 2,000 characters are set at a time, so that memory does not grow with it. A
// rendering ends with its request, and half of the processors render at once.
//
// Built-in fonts come first, then those of folders, which are read when a character is missing. A character that no
// font has is refused before anything is drawn. Letters that are set together, such as a letter and its marks, are
// embedded as one glyph with their text, so that every reader finds and copies the text as it was written. Fonts of
// all formats are embedded as subsets in CFF.
//
// go-text is at v0.3.3: later versions up to v0.3.5 skip substitutions of some fonts, Noto Sans Arabic among them,
// so that letters are not joined. TestTextIsShapedAsHarfBuzzDoes shows whether a later version works.
//
// The same input and fonts produce the same bytes.
package document

import (
	"context"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/fault"
)

// The bounds of a document.
const (
	MaxText  = 1 << 20 // bytes of text
	MaxPages = 1000
)

// Doc is the content of a document.
type Doc struct {
	Title   string    // in the metadata, and at the foot of every page
	Author  string    // in the metadata
	Created time.Time // in the metadata, to the second, UTC; zero is 1970
	Text    string
}

// Render makes a PDF. It fails with fault.Unprocessable: code document.too_large beyond MaxText or
// MaxPages, and document.no_font for characters that no font has. It ends with its context.
func (f *Fonts) Render(ctx context.Context, d Doc) ([]byte, error) {
	if len(d.Text) > MaxText {
		return nil, fault.New(fault.Unprocessable, "document.too_large",
			"The document's text is longer than %d bytes. Shorten the template or the data.", MaxText)
	}
	select {
	case f.working <- struct{}{}:
		defer func() { <-f.working }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	set, err := newTypesetter(ctx, f, clean(oneLine(d.Title)+"\n"+d.Text))
	if err != nil {
		return nil, err
	}
	l := newLayout(d, set)
	for _, b := range parse(d.Text) {
		if l.failed() {
			break
		}
		l.block(b)
	}
	return l.finish(d)
}

// lineSeparator breaks a line wherever it stands, also in a heading or a cell.
const lineSeparator = "\u2028"

// markup are the characters to which a backslash gives their plain meaning.
const markup = `\#-*|`

var escaper = func() *strings.Replacer {
	pairs := []string{"\r\n", lineSeparator, "\n", lineSeparator, "\r", lineSeparator}
	for _, mark := range markup {
		pairs = append(pairs, string(mark), `\`+string(mark))
	}
	return strings.NewReplacer(pairs...)
}()

// Escape makes a value plain text: it has no markup, its line breaks stay line breaks, and it can't end
// the line, cell or heading that it is put into.
func Escape(value string) string { return escaper.Replace(value) }
