package expression_test

import (
	"os"
	"slices"
	"strings"
	"testing"

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

// dataForm has members that are always present, but for "maybe".
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

// told compiles a condition and returns what is said of it, a line each.
func told(source string) (lines []string) {
	made := language(expression.Limits{Cost: 10_000}).CompileFor(source, map[string]expression.Shape{"data": dataForm()})
	for _, f := range made.Faults {
		lines = append(lines, "fault: "+f.Error())
	}
	for _, w := range made.Warnings {
		lines = append(lines, "warning: "+w.Error())
	}
	return lines
}

// testdata/names.txt has conditions over dataForm. What is said of a condition follows it, indented.
func TestConditionsAreCheckedByTheShapeOfTheData(t *testing.T) {
	text, err := os.ReadFile("testdata/names.txt")
	if err != nil {
		t.Fatal(err)
	}
	var source string
	var want []string
	check := func() {
		if got := told(source); source != "" && !slices.Equal(got, want) {
			t.Errorf("%s\n\tis told\n\t%s\n\tnot\n\t%s", source, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
		}
		source, want = "", nil
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if message, indented := strings.CutPrefix(line, "\t"); indented {
			want = append(want, message)
			continue
		}
		check()
		if !strings.HasPrefix(line, "#") {
			source = line
		}
	}
	check()
}

func TestAConditionListsTheMembersThatItReads(t *testing.T) {
	l := language(expression.Limits{Cost: 10_000})
	made := l.CompileFor(`data.name == "x" && data["cost"] > 1 && has(data.line.text)`,
		map[string]expression.Shape{"data": dataForm()})
	if got := made.Program.Reads(); !slices.Equal(got, []string{"data.name", "data.cost", "data.line"}) {
		t.Error(got)
	}
}
