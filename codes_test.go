package casehook_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write internal/api/rest/problems.json anew")

// problem is a code of the API, as internal/api/rest/problems.json lists it.
type problem struct {
	Code     string   `json:"code"`
	Statuses []int    `json:"statuses"`
	Details  []string `json:"details,omitempty"` // formats
}

// The OpenAPI document and the documentation have each code that the server's
// sources name, and no other.
func TestTheListOfProblemsIsThatOfTheSources(t *testing.T) {
	const list = "internal/api/rest/problems.json"
	found := problemsIn(t, "internal/server")
	var want bytes.Buffer
	want.WriteString("[\n")
	for i, p := range found {
		var line bytes.Buffer
		e := json.NewEncoder(&line)
		e.SetEscapeHTML(false)
		if err := e.Encode(p); err != nil {
			t.Fatal(err)
		}
		separator := ","
		if i == len(found)-1 {
			separator = ""
		}
		want.WriteString("  " + strings.TrimSpace(line.String()) + separator + "\n")
	}
	want.WriteString("]\n")
	if *update {
		if err := os.WriteFile(list, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want.Bytes()) {
		t.Errorf("%s is not what the sources say: run go test -run %s . -update", list, t.Name())
	}
	if len(found) < 100 {
		t.Errorf("only %d codes are found", len(found))
	}
}

// kinds are the constants of package fault with their statuses.
var kinds = map[string]int{
	"Internal": 500, "Invalid": 400, "Unauthenticated": 401, "Forbidden": 403, "NotFound": 404, "Conflict": 409, "Gone": 410,
	"TooLarge": 413, "UnsupportedMedia": 415, "Unprocessable": 422, "TooMany": 429, "Upstream": 502, "Unavailable": 503,
	"UpstreamTimeout": 504,
}

// A maker is a function that makes a fault of its arguments. Negative: not of one of them.
type maker struct {
	kind, code, detail int
	always             ast.Expr // the kind, where no argument is it
}

// sources are the parsed packages from which the server is built.
type sources struct {
	t         *testing.T
	fset      *token.FileSet
	packages  map[string][]*ast.File // by folder
	constants map[string]string      // "package.Name": text
	typed     map[string][]string    // "package.Type": its constants
	makers    map[string]maker       // "folder.name"
	functions map[string]int         // "folder.name": how many there are
	problems  map[string]*problem
}

func problemsIn(t *testing.T, root string) []*problem {
	s := &sources{
		t: t, fset: token.NewFileSet(), packages: map[string][]*ast.File{},
		constants: map[string]string{}, typed: map[string][]string{},
		makers: map[string]maker{
			"internal/fault.New":  {kind: 0, code: 1, detail: 2},
			"internal/fault.Wrap": {kind: 1, code: 2, detail: 3},
			"internal/fault.In":   {kind: -1, code: 0, detail: 1, always: ast.NewIdent("Unprocessable")},
		},
		functions: map[string]int{}, problems: map[string]*problem{},
	}
	s.load(root)
	for before := -1; before != len(s.makers); { // a maker may call another one
		before = len(s.makers)
		s.each(func(call fault) { s.follow(call) })
	}
	s.each(func(call fault) { s.note(call) })
	all := make([]*problem, 0, len(s.problems))
	for _, p := range s.problems {
		slices.Sort(p.Statuses)
		p.Statuses = slices.Compact(p.Statuses)
		slices.Sort(p.Details)
		p.Details = slices.Compact(p.Details)
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b *problem) int { return cmp.Compare(a.Code, b.Code) })
	return all
}

