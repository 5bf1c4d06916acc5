package document

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/go-text/typesetting/di"
	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/language"
	"github.com/go-text/typesetting/segmenter"
	"github.com/go-text/typesetting/shaping"
	"golang.org/x/image/math/fixed"

	"github.com/casehook/casehook/internal/fault"
)

// style is the look of text.
type style struct {
	bold bool
	size float64 // in points
}

// line is a line of text, ready to be drawn.
type line struct {
	operators   []byte  // of a PDF's text object
	width       float64 // in millimetres
	rightToLeft bool
}

// typesetter makes lines of text: it breaks it, chooses fonts, and shapes it. It sets a long paragraph a
// window at a time, so that its memory is bounded.
type typesetter struct {
	ctx      context.Context
	fonts    *Fonts
	families []*family
	asian    eastAsian
	missing  missing
	err      error

	faces    map[*cut]*face
	subsets  []*subset
	drawn    int // bytes of the glyphs in all subsets
	shaper   shaping.HarfbuzzShaper
	splitter shaping.Segmenter
	breaker  segmenter.Segmenter
}

// face is a font that a document uses.
type face struct {
	font   *font.Face
	cut    *cut
	subset *subset
}

// maxWindow is the number of characters set at once.
const maxWindow = 2000

// em is the size at which text is shaped: widths are in thousandths of it.
const em = 1000

// newTypesetter looks for fonts that have all characters of the text, in the folders too if the known ones
// don't.
func newTypesetter(ctx context.Context, fonts *Fonts, text string) (*typesetter, error) {
	t := &typesetter{
		ctx: ctx, fonts: fonts, families: fonts.known(), asian: eastAsianOf(text),
		missing: missing{}, faces: map[*cut]*face{},
	}
	used := map[rune]bool{}
	for _, r := range text {
		used[r] = true
	}
	if len(t.lacking(used)) > 0 {
		if err := fonts.read(ctx); err != nil {
			return nil, err
		}
		t.families = fonts.known()
	}
	return t, t.lacking(used).err()
}

func (t *typesetter) lacking(used map[rune]bool) missing {
	lacking := missing{}
	for r := range used {
		if r != '\n' && !invisible(r) && (unicode.IsControl(r) || t.family([]rune{r}) == nil) {
			lacking[r] = true
		}
	}
	return lacking
}

// lack notes characters for which a font has no glyph after all.
func (t *typesetter) lack(text []rune) {
	for _, r := range text {
		if !invisible(r) {
			t.missing[r] = true
		}
	}
}

// family returns the first family that has all that is visible of a cluster. Of
// those that draw Chinese characters, it takes the document's language.
func (t *typesetter) family(cluster []rune) *family {
	emoji := slices.ContainsFunc(cluster, func(r rune) bool { return r == '\ufe0f' || r == '\u20e3' })
	var second *family
	for _, f := range t.families {
		if slices.ContainsFunc(cluster, func(r rune) bool { return !invisible(r) && !f.regular.has(r) }) {
			continue
		}
		if (f.region == "" || f.region == t.asian.region) && (!emoji || strings.Contains(f.name, "Emoji")) {
			return f
		}
		if second == nil {
			second = f
		}
	}
	return second
}

// face returns the font in which a cluster is set.
func (t *typesetter) face(cluster []rune, s style, before *face) *face {
	if before != nil && (cluster[0] == ' ' || cluster[0] == noBreakSpace || invisible(cluster[0])) &&
		len(cluster) == 1 {
		return before
	}
	f := t.family(cluster)
	if f == nil {
		f = t.families[0]
	}
	c := f.regular
	if s.bold && f.bold != nil && !slices.ContainsFunc(cluster, func(r rune) bool {
		return !invisible(r) &&
			!f.bold.has(r)
	}) {
		c = f.bold
	}
	if known := t.faces[c]; known != nil {
		return known
	}
	loaded, err := t.fonts.load(c)
	if err != nil {
		t.err = err
		return before
	}
	made := &face{font: font.NewFace(loaded), cut: c}
	t.faces[c] = made
	return made
}

// lines breaks text into lines no wider than a width in millimetres.
func (t *typesetter) lines(text string, s style, width float64) []line {
	var lines []line
	for part := range strings.SplitSeq(clean(text), "\n") {
		rest := []rune(singleSpaced(part))
		if len(rest) == 0 {
			lines = append(lines, line{})
		}
		for rtl := rightToLeft(rest); len(rest) > 0; {
			if t.err = cmp.Or(t.err, t.ctx.Err(), t.checkDrawn()); t.err != nil {
				return nil
			}
			set, n := t.window(rest, rtl, s, width)
			lines, rest = append(lines, set...), rest[n:]
		}
	}
	return lines
}

// maxDrawn bounds the glyphs of a document, in bytes.
const maxDrawn = 16 << 20

func (t *typesetter) checkDrawn() error {
	if t.drawn <= maxDrawn {
		return nil
	}
	return fault.New(fault.Unprocessable, "document.too_large",
		"The document has more kinds of characters than %d MiB of glyphs can show. Shorten the template or the data.",
		maxDrawn>>20)
}

