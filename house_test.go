package casehook_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// bounds has the rules of this house, and how often each may be broken. They only go down.
var bounds = map[string]int{
	"gives":    0, // comments that begin with "X gives"; a function returns
	"headless": 0, // sentences in comments that begin with a What or Who that asks nothing
	"embedded": 0, // embedded pointers, which inherit the fields of another type
	"six":      0, // functions of six parameters or more, which want a struct
	"tall":     0, // functions of more than 60 lines, tests aside
	"compared": 0, // conditions of tests that compare three values, and don't say which differs; cmp.Diff does
	"borrowed": 0, // HTTP clients over http.DefaultTransport, whose connections others close
	"long":     8, // lines of more than 120 columns, in 10,000

	"README.md":       9216,  // bytes
	"ARCHITECTURE.md": 13043, // bytes
}

// breaches are the places at which the rules are broken, by rule.
type breaches map[string][]string

func (b breaches) add(rule, format string, args ...any) {
	b[rule] = append(b[rule], fmt.Sprintf(format, args...))
}

// source is a Go file under inspection.
type source struct {
	path  string
	files *token.FileSet
	file  *ast.File
	found breaches
}

// inspect notes where a Go file breaks the rules, and returns the number of its lines that count.
func (b breaches) inspect(path string, text []byte) (lines int, err error) {
	s := source{path: path, files: token.NewFileSet(), found: b}
	if s.file, err = parser.ParseFile(s.files, path, text, parser.ParseComments); err != nil {
		return 0, err
	}
	for _, group := range s.file.Comments {
		s.comment(group)
	}
	data := map[int]bool{}
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.StructType:
			s.embedded(n)
		case *ast.FuncType:
			s.parameters(n)
		case *ast.FuncDecl:
			s.height(n)
		case *ast.IfStmt:
			s.compared(n)
		case *ast.SelectorExpr:
			s.borrowed(n)
		case *ast.CompositeLit:
			s.withoutTransport(n)
		}
		s.markData(n, data)
		return true
	})
	return s.lines(text, data), nil
}

func (s *source) line(at token.Pos) int { return s.files.Position(at).Line }

var (
	gives       = regexp.MustCompile(`^\w+(\.\w+)? gives\b`)
	headless    = regexp.MustCompile(`^(What|Who|Whoever|Whatever)\b`)
	sentenceEnd = regexp.MustCompile(`[.!?](\s+|$)`)
	listItem    = regexp.MustCompile(`^\s*([-*]|\d+\.) +`)
)

// comment checks the sentences of a comment. A sentence begins where a paragraph or a list item does, or behind a
// full stop, and a question may begin with What or Who.
func (s *source) comment(group *ast.CommentGroup) {
	text := group.Text()
	if gives.MatchString(text) {
		s.found.add("gives", "%s:%d: %s", s.path, s.line(group.Pos()), strings.SplitN(text, "\n", 2)[0])
	}
	for _, paragraph := range paragraphs(text) {
		for paragraph != "" {
			end := len(paragraph)
			if found := sentenceEnd.FindStringIndex(paragraph); found != nil {
				end = found[1]
			}
			sentence := strings.TrimSpace(paragraph[:end])
			if headless.MatchString(sentence) && !strings.HasSuffix(sentence, "?") {
				s.found.add("headless", "%s:%d: %s", s.path, s.line(group.Pos()), sentence)
			}
			paragraph = paragraph[end:]
		}
	}
}

// paragraphs returns the paragraphs and list items of a comment, each in one line, without preformatted text.
func paragraphs(text string) (all []string) {
	open := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		item := listItem.FindString(line)
		switch {
		case strings.TrimSpace(line) == "" || strings.HasPrefix(line, "\t"):
			open = false
		case item != "" || !open:
			all, open = append(all, strings.TrimSpace(line[len(item):])), true
		default:
			all[len(all)-1] += " " + strings.TrimSpace(line)
		}
	}
	return all
}

func (s *source) embedded(structure *ast.StructType) {
	for _, field := range structure.Fields.List {
		if _, pointer := field.Type.(*ast.StarExpr); pointer && len(field.Names) == 0 {
			s.found.add("embedded", "%s:%d", s.path, s.line(field.Pos()))
		}
	}
}

