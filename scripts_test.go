package casehook_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The README's second command is a program of this checkout, so that a machine
// needs nothing but Go and a shell to run it; CI runs the same one.
func TestTheTestCommandNeedsGoAndAShellOnly(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)## Two commands\n.*?```sh\n(.*?)```").FindSubmatch(readme)
	if block == nil {
		t.Fatal("README.md: there are no two commands")
	}
	lines := strings.Split(strings.TrimSpace(string(block[1])), "\n")
	if len(lines) != 2 {
		t.Fatalf("README.md: %d commands, want 2", len(lines))
	}
	command := strings.Fields(lines[1])[0]
	if !strings.HasPrefix(command, "./") {
		t.Fatalf("README.md: %s is not a program of this checkout", command)
	}
	script, err := os.ReadFile(command)
	if err != nil {
		t.Fatal(err)
	}
	if first, _, _ := strings.Cut(string(script), "\n"); first != "#!/bin/sh" {
		t.Errorf("%s begins with %s; a bare machine has /bin/sh", command, first)
	}
	ci, err := os.ReadFile(".ci/run")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(ci), strings.TrimPrefix(command, ".")) {
		t.Errorf(".ci/run does not run %s", command)
	}
}

// Where nothing can be installed, the tests name each thing that is missing, and fail.
func TestMissingToolsAreNamed(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir() // neither apt-get nor anything that the tests need
	for _, name := range []string{"cat", "id"} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(shell, ".ci/need")
	cmd.Env = []string{"PATH=" + bin}
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatalf("it succeeds:\n%s", out)
	}
	for _, want := range []string{
		"gcc", "curl", "openssl", "nodejs", "npm", "poppler-utils", "apt-get install", "CASEHOOK_TEST_POSTGRES",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("it does not name %s:\n%s", want, out)
		}
	}
}
