package expression_test

import (
	"testing"

	"github.com/casehook/casehook/internal/expression"
)

func TestARefusedPatternOfMatchesSaysWhyAndWhere(t *testing.T) {
	l := language(expression.Limits{Cost: 1000})
	const refused = "has a pattern for matches() at line 1, column 14 that "
	for pattern, want := range map[string]string{
		`"("`:            `is no regular expression as RE2 has them: missing closing ): "("`,
		`"a)"`:           `is no regular expression as RE2 has them: unexpected ): "a)"`,
		`"[z-a]"`:        `is no regular expression as RE2 has them: invalid character class range: "z-a"`,
		`"a**"`:          `is no regular expression as RE2 has them: invalid nested repetition operator: "**"`,
		`"a{2000}"`:      `is no regular expression as RE2 has them: invalid repeat count: "{2000}"`,
		`r"\u00e9"`:      `is no regular expression as RE2 has them: invalid escape sequence: "\\u"`,
		`"a(?=b)"`:       `is no regular expression as RE2 has them: it looks ahead or behind, which no pattern can: "(?="`,
		`"(?<!a)b"`:      `is no regular expression as RE2 has them: it looks ahead or behind, which no pattern can: "(?<!a)b"`,
		`"(?<a-b>c)"`:    `is no regular expression as RE2 has them: invalid named capture: "(?<a-b>"`,
		`r"(a)\1"`:       `is no regular expression as RE2 has them: it refers back to a group, which no pattern can: "\\1"`,
		`"(.{999}).{9}"`: "is too large; repeat less",
		`data.x`:         "is no plain text; write the pattern into the expression",
		`"a" + "b"`:      "is no plain text; write the pattern into the expression",
	} {
		_, wrong := l.Compile("'x'.matches( " + pattern + ")")
		if wrong == nil || wrong.Error() != refused+want {
			t.Errorf("%s: %v, want %s", pattern, wrong, refused+want)
		}
	}
	for source, want := range map[string]string{
		"data.a.matches('a') &&\n  matches(data.b,\n    '(')": `at line 3, column 5 that is no regular expression as RE2 has them: missing closing ): "("`,
		"data.l.exists(x, x.matches('*'))":                    `at line 1, column 28 that is no regular expression as RE2 has them: missing argument to repetition operator: "*"`,
		"data.n == 1.5 && 1 == 1.0 && 'x'.matches('*')":       `at line 1, column 42 that is no regular expression as RE2 has them: missing argument to repetition operator: "*"`,
	} {
		if _, wrong := l.Compile(source); wrong == nil || wrong.Error() != "has a pattern for matches() "+want {
			t.Errorf("%s: %v, want %s", source, wrong, want)
		}
	}
	if _, wrong := l.Compile(`'x'.matches("^(a|b)+$") && 'x'.matches(r'\d\pL(?i)x')`); wrong != nil {
		t.Error(wrong)
	}
}
