package document

import (
	"bytes"
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/fault"
)

// Sizes in millimetres, on A4.
const (
	mmPerPoint = 25.4 / 72
	pageHeight = 297.0
	margin     = 20.0
	width      = 210 - 2*margin
	bottom     = pageHeight - margin // where the text area ends
	textLine   = 5.2
	indent     = 6.0
	padding    = 1.0 // of table cells, on all sides
	textSize   = 10.5
	titleSize  = 18.0
	headSize   = 13.0
	footSize   = 8.5
)

// The fonts' sizes.
var (
	bodyStyle  = style{size: textSize}
	boldStyle  = style{size: textSize, bold: true}
	titleStyle = style{size: titleSize, bold: true}
	headStyle  = style{size: headSize, bold: true}
	footStyle  = style{size: footSize}
)

// layout puts blocks onto pages. After an error it draws no more.
type layout struct {
	set   *typesetter
	pdf   *pdf
	err   error
	y     float64 // from the top of the page
	foot  line    // the document's name
	page  bytes.Buffer
	pages []int // the objects with their contents
}

func newLayout(d Doc, set *typesetter) *layout {
	l := &layout{set: set, pdf: newPDF()}
	l.foot = l.fit(oneLine(d.Title), footStyle, width-20)
	l.newPage()
	return l
}

// fit sets s in one line, and cuts it to a width.
func (l *layout) fit(s string, look style, w float64) line {
	if lines := l.set.lines(s, look, w); len(lines) == 1 {
		return lines[0]
	}
	runes := []rune(s)
	for n := len(runes) - 1; n > 0 && !l.failed(); n-- {
		if lines := l.set.lines(strings.TrimSpace(string(runes[:n]))+" …", look, w); len(lines) == 1 {
			return lines[0]
		}
	}
	return line{}
}

// failed reports whether there is nothing more to draw.
func (l *layout) failed() bool {
	l.err = cmp.Or(l.err, l.set.err)
	return l.err != nil
}

func (l *layout) block(b block) {
	switch b.kind {
	case title:
		l.heading(b.text, titleStyle, 8.5)
	case heading:
		l.heading(b.text, headStyle, 6.5)
	case paragraph:
		l.text(b.text, bodyStyle, 0, textLine)
		l.gap(2.5)
	case item:
		l.item(b.text)
	case rule:
		l.rule()
	case table:
		l.table(b)
	}
}

// heading keeps a heading together with the first lines below it.
func (l *layout) heading(text string, look style, height float64) {
	l.gap(2)
	l.room(height + 3*textLine)
	l.text(text, look, 0, height)
	l.gap(1.5)
}

// item sets text after a bullet, or before it if the text goes from right to left.
func (l *layout) item(text string) {
	l.room(textLine)
	bullet := l.set.lines("•", bodyStyle, indent)
	lines := l.set.lines(text, bodyStyle, width-indent)
	if l.failed() {
		return
	}
	x := margin + indent/3
	if len(lines) > 0 && lines[0].rightToLeft {
		x = margin + width - indent/3 - bullet[0].width
	}
	l.draw(bullet[0], x, l.y, textLine, textSize)
	l.column(lines, bodyStyle, indent, textLine)
	l.gap(0.8)
}

func (l *layout) rule() {
	l.room(6)
	y := l.y + 2
	fmt.Fprintf(&l.page, "%s %s m %s %s l S\n", points(margin), fromBottom(y), points(margin+width), fromBottom(y))
	l.gap(5)
}

// text sets lines from an indentation to the right margin.
func (l *layout) text(text string, look style, indent, height float64) {
	l.column(l.set.lines(text, look, width-indent), look, indent, height)
}

// column draws lines below each other. Right-to-left lines start at the right margin, and are indented
// from there.
func (l *layout) column(lines []line, look style, indent, height float64) {
	for _, s := range lines {
		if l.failed() {
			return
		}
		l.room(height)
		l.draw(s, aligned(s, margin+indent, margin, width-indent), l.y, height, look.size)
		l.y += height
	}
}

