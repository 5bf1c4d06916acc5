package dev

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestATableFitsAHundredColumns(t *testing.T) {
	long := strings.Repeat("é", 120)
	for name, table := range map[string]Table{
		"short":       {Columns: []string{"ID", "NAME"}, Rows: [][]string{{"1", "a"}, {"22", ""}}, Shorten: []string{"NAME"}},
		"one long":    {Columns: []string{"ID", "NAME"}, Rows: [][]string{{"1", long}}, Shorten: []string{"NAME"}},
		"several":     {Columns: []string{"A", "ID", "B"}, Rows: [][]string{{long, "ep_1", long}, {"a", "ep_2", "b"}}, Shorten: []string{"A", "B"}},
		"no room":     {Columns: []string{"ID", "A", "B"}, Rows: [][]string{{strings.Repeat("x", 70), long, long}}, Shorten: []string{"A", "B"}},
		"nothing yet": {Columns: []string{"ID", "NAME"}, Shorten: []string{"NAME"}},
	} {
		var out bytes.Buffer
		if err := table.print(&out, pageWidth); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			if line = strings.TrimSuffix(line, "\n"); utf8.RuneCountInString(line) > 100 ||
				strings.HasSuffix(line, " ") {
				t.Errorf("%s: %q", name, line)
			}
		}
		for _, row := range table.Rows {
			for i, cell := range row {
				if table.Columns[i] == "ID" && !strings.Contains(out.String(), cell) {
					t.Errorf("%s: %q is cut:\n%s", name, cell, &out)
				}
			}
		}
	}
}

func TestATableThatIsNotOnATerminalIsNotCut(t *testing.T) {
	long := strings.Repeat("é", 120)
	var out bytes.Buffer
	err := Table{Columns: []string{"ID", "NAME"}, Rows: [][]string{{"1", long}}, Shorten: []string{"NAME"}}.Print(&out)
	if want := "ID  NAME\n1   " + long + "\n"; err != nil || out.String() != want {
		t.Errorf("%q, %v", out.String(), err)
	}
	reason := strings.Repeat("refused ", 10) + "for ever"
	var s endpointRow
	s.Health.Condition, s.Health.Reason = "failing", &reason
	if s.health(false) != "failing: "+reason || s.health(true) != "failing: "+reason[:39]+"…" {
		t.Errorf("%q; %q", s.health(false), s.health(true))
	}
	if got := few([]string{"a", "b", "c"}, false) + "; " + few([]string{"a", "b", "c"}, true); got != "a, b, c; a, +2" {
		t.Error(got)
	}
}

func TestTheLagOfAnEndpointIsReadable(t *testing.T) {
	now := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
	since := func(d time.Duration) *time.Time { at := now.Add(-d); return &at }
	for want, l := range map[string]lag{
		"-":                          {},
		"1 commit, 0 s":              {Entries: 1, Oldest: since(-time.Second)},
		"12 commits, 59 s":           {Entries: 12, Oldest: since(59 * time.Second)},
		"1,204 commits, 3 h":         {Entries: 1204, Oldest: since(3*time.Hour + 59*time.Minute)},
		"~1,234,567 commits, 5 days": {Entries: 1234567, Estimated: true, Oldest: since(5*24*time.Hour + time.Hour)},
		"999 commits, 59 min":        {Entries: 999, Oldest: since(59 * time.Minute)},
	} {
		if got := l.behind(now); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := (lag{Dead: 1000}).deadCount() + (lag{Dead: 999}).deadCount(); got != "1,000+999" {
		t.Error(got)
	}
}
