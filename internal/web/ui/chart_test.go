package ui

import (
	"strings"
	"testing"
	"time"
)

func TestChartsAreBoundedAndTheSameEachTime(t *testing.T) {
	var points []Point
	for i := range int64(400) {
		points = append(points, Point{At: time.Unix(i*60, 0), Delivered: i % 7, Failed: i % 3})
	}
	draw := func(points []Point) string {
		var b strings.Builder
		if err := Bars(points, `<"text">`).Render(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		if err := Spark(points).Render(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	first := draw(points)
	if n := strings.Count(first, "<rect"); n == 0 || n > 4*maxBars {
		t.Errorf("there are %d bars", n)
	}
	if first != draw(points) || strings.Contains(first, "<\"text") || strings.Contains(first, "style=") {
		t.Errorf("the charts are %s", first)
	}
	for _, few := range [][]Point{nil, {{}}, {{Delivered: 1 << 60}}, {{Failed: 1}}} {
		if drawn := draw(few); strings.Contains(drawn, "NaN") || strings.Contains(drawn, "Inf") {
			t.Errorf("%v is drawn as %s", few, drawn)
		}
	}
	if got := draw([]Point{{Delivered: 3, Failed: 1}}); !strings.Contains(got,
		`<rect class="delivered" x="34.0" y="41.2" width="659.4" height="78.8">`) ||
		!strings.Contains(got, `<rect class="failed" x="34.0" y="15.0" width="659.4" height="26.2">`) {
		t.Errorf("failures do not stand on deliveries: %s", got)
	}
}
