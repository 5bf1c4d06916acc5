package document

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	tests := []struct {
		name, text string
		want       []block
	}{
		{"nothing", " \n\n\t\n", nil},
		{"headings", "# One\n## Two\n### Three\n#Four", []block{
			{kind: title, text: "One"}, {kind: heading, text: "Two"}, {kind: paragraph, text: "### Three #Four"}}},
		{"lines of a paragraph are joined, an empty line ends it", "a\r\nb\rc\n\nd", []block{
			{kind: paragraph, text: "a b c"}, {kind: paragraph, text: "d"}}},
		{"a backslash breaks a line", "12 High St\\\nLondon\\\\\nUK\\", []block{
			{kind: paragraph, text: "12 High St\nLondon\\ UK"}}},
		{"lists", "- one\n  more\n* two\n\nafter", []block{
			{kind: item, text: "one more"}, {kind: item, text: "two"}, {kind: paragraph, text: "after"}}},
		{"a rule", "a\n---\nb\n-----\n--", []block{
			{kind: paragraph, text: "a"}, {kind: rule}, {kind: paragraph, text: "b"}, {kind: rule}, {kind: paragraph, text: "--"}}},
		{"a table with a header", "text\n| A | B |\n|---|:-:|\n| 1 | 2 |\ntext", []block{
			{kind: paragraph, text: "text"},
			{kind: table, header: true, rows: [][]string{{"A", "B"}, {"1", "2"}}},
			{kind: paragraph, text: "text"}}},
		{"a table without one", "| 1 | |\n| 2 | 3", []block{
			{kind: table, rows: [][]string{{"1", ""}, {"2", "3"}}}}},
		{"only a table's separator", "|---|", nil},
		{"escaped marks are text", "\\# a\n\n\\- b\n\n| a \\| b | c\\\\ |\n\n\\x \\", []block{
			{kind: paragraph, text: "# a"}, {kind: paragraph, text: "- b"},
			{kind: table, rows: [][]string{{"a | b", `c\`}}}, {kind: paragraph, text: `\x`}}},
		{"a row with too many cells keeps them in its last", "|" + strings.Repeat("x|", maxColumns+1), []block{
			{kind: table, rows: [][]string{append(strings.Split(strings.Repeat("x", maxColumns-1), ""), "x|x")}}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := parse(test.text)
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(block{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAnEscapedValueNeverBecomesMarkup(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringOf(rapid.OneOf(rapid.SampledFrom([]rune("\\|#-* \nab")), rapid.Rune())).Draw(t, "value")
		want := strings.NewReplacer("\r\n", "\n", "\r", "\n", lineSeparator, "\n").Replace(value)
		escaped := Escape(value)
		for _, template := range []string{"x%x", "# x%x", "- x%x", "| x%x | b |"} {
			blocks := parse(strings.Replace(template, "%", escaped, 1))
			if len(blocks) != 1 {
				t.Fatalf("%q in %q made %d blocks", value, template, len(blocks))
			}
			got := blocks[0].text
			if blocks[0].kind == table {
				if len(blocks[0].rows) != 1 || len(blocks[0].rows[0]) != 2 {
					t.Fatalf("%q made the rows %q", value, blocks[0].rows)
				}
				got = blocks[0].rows[0][0]
			}
			if got != "x"+want+"x" {
				t.Fatalf("%q in %q came out as %q", value, template, got)
			}
		}
		for _, b := range parse(escaped) {
			if b.kind != paragraph {
				t.Fatalf("%q alone became a block of kind %d", value, b.kind)
			}
		}
	})
}
