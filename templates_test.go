package casehook_test

import (
	"bytes"
	"go/format"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/a-h/templ/generator"
	templates "github.com/a-h/templ/parser/v2"
)

// Templates are rendered into Go by go generate, and the result is committed.
func TestTheRenderedTemplatesAreThoseOfTheSources(t *testing.T) {
	found := 0
	err := filepath.WalkDir("internal/web", func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".templ" {
			return err
		}
		found++
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		template, err := templates.ParseString(string(source))
		if err != nil {
			return err
		}
		var rendered bytes.Buffer
		if _, err := generator.Generate(template, &rendered, generator.WithFileName(path)); err != nil {
			return err
		}
		want, err := format.Source(rendered.Bytes())
		if err != nil {
			return err
		}
		got, err := os.ReadFile(strings.TrimSuffix(path, ".templ") + "_templ.go")
		if err != nil || withoutLines(string(got)) != withoutLines(string(want)) {
			t.Errorf("%s is not rendered as it is: run go generate ./internal/web/...", path)
		}
		return nil
	})
	if err != nil || found == 0 {
		t.Fatalf("%d templates: %v", found, err)
	}
}

// withoutLines leaves out the lines that name the version, and the file and line of an error.
func withoutLines(text string) string {
	var kept []string
	for line := range strings.Lines(text) {
		if !strings.Contains(line, "templ.Error{") && !strings.HasPrefix(line, "//") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}
