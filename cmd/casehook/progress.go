package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// progress prints how far long work has come: on a terminal one line that changes, elsewhere a line now and then.
type progress struct {
	out      io.Writer
	terminal bool
	last     time.Time
	wide     int // columns of the line that stands there
}

func newProgress(out io.Writer) *progress {
	return &progress{out: out, terminal: onTerminal(out)}
}

// The time between two lines.
const (
	betweenFrames = 100 * time.Millisecond
	betweenLines  = 5 * time.Second
)

// show prints a line, unless the one before is too recent and it is not the last one.
func (p *progress) show(last bool, format string, args ...any) {
	wait := betweenLines
	if p.terminal {
		wait = betweenFrames
	}
	if !last && time.Since(p.last) < wait {
		return
	}
	p.last = time.Now()
	text := fmt.Sprintf(format, args...)
	if !p.terminal {
		fmt.Fprintln(p.out, text)
		return
	}
	fmt.Fprint(p.out, "\r", text, strings.Repeat(" ", max(0, p.wide-len(text))))
	p.wide = len(text)
}

// done removes the line that stands there.
func (p *progress) done() {
	if p.terminal && p.wide > 0 {
		fmt.Fprint(p.out, "\r", strings.Repeat(" ", p.wide), "\r")
		p.wide = 0
	}
}

// percent returns a part as a percentage, for a line; empty: the total is unknown.
func percent(done, total int64) string {
	if total <= 0 {
		return ""
	}
	return fmt.Sprintf(", %d%%", min(100, done*100/total))
}

// bytesText returns a number of bytes for people: 812 B, 12.3 MiB.
func bytesText(n int64) string {
	for _, unit := range []struct {
		name string
		size int64
	}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if n >= unit.size {
			return fmt.Sprintf("%.1f %s", float64(n)/float64(unit.size), unit.name)
		}
	}
	return fmt.Sprintf("%d B", n)
}
