package hooks

import (
	"strings"
	"testing"
	"time"
)

func TestAListTellsHowFarItWasSearched(t *testing.T) {
	l := messageList{
		More: "/messages?cursor=x", Searched: time.Date(2026, 3, 2, 9, 14, 0, 0, time.UTC), Filtered: true,
	}
	for _, rows := range [][]messageRow{nil, {{ID: "att_1", Trigger: "case_created"}}} {
		l.Rows = rows
		var page strings.Builder
		if err := messageTable(l).Render(t.Context(), &page); err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{"Searched back to", "2 Mar 09:14", "Search further", `href="/messages?cursor=x"`} {
			if !strings.Contains(page.String(), text) {
				t.Errorf("with %d rows it lacks %q: %s", len(rows), text, page.String())
			}
		}
	}
}
