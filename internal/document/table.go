package document

import (
	"fmt"
	"slices"
)

// table draws a table over the whole width. Its header comes again on each page.
func (l *layout) table(b block) {
	columns := 1
	for _, row := range b.rows {
		columns = max(columns, len(row))
	}
	widths := l.widths(b.rows, columns)
	var header [][]line
	for i, row := range b.rows {
		if l.failed() {
			return
		}
		if i == 0 && b.header {
			header = l.cells(row, widths, boldStyle)
			l.row(header, widths, nil)
			if height(header) > bottom/6 {
				header = nil // too high to come again
			}
			continue
		}
		l.row(l.cells(row, widths, bodyStyle), widths, header)
	}
	l.gap(4)
}

// widths shares out the page's width by the widest line of each column, within bounds that leave each
// column room for a few letters.
func (l *layout) widths(rows [][]string, columns int) []float64 {
	const sample = 200 // rows, and bytes of a cell, that are looked at
	least := width / float64(columns) / 2
	natural := slices.Repeat([]float64{least}, columns)
	for _, row := range rows[:min(len(rows), sample)] {
		for i, cell := range row {
			for _, s := range l.set.lines(cell[:min(len(cell), sample)], boldStyle, width) {
				natural[i] = max(natural[i], s.width)
			}
		}
	}
	var sum float64
	for _, w := range natural {
		sum += w
	}
	for i, w := range natural {
		natural[i] = least + width/2*w/sum
	}
	return natural
}

// cells wraps the texts of a row; a row that is too short gets empty cells.
func (l *layout) cells(row []string, widths []float64, look style) [][]line {
	cells := make([][]line, len(widths))
	for i, text := range row {
		cells[i] = l.set.lines(text, look, widths[i]-2*padding)
	}
	return cells
}

func height(cells [][]line) float64 {
	lines := 1
	for _, c := range cells {
		lines = max(lines, len(c))
	}
	return float64(lines)*textLine + 2*padding
}

// row draws a row. One that is higher than the rest of the page goes to the next, and one that is higher
// than a page is continued over as many as it needs.
func (l *layout) row(cells [][]line, widths []float64, header [][]line) {
	whole := bottom - margin
	if header != nil {
		whole -= height(header)
	}
	for !l.failed() {
		if !l.fits(min(height(cells), whole)) {
			l.newPage()
			l.headerAgain(header, widths)
		}
		if l.fits(height(cells)) {
			l.strip(cells, widths, height(cells))
			return
		}
		head, rest := split(cells, max(1, int((l.left()-2*padding)/textLine)))
		l.strip(head, widths, l.left())
		cells = rest
	}
}

func (l *layout) headerAgain(header [][]line, widths []float64) {
	if header == nil {
		return
	}
	l.strip(header, widths, height(header))
}

// split splits the cells after a number of lines.
func split(cells [][]line, lines int) (head, rest [][]line) {
	for _, c := range cells {
		n := min(len(c), lines)
		head, rest = append(head, c[:n]), append(rest, c[n:])
	}
	return head, rest
}

// strip draws cells side by side, h high.
func (l *layout) strip(cells [][]line, widths []float64, h float64) {
	x := margin
	for i, lines := range cells {
		fmt.Fprintf(&l.page, "%s %s %s %s re S\n", points(x), fromBottom(l.y+h), points(widths[i]), points(h))
		for n, s := range lines {
			left := aligned(s, x+padding, x+padding, widths[i]-2*padding)
			l.draw(s, left, l.y+padding+float64(n)*textLine, textLine, textSize)
		}
		x += widths[i]
	}
	l.y += h
}
