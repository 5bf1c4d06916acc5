package ui

import (
	"strings"
	"testing"
)

// Markdown of others can neither run scripts nor have the browser ask other servers, and its headings are below the
// page's.
func TestMarkdownOfOthersIsHarmless(t *testing.T) {
	for source, want := range map[string]string{
		"# Saved":                           "<h3>Saved</h3>",
		"###### Deep":                       "<h6>Deep</h6>",
		"Print **it**.":                     "<p>Print <strong>it</strong>.</p>",
		"a <script>alert(1)</script> b":     "<p>a <!-- raw HTML omitted -->alert(1)<!-- raw HTML omitted --> b</p>",
		"[x](javascript:alert)":             `<p><a href="" rel="nofollow noopener">x</a></p>`,
		"[x](https://a.example)":            `<p><a href="https://a.example" rel="nofollow noopener">x</a></p>`,
		"see ![x](https://a.example/y.png)": "<p>see </p>",
		"":                                  "",
	} {
		var out strings.Builder
		if err := Markdown(source).Render(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSpace(out.String()); got != want {
			t.Errorf("%q: %q, want %q", source, got, want)
		}
	}
}
