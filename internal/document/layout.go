package document

import (
	"strconv"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"

	"github.com/casehook/casehook/internal/fault"
)

// Sizes in millimetres, on A4.
const (
	margin    = 20.0
	width     = 210 - 2*margin
	bottom    = 297 - margin // where the text area ends
	textLine  = 5.2
	indent    = 6.0
	padding   = 1.0 // of table cells, on all sides
	textSize  = 10.5
	titleSize = 18.0
	headSize  = 13.0
	footSize  = 8.5
)

// layout puts blocks onto pages. After an error of pdf it draws no more.
type layout struct{ pdf *fpdf.Fpdf }

func newLayout(d Doc) *layout {
	pdf := fpdf.New("P", "mm", "A4", "")
	created := d.Created.UTC()
	if created.IsZero() {
		created = time.Unix(0, 0).UTC()
	}
	name := oneLine(d.Title)
	pdf.SetTitle(name, true)
	pdf.SetAuthor(oneLine(d.Author), true)
	pdf.SetCreator("Casehook", true)
	pdf.SetCreationDate(created)
	pdf.SetModificationDate(created)
	pdf.SetCatalogSort(true) // else the order of objects is random
	pdf.SetMargins(margin, margin, margin)
	pdf.SetCellMargin(0)
	pdf.SetAutoPageBreak(false, 0)
	pdf.SetDrawColor(160, 160, 160)
	pdf.SetLineWidth(0.2)
	addFonts(pdf)
	pdf.SetFooterFunc(func() {
		pdf.SetFont(family, "", footSize)
		pdf.SetXY(margin, bottom+6)
		pdf.CellFormat(width-20, 4, fit(pdf, name, width-20), "", 0, "L", false, 0, "")
		pdf.CellFormat(20, 4, strconv.Itoa(pdf.PageNo()), "", 0, "R", false, 0, "")
	})
	pdf.AddPage()
	l := &layout{pdf}
	l.body()
	return l
}

// oneLine makes a short drawable line of s, for metadata and the footer.
func oneLine(s string) string {
	const most = 200
	s = strings.ToValidUTF8(s[:min(len(s), 4*most)], "")
	runes := []rune(strings.Join(strings.Fields(printable(s)), " "))
	return string(runes[:min(len(runes), most)])
}

// fit cuts s to a width.
func fit(pdf *fpdf.Fpdf, s string, w float64) string {
	if lines := pdf.SplitText(s, w); len(lines) > 1 {
		return strings.TrimSpace(lines[0]) + " …"
	}
	return s
}

func (l *layout) block(b block) {
	switch b.kind {
	case title:
		l.heading(b.text, titleSize, 8.5)
	case heading:
		l.heading(b.text, headSize, 6.5)
	case paragraph:
		l.text(b.text, 0, textLine)
		l.gap(2.5)
	case item:
		l.item(b.text)
	case rule:
		l.rule()
	case table:
		l.table(b)
	}
}

// heading keeps a heading together with the first lines of what it heads.
func (l *layout) heading(text string, size, line float64) {
	l.gap(2)
	l.room(line + 3*textLine)
	l.pdf.SetFont(family, "B", size)
	l.text(text, 0, line)
	l.body()
	l.gap(1.5)
}

func (l *layout) item(text string) {
	l.room(textLine)
	l.body()
	l.pdf.SetX(margin + indent/3)
	l.pdf.CellFormat(indent, textLine, "•", "", 0, "L", false, 0, "")
	l.text(text, indent, textLine)
	l.gap(0.8)
}

func (l *layout) rule() {
	l.room(6)
	y := l.pdf.GetY() + 2
	l.pdf.Line(margin, y, margin+width, y)
	l.gap(5)
}

// text draws lines of the current font from an indentation to the right margin.
func (l *layout) text(text string, indent, line float64) {
	for _, s := range l.wrap(text, width-indent) {
		if l.pdf.Err() {
			return
		}
		l.room(line)
		l.pdf.SetX(margin + indent)
		l.pdf.CellFormat(width-indent, line, s, "", 2, "L", false, 0, "")
	}
}

// wrap breaks text into lines of the current font that are no wider than w.
func (l *layout) wrap(text string, w float64) []string {
	var lines []string
	for part := range strings.SplitSeq(printable(text), "\n") {
		part = strings.Join(strings.Fields(part), " ")
		if part == "" {
			lines = append(lines, "")
			continue
		}
		lines = append(lines, l.pdf.SplitText(part, w)...)
	}
	return lines
}

// body sets the font of running text.
func (l *layout) body() { l.pdf.SetFont(family, "", textSize) }

// gap leaves space, but none at the top of a page.
func (l *layout) gap(h float64) {
	if y := l.pdf.GetY(); y > margin {
		l.pdf.SetY(min(y+h, bottom))
	}
	l.body()
}

// left is the height that is left on the page.
func (l *layout) left() float64 { return bottom - l.pdf.GetY() }

func (l *layout) fits(h float64) bool {
	const rounding = 1e-6
	return h <= l.left()+rounding
}

// room begins a new page if less than h is left on this one.
func (l *layout) room(h float64) {
	if !l.fits(h) {
		l.newPage()
	}
}

func (l *layout) newPage() {
	if l.pdf.PageNo() >= MaxPages {
		l.pdf.SetError(fault.New(fault.Unprocessable, "document.too_large",
			"The document is longer than %d pages. Shorten the template or the data.", MaxPages))
		return
	}
	l.pdf.AddPage() // keeps the font
}