// window sets the beginning of a paragraph, and returns how much it has set. The
// last line of a window that is not the paragraph's end is left to the next.
func (t *typesetter) window(rest []rune, rtl bool, s style, width float64) (lines []line, n int) {
	direction := '\u200e'
	if rtl {
		direction = '\u200f'
	}
	text := append([]rune{direction}, rest[:min(len(rest), maxWindow)]...)
	whole := len(rest) <= maxWindow
	runs := t.shape(text, rtl, s)
	if t.err != nil {
		return nil, len(rest)
	}
	shaped := shapedText{text: text, runs: runs, rightToLeft: rtl, size: s.size}
	breaks := t.breaks(text, runs)
	limit := int(width / mmPerPoint / s.size * em)
	start := 1
	for start < len(text) {
		end := breaks.next(start, limit)
		if end == len(text) && !whole && len(lines) > 0 {
			break
		}
		lines = append(lines, t.line(shaped, start, breaks.visible(start, end)))
		start = end
	}
	return lines, start - 1
}

// run is shaped text of one font and direction.
type run struct {
	shaping.Output
	face  *face
	level int // of embedding: text goes from right to left where it is odd
}

// shapedText is a text with its runs, in the text's order.
type shapedText struct {
	text        []rune
	runs        []run
	rightToLeft bool
	size        float64 // in points
}

// shape splits text by direction, script and font, and shapes the parts.
func (t *typesetter) shape(text []rune, rtl bool, s style) []run {
	faces := t.facesOf(text, s)
	if t.err != nil {
		return nil
	}
	input := shaping.Input{
		Text: text, RunEnd: len(text), Direction: di.DirectionLTR, Size: fixed.I(em),
		Language: language.NewLanguage(t.asian.language),
	}
	if rtl {
		input.Direction = di.DirectionRTL
	}
	levels := levels(text, rtl)
	var runs []run
	for _, part := range t.splitter.Split(input, anyFace{faces[0].font}) {
		for start, end := part.RunStart, part.RunEnd; start < end; start = part.RunEnd {
			part.RunStart, part.RunEnd = start, start+1
			for next := part.RunEnd; next < end && faces[next] == faces[start] &&
				levels[next] == levels[start]; next++ {
				part.RunEnd = next + 1
			}
			part.Face = faces[start].font
			part.Direction = di.DirectionLTR
			if levels[start]%2 == 1 {
				part.Direction = di.DirectionRTL
			}
			runs = append(runs, run{t.shaper.Shape(part), faces[start], levels[start]})
		}
	}
	return runs
}

// anyFace is a font for all characters, so that text is split by other things alone.
type anyFace struct{ face *font.Face }

func (f anyFace) ResolveFace(rune) *font.Face { return f.face }

// facesOf returns each character's font. The characters of a cluster have one.
func (t *typesetter) facesOf(text []rune, s style) []*face {
	faces := make([]*face, len(text))
	var before *face
	t.breaker.Init(text)
	for clusters := t.breaker.GraphemeIterator(); clusters.Next() && t.err == nil; {
		cluster := clusters.Grapheme()
		parts := [][]rune{cluster.Text}
		if t.family(cluster.Text) == nil { // no font has all of it
			parts = slices.Collect(slices.Chunk(cluster.Text, 1))
		}
		at := cluster.Offset
		for _, part := range parts {
			before = t.face(part, s, before)
			for range part {
				faces[at] = before
				at++
			}
		}
	}
	return faces
}

// lineBreaks holds where lines of a text may end, and how wide they are.
type lineBreaks struct {
	text     []rune
	ends     []int  // up to which each character's advance comes
	allowed  []bool // a line may begin here
	possible []bool // a line may begin here if it must: no cluster is cut
}

func (t *typesetter) breaks(text []rune, runs []run) lineBreaks {
	n := len(text) + 1
	b := lineBreaks{text: text, ends: make([]int, n), allowed: make([]bool, n), possible: make([]bool, n)}
	glyph := make([]bool, n)
	for _, r := range runs {
		for _, g := range r.Glyphs {
			b.ends[g.ClusterIndex+1] += int(g.Advance)
			glyph[g.ClusterIndex] = true
		}
	}
	for i := 1; i < n; i++ {
		b.ends[i] += b.ends[i-1]
	}
	t.breaker.Init(text)
	for lines := t.breaker.LineIterator(); lines.Next(); {
		b.allowed[lines.Line().Offset] = true
	}
	for clusters := t.breaker.GraphemeIterator(); clusters.Next(); {
		at := clusters.Grapheme().Offset
		b.possible[at] = glyph[at]
	}
	b.allowed[len(text)] = true
	return b
}

// next returns where the line that begins at start ends, and the next begins.
func (b lineBreaks) next(start, limit int) int {
	most := b.ends[start] + limit*64
	best, forced := 0, 0
	for end := start + 1; end <= len(b.text); end++ {
		if b.ends[end] > most && forced > 0 && b.text[end-1] != ' ' {
			break
		}
		if b.allowed[end] {
			best = end
		}
		if b.possible[end] || end == len(b.text) {
			forced = end
		}
	}
	if best > 0 {
		return best
	}
	return forced
}

