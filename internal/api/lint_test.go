package api_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// finding is a linter's finding in a document.
type finding struct {
	File, By, Severity, Rule, Message, At string
}

// accepted reports whether a finding is accepted, with the reason.
func (f finding) accepted() bool {
	// they answer with redirects
	return f.Rule == "operation-2xx-response" && strings.HasPrefix(f.At, "#/paths/~1v1~1oidc~1")
}

// Redocly's recommended rules and Spectral's for OpenAPI find nothing in the documents.
func TestLintersFindNothingInTheOpenAPIDocuments(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("this test runs %s: install it, or run .ci/need", program)
		}
	}
	w := start(t)
	dir := t.TempDir()
	installed := make(chan string, 1)
	go func() { installed <- installLinters(dir) }()
	var files []string
	documents := map[string]string{"openapi.json": "/openapi.json"}
	for _, key := range w.putExamples() {
		documents[key+".json"] = "/v1/case-types/" + key + "/openapi"
	}
	for name, path := range documents {
		file := filepath.Join(dir, name)
		must(t, os.WriteFile(file, w.get(path).is(200, "").body, 0o644))
		files = append(files, file)
	}
	slices.Sort(files)
	if failed := <-installed; failed != "" {
		t.Fatal(failed)
	}
	cmd := exec.CommandContext(t.Context(), "node", append([]string{"lint.mjs"}, files...)...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("lint.mjs: %v\n%s", err, out)
	}
	var found []finding
	must(t, json.Unmarshal(out, &found))
	for _, f := range found {
		if !f.accepted() {
			t.Errorf("%s: %s, %s (%s): %s at %s", filepath.Base(f.File), f.By, f.Rule, f.Severity, f.Message, f.At)
		}
	}
	if len(found) == 0 {
		t.Error("no accepted finding either: the linters did not run")
	}
}

// installLinters installs the linters from the registry that npm is configured with,
// and returns why it could not.
func installLinters(dir string) string {
	if err := os.CopyFS(dir, os.DirFS("testdata/lint")); err != nil {
		return err.Error()
	}
	cmd := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--no-update-notifier",
		"--prefer-offline")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "npm ci: " + err.Error() + "\n" + string(out)
	}
	return ""
}
