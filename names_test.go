package casehook_test

import (
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// declared are the names of this checkout that its documents may use.
type declared struct {
	paths  map[string]bool // files and folders, by each end of their paths: a/b/c.go, b/c.go, c.go
	tests  map[string]bool
	idents map[string]bool // package.Name and package.Type.Method
}

var (
	declaration = regexp.MustCompile(`(?m)^(?:func|type|var|const|\t) ?([A-Z]\w*)`)
	method      = regexp.MustCompile(`(?m)^func \(\w* ?\*?(\w+)(?:\[\w+\])?\) ([A-Z]\w*)`)
	testFunc    = regexp.MustCompile(`(?m)^func (Test\w+)`)
)

func declaredNames(t *testing.T) declared {
	t.Helper()
	d := declared{paths: map[string]bool{}, tests: map[string]bool{}, idents: map[string]bool{}}
	err := filepath.WalkDir(".", func(at string, entry fs.DirEntry, err error) error {
		if err != nil || at == "." {
			return err
		}
		if entry.IsDir() && foreign.MatchString(entry.Name()) && entry.Name() != "testdata" {
			return filepath.SkipDir
		}
		for end := filepath.ToSlash(at); ; {
			d.paths[end] = true
			_, rest, more := strings.Cut(end, "/")
			if !more {
				return nil
			}
			end = rest
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	goFiles(t, func(at string, text []byte) error {
		for _, found := range testFunc.FindAllSubmatch(text, -1) {
			d.tests[string(found[1])] = true
		}
		name := path.Base(path.Dir(at))
		for _, found := range declaration.FindAllSubmatch(text, -1) {
			d.idents[name+"."+string(found[1])] = true
		}
		for _, found := range method.FindAllSubmatch(text, -1) {
			d.idents[string(found[1])+"."+string(found[2])] = true
			d.idents[name+"."+string(found[1])+"."+string(found[2])] = true
		}
		return nil
	})
	return d
}

var (
	aPath  = regexp.MustCompile(`^(\w+/)*\w+\.go$|^(internal|examples|cmd|e2e)/[\w/]+$`)
	aTest  = regexp.MustCompile(`^Test[A-Z]\w+$`)
	aIdent = regexp.MustCompile(`^[A-Za-z]{3,}\.[A-Z][a-zA-Z]+(\.[A-Z][a-zA-Z]+)?$`)
)

// Files, tests and identifiers that the documents name exist. Names of the standard library are of few packages.
func TestTheDocumentsNameThingsThatExist(t *testing.T) {
	d := declaredNames(t)
	checked := 0
	for at, text := range documents(t) {
		if at == "CHANGELOG.md" || strings.HasPrefix(at, "internal/") {
			continue
		}
		for _, span := range codeSpan.FindAllString(text, -1) {
			name := strings.Trim(span, "`")
			exists := true
			switch {
			case aPath.MatchString(name):
				exists = d.paths[name]
			case aTest.MatchString(name):
				exists = d.tests[name]
			case aIdent.MatchString(name) && !standard.MatchString(name):
				exists = d.idents[name]
			default:
				continue
			}
			if checked++; !exists {
				t.Errorf("%s names %s, which does not exist", at, name)
			}
		}
	}
	if checked < 40 {
		t.Errorf("only %d names were found", checked)
	}
}

// standard matches names of the standard library.
var standard = regexp.MustCompile(`^(context|testing|errors|http)\.`)
