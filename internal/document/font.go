package document

import (
	"slices"
	"strings"
	"sync"
	"unicode"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/text/unicode/norm"
)

const family = "go"

// addFonts gives pdf the fonts. It needs copies: pdf writes into them.
func addFonts(pdf *fpdf.Fpdf) {
	pdf.AddUTF8FontFromBytes(family, "", slices.Clone(goregular.TTF))
	pdf.AddUTF8FontFromBytes(family, "B", slices.Clone(gobold.TTF))
}

// glyphs tells which characters of the basic plane both fonts have.
var glyphs = sync.OnceValue(func() *[1 << 16]bool {
	var have [1 << 16]bool
	for i, ttf := range [][]byte{goregular.TTF, gobold.TTF} {
		font, err := sfnt.Parse(ttf)
		if err != nil {
			panic("document: a built-in font can't be read: " + err.Error())
		}
		var buf sfnt.Buffer
		for r := range have {
			glyph, err := font.GlyphIndex(&buf, rune(r))
			have[r] = err == nil && glyph != 0 && (i == 0 || have[r])
		}
	}
	return &have
})

// printable makes s drawable: letters and their accents are composed, spaces of
// all kinds become plain, what is invisible by nature goes, and any other
// character that can't be drawn becomes U+FFFD. Only \n is left of the controls.
func printable(s string) string {
	have := glyphs()
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case unicode.IsSpace(r):
			return ' '
		case unicode.Is(unicode.Cf, r):
			return -1
		case unicode.IsControl(r), int(r) >= len(have), !have[r]:
			return unicode.ReplacementChar
		}
		return r
	}, norm.NFC.String(s))
}