// aligned returns the position of a line in a column of width w: left, or for a right-to-left line the position at
// which it ends at the right of a column from rtlLeft.
func aligned(s line, left, rtlLeft, w float64) float64 {
	if s.rightToLeft {
		return rtlLeft + w - s.width
	}
	return left
}

// draw puts a line of text, y from the top, into the middle of a height.
func (l *layout) draw(s line, x, y, height, size float64) {
	if len(s.operators) == 0 {
		return
	}
	baseline := y + height/2 + 0.3*size*mmPerPoint
	fmt.Fprintf(&l.page, "BT\n1 0 0 1 %s %s Tm\n%sET\n", points(x), fromBottom(baseline), s.operators)
}

// gap leaves space, but none at the top of a page.
func (l *layout) gap(h float64) {
	if l.y > margin {
		l.y = min(l.y+h, bottom)
	}
}

// left returns the remaining height of the page.
func (l *layout) left() float64 { return bottom - l.y }

func (l *layout) fits(h float64) bool {
	const rounding = 1e-6
	return h <= l.left()+rounding
}

// room starts a new page if less than h is left on this one.
func (l *layout) room(h float64) {
	if !l.fits(h) {
		l.newPage()
	}
}

func (l *layout) newPage() {
	if len(l.pages) >= MaxPages-1 && l.page.Len() > 0 {
		l.err = fault.New(fault.Unprocessable, "document.too_large",
			"The document is longer than %d pages. Shorten the template or the data.", MaxPages)
		return
	}
	l.endPage()
	l.y = margin
	l.page.WriteString("0.57 w\n0.627 G\n")
}

// endPage draws the foot of the page, and puts the page into the file.
func (l *layout) endPage() {
	if l.page.Len() == 0 {
		return
	}
	const y, height = bottom + 6, 4
	l.draw(l.foot, margin, y, height, footSize)
	if number := l.set.lines(strconv.Itoa(len(l.pages)+1), footStyle, 20); len(number) > 0 {
		l.draw(number[0], margin+width-number[0].width, y, height, footSize)
	}
	l.pages = append(l.pages, l.pdf.stream("", l.page.Bytes()))
	l.page.Reset()
}

// finish ends the last page, and returns the file.
func (l *layout) finish(d Doc) ([]byte, error) {
	l.endPage()
	if l.failed() {
		return nil, l.err
	}
	if err := l.set.missing.err(); err != nil {
		return nil, err
	}
	p := l.pdf
	var fonts, kids strings.Builder
	for _, s := range l.set.subsets {
		fmt.Fprintf(&fonts, "/%s %d 0 R ", s.name, s.write(p))
	}
	resources, tree, catalog, info := p.reserve(), p.reserve(), p.reserve(), p.reserve()
	p.object(resources, "<< /Font << %s>> >>", &fonts)
	for _, contents := range l.pages {
		page := p.reserve()
		p.object(page, "<< /Type /Page /Parent %d 0 R /Contents %d 0 R >>", tree, contents)
		fmt.Fprintf(&kids, "%d 0 R ", page)
	}
	p.object(tree, "<< /Type /Pages /Count %d /MediaBox [0 0 %s %s] /Resources %d 0 R /Kids [%s] >>",
		len(l.pages), points(210), points(pageHeight), resources, &kids)
	p.object(catalog, "<< /Type /Catalog /Pages %d 0 R >>", tree)
	created := d.Created
	if created.IsZero() {
		created = time.Unix(0, 0)
	}
	p.object(info, "<< /Title %s /Author %s /Creator (Casehook) /CreationDate %s /ModDate %[3]s >>",
		textString(oneLine(d.Title)), textString(oneLine(d.Author)), date(created))
	return p.close(catalog, info), nil
}

// points converts a length of the page to a PDF's unit, and fromBottom a height on it.
func points(mm float64) string     { return number(mm / mmPerPoint) }
func fromBottom(mm float64) string { return points(pageHeight - mm) }
