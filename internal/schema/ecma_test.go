package schema_test

import (
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/schema"
)

func TestPatternsAreThoseOfECMA262(t *testing.T) {
	for _, c := range []struct {
		pattern, fits, other string
	}{
		{`^\u00e9$`, "é", "e"}, {`^[\u00e0-\u00ff]+$`, "éà", "e"}, {`^\\u00e9$`, `\u00e9`, "é"}, {`^\\\u00e9$`, `\é`, "é"},
		{`^\ud83d\ude00$`, "😀", "😁"}, {`^[\ud83d\ude00-\ud83d\ude02]$`, "😁", "😃"}, {`^\u{1F600}$`, "😀", "x"},
		{`^\u0041\d{2}$`, "A12", "B12"}, {`^\cJ$`, "\n", "J"}, {`^a\/b$`, "a/b", "ab"}, {`^(?<year>\d{4})-$`, "2026-", "26-"},
		{`^\x41[\x42-\x43]$`, "AC", "AD"}, {`^\u005b\u005D$`, "[]", "["},
	} {
		compiled, err := schema.Compile(nil, schema.Source{Document: map[string]any{"pattern": c.pattern}})
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		for text, fits := range map[string]bool{c.fits: true, c.other: false} {
			if wrong, err := compiled.Validate(nil, text); err != nil || (len(wrong) == 0) != fits {
				t.Errorf("%s and %q: %v, %v", c.pattern, text, wrong, err)
			}
		}
	}
}

func TestARefusedPatternSaysWhy(t *testing.T) {
	for pattern, want := range map[string]string{
		`(?=a)b`: "looks ahead or behind", `a(?!b)`: "looks ahead or behind", `(?<=a)b`: "looks ahead or behind", `(?<!a)b`: "looks ahead or behind",
		`(a)\1`: "refers back", `(`: "missing closing )", `[z-a]`: "invalid character class range", `*`: "missing argument to repetition",
		`\ud83d`: "is not a valid regex", `(?<a-b>c)`: "invalid named capture",
	} {
		if _, err := schema.CompilePattern(nil, pattern); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", pattern, err, want)
		}
	}
}
