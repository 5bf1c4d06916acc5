package spelling_test

import (
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/spelling"
)

// An edit inserts, removes or replaces one byte. A name may be one edit away if it has two or three letters,
// and two if it has more.
func TestTheNearestNameIsAFewEditsAway(t *testing.T) {
	for _, c := range []struct {
		typed, want string
		names       []string
	}{
		{"status", "status", []string{"state", "status"}},
		{"statu", "status", []string{"status"}},    // one is missing
		{"sstatus", "status", []string{"status"}},  // one is too many
		{"stotus", "status", []string{"status"}},   // one is another
		{"tsatus", "status", []string{"status"}},   // two are
		{"sttus_", "status", []string{"status"}},   // one is missing, and one too many
		{"statusab", "status", []string{"status"}}, // two are too many
		{"statusabc", "", []string{"status"}},      // three are
		{"tsauts", "", []string{"status"}},         // four are others
		{"x", "", []string{"y", "xy"}},             // one letter is not enough
		{"ab", "ax", []string{"xy", "ax"}},
		{"ab", "", []string{"xy"}},
		{"abc", "abx", []string{"xyc", "abx"}},
		{"abc", "", []string{"xyc"}}, //
		{"abcd", "xycd", []string{"xyzd", "xycd"}},
		{"statos", "status", []string{"statue", "status", "stats"}}, // the first of those that are nearest
		{"status", "", nil},
		{"", "", []string{"a"}},
		{strings.Repeat("a", 64), strings.Repeat("a", 63), []string{strings.Repeat("a", 63)}},
		{strings.Repeat("a", 65), "", []string{strings.Repeat("a", 65)}}, // too long to be compared
	} {
		if got := spelling.Nearest(c.typed, c.names); got != c.want {
			t.Errorf("the nearest to %q of %q is %q, not %q", c.typed, c.names, got, c.want)
		}
	}
}

func TestDidYouMeanNamesTheNearest(t *testing.T) {
	if got, want := spelling.DidYouMean("statu", []string{"status"}), ` (did you mean "status"?)`; got != want {
		t.Errorf("%q, not %q", got, want)
	}
	if got := spelling.DidYouMean("owner", []string{"status"}); got != "" {
		t.Errorf("%q is no near name", got)
	}
}