// visible returns where a line ends without its trailing spaces.
func (b lineBreaks) visible(start, end int) int {
	for end > start && b.text[end-1] == ' ' {
		end--
	}
	return end
}

// line sets the characters of a text from start to end.
func (t *typesetter) line(shaped shapedText, start, end int) line {
	w := lineWriter{t: t, text: shaped.text, size: shaped.size}
	for _, r := range visualOrder(shaped.runs, start, end) {
		w.run(r, start, end)
	}
	w.flush()
	return line{
		operators:   w.out,
		width:       w.origin * shaped.size / em * mmPerPoint,
		rightToLeft: shaped.rightToLeft,
	}
}

// visualOrder returns the runs of a line from left to right (Unicode Standard
// Annex 9, rule L2).
func visualOrder(runs []run, start, end int) []run {
	var line []run
	highest := 0
	for _, r := range runs {
		if r.Runes.Offset < end && r.Runes.Offset+r.Runes.Count > start {
			line = append(line, r)
			highest = max(highest, r.level)
		}
	}
	for level := highest; level > 0; level-- {
		for i := 0; i < len(line); i++ {
			j := i
			for j < len(line) && line[j].level >= level {
				j++
			}
			slices.Reverse(line[i:j])
			i = max(i, j)
		}
	}
	return line
}

// lineWriter writes a line's operators.
type lineWriter struct {
	t      *typesetter
	text   []rune
	size   float64
	out    []byte
	subset *subset
	origin float64 // where the next glyph belongs, in thousandths of an em
	pen    float64 // where the next glyph would be drawn
	shown  []byte  // operands of TJ
	hex    bool    // shown ends within a string
}

// run writes the glyphs of characters from start to end.
func (w *lineWriter) run(r run, start, end int) {
	glyphs := r.Glyphs
	for len(glyphs) > 0 {
		n := 1
		for n < len(glyphs) && glyphs[n].ClusterIndex == glyphs[0].ClusterIndex {
			n++
		}
		if at := glyphs[0].ClusterIndex; at >= start && at < end {
			w.cluster(r.face, glyphs[:n], w.text[at:min(at+max(1, glyphs[0].RuneCount), len(w.text))])
		}
		glyphs = glyphs[n:]
	}
}

// maxParts is how many glyphs are drawn as one; marks beyond are drawn alone.
const maxParts = 24

// cluster writes glyphs that stand for some text together. They are embedded as one,
// so that all readers of the document find the text, and once.
func (w *lineWriter) cluster(f *face, glyphs []shaping.Glyph, text []rune) {
	if !slices.ContainsFunc(text, func(r rune) bool { return !invisible(r) }) {
		if text[0] == '\u200c' || text[0] == '\u200d' { // belongs to the spelling of words
			w.show(f, nil, 0, string(text))
		}
		return
	}
	shown := string(text)
	for some := range slices.Chunk(glyphs, maxParts) {
		var parts []part
		advance := 0.0
		for _, g := range some {
			if g.GlyphID == 0 {
				w.t.lack(text)
			}
			x, y := advance+float64(g.XOffset)/64, float64(g.YOffset)/64
			parts = append(parts, part{g.GlyphID, int16(math.Round(x)), int16(math.Round(y))})
			advance += float64(g.XAdvance) / 64
		}
		w.show(f, parts, advance, shown)
		shown = ""
	}
}

// show writes parts that are one glyph.
func (w *lineWriter) show(f *face, parts []part, advance float64, text string) {
	w.font(f)
	if shift := int(math.Round(w.origin - w.pen)); shift != 0 {
		w.endString()
		w.shown = strconv.AppendInt(w.shown, int64(-shift), 10)
		w.pen += float64(shift)
	}
	code := w.subset.code(parts, int(math.Round(advance)), text)
	if !w.hex {
		w.shown = append(w.shown, '<')
		w.hex = true
	}
	w.shown = hex.AppendEncode(w.shown, []byte{byte(code >> 8), byte(code)})
	w.pen += float64(w.subset.widths[code])
	w.origin += advance
}

// font changes to a font. A subset that is full gets another beside it.
func (w *lineWriter) font(f *face) {
	if f.subset == nil || f.subset.full() {
		f.subset = newSubset(f.font, len(w.t.subsets)+1, f.cut.family, &w.t.drawn)
		w.t.subsets = append(w.t.subsets, f.subset)
	}
	if w.subset != f.subset {
		w.flush()
		w.subset = f.subset
		w.out = fmt.Appendf(w.out, "/%s %s Tf\n", f.subset.name, number(w.size))
	}
}

func (w *lineWriter) endString() {
	if w.hex {
		w.shown = append(w.shown, '>')
		w.hex = false
	}
}

// flush writes what is to be shown so far.
func (w *lineWriter) flush() {
	w.endString()
	if len(w.shown) > 0 {
		w.out = append(append(append(w.out, '['), w.shown...), "] TJ\n"...)
		w.shown = w.shown[:0]
	}
}

func number(v float64) string {
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(v, 'f', 3, 64), "0"), ".")
}
