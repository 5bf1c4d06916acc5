package sheets_test

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/sheets"
)

var update = flag.Bool("update", false, "write testdata/garden.xlsx anew")

// garden reads the files of the definition in testdata, without those that patterns match.
func garden(t *testing.T, patterns ...string) (files []sheets.File) {
	t.Helper()
	const root = "testdata/garden"
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		below := strings.TrimPrefix(filepath.ToSlash(path), root+"/")
		if err != nil || entry.IsDir() || sheets.Excluded(below, patterns) {
			return err
		}
		content, err := os.ReadFile(path)
		files = append(files, sheets.File{Path: filepath.ToSlash(path), Below: below, Content: content})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func read(t *testing.T, files ...sheets.File) *sheets.Definition {
	t.Helper()
	d, err := sheets.Read(files, sheets.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// values returns the values of all rows, by sheet, with the rows in alphabetical order.
func values(d *sheets.Definition) map[string][]string {
	all := map[string][]string{}
	for _, sheet := range d.Sheets() {
		for _, row := range d.Rows(sheet) {
			text := ""
			for _, column := range row.Columns() {
				text += fmt.Sprintf("%s=%q ", column, row.Text(column))
			}
			all[sheet] = append(all[sheet], text)
		}
		slices.Sort(all[sheet])
	}
	return all
}

// made makes a file of JSON.
func made(below, content string) sheets.File {
	return sheets.File{Path: "made/" + below, Below: below, Content: []byte(content)}
}

// xlsx writes the rows of a definition as a workbook does it: with texts in all of their forms, numbers and dates.
func xlsx(t *testing.T, d *sheets.Definition) []byte {
	t.Helper()
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	part := func(name, content string) {
		w, err := archive.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate,
			Modified: time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)})
		if err == nil {
			_, err = w.Write([]byte(`<?xml version="1.0" encoding="UTF-8"?>` + content))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	book := workbookWriter{}
	list, relations := "", ""
	for i, sheet := range d.Sheets() {
		part(fmt.Sprintf("xl/worksheets/sheet%d.xml", i+1), book.sheet(sheet, d.Rows(sheet)))
		list += fmt.Sprintf(`<sheet name="Tab %d" sheetId="%[1]d" r:id="rId%[1]d"/>`, i+1)
		relations += fmt.Sprintf(`<Relationship Id="rId%d" Type="%s/worksheet" Target="worksheets/sheet%[1]d.xml"/>`,
			i+1, relationship)
	}
	relations += fmt.Sprintf(`<Relationship Id="texts" Type="%s/sharedStrings" Target="/xl/sharedStrings.xml"/>`,
		relationship)
	relations += fmt.Sprintf(`<Relationship Id="styles" Type="%s/styles" Target="styles.xml"/>`, relationship)
	part("xl/workbook.xml", `<workbook xmlns="`+namespace+`" xmlns:r="`+relationship+`"><sheets>`+list+
		`</sheets></workbook>`)
	part("xl/_rels/workbook.xml.rels",
		`<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`+relations+
			`</Relationships>`)
	part("xl/sharedStrings.xml", `<sst xmlns="`+namespace+`">`+book.shared+`</sst>`)
	part("xl/styles.xml", `<styleSheet xmlns="`+namespace+`"><numFmts><numFmt numFmtId="170" formatCode="`+
		`dd&quot;.&quot;mm&quot;.&quot;yyyy"/></numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs>`+
		`<xf/><xf numFmtId="14"/><xf numFmtId="170"/></cellXfs></styleSheet>`)
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

const (
	namespace    = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
	relationship = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
)

// workbookWriter writes sheets, and collects the texts that they share.
type workbookWriter struct {
	shared string
	texts  int
	cells  int
}

func escape(text string) string {
	var out strings.Builder
	_ = xml.EscapeText(&out, []byte(text))
	return out.String()
}

func (w *workbookWriter) sheet(name string, rows []sheets.Row) string {
	columns := map[string]bool{}
	for _, row := range rows {
		for _, column := range row.Columns() {
			columns[column] = true
		}
	}
	names := slices.Sorted(maps.Keys(columns))
	if name == sheets.EventMembers {
		name = "CaseEventToComplexTypes"
	}
	out := `<worksheet xmlns="` + namespace + `"><sheetData><row r="1">` + w.text("A1", name) + `</row>` +
		`<row r="2">` + w.text("A2", "Notes for people") + `</row><row r="3">`
	for i, column := range names {
		out += w.text(fmt.Sprintf("%c3", 'A'+i), strings.ToUpper(column[:1])+column[1:])
	}
	out += `</row>`
	for n, row := range rows {
		line := 4 + 2*n // an empty row follows each
		out += fmt.Sprintf(`<row r="%d">`, line)
		for i, column := range names {
			if text := row.Text(column); text != "" {
				out += w.cell(fmt.Sprintf("%c%d", 'A'+i, line), text)
			}
		}
		out += fmt.Sprintf(`</row><row r="%d"><c r="A%[1]d" t="inlineStr"><is><t> </t></is></c></row>`, line+1)
	}
	return out + `</sheetData></worksheet>`
}

var (
	isNumber = regexp.MustCompile(`^[0-9]{1,14}(\.[0-9]+)?$`)
	isDate   = regexp.MustCompile(`^[0-9]{2}/[0-9]{2}/[0-9]{4}$`)
)

func (w *workbookWriter) cell(at, text string) string {
	w.cells++
	switch {
	case isDate.MatchString(text):
		day, err := time.Parse("02/01/2006", text)
		if err == nil {
			days := int(day.Sub(time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)).Hours() / 24)
			return fmt.Sprintf(`<c r="%s" s="%d"><v>%d</v></c>`, at, 1+w.cells%2, days)
		}
	case isNumber.MatchString(text) && !strings.Contains(text, "."):
		return fmt.Sprintf(`<c r="%s"><v>%s.0</v></c>`, at, text)
	case isNumber.MatchString(text):
		return fmt.Sprintf(`<c r="%s"><v>%s</v></c>`, at, text)
	}
	return w.text(at, text)
}

func (w *workbookWriter) text(at, text string) string {
	half := len(text) / 2
	for half > 0 && text[half]&0xC0 == 0x80 {
		half--
	}
	switch w.texts++; w.texts % 4 {
	case 0:
		w.shared += `<si><r><rPr><b/></rPr><t xml:space="preserve">` + escape(text[:half]) +
			`</t></r><r><t xml:space="preserve">` + escape(text[half:]) + `</t></r><rPh><t>said so</t></rPh></si>`
	case 1:
		w.shared += `<si><t xml:space="preserve">` + escape(text) + `</t></si>`
	case 2:
		w.texts--
		w.shared += `<si><t/></si>` // is not used
		w.texts++
		return fmt.Sprintf(`<c r="%s" t="inlineStr"><is><t xml:space="preserve">%s</t></is></c>`, at, escape(text))
	default:
		w.shared += `<si/>`
		return fmt.Sprintf(`<c r="%s" t="str"><f>A1</f><v>%s</v></c>`, at, escape(text))
	}
	return fmt.Sprintf(`<c r="%s" t="s"><v>%d</v></c>`, at, w.texts-1)
}

func TestAWorkbookHasTheRowsOfTheJSONFiles(t *testing.T) {
	files := garden(t, "*-nonprod.json")
	want := read(t, files...)
	const path = "testdata/garden.xlsx"
	written := xlsx(t, want)
	if *update {
		if err := os.WriteFile(path, written, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"written": written, "kept": kept} {
		got := read(t, sheets.File{Path: path, Below: "garden.xlsx", Content: content})
		if diff := cmp.Diff(values(want), values(got)); diff != "" {
			t.Errorf("%s: JSON and XLSX differ (-JSON +XLSX):\n%s", name, diff)
		}
	}
	slices.Reverse(files)
	if diff := cmp.Diff(values(want), values(read(t, files...))); diff != "" {
		t.Errorf("the order of files matters:\n%s", diff)
	}
}

func TestTheLayoutsOfJSONFiles(t *testing.T) {
	const state = `[{"CaseTypeID": "A", "ID": "S"}]`
	const list = `[{"ID": "l", "ListElementCode": 1.0, "ListElement": "One"}]`
	one := map[string][]string{sheets.State: {`CaseTypeID="A" ID="S" `}}
	codes := map[string][]string{sheets.FixedLists: {`ID="l" ListElement="One" ListElementCode="1" `}}
	for _, test := range []struct {
		name, below, content string
		want                 map[string][]string
		note                 string
	}{
		{"a file", "State.json", state, one, ""},
		{"a file in any letter case", "sheets/STATE.JSON", state, one, ""},
		{"with a byte order mark", "State.json", "\ufeff" + state, one, ""},
		{"a folder", "State/more/a.json", state, one, ""},
		{"a fragment that is named like another sheet", "State/CaseEvent.json", state, one, ""},
		{"a folder per case type", "A/State.json", state, one, ""},
		{"a folder that is named like a sheet by chance", "categories/FixedLists.json", list, codes, ""},
		{"a folder with the name of a tab", "Colours/all.json", list, codes, "columns are those of the sheet FixedLists"},
		{"rows of no sheet", "Colours/all.json", `[{"a": 1}]`, map[string][]string{}, "belong to no sheet"},
		{"no rows", "package.json", `{"name": "x"}`, map[string][]string{}, "is no sheet"},
		{"an empty list", "Nothing.json", `[]`, map[string][]string{}, ""},
		{"the old name of a column", "AuthorisationCaseType.json", `[{"CaseTypeID": "A", "UserRole": "r", "crud": "R"}]`,
			map[string][]string{sheets.TypeAccess: {`AccessProfile="r" CRUD="R" CaseTypeID="A" `}}, ""},
		{"a misspelling that occurs", "CaseEvent.json",
			`[{"CaseTypeID": "A", "ID": "e", "RetriesTimeoutURLAboutToStartEvent": 0}]`,
			map[string][]string{sheets.CaseEvent: {`CaseTypeID="A" ID="e" RetriesTimeoutAboutToStartEvent="0" `}}, ""},
		{"an unknown column", "State.json", `[{"CaseTypeID": "A", "ID": "S", "Colour": "red", "#": "note"}]`, one,
			`State: the column "Colour" is not known`},
		{"a row without an id", "State.json", `[{"CaseTypeID": "A", "ID": " "}, {"CaseTypeID": "A", "ID": "S"}]`, one,
			"State: a row has no ID"},
		{"a row that is given twice", "State.json",
			`[{"CaseTypeID": "A", "ID": "S"}, {"CaseTypeID": "A ", "ID": " S", "Name": "Again"}]`, one,
			"State: a row is given twice"},
		{"profiles of users", "UserProfile.json", `no JSON`, map[string][]string{}, "UserProfile: is never read"},
		{"a sheet that is left out", "Banner.json", `[{"BannerEnabled": "Y"}]`, map[string][]string{},
			"Banner: banners are not imported"},
	} {
		d := read(t, made(test.below, test.content))
		if diff := cmp.Diff(test.want, values(d)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
		switch notes := d.Notes.List(); {
		case test.note == "" && len(notes) > 0:
			t.Errorf("%s: notes %q", test.name, notes[0].What)
		case test.note != "" && (len(notes) == 0 || !strings.Contains(notes[0].What, test.note)):
			t.Errorf("%s: notes %v", test.name, notes)
		}
	}
}

func TestRolesAreWrittenInShort(t *testing.T) {
	d := read(t, made("AuthorisationCaseState.json", `[
		{"CaseTypeID": "A", "CaseStateID": "S", "UserRoles": ["x", "y"], "CRUD": "CR"},
		{"CaseTypeID": "A", "CaseStateID": "T", "AccessControl": [
			{"UserRoles": ["x"], "CRUD": "R"}, {"UserRoles": ["y", "z"], "CRUD": "U"}, {"UserRole": "v", "CRUD": "D"}]}]`))
	want := map[string][]string{sheets.StateAccess: {
		`AccessProfile="v" CRUD="D" CaseStateID="T" CaseTypeID="A" `,
		`AccessProfile="x" CRUD="CR" CaseStateID="S" CaseTypeID="A" `,
		`AccessProfile="x" CRUD="R" CaseStateID="T" CaseTypeID="A" `,
		`AccessProfile="y" CRUD="CR" CaseStateID="S" CaseTypeID="A" `,
		`AccessProfile="y" CRUD="U" CaseStateID="T" CaseTypeID="A" `,
		`AccessProfile="z" CRUD="U" CaseStateID="T" CaseTypeID="A" `,
	}}
	if diff := cmp.Diff(want, values(d)); diff != "" {
		t.Error(diff)
	}
}

func TestVariablesThatHaveValuesAreReplacedEverywhere(t *testing.T) {
	files := []sheets.File{made("State.json", `[{"CaseTypeID": "${T}", "ID": "S${N:1}", "Name": "${OTHER:x} ${T:y}"}]`)}
	d, err := sheets.Read(files, sheets.Options{Values: map[string]string{"T": "A", "N": "2"}})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{sheets.State: {`CaseTypeID="A" ID="S2" Name="${OTHER:x} A" `}}
	if diff := cmp.Diff(want, values(d)); diff != "" {
		t.Error(diff)
	}
}

// plainWorkbook makes a workbook of one sheet, with a style for dates.
func plainWorkbook(t *testing.T, sheet string) []byte {
	t.Helper()
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	for name, content := range map[string]string{
		"xl/workbook.xml": `<workbook xmlns:r="r"><workbookPr date1904="1"/><sheets><sheet name="S" r:id="a"/></sheets>` +
			`</workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="a" Type="x/worksheet" Target="s.xml"/>` +
			`<Relationship Id="b" Type="x/styles" Target="styles.xml"/></Relationships>`,
		"xl/styles.xml": `<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>`,
		"xl/s.xml":      sheet,
	} {
		w, err := archive.Create(name)
		if err == nil {
			_, err = w.Write([]byte(content))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestCellsOfAllKinds(t *testing.T) {
	content := plainWorkbook(t, `<w><row><c t="str"><v>CaseField</v></c></row><row/><row>
		<c t="str"><v>CaseTypeID</v></c><c t="str"><v>ID</v></c><c t="str"><v>Min</v></c><c t="str"><v>Max</v></c>
		<c t="str"><v>Searchable</v></c><c t="str"><v>Label</v></c></row>
		<row><c><v>7</v></c><c><v>1.50</v></c><c s="1"><v>43891.25</v></c><c><v>1E3</v></c><c t="b"><v>1</v></c>
		<c t="str"><v>a_x0041__x000D_&#10;b &amp; _xyz</v></c></row></w>`)
	d := read(t, sheets.File{Path: "a.xlsx", Below: "a.xlsx", Content: content})
	want := map[string][]string{sheets.CaseField: {`CaseTypeID="7" ID="1.5" Label="aA\nb & _xyz" Max="1000" ` +
		`Min="02/03/2024" Searchable="true" `}}
	if diff := cmp.Diff(want, values(d)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPeopleInAWorkbookAreNotRead(t *testing.T) {
	content := plainWorkbook(t, `<w><row><c t="str"><v>UserProfile</v></c></row><row r="4"><c t="e"><v>#REF!</v></c>`)
	d := read(t, sheets.File{Path: "a.xlsx", Below: "a.xlsx", Content: content})
	if notes := d.Notes.List(); len(notes) != 1 || !strings.Contains(notes[0].What, "never read") || len(d.Sheets()) > 0 {
		t.Errorf("%v, %v", notes, d.Sheets())
	}
}

func TestFaultsNameTheFileAndTheRow(t *testing.T) {
	workbook := func(sheet string) string { return string(plainWorkbook(t, sheet)) }
	const head = `<w><row r="1"><c r="A1" t="str"><v>State</v></c></row>` +
		`<row r="3"><c r="A3" t="str"><v>CaseTypeID</v></c><c r="B3" t="str"><v>ID</v></c></row>`
	for _, test := range []struct{ name, below, content, want string }{
		{"no JSON", "State.json", "[\n{,}]", "made/State.json, row 1: is not JSON: "},
		{"half of a file", "State.json", `[{"ID": "a"`, "made/State.json, row 1: is not JSON: it ends too early"},
		{"an object", "State.json", `{}`, "made/State.json: is not a list of rows"},
		{"a list of texts", "State.json", `["a"]`, "made/State.json, row 1: is not a list of rows"},
		{"two lists", "State.json", `[] []`, "goes on behind"},
		{"an object in a cell", "State.json", `[{"ID": "a"}, {"ID": {}}]`, "made/State.json, row 2, ID: is an object"},
		{"NUL", "State.json", `[{"ID": "a\u0000"}]`, "row 1, ID: holds the character U+0000"},
		{"roles that are no texts", "AuthorisationCaseType.json", `[{"UserRoles": [[1, [2]]], "CRUD": "R"}]`,
			"row 1, UserRoles: is not a list of texts"},
		{"entries that are none", "AuthorisationCaseType.json", `[{"AccessControl": "x"}]`, "AccessControl: is not a list"},
		{"no zip", "a.xlsx", "PK", "made/a.xlsx: is not a workbook"},
		{"an error in a cell", "a.xlsx",
			workbook(head + `<row r="7"><c r="B7" t="e"><v>#REF!</v></c></row></w>`),
			"made/a.xlsx, S, row 7: cell B7 has the error #REF!"},
		{"a text that is not there", "a.xlsx", workbook(head + `<row r="7"><c r="B7" t="s"><v>9</v></c></row></w>`),
			"row 7: cell B7 refers to the text"},
		{"rows in disorder", "a.xlsx", workbook(head + `<row r="2"></row></w>`), "S, row 3: has the row \"2\" behind row 3"},
		{"no cell", "a.xlsx", workbook(head + `<row r="4"><c r="4"/></row></w>`), "which is no cell"},
		{"half of a sheet", "a.xlsx", workbook(head), "S, row 3: xl/s.xml is not XML"},
		{"far to the right", "a.xlsx", workbook(head + `<row r="4"><c r="XFD4"/></row></w>`), "more than 1000 columns"},
	} {
		_, err := sheets.Read([]sheets.File{made(test.below, test.content)}, sheets.Options{})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
}

// A cell's place is that in the workbook.
func TestAPlaceNamesTheCell(t *testing.T) {
	content, err := os.ReadFile("testdata/garden.xlsx")
	if err != nil {
		t.Fatal(err)
	}
	d := read(t, sheets.File{Path: "garden.xlsx", Below: "garden.xlsx", Content: content})
	row := d.Rows(sheets.Jurisdiction)[0]
	for got, want := range map[string]string{
		row.Place().String():         `^garden\.xlsx, Tab \d+, row 4$`,
		row.At("ID").String():        `^garden\.xlsx, Tab \d+!B4, ID$`,
		row.At("Shuttered").String(): `^garden\.xlsx, Tab \d+, row 4, Shuttered$`,
	} {
		if !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestPatternsLeaveFilesOut(t *testing.T) {
	for _, test := range []struct {
		below, pattern string
		want           bool
	}{
		{"CaseEvent/a-nonprod.json", "*-nonprod.json", true},
		{"nonprod/CaseEvent/a.json", "nonprod", true},
		{"CaseEvent/a.json", "*-nonprod.json", false},
		{"CaseEvent/a.json", "Case*", true},
		{"CaseEvent/a.json", "*a*", true},
		{"CaseEvent/a.json", "a", false},
		{"CaseEvent/a.json", "Case*Case*", false},
		{"x/[a].json", "[*].json", true},
	} {
		if got := sheets.Excluded(test.below, []string{"other", test.pattern}); got != test.want {
			t.Errorf("%s, %s: %v", test.below, test.pattern, got)
		}
	}
}

// FuzzRead looks for files that the readers can't bear.
func FuzzRead(f *testing.F) {
	kept, err := os.ReadFile("testdata/garden.xlsx")
	if err != nil {
		f.Fatal(err)
	}
	f.Add("garden.xlsx", kept)
	f.Add("CaseEvent/a.json", []byte(`[{"ID": 1.50, "UserRoles": ["a"], "AccessControl": [{"UserRoles": "b"}]}]`))
	f.Fuzz(func(t *testing.T, below string, content []byte) {
		d, err := sheets.Read([]sheets.File{{Path: below, Below: below, Content: content}}, sheets.Options{})
		if (err == nil) == (d == nil) {
			t.Errorf("a definition %v, and an error %v", d != nil, err)
		}
	})
}
