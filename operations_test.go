package casehook_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/access"
)

// An operation's name is a constant of internal/access. Elsewhere the program's sources
// name the constant; a literal would be a second place to change.
func TestOperationsAreNamedByTheirConstants(t *testing.T) {
	for _, root := range []string{"cmd", "internal"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
				return err
			case strings.HasPrefix(filepath.ToSlash(path), "internal/access/"):
				return nil
			}
			for _, name := range operationsIn(t, path) {
				t.Errorf("%s spells out the operation %q: use the constant of internal/access", path, name)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// operationsIn lists the literals of a source that are the name of an operation.
func operationsIn(t *testing.T, path string) (found []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			name, err := strconv.Unquote(literal.Value)
			if err == nil && slices.Contains(access.Operations(), access.Operation(name)) {
				found = append(found, name)
			}
		}
		return true
	})
	return found
}
