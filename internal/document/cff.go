package document

import (
	"encoding/binary"
	"math"

	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/font/opentype"
)

// This file writes fonts in the Compact Font Format (Adobe Technical Notes 5176 and 5177), as PDF embeds
// them: glyphs have numbers for names, and outlines of whatever format they come from. 1000 units are an
// em.

// Operators of Type 2 charstrings.
const (
	rlineto   = 5
	rrcurveto = 8
	endchar   = 14
	rmoveto   = 21
)

// Standard strings end at 390; those of the font start after them.
const firstString = 391

// writeCFF makes a font of charstrings; the first is that of .notdef.
func writeCFF(name string, charstrings [][]byte) []byte {
	last := len(charstrings) - 1
	header := []byte{1, 0, 4, 4}
	names := index([]byte(name))
	strings := index([]byte("Adobe"), []byte("Identity"))
	subroutines := index()
	charset := []byte{2, 0, 1, byte((last - 1) >> 8), byte(last - 1)} // glyph n has the number n
	if last == 0 {
		charset = []byte{2}
	}
	sentinel := len(charstrings)
	fontOf := []byte{3, 0, 1, 0, 0, 0, byte(sentinel >> 8), byte(sentinel)} // all are of font 0
	glyphs := index(charstrings...)

	top := func(charsetAt, fontOfAt, glyphsAt, fontsAt int) []byte {
		var d dict
		d.entry([]byte{12, 30}, firstString, firstString+1, 0) // ROS
		d.entry([]byte{12, 34}, len(charstrings))              // CIDCount
		d.entry([]byte{15}, charsetAt)
		d.entry([]byte{12, 37}, fontOfAt) // FDSelect
		d.entry([]byte{17}, glyphsAt)     // CharStrings
		d.entry([]byte{12, 36}, fontsAt)  // FDArray
		return index(d)
	}
	charsetAt := len(header) + len(names) + len(top(0, 0, 0, 0)) + len(strings) + len(subroutines)
	fontOfAt := charsetAt + len(charset)
	glyphsAt := fontOfAt + len(fontOf)
	privateAt := glyphsAt + len(glyphs)
	var private, only dict
	private.entry([]byte{20}, 0) // defaultWidthX
	private.entry([]byte{21}, 0) // nominalWidthX
	only.entry([]byte{18}, len(private), privateAt)

	out := append(header, names...)
	out = append(out, top(charsetAt, fontOfAt, glyphsAt, privateAt+len(private))...)
	out = append(out, strings...)
	out = append(out, subroutines...)
	out = append(out, charset...)
	out = append(out, fontOf...)
	out = append(out, glyphs...)
	out = append(out, private...)
	return append(out, index(only)...)
}

// index writes a list of data, with offsets of four bytes.
func index(items ...[]byte) []byte {
	out := binary.BigEndian.AppendUint16(nil, uint16(len(items)))
	if len(items) == 0 {
		return out
	}
	out = append(out, 4)
	at := uint32(1)
	out = binary.BigEndian.AppendUint32(out, at)
	for _, item := range items {
		at += uint32(len(item))
		out = binary.BigEndian.AppendUint32(out, at)
	}
	for _, item := range items {
		out = append(out, item...)
	}
	return out
}

// dict is a list of operands and operators. Its numbers have one length, so that offsets don't move the
// data behind them.
type dict []byte

func (d *dict) entry(operator []byte, operands ...int) {
	for _, n := range operands {
		*d = append(*d, 29)
		*d = binary.BigEndian.AppendUint32(*d, uint32(int32(n)))
	}
	*d = append(*d, operator...)
}

// charstring is a glyph's program.
type charstring struct {
	code []byte
	x, y float64 // the current point, as it was written
}

// outline draws a glyph at a place, scaled to 1000 units an em.
func (c *charstring) outline(segments []font.Segment, scale, x, y float64) {
	at := func(p opentype.SegmentPoint) point { return point{float64(p.X)*scale + x, float64(p.Y)*scale + y} }
	var from point
	for _, s := range segments {
		a, b, end := at(s.Args[0]), at(s.Args[1]), at(s.Args[2])
		switch s.Op {
		case opentype.SegmentOpMoveTo:
			c.draw(rmoveto, a)
			from = a
		case opentype.SegmentOpLineTo:
			c.draw(rlineto, a)
			from = a
		case opentype.SegmentOpQuadTo:
			c.draw(rrcurveto, third(from, a), third(b, a), b)
			from = b
		case opentype.SegmentOpCubeTo:
			c.draw(rrcurveto, a, b, end)
			from = end
		}
	}
}

type point struct{ x, y float64 }

// third returns the control point of a cubic curve, two thirds of the way from an end of a quadratic one
// to its control point.
func third(end, control point) point {
	return point{end.x + (control.x-end.x)*2/3, end.y + (control.y-end.y)*2/3}
}

func (c *charstring) draw(operator byte, points ...point) {
	const precision = 64 // parts of a unit
	for _, p := range points {
		x, y := math.Round(p.x*precision)/precision, math.Round(p.y*precision)/precision
		c.number(x - c.x)
		c.number(y - c.y)
		c.x, c.y = x, y
	}
	c.code = append(c.code, operator)
}

// number writes a number in its shortest form.
func (c *charstring) number(v float64) {
	n := int(v)
	switch {
	case v != float64(n) || n < math.MinInt16 || n > math.MaxInt16:
		c.code = append(c.code, 255)
		c.code = binary.BigEndian.AppendUint32(c.code, uint32(int32(v*(1<<16))))
	case -107 <= n && n <= 107:
		c.code = append(c.code, byte(n+139))
	case 108 <= n && n <= 1131:
		c.code = append(c.code, byte((n-108)>>8+247), byte(n-108))
	case -1131 <= n && n <= -108:
		c.code = append(c.code, byte((-n-108)>>8+251), byte(-n-108))
	default:
		c.code = append(c.code, 28, byte(n>>8), byte(n))
	}
}
