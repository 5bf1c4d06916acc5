package document

import "slices"

// table draws a table over the whole width. Its header comes again on each page.
func (l *layout) table(b block) {
	columns := 1
	for _, row := range b.rows {
		columns = max(columns, len(row))
	}
	widths := l.widths(b.rows, columns)
	var header [][]string
	for i, row := range b.rows {
		if l.pdf.Err() {
			return
		}
		if i == 0 && b.header {
			l.pdf.SetFont(family, "B", textSize)
			header = l.cells(row, widths)
			l.row(header, widths, nil)
			if height(header) > bottom/6 {
				header = nil // too high to come again
			}
			continue
		}
		l.body()
		l.row(l.cells(row, widths), widths, header)
	}
	l.body()
	l.gap(4)
}

// widths shares out the page's width by the widest line of each column, within
// bounds that leave each column room for a few letters.
func (l *layout) widths(rows [][]string, columns int) []float64 {
	const sample = 200 // rows, and bytes of a cell, that are looked at
	l.pdf.SetFont(family, "B", textSize)
	least := width / float64(columns) / 2
	natural := slices.Repeat([]float64{least}, columns)
	for _, row := range rows[:min(len(rows), sample)] {
		for i, cell := range row {
			w := l.pdf.GetStringWidth(printable(cell[:min(len(cell), sample)]))
			natural[i] = max(natural[i], min(w, width))
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
func (l *layout) cells(row []string, widths []float64) [][]string {
	cells := make([][]string, len(widths))
	for i, text := range row {
		cells[i] = l.wrap(text, widths[i]-2*padding)
	}
	return cells
}

func height(cells [][]string) float64 {
	lines := 1
	for _, c := range cells {
		lines = max(lines, len(c))
	}
	return float64(lines)*textLine + 2*padding
}

// row draws a row; one that is higher than what is left of a page goes to the
// next, and one that is higher than a page goes on over as many as it takes.
func (l *layout) row(cells [][]string, widths []float64, header [][]string) {
	whole := bottom - margin
	if header != nil {
		whole -= height(header)
	}
	for !l.pdf.Err() {
		if !l.fits(min(height(cells), whole)) {
			l.newPage()
			l.headerAgain(header, widths)
		}
		if l.fits(height(cells)) {
			l.strip(cells, widths, height(cells))
			return
		}
		head, rest := cut(cells, max(1, int((l.left()-2*padding)/textLine)))
		l.strip(head, widths, l.left())
		cells = rest
	}
}

func (l *layout) headerAgain(header [][]string, widths []float64) {
	if header == nil {
		return
	}
	l.pdf.SetFont(family, "B", textSize)
	l.strip(header, widths, height(header))
	l.body()
}

// cut parts the cells after a number of lines.
func cut(cells [][]string, lines int) (head, rest [][]string) {
	for _, c := range cells {
		n := min(len(c), lines)
		head, rest = append(head, c[:n]), append(rest, c[n:])
	}
	return head, rest
}

// strip draws cells side by side, h high.
func (l *layout) strip(cells [][]string, widths []float64, h float64) {
	x, y := margin, l.pdf.GetY()
	for i, lines := range cells {
		l.pdf.Rect(x, y, widths[i], h, "D")
		for n, line := range lines {
			l.pdf.SetXY(x+padding, y+padding+float64(n)*textLine)
			l.pdf.CellFormat(widths[i]-2*padding, textLine, line, "", 0, "L", false, 0, "")
		}
		x += widths[i]
	}
	l.pdf.SetXY(margin, y+h)
}