// height checks that a function fits on a screen. A test may list many cases.
func (s *source) height(function *ast.FuncDecl) {
	if height := s.line(function.End()) - s.line(function.Pos()) + 1; height > 60 && !isTest(s.path) {
		s.found.add("tall", "%s:%d: %d lines", s.path, s.line(function.Pos()), height)
	}
}

// compared checks that a test which compares several values says which of them differs. Errors and lengths, on which
// other values depend, don't count.
func (s *source) compared(branch *ast.IfStmt) {
	if !isTest(s.path) || !fails(branch.Body) {
		return
	}
	if count := comparisons(branch.Cond); count >= 3 {
		s.found.add("compared", "%s:%d: %d values", s.path, s.line(branch.Pos()), count)
	}
}

// comparisons counts the values of which one that differs makes a condition true.
func comparisons(condition ast.Expr) int {
	both, ok := condition.(*ast.BinaryExpr)
	switch {
	case ok && both.Op == token.LOR:
		return comparisons(both.X) + comparisons(both.Y)
	case !ok || both.Op != token.NEQ:
		return 0
	}
	if name, ok := both.Y.(*ast.Ident); ok && name.Name == "nil" {
		return 0
	}
	if call, ok := both.X.(*ast.CallExpr); ok {
		if name, ok := call.Fun.(*ast.Ident); ok && name.Name == "len" {
			return 0
		}
	}
	return 1
}

