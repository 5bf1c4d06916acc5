package expression_test

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/expression"
)

// form is the shape of a value, as a case type's schema describes it.
type form struct {
	kinds    expression.Kinds
	members  map[string]expression.Shape
	required []string
	item     expression.Shape
	texts    []string
}

func (f form) Member(name string) (expression.Shape, bool) { m, ok := f.members[name]; return m, ok }
func (f form) Near(string) string                          { return " (near)" }
func (f form) Requires(name string) bool                   { return slices.Contains(f.required, name) }
func (f form) Item() expression.Shape                      { return f.item }
func (f form) Kinds() expression.Kinds                     { return f.kinds }

func (f form) Admits(text string) (near string, ok bool) {
	return " (near)", f.texts == nil || slices.Contains(f.texts, text)
}

// dataForm has members that are always present, except for "maybe".
func dataForm() form {
	text, number := form{kinds: expression.TextKind}, form{kinds: expression.NumberKind}
	line := form{
		kinds:    expression.ObjectKind,
		members:  map[string]expression.Shape{"price": number, "text": text},
		required: []string{"price"},
	}
	data := form{kinds: expression.ObjectKind, members: map[string]expression.Shape{
		"name": text, "cost": number, "maybe": text, "line": line,
		"done":    form{kinds: expression.BoolKind},
		"either":  form{kinds: expression.BoolKind | expression.TextKind},
		"nothing": form{kinds: expression.NullKind},
		"color":   form{kinds: expression.TextKind, texts: []string{"red", "blue"}},
		"colors":  form{kinds: expression.ListKind, item: form{kinds: expression.TextKind, texts: []string{"red", "blue"}}},
		"lines":   form{kinds: expression.ListKind, item: line},
		"list":    form{kinds: expression.ListKind},
		"any":     nil,
	}}
	for name := range data.members {
		if name != "maybe" {
			data.required = append(data.required, name)
		}
	}
	return data
}

// messages compiles a condition and returns its faults and warnings, a line each.
func messages(source string) (lines []string) {
	made := language(expression.Limits{Cost: 10_000}).CompileFor(source, map[string]expression.Shape{"data": dataForm()})
	for _, f := range made.Faults {
		lines = append(lines, "fault: "+f.Error())
	}
	for _, w := range made.Warnings {
		lines = append(lines, "warning: "+w.Error())
	}
	return lines
}

var update = flag.Bool("update", false, "write faults and warnings into testdata/names.txt")

// testdata/names.txt has conditions over dataForm, and behind each, indented, its faults and warnings.
func TestConditionsAreCheckedByTheShapeOfTheData(t *testing.T) {
	text, err := os.ReadFile("testdata/names.txt")
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "\t") {
			continue
		}
		got.WriteString(line)
		if source := strings.TrimSpace(line); source != "" && source[0] != '#' {
			for _, message := range messages(source) {
				got.WriteString("\t" + message + "\n")
			}
		}
	}
	if *update {
		err = os.WriteFile("testdata/names.txt", []byte(got.String()), 0o644)
	}
	if diff := cmp.Diff(string(text), got.String()); diff != "" && !*update || err != nil {
		t.Errorf("%v; go test -update writes them anew:\n%s", err, diff)
	}
}

func TestAnUnknownNameIsExplained(t *testing.T) {
	shapes := map[string]expression.Shape{"box": dataForm(), "data": dataForm()}
	near := func(typed string, names []string) string {
		if slices.Contains(names, typed[:len(typed)-1]) {
			return "; near"
		}
		return ""
	}
	for source, want := range map[string]string{
		"cost > 1":            "undeclared reference to 'cost'; a field is read as data.cost",
		"prize > 1":           "undeclared reference to 'prize'; there are box (inner, text), data",
		"datax.cost > 1":      "; near",
		"box.textx == \"x\"":  "undefined field 'textx'; near",
		"box.innerxx.text ==": "mismatched input '<EOF>'",
	} {
		l := language(expression.Limits{Cost: 1000}).Near(near)
		made := l.CompileFor(source, shapes)
		if len(made.Faults) != 1 || !strings.Contains(made.Faults[0].Message, want) {
			t.Errorf("%s: %v, want %s", source, made.Faults, want)
		}
	}
}

func TestAConditionListsTheMembersThatItReads(t *testing.T) {
	l := language(expression.Limits{Cost: 10_000})
	made := l.CompileFor(`data.name == "x" && data["cost"] > 1 && has(data.line.text)`,
		map[string]expression.Shape{"data": dataForm()})
	if got := made.Program.Reads(); !slices.Equal(got, []string{"data.name", "data.cost", "data.line"}) {
		t.Error(got)
	}
}
