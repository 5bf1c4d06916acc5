package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	gardenSheets   = "../../internal/sheets/testdata/garden"
	gardenWorkbook = "../../internal/sheets/testdata/garden.xlsx"
)

func TestADefinitionOfCCDIsImported(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "types")
	status, out, problems := runCommand(t, "import", gardenSheets, "-e", "*-nonprod.json", "--out", folder)
	if status != exitOK {
		t.Fatalf("status %d: %s%s", status, out, problems)
	}
	for _, line := range []string{
		"25       4       5      5      4      1    1       2          1  " + filepath.Join(folder, "GardenPlot.yaml"),
		"2 case types, of 4 complex types (9 members) and 3 lists (6 codes).",
		"CASEHOOK_VAR_GARDEN_URL  of ${CCD_DEF_GARDEN_URL}  default http://localhost:4000",
		"CaseTypeTab: tabs are not imported (2: " + gardenSheets + "/CaseTypeTab.json, row 1)",
		"UserProfile: is never read",
	} {
		if !strings.Contains(out, line) {
			t.Errorf("%q is not printed:\n%s", line, out)
		}
	}
	if strings.Contains(out, "example.org") {
		t.Errorf("an address of a person is printed:\n%s", out)
	}
	again := t.TempDir()
	if status, out, problems := runCommand(t, "import", gardenWorkbook, "--out", again); status != exitOK {
		t.Fatalf("status %d: %s%s", status, out, problems)
	}
	for _, name := range []string{"GardenPlot.yaml", "ToolLoan.yaml"} {
		first, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		second, err := os.ReadFile(filepath.Join(again, name))
		if err != nil {
			t.Fatal(err)
		}
		if string(first) != string(second) {
			t.Errorf("%s differs, from JSON and from a workbook", name)
		}
	}
}

func TestAnImportThatIsCheckedOrFailsWritesNothing(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "CaseType.json")
	if err := os.WriteFile(bad, []byte(`[{"ID": "${X}", "Name": "${Y}"}]`), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		exit int
		want string
	}{
		{[]string{gardenSheets, "--check"}, exitOK, "Left out, changed or doubtful"},
		{[]string{gardenSheets, bad}, exitFailed, "row 1, ID: has the variable ${X}"},
		{[]string{gardenSheets, bad, "-D", "X=Third", "-D", "Y=A=B;C", "--check"}, exitFailed, "/states: is an empty list"},
		{[]string{t.TempDir()}, exitFailed, "no files were found"},
		{[]string{filepath.Join(t.TempDir(), "none.xlsx")}, exitFailed, "no such file"},
		{[]string{gardenSheets, "-e", "CaseType.json"}, exitFailed, "no sheet CaseType"},
		{[]string{gardenSheets, "--retries", "other"}, exitUsage, `"other" is not known; write hmcts or quickcase`},
	} {
		folder := t.TempDir()
		status, out, problems := runCommand(t, append([]string{"import", "--out", folder}, test.args...)...)
		if all := out + problems; status != test.exit || !strings.Contains(all, test.want) {
			t.Errorf("%v: status %d: %s", test.args, status, all)
		}
		if written, err := os.ReadDir(folder); err != nil || len(written) > 0 {
			t.Errorf("%v: files were written, or %v", test.args, err)
		}
	}
}