// fails reports whether a block reports a failure of a test.
func fails(block *ast.BlockStmt) bool {
	return slices.ContainsFunc(block.List, func(statement ast.Stmt) bool {
		expression, _ := statement.(*ast.ExprStmt)
		if expression == nil {
			return false
		}
		call, _ := expression.X.(*ast.CallExpr)
		if call == nil {
			return false
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		return ok && slices.Contains([]string{"Error", "Errorf", "Fatal", "Fatalf"}, method.Sel.Name)
	})
}

// borrowed checks that nothing sends over connections that it does not own.
func (s *source) borrowed(name *ast.SelectorExpr) {
	if of, ok := name.X.(*ast.Ident); ok && of.Name == "http" &&
		slices.Contains([]string{"DefaultClient", "Get", "Head", "Post", "PostForm"}, name.Sel.Name) {
		s.found.add("borrowed", "%s:%d: http.%s", s.path, s.line(name.Pos()), name.Sel.Name)
	}
}

func (s *source) withoutTransport(literal *ast.CompositeLit) {
	of, ok := literal.Type.(*ast.SelectorExpr)
	if !ok || of.Sel.Name != "Client" || of.X.(*ast.Ident).Name != "http" {
		return
	}
	for _, element := range literal.Elts {
		if pair, ok := element.(*ast.KeyValueExpr); ok && pair.Key.(*ast.Ident).Name == "Transport" {
			return
		}
	}
	s.found.add("borrowed", "%s:%d: a client without Transport", s.path, s.line(literal.Pos()))
}

func (s *source) parameters(function *ast.FuncType) {
	count := 0
	for _, field := range function.Params.List {
		count += max(1, len(field.Names))
	}
	if count >= 6 {
		s.found.add("six", "%s:%d: %d parameters", s.path, s.line(function.Pos()), count)
	}
}

// markData marks the lines of a node that hold data and may have any length: struct tags, and in tests the rows of
// tables and the lines of texts.
func (s *source) markData(n ast.Node, data map[int]bool) {
	first, last := 0, -1
	switch n := n.(type) {
	case *ast.Field:
		if n.Tag != nil {
			first = s.line(n.Tag.Pos())
			last = first
		}
	case *ast.CompositeLit:
		if isTable(n) && isTest(s.path) {
			first, last = s.line(n.Lbrace)+1, s.line(n.Rbrace)-1
		}
	case *ast.BasicLit:
		if strings.HasPrefix(n.Value, "`") && isTest(s.path) {
			first, last = s.line(n.Pos())+1, s.line(n.End())
		}
	}
	for line := first; line <= last; line++ {
		data[line] = true
	}
}

func isTable(literal *ast.CompositeLit) bool {
	switch literal.Type.(type) {
	case *ast.ArrayType, *ast.MapType:
		return true
	}
	return false
}

// isTest reports whether a file is one of tests, or of a package that only tests import.
func isTest(path string) bool {
	return strings.HasSuffix(path, "_test.go") || regexp.MustCompile(`test/|/faulty/|/hostile/`).MatchString(path)
}

func (s *source) lines(text []byte, data map[int]bool) (counted int) {
	number := 0
	for line := range bytes.Lines(text) {
		if number++; data[number] {
			continue
		}
		counted++
		columns := utf8.RuneCount(bytes.TrimRight(line, "\n")) + 3*bytes.Count(line, []byte("\t"))
		if columns > 120 {
			s.found.add("long", "%s:%d: %d columns", s.path, number, columns)
		}
	}
	return counted
}

// foreign matches folders without sources of ours.
var foreign = regexp.MustCompile(`^(\..*|node_modules|testdata)$`)

// goFiles calls a function with each Go file of this checkout, by its path with slashes.
func goFiles(t *testing.T, visit func(path string, text []byte) error) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != "." && foreign.MatchString(entry.Name()):
			return filepath.SkipDir
		case filepath.Ext(path) != ".go":
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil || bytes.HasPrefix(text, []byte("// Code generated")) {
			return err
		}
		return visit(filepath.ToSlash(path), text)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheHouseIsKept(t *testing.T) {
	found, lines := breaches{}, 0
	goFiles(t, func(path string, text []byte) error {
		counted, err := found.inspect(path, text)
		lines += counted
		return err
	})
	counts := map[string]int{"long": len(found["long"]) * 10_000 / lines}
	for rule, places := range found {
		if rule != "long" {
			counts[rule] = len(places)
		}
	}
	for _, name := range []string{"README.md", "ARCHITECTURE.md"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		counts[name] = int(info.Size())
	}
	for rule, bound := range bounds {
		switch {
		case counts[rule] > bound:
			places := strings.Join(found[rule], "\n")
			t.Errorf("%s: %d, and %d are the most:\n%s", rule, counts[rule], bound, places)
		case counts[rule] < bound:
			t.Logf("%s: %d; lower the bound from %d", rule, counts[rule], bound)
		}
	}
}

const badHouse = "package p\n\n// One " + `gives two. What is headless ends here. Who asks? Whoever does not.
//
//   - Whatever begins an item
//     goes on.
//   - An item. Whose is this?
//
//	What is preformatted is left alone.
type One struct {
	*Two
	name *Two
	Two
}

func six(a, b, c int, d, e, f string) { func(int, int, int, int, int, int) {}(1, 2, 3, 4, 5, 6) }

// Two does not say that it gives anything.
func five(a, b, c int, d, e string) {}

func tall() {TALL}

func sends() {
	http.Get(url)
	_ = http.Client{Timeout: 1}
	_ = http.Client{Transport: own}
}

func compares() {
	if a != 1 || b != 2 || c != 3 {
		t.Fatalf("%d, %d, %d", a, b, c)
	}
	if a != 1 || b != 2 || c != 3 {
		return
	}
	if err != nil || len(all) != 1 || all[0] != 3 || more {
		t.Error(err)
	}
}

//LONGx
//LONGxx
var _ = []string{
	"LONG",
}
var _ = "
LONGxxxx"
var _ struct {
	A int "LONG"
}
`

func TestTheHouseRulesFindBreaches(t *testing.T) {
	text := strings.NewReplacer(
		"LONG", strings.Repeat("x", 117), "TALL", strings.Repeat("\n", 60), `"`, "`").Replace(badHouse)
	for path, of := range map[string]struct{ long, tall, compared int }{
		"p.go": {3, 1, 0}, "p_test.go": {1, 0, 1},
	} {
		found := breaches{}
		if _, err := found.inspect(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		want := map[string]int{"gives": 1, "headless": 3, "embedded": 1, "six": 2, "borrowed": 2,
			"long": of.long, "tall": of.tall, "compared": of.compared}
		for rule, count := range want {
			if len(found[rule]) != count {
				t.Errorf("%s: %s is broken %d times, want %d: %q", path, rule, len(found[rule]), count, found[rule])
			}
		}
	}
}
