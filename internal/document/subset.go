package document

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"github.com/go-text/typesetting/font"
)

// subset is a font as a document embeds it: the glyphs in use, each under a code that stands for one text.
// A glyph that stands for two texts has two codes, so that text which is copied from the document is that
// of the source.
type subset struct {
	face   *font.Face
	name   string // of the resource, "F1"
	family string
	codes  map[string]uint16 // by parts and text
	texts  []string          // by code; code 0 is .notdef
	widths []int             // by code, in thousandths of an em
	glyphs [][]byte          // by code: charstrings
	drawn  *int              // bytes of glyphs, counted for the whole document
}

// part is a glyph of the font at its place in a glyph of the document, in
// thousandths of an em.
type part struct {
	glyph font.GID
	x, y  int16
}

const maxCodes = 1<<16 - 2

func newSubset(face *font.Face, number int, family string, drawn *int) *subset {
	s := &subset{face: face, name: fmt.Sprintf("F%d", number), family: family, codes: map[string]uint16{}, drawn: drawn}
	s.code([]part{{}}, 0, "")
	return s
}

func (s *subset) full() bool { return len(s.texts) >= maxCodes }

// code returns the code of parts which stand for a text together. A glyph that is one whole glyph of the
// font has the font's advance.
func (s *subset) code(parts []part, advance int, text string) uint16 {
	scale := 1000 / float64(s.face.Upem())
	if len(parts) == 1 && parts[0].x == 0 && parts[0].y == 0 {
		advance = int(math.Round(float64(s.face.HorizontalAdvance(parts[0].glyph)) * scale))
	}
	key := keyOf(parts, advance, text)
	if code, ok := s.codes[key]; ok {
		return code
	}
	code := uint16(len(s.texts))
	var c charstring
	c.number(float64(advance))
	for _, p := range parts {
		outline, _ := s.face.GlyphData(p.glyph).(font.GlyphOutline) // a space has none
		c.outline(outline.Segments, scale, float64(p.x), float64(p.y))
	}
	glyph := append(c.code, endchar)
	s.codes[key] = code
	s.texts = append(s.texts, text)
	s.widths = append(s.widths, advance)
	s.glyphs = append(s.glyphs, glyph)
	*s.drawn += len(glyph) + len(key)
	return code
}

// keyOf identifies a glyph of a document.
func keyOf(parts []part, advance int, text string) string {
	key := make([]byte, 0, 8+8*len(parts)+len(text))
	key = binary.BigEndian.AppendUint32(key, uint32(int32(advance)))
	key = binary.BigEndian.AppendUint32(key, uint32(len(parts)))
	for _, p := range parts {
		key = binary.BigEndian.AppendUint32(key, uint32(p.glyph))
		key = binary.BigEndian.AppendUint16(key, uint16(p.x))
		key = binary.BigEndian.AppendUint16(key, uint16(p.y))
	}
	return string(append(key, text...))
}

// write puts the font into a file.
func (s *subset) write(p *pdf) (number int) {
	name := s.postScriptName()
	file := p.stream("/Subtype /CIDFontType0C ", writeCFF(name, s.glyphs))
	descriptor, descendant, number := p.reserve(), p.reserve(), p.reserve()
	p.object(descriptor, "<< /Type /FontDescriptor /FontName /%s /Flags 4 "+
		"/FontBBox [-1000 -500 3000 1500] /ItalicAngle 0 /Ascent 1069 /Descent -293 /CapHeight 714 /StemV 90 "+
		"/FontFile3 %d 0 R >>", name, file)
	widths := strings.Trim(fmt.Sprint(s.widths), "[]")
	p.object(descendant, "<< /Type /Font /Subtype /CIDFontType0 /BaseFont /%s "+
		"/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> "+
		"/FontDescriptor %d 0 R /DW 1000 /W [0 [%s]] >>", name, descriptor, widths)
	unicode := p.stream("", s.toUnicode())
	p.object(number, "<< /Type /Font /Subtype /Type0 /BaseFont /%s /Encoding /Identity-H "+
		"/DescendantFonts [%d 0 R] /ToUnicode %d 0 R >>", name, descendant, unicode)
	return number
}

// postScriptName returns the family's name with the tag of a subset: six letters.
func (s *subset) postScriptName() string {
	letters := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, s.family)
	tag := strings.Map(func(r rune) rune { return r - '0' + 'A' }, fmt.Sprintf("%06s", s.name[1:]))
	return tag + "+" + letters
}

// toUnicode writes the map from codes to texts.
func (s *subset) toUnicode() []byte {
	var b strings.Builder
	b.WriteString("/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n" +
		"/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n" +
		"/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n1 begincodespacerange\n<0000> <ffff>\nendcodespacerange\n")
	const most = 100 // lines of a block
	var lines []string
	flush := func() {
		if len(lines) > 0 {
			fmt.Fprintf(&b, "%d beginbfchar\n%sendbfchar\n", len(lines), strings.Join(lines, ""))
			lines = lines[:0]
		}
	}
	for code, text := range s.texts {
		if text == "" {
			continue
		}
		lines = append(lines, fmt.Sprintf("<%04x> <%s>\n", code, utf16Hex(text)))
		if len(lines) == most {
			flush()
		}
	}
	flush()
	b.WriteString("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n")
	return []byte(b.String())
}
