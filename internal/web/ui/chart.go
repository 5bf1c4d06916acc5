package ui

import (
	"strconv"
	"time"
)

// Point counts what was delivered and what failed from a time on.
type Point struct {
	At                time.Time
	Delivered, Failed int64
}

// maxBars is the number of bars of a chart. More points are added up.
const maxBars = 60

// The sizes of charts, in units of their drawings.
const (
	chartLeft, chartTop, chartBase, chartWidth = 34, 15, 120, 976
	sparkWidth, sparkHeight                    = 84, 16
	minBar                                     = 1.5 // of anything that is not zero
)

// bar is a rectangle of a chart.
type bar struct{ Class, X, Y, Width, Height string }

// plot has the bars of points within a box.
type plot struct{ left, top, base, right float64 }

var (
	chartPlot = plot{chartLeft, chartTop, chartBase, chartWidth}
	sparkPlot = plot{0, 0, sparkHeight, sparkWidth}
)

// bars returns the rectangles of points, failures above deliveries. The highest column is top.
func (p plot) bars(points []Point, top int64) (all []bar) {
	step := (p.right - p.left) / float64(max(len(points), 1))
	for i, point := range points {
		y := p.base
		for _, part := range []struct {
			class string
			count int64
		}{{"delivered", point.Delivered}, {"failed", point.Failed}} {
			if part.count <= 0 {
				continue
			}
			height := max(float64(part.count)/float64(max(top, 1))*(p.base-p.top), minBar)
			y = max(y-height, 0)
			all = append(all, bar{
				part.class, units(p.left + float64(i)*step), units(y), units(step * 0.7), units(height),
			})
		}
	}
	return all
}

// condensed adds points up until there are at most maxBars.
func condensed(points []Point) []Point {
	each := (len(points) + maxBars - 1) / maxBars
	if each <= 1 {
		return points
	}
	var all []Point
	for i, p := range points {
		if i%each == 0 {
			all = append(all, Point{At: p.At})
		}
		last := &all[len(all)-1]
		last.Delivered += p.Delivered
		last.Failed += p.Failed
	}
	return all
}

// highest returns the highest column, or 1.
func highest(points []Point) int64 {
	top := int64(1)
	for _, p := range points {
		top = max(top, p.Delivered+p.Failed)
	}
	return top
}

// mark is a text under a chart.
type mark struct{ X, Text string }

// marks returns the times under a chart, at most four.
func (p plot) marks(points []Point) (all []mark) {
	each := max((len(points)+3)/4, 1)
	step := (p.right - p.left) / float64(max(len(points), 1))
	for i := 0; i < len(points); i += each {
		all = append(all, mark{units(p.left + (float64(i)+0.35)*step), points[i].At.UTC().Format("15:04")})
	}
	return all
}

func units(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }
