package expression_test

import (
	"testing"

	"github.com/casehook/casehook/internal/expression"
)

func TestTheFaultOfAPatternOfMatchesHasAReasonAndAPosition(t *testing.T) {
	l := language(expression.Limits{Cost: 1000})
	const refused = "has a pattern for matches() at line 1, column 14 that "
	for pattern, want := range map[string]string{
		`"("`:            `is not a regular expression that RE2 accepts: missing closing ): "("`,
		`"a)"`:           `is not a regular expression that RE2 accepts: unexpected ): "a)"`,
		`"[z-a]"`:        `is not a regular expression that RE2 accepts: invalid character class range: "z-a"`,
		`"a**"`:          `is not a regular expression that RE2 accepts: invalid nested repetition operator: "**"`,
		`"a{2000}"`:      `is not a regular expression that RE2 accepts: invalid repeat count: "{2000}"`,
		`r"\u00e9"`:      `is not a regular expression that RE2 accepts: invalid escape sequence: "\\u"`,
		`"a(?=b)"`:       `is not a regular expression that RE2 accepts: it looks ahead or behind, which is not supported: "(?="`,
		`"(?<!a)b"`:      `is not a regular expression that RE2 accepts: it looks ahead or behind, which is not supported: "(?<!a)b"`,
		`"(?<a-b>c)"`:    `is not a regular expression that RE2 accepts: invalid named capture: "(?<a-b>"`,
		`r"(a)\1"`:       `is not a regular expression that RE2 accepts: it refers back to a group, which is not supported: "\\1"`,
		`r"(a)\9"`:       `is not a regular expression that RE2 accepts: it refers back to a group, which is not supported: "\\9"`,
		`"a{499}"`:       "is too large; repeat less",
		`"(.{999}).{9}"`: "is too large; repeat less",
		`data.x`:         "is not a literal; write the pattern into the expression",
		`"a" + "b"`:      "is not a literal; write the pattern into the expression",
	} {
		_, wrong := l.Compile("'x'.matches( " + pattern + ")")
		if wrong == nil || wrong.Error() != refused+want {
			t.Errorf("%s: %v, want %s", pattern, wrong, refused+want)
		}
	}
	for source, want := range map[string]string{
		"data.a.matches('a') &&\n  matches(data.b,\n    '(')": `at line 3, column 5 that is not a regular expression that RE2 accepts: missing closing ): "("`,
		"data.l.exists(x, x.matches('*'))":                    `at line 1, column 28 that is not a regular expression that RE2 accepts: missing argument to repetition operator: "*"`,
		"data.n == 1.5 && 1 == 1.0 && 'x'.matches('*')":       `at line 1, column 42 that is not a regular expression that RE2 accepts: missing argument to repetition operator: "*"`,
	} {
		if _, wrong := l.Compile(source); wrong == nil || wrong.Error() != "has a pattern for matches() "+want {
			t.Errorf("%s: %v, want %s", source, wrong, want)
		}
	}
	for _, source := range []string{
		`'x'.matches("^(a|b)+$") && 'x'.matches(r'\d\pL(?i)x')`, `'x'.matches("a{498}")`,
	} {
		if _, wrong := l.Compile(source); wrong != nil {
			t.Errorf("%s: %v", source, wrong)
		}
	}
}