// load parses a package and those of ours that it imports.
func (s *sources) load(dir string) {
	if s.packages[dir] != nil {
		return
	}
	paths, err := filepath.Glob(dir + "/*.go")
	if err != nil {
		s.t.Fatal(err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(s.fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			s.t.Fatal(err)
		}
		s.packages[dir] = append(s.packages[dir], file)
		s.declare(dir, file)
	}
	for _, file := range s.packages[dir] {
		for _, spec := range file.Imports {
			if inside, ok := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`),
				"github.com/casehook/casehook/"); ok {
				s.load(inside)
			}
		}
	}
}

// declare notes the functions of a file, and the constants that are texts.
func (s *sources) declare(dir string, file *ast.File) {
	for _, declared := range file.Decls {
		if f, ok := declared.(*ast.FuncDecl); ok {
			s.functions[dir+"."+f.Name.Name]++
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		for i := 0; ok && i < len(spec.Names) && i < len(spec.Values); i++ {
			if text, ok := literal(spec.Values[i]); ok {
				s.constants[filepath.Base(dir)+"."+spec.Names[i].Name] = text
				of := filepath.Base(dir) + "." + fmt.Sprint(spec.Type)
				s.typed[of] = append(s.typed[of], text)
			}
		}
		return true
	})
}

// fault is a call of a maker, or a literal of a fault, within a function.
type fault struct {
	dir                string
	within             *ast.FuncDecl
	kind, code, detail ast.Expr // nil: none
	pos                token.Pos
	doubtful           bool // several functions have the name of what is called
}

// each calls do with each place where a fault is made.
func (s *sources) each(do func(fault)) {
	for dir, files := range s.packages {
		if dir == "internal/fault" {
			continue
		}
		for _, file := range files {
			for _, declared := range file.Decls {
				within, _ := declared.(*ast.FuncDecl)
				ast.Inspect(declared, func(n ast.Node) bool {
					if f, ok := s.faultOf(dir, within, n); ok {
						do(f)
					}
					return true
				})
			}
		}
	}
}

func (s *sources) faultOf(dir string, within *ast.FuncDecl, n ast.Node) (fault, bool) {
	f := fault{dir: dir, within: within}
	switch n := n.(type) {
	case *ast.CallExpr:
		m, ok := s.makers[s.callee(dir, n.Fun)]
		if !ok || within != nil && parameterOf(within, n.Fun) >= 0 {
			return f, false
		}
		f.doubtful = s.functions[s.callee(dir, n.Fun)] > 1
		f.pos, f.kind, f.code, f.detail = n.Pos(), argument(n, m.kind), argument(n, m.code), argument(n, m.detail)
		if m.kind < 0 {
			f.kind = m.always
		}
		return f, f.code != nil
	case *ast.CompositeLit:
		if name, ok := n.Type.(*ast.SelectorExpr); !ok || name.Sel.Name != "Error" || fmt.Sprint(name.X) != "fault" {
			return f, false
		}
		f.pos = n.Pos()
		for _, e := range n.Elts {
			pair, ok := e.(*ast.KeyValueExpr)
			if !ok {
				continue
			}
			switch fmt.Sprint(pair.Key) {
			case "Kind":
				f.kind = pair.Value
			case "Code":
				f.code = pair.Value
			case "Detail":
				f.detail = pair.Value
			}
		}
		return f, f.code != nil
	}
	return f, false
}

// callee names what is called: "internal/fault.New" or, for what is of the same
// package, its folder and name.
func (s *sources) callee(dir string, fun ast.Expr) string {
	switch fun := fun.(type) {
	case *ast.Ident:
		return dir + "." + fun.Name
	case *ast.SelectorExpr:
		if fmt.Sprint(fun.X) == "fault" {
			return "internal/fault." + fun.Sel.Name
		}
		return dir + "." + fun.Sel.Name // a method
	}
	return ""
}

func argument(call *ast.CallExpr, i int) ast.Expr {
	if i < 0 || i >= len(call.Args) {
		return nil
	}
	return call.Args[i]
}

// follow makes a maker of a function whose parameter is the code of a fault.
func (s *sources) follow(f fault) {
	name, isName := f.code.(*ast.Ident)
	if !isName || f.within == nil {
		return
	}
	if i := parameter(f.within, name.Name); i >= 0 && parameterType(f.within, name) == "string" {
		s.makers[f.dir+"."+f.within.Name.Name] = maker{
			kind: parameterOf(f.within, f.kind), code: i, detail: parameterOf(f.within, f.detail), always: f.kind,
		}
	}
}

func parameterOf(f *ast.FuncDecl, e ast.Expr) int {
	if name, ok := e.(*ast.Ident); ok {
		return parameter(f, name.Name)
	}
	return -1
}

// parameter returns the place of a parameter; -1: it is none.
func parameter(f *ast.FuncDecl, name string) int {
	i := 0
	for _, field := range f.Type.Params.List {
		for _, n := range field.Names {
			if n.Name == name {
				return i
			}
			i++
		}
	}
	return -1
}

// parameterType names the type of a parameter, as in "cases.AttachmentKind"; empty: it has no name.
func parameterType(f *ast.FuncDecl, e ast.Expr) string {
	name, isName := e.(*ast.Ident)
	if !isName || f == nil {
		return ""
	}
	for _, field := range f.Type.Params.List {
		for _, n := range field.Names {
			if n.Name != name.Name {
				continue
			}
			switch of := field.Type.(type) {
			case *ast.SelectorExpr:
				return fmt.Sprint(of.X) + "." + of.Sel.Name
			case *ast.Ident:
				return of.Name
			}
		}
	}
	return ""
}

// note adds the codes of a fault to the list.
func (s *sources) note(f fault) {
	if f.within != nil && parameterOf(f.within, f.code) >= 0 {
		return // its callers say
	}
	codes := slices.DeleteFunc(s.texts(f, f.code), atStart)
	if len(codes) == 0 && f.dir != "internal/server" && !f.doubtful {
		s.t.Errorf("%s: the code of this problem can't be found", s.fset.Position(f.pos))
	}
	for _, code := range codes {
		p := s.problems[code]
		if p == nil {
			p = &problem{Code: code}
			s.problems[code] = p
		}
		p.Statuses = append(p.Statuses, s.statuses(f, code)...)
		if _, varies := f.detail.(*ast.Ident); f.detail != nil && (!varies || len(codes) == 1) {
			p.Details = append(p.Details, s.texts(f, f.detail)...)
		}
	}
}

// atStart reports whether a code is only told to who starts a server.
func atStart(code string) bool { return strings.HasPrefix(code, "config.") }

// texts returns what an expression may be: a literal, a constant, or what is
// assigned to the variable within its function.
func (s *sources) texts(f fault, e ast.Expr) (all []string) {
	if text, ok := literal(e); ok {
		return []string{text}
	}
	switch e := e.(type) {
	case *ast.SelectorExpr:
		if text, ok := s.constants[fmt.Sprint(e.X)+"."+e.Sel.Name]; ok {
			return []string{text}
		}
		return s.ofField(f, e)
	case *ast.BinaryExpr:
		for _, a := range s.texts(f, e.X) {
			for _, b := range s.texts(f, e.Y) {
				all = append(all, a+b)
			}
		}
	case *ast.CallExpr: // string(sort)
		if name := parameterType(f.within, argument(e, 0)); fmt.Sprint(e.Fun) == "string" && name != "" {
			return s.typed[name]
		}
	case *ast.Ident:
		s.assigned(f, e.Name, func(value ast.Expr) { all = append(all, s.texts(f, value)...) })
		if text, ok := s.constants[filepath.Base(f.dir)+"."+e.Name]; ok && len(all) == 0 {
			all = append(all, text)
		}
	}
	return all
}

// statuses are the statuses of codes whose kind is known only once a callback was asked.
var statuses = map[string]int{"callback.timeout": 504, "callback.cancelled": 503}

// ofField returns what a field of the function's receiver is, in all literals of its type.
func (s *sources) ofField(f fault, e *ast.SelectorExpr) (all []string) {
	if f.within == nil || f.within.Recv == nil || fmt.Sprint(f.within.Recv.List[0].Names[0]) != fmt.Sprint(e.X) {
		return nil
	}
	of := fmt.Sprint(f.within.Recv.List[0].Type)
	fields := s.fields(f.dir, of)
	for _, file := range s.packages[f.dir] {
		ast.Inspect(file, func(n ast.Node) bool {
			literal, ok := n.(*ast.CompositeLit)
			if !ok || literal.Type == nil || fmt.Sprint(literal.Type) != of {
				return true
			}
			for i, value := range literal.Elts {
				if pair, ok := value.(*ast.KeyValueExpr); ok && fmt.Sprint(pair.Key) == e.Sel.Name {
					all = append(all, s.texts(f, pair.Value)...)
				} else if !ok && fields[i] == e.Sel.Name {
					all = append(all, s.texts(f, value)...)
				}
			}
			return true
		})
	}
	return all
}

// fields lists the fields of a struct, in their order.
func (s *sources) fields(dir, name string) (all []string) {
	for _, file := range s.packages[dir] {
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok || spec.Name.Name != name {
				return true
			}
			of, _ := spec.Type.(*ast.StructType)
			for i := 0; of != nil && i < len(of.Fields.List); i++ {
				for _, n := range of.Fields.List[i].Names {
					all = append(all, n.Name)
				}
			}
			return false
		})
	}
	return all
}

// statuses returns those of a fault's kinds.
func (s *sources) statuses(f fault, code string) (all []int) {
	if status := statuses[code]; status > 0 {
		return []int{status}
	}
	var add func(ast.Expr)
	add = func(e ast.Expr) {
		switch e := e.(type) {
		case *ast.SelectorExpr:
			if status := kinds[e.Sel.Name]; status > 0 {
				all = append(all, status)
			}
		case *ast.Ident:
			if status := kinds[e.Name]; status > 0 {
				all = append(all, status)
				return
			}
			s.assigned(f, e.Name, add)
		}
	}
	add(f.kind)
	return all
}

// assigned calls do with each value that a variable gets within the function.
func (s *sources) assigned(f fault, name string, do func(ast.Expr)) {
	if f.within == nil {
		return
	}
	ast.Inspect(f.within, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, left := range n.Lhs {
				if fmt.Sprint(left) == name && len(n.Lhs) == len(n.Rhs) {
					do(n.Rhs[i])
				}
			}
		case *ast.ValueSpec:
			for i, left := range n.Names {
				if left.Name == name && i < len(n.Values) {
					do(n.Values[i])
				}
			}
		}
		return true
	})
}

// literal returns a text that stands as it is, or is put together of such.
func literal(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind != token.STRING {
			return "", false
		}
		text, err := strconv.Unquote(e.Value)
		return text, err == nil
	case *ast.BinaryExpr:
		a, isText := literal(e.X)
		b, alsoText := literal(e.Y)
		return a + b, isText && alsoText
	}
	return "", false
}
