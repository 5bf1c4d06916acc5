package ccd_test

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/ccd"
	"github.com/casehook/casehook/internal/sheets"
)

var update = flag.Bool("update", false, "write the files in testdata anew")

const testdata = "../sheets/testdata/"

// garden reads the JSON files of the garden.
func garden(t *testing.T) (files []sheets.File) {
	t.Helper()
	err := filepath.WalkDir(testdata+"garden", func(path string, entry fs.DirEntry, err error) error {
		below := strings.TrimPrefix(filepath.ToSlash(path), testdata+"garden/")
		if err != nil || entry.IsDir() || sheets.Excluded(below, []string{"*-nonprod.json"}) {
			return err
		}
		content, err := os.ReadFile(path)
		files = append(files, sheets.File{Path: "garden/" + below, Below: below, Content: content})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// made makes files of JSON, given by sheet.
func made(content map[string]string) (files []sheets.File) {
	for sheet, rows := range content {
		files = append(files, sheets.File{Path: sheet + ".json", Below: sheet + ".json", Content: []byte(rows)})
	}
	return files
}

func imported(t *testing.T, files []sheets.File, o ccd.Options) *ccd.Import {
	t.Helper()
	im, err := tryImport(files, o)
	if err != nil {
		t.Fatal(err)
	}
	return im
}

func tryImport(files []sheets.File, o ccd.Options) (*ccd.Import, error) {
	d, err := sheets.Read(files, sheets.Options{})
	if err != nil {
		return nil, err
	}
	return ccd.From(d, o)
}

func notes(im *ccd.Import) (all string) {
	for _, n := range im.Notes {
		all += fmt.Sprintf("%s (%d: %s)\n", n.What, n.Count, n.First)
	}
	return all
}

// golden compares a text with a file, which -update writes.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestTheGardenBecomesTwoCaseTypes(t *testing.T) {
	files := garden(t)
	im := imported(t, files, ccd.Options{Retries: ccd.HMCTS})
	for _, ct := range im.Types {
		golden(t, ct.Key+".yaml", ct.YAML)
		if _, err := casetype.Parse(ct.Key+".yaml", ct.YAML); err != nil {
			t.Errorf("a server refuses it:\n%v", err)
		}
	}
	golden(t, "notes.txt", []byte(notes(im)))
	want := ccd.Counts{Fields: 25, States: 4, Events: 5, Pages: 5, Roles: 4, Creations: 1, FromAny: 1, FromList: 2,
		FromOne: 1, Stay: 2, ToOne: 2, ToConditional: 1, AboutToStart: 1, AboutToSubmit: 2, Submitted: 1, MidEvents: 1}
	if diff := cmp.Diff(want, im.Types[0].Counts); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	variables := []ccd.Variable{
		{Name: "CCD_DEF_GARDEN_URL", Becomes: "CASEHOOK_VAR_GARDEN_URL", Default: "http://localhost:4000"},
		{Name: "notes.host", Becomes: "CASEHOOK_VAR_NOTES_HOST"},
	}
	if diff := cmp.Diff(variables, im.Variables); diff != "" {
		t.Errorf("variables (-want +got):\n%s", diff)
	}
}

func TestTheSameRowsMakeTheSameBytes(t *testing.T) {
	content, err := os.ReadFile(testdata + "garden.xlsx")
	if err != nil {
		t.Fatal(err)
	}
	files := garden(t)
	want := imported(t, files, ccd.Options{}).Types
	reversed := slices.Clone(files)
	slices.Reverse(reversed)
	for name, files := range map[string][]sheets.File{
		"from a workbook":                {{Path: "garden.xlsx", Below: "garden.xlsx", Content: content}},
		"from files in another order":    reversed,
		"from a workbook and its copies": append(files, sheets.File{Path: "z.xlsx", Below: "z.xlsx", Content: content}),
	} {
		if diff := cmp.Diff(want, imported(t, files, ccd.Options{}).Types); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// small is a definition of one case type, with the rows of a test.
func small(sheet, rows string) map[string]string {
	content := map[string]string{
		"CaseType":  `[{"ID": "A", "Name": "A", "JurisdictionID": "J"}]`,
		"State":     `[{"CaseTypeID": "A", "ID": "S", "DisplayOrder": 1}, {"CaseTypeID": "A", "ID": "T", "DisplayOrder": 2}]`,
		"CaseField": `[{"CaseTypeID": "A", "ID": "f", "FieldType": "Text"}, {"CaseTypeID": "A", "ID": "n", "FieldType": "Number"}]`,
		"CaseEvent": `[{"CaseTypeID": "A", "ID": "e", "PostConditionState": "S"}]`,
	}
	content[sheet] = rows
	return content
}

func TestRetriesAreReadAsTheProductReadsThem(t *testing.T) {
	for _, test := range []struct {
		product, column, want string
	}{
		{ccd.HMCTS, "", ""},
		{ccd.HMCTS, "0", "retries: []\n"},
		{ccd.HMCTS, "5,5", ""},
		{ccd.QuickCase, "0", "retries: []\n"},
		{ccd.QuickCase, "5", "timeout: 5s\nretries: []\nbudget: 5s\n"},
		{ccd.QuickCase, "5, 5,5", "timeout: 5s\nretries: [1s, 3s]\nbudget: 19s\n"},
		{ccd.QuickCase, "1,10", "timeout: 10s\nretries: [1s]\nbudget: 21s\n"},
		{ccd.QuickCase, "100,100,100,100,100", "timeout: 1m0s\nretries: [1s, 3s, 3s, 3s]\nbudget: 5m0s\n"},
	} {
		im := imported(t, made(small("CaseEvent", `[{"CaseTypeID": "A", "ID": "e", "PostConditionState": "S",
			"CallBackURLAboutToSubmitEvent": "https://h/x", "RetriesTimeoutURLAboutToSubmitEvent": "`+test.column+`"}]`)),
			ccd.Options{Retries: test.product})
		_, settings, _ := strings.Cut(string(im.Types[0].YAML), "    url: https://h/x\n")
		settings, _, _ = strings.Cut(settings, "    retry_on: any\n")
		if diff := cmp.Diff(test.want, strings.ReplaceAll(settings, "    ", "")); diff != "" {
			t.Errorf("%s, %q (-want +got):\n%s", test.product, test.column, diff)
		}
	}
}

func TestBadDefinitionsAreRefusedWithThePlace(t *testing.T) {
	event := func(more string) map[string]string {
		return small("CaseEvent", `[{"CaseTypeID": "A", "ID": "e", `+more+`}]`)
	}
	for name, test := range map[string]struct {
		content map[string]string
		want    string
	}{
		"a key that leads elsewhere": {map[string]string{"CaseType": `[{"ID": "../A"}]`},
			"CaseType.json, row 1, ID: is \"../A\", which can't be the key of a case type"},
		"no case type": {map[string]string{"State": `[]`}, "no sheet CaseType"},
		"no default state": {event(`"PostConditionState": "S(f=\"1\"):1"`),
			"CaseEvent.json, row 1, PostConditionState: has no state without a condition"},
		"no priority": {event(`"PostConditionState": "S(f=\"1\");T"`),
			"CaseEvent.json, row 1, PostConditionState: \"S(f=\\\"1\\\")\" has a condition, and no priority"},
		"a creation that stays": {event(`"PostConditionState": "*"`), "PostConditionState: is \"*\""},
		"a variable in an id": {event(`"PostConditionState": "${STATE}"`),
			"CaseEvent.json, row 1, PostConditionState: has the variable ${STATE}: give it a value, -D STATE=..."},
		"retries": {event(`"PostConditionState": "S", "CallBackURLSubmittedEvent": "https://h",
			"RetriesTimeoutURLSubmittedEvent": "soon"`), "RetriesTimeoutURLSubmittedEvent: is \"soon\""},
	} {
		_, err := tryImport(made(test.content), ccd.Options{})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

func TestRealDefinitionsAreNotClean(t *testing.T) {
	const event = `"CaseTypeID": "A", "ID": "e", "PostConditionState": "S"`
	for name, test := range map[string]struct {
		sheet, rows    string
		line, noteText string // a line of the case type; empty: none
	}{
		"a state that is not there": {"CaseEvent", `[{"CaseTypeID": "A", "ID": "e", "PostConditionState": "New"}]`,
			"- key: New", "New is not in the sheet State of A, and is added"},
		"a state before that is not there": {"CaseEvent", `[{` + event + `}, {"CaseTypeID": "A", "ID": "g",
			"PreConditionState(s)": "Old;S", "PostConditionState": "T"}]`, "  from: [S]", "Old is no state of A"},
		"no state before that is there": {"CaseEvent", `[{` + event + `}, {"CaseTypeID": "A", "ID": "g",
			"PreConditionState(s)": "Old", "PostConditionState": "T"}]`, "", "the event g is left out"},
		"a default in an id": {"CaseEvent", `[{"CaseTypeID": "A", "ID": "e", "PostConditionState": "${X:T}"}]`,
			"  to: T", ""},
		"a list that is not there": {"CaseField", `[{"CaseTypeID": "A", "ID": "f", "FieldType": "FixedList",
			"FieldTypeParameter": "l"}]`, "      type: string", `"l" is no list`},
		"a bound that is none": {"CaseField", `[{"CaseTypeID": "A", "ID": "f", "FieldType": "Text", "Max": "many"}]`,
			"      type: string", `CaseField.Max: "many" is no bound`},
		"an unknown classification": {"CaseField", `[{"CaseTypeID": "A", "ID": "f", "FieldType": "Text",
			"SecurityClassification": "Secret"}]`, "      x-classification: RESTRICTED", `"Secret" is none`},
		"a date as a bound": {"CaseField", `[{"CaseTypeID": "A", "ID": "f", "FieldType": "Date", "Min": "01/01/2024"}]`,
			"      minimum: 1704067200000", ""},
		"a condition that is never true": {"CaseEvent", `[{"CaseTypeID": "A", "ID": "e",
			"PostConditionState": "T(f=\"1\" OR f=\"2\" AND f=\"3\"):1;S"}]`, "  to: S", "is never true"},
		"a condition that is always true": {"CaseEvent", `[{"CaseTypeID": "A", "ID": "e",
			"PostConditionState": "T([CASE_TYPE]=\"A\"):1;S"}]`, "  to: T", ""},
		"a case type that is not there": {"CaseEvent", `[{` + event + `}, {"CaseTypeID": "B", "ID": "e"}]`, "",
			`CaseEvent: "B" is no case type`},
		"a default that is no value": {"CaseEventToFields", `[{"CaseTypeID": "A", "CaseEventID": "e", "CaseFieldID": "n",
			"DefaultValue": "many"}]`, "", `"many" is no value of n`},
		"a page without an id": {"CaseEventToFields", `[{"CaseTypeID": "A", "CaseEventID": "e", "CaseFieldID": "n"}]`,
			`  - key: "1"`, ""},
		"a page's odd id": {"CaseEventToFields", `[{"CaseTypeID": "A", "CaseEventID": "e", "CaseFieldID": "n",
			"PageID": "a b"}]`, `  - key: a_b`, `"a b" can't be the key of a page`},
		"a display context that is none": {"CaseEventToFields", `[{"CaseTypeID": "A", "CaseEventID": "e",
			"CaseFieldID": "n", "DisplayContext": "BIG"}]`, `    - name: "n"`, `"BIG" is not known`},
		"a right that is none": {"AuthorisationCaseField", `[{"CaseTypeID": "A", "CaseFieldID": "n",
			"AccessProfile": "p", "CRUD": "UX"}]`, "      update: [p]", `"X" is no right`},
	} {
		im := imported(t, made(small(test.sheet, test.rows)), ccd.Options{})
		if test.line != "" && !strings.Contains(string(im.Types[0].YAML), test.line+"\n") {
			t.Errorf("%s: there is no line %q in\n%s", name, test.line, im.Types[0].YAML)
		}
		if got := notes(im); !strings.Contains(got, test.noteText) {
			t.Errorf("%s: %q, want %q", name, got, test.noteText)
		}
	}
}

func TestReferencesHaveNothingToEscape(t *testing.T) {
	content := small("ComplexTypes", `[{"ID": "A b", "ListElementCode": "c", "FieldType": "A/b"},
		{"ID": "A/b", "ListElementCode": "c", "FieldType": "A b"}]`)
	content["CaseField"] = `[{"CaseTypeID": "A", "ID": "f", "FieldType": "A b"}]`
	_, got, _ := strings.Cut(string(imported(t, made(content), ccd.Options{}).Types[0].YAML), "  properties:\n")
	got, _, _ = strings.Cut(got, "access:")
	want := `    f:
      $ref: '#/$defs/A_b'
  $defs:
    A_b:
      type: object
      properties:
        c:
          $ref: '#/$defs/A_b_'
    A_b_:
      type: object
      properties:
        c:
          $ref: '#/$defs/A_b'
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// FuzzFrom looks for rows of which the import makes no case type and no error.
func FuzzFrom(f *testing.F) {
	for sheet, rows := range small("ComplexTypes",
		`[{"ID": "C", "ListElementCode": "c", "FieldType": "C", "FieldTypeParameter": "C"}]`) {
		f.Add(sheet, rows)
	}
	f.Add("CaseField",
		`[{"CaseTypeID": "A", "ID": "f", "FieldType": "Collection", "FieldTypeParameter": "Collection"}]`)
	f.Fuzz(func(t *testing.T, sheet, rows string) {
		im, err := tryImport(made(small(sheet, rows)), ccd.Options{Retries: ccd.QuickCase})
		if (err == nil) == (im == nil) {
			t.Errorf("an import %v, and an error %v", im != nil, err)
		}
	})
}
