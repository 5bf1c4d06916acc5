package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// groff formats each page without a warning, and shows what was written.
func TestManualPagesAreValid(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man1")
	if status, _, err := runCommand(t, "man", dir); status != exitOK {
		t.Fatalf("status %d: %s", status, err)
	}
	pages, err := filepath.Glob(filepath.Join(dir, "*.1"))
	if err != nil || len(pages) < 15 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	options := []string{"-man", "-Tutf8", "-P-cbou", "-ww", "-rLL=200n"}
	format := exec.CommandContext(t.Context(), "groff", append(options, pages...)...)
	var warnings strings.Builder
	format.Stderr = &warnings
	out, err := format.Output()
	if err != nil || warnings.Len() > 0 {
		t.Fatalf("%v: %s", err, warnings.String())
	}
	text := strings.Join(strings.Fields(string(out)), " ")
	for _, want := range []string{
		"--allow-address=CIDR[:PORT]", "Variable: CASEHOOK_ALLOW_ADDRESS.", "casehook endpoints list",
		`echo "whsec_$(openssl rand`, "casehook casetype check examples/*.yaml", "an administrator's token", "casehook-apply(1)",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no page shows %q", want)
		}
	}
	for _, hidden := range []string{"bench-worker", "casehook complete "} {
		if strings.Contains(text, hidden) {
			t.Errorf("a page shows %q", hidden)
		}
	}
}

// Every command that is shown has its options on a page.
func TestManualPagesHaveAllOptions(t *testing.T) {
	dir := t.TempDir()
	if status, _, err := runCommand(t, "man", dir); status != exitOK {
		t.Fatalf("status %d: %s", status, err)
	}
	page, err := os.ReadFile(filepath.Join(dir, "casehook-serve.1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, flag := range completedBy(t, "serve", "--") {
		if !strings.Contains(string(page), `\fB`+roff(flag)+`\fR`) {
			t.Errorf("the page of serve lacks %s", flag)
		}
	}
}

func TestTextCannotBeTakenForRoff(t *testing.T) {
	for text, want := range map[string]string{
		".casehook": `\&.casehook`, "'it'": `\(aqit\(aq`, `a\b`: `a\eb`, "--data": `\-\-data`, " .x": `\& .x`, "a.b": "a.b",
		"~/x`y`^": `\(ti/x\(gay\(ga\(ha`,
	} {
		if got := roffLine(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
