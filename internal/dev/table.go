package dev

import (
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mattn/go-isatty"
)

// Table is a table for people. On a terminal it is at most 100 columns wide, if the cells of the
// columns in Shorten can be cut that much. Elsewhere nothing is cut.
type Table struct {
	Columns []string
	Rows    [][]string
	Shorten []string // columns whose cells may be cut
}

const (
	pageWidth = 100 // columns of a terminal
	gap       = 2   // between two cells
	shortest  = 8   // columns that a cut cell keeps at least
)

// onTerminal reports whether w is a terminal.
func onTerminal(w io.Writer) bool {
	f, isFile := w.(*os.File)
	return isFile && isatty.IsTerminal(f.Fd())
}

// Print writes the table.
func (t Table) Print(w io.Writer) error {
	if onTerminal(w) {
		return t.print(w, pageWidth)
	}
	return t.print(w, math.MaxInt)
}

// print writes the table, in at most this many columns if possible.
func (t Table) print(w io.Writer, most int) error {
	widths := t.widths(most)
	for _, row := range append([][]string{t.Columns}, t.Rows...) {
		var line strings.Builder
		for i, cell := range row {
			cell = cut(cell, widths[i])
			line.WriteString(cell)
			line.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+gap))
		}
		if _, err := fmt.Fprintln(w, strings.TrimRight(line.String(), " ")); err != nil {
			return err
		}
	}
	return nil
}

// widths returns the widths of the columns. It narrows the widest of those that may be cut until
// all fit.
func (t Table) widths(most int) []int {
	widths := make([]int, len(t.Columns))
	total := -gap
	for i, column := range t.Columns {
		widths[i] = utf8.RuneCountInString(column)
		for _, row := range t.Rows {
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
		}
		total += widths[i] + gap
	}
	for ; total > most; total-- {
		widest := -1
		for i, column := range t.Columns {
			least := max(shortest, utf8.RuneCountInString(column))
			if slices.Contains(t.Shorten, column) && widths[i] > least && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			break
		}
		widths[widest]--
	}
	return widths
}

// cut shortens a text to a number of characters.
func cut(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}

// Grouped formats a number with thousands separators: 1,204.
func Grouped(n int64) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// Long formats a length of time in one unit: 40 s, 12 min, 3 h or 5 days.
func Long(d time.Duration) string {
	switch d = max(d, 0); {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d days", d/(24*time.Hour))
}
