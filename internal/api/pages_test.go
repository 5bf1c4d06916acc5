package api_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

var namedOperation = regexp.MustCompile("(GET|POST|PUT|PATCH|DELETE)\\s(/v1/[^\\s`?]+)")

// The operations that the README and docs/ name exist.
func TestThePagesNameOperationsThatExist(t *testing.T) {
	t.Parallel()
	w := start(t)
	pages, err := filepath.Glob("../../docs/*.md")
	must(t, err)
	named := 0
	for _, page := range append(pages, "../../README.md", "../../SECURITY.md") {
		source, err := os.ReadFile(page)
		must(t, err)
		for _, m := range namedOperation.FindAllStringSubmatch(string(source), -1) {
			named++
			if _, ok := w.operation(m[1], m[2]); !ok {
				t.Errorf("%s: there is no %s %s", page, m[1], m[2])
			}
		}
	}
	if named < 15 {
		t.Errorf("only %d operations were found", named)
	}
}
