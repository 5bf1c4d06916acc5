package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// completedBy returns the words that casehook offers, without their descriptions.
func completedBy(t *testing.T, words ...string) (offered []string) {
	t.Helper()
	status, out, errs := runCommand(t, append([]string{"complete", "--"}, words...)...)
	if status != exitOK || errs != "" {
		t.Fatalf("%q: status %d: %s", words, status, errs)
	}
	for line := range strings.Lines(out) {
		word, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		offered = append(offered, word)
	}
	return offered
}

func TestCompletionOffersWhatMayFollow(t *testing.T) {
	for _, c := range []struct {
		words []string
		want  []string
	}{
		{[]string{"se"}, []string{"serve"}},
		{[]string{"casetype", "re"}, []string{"retire", "restore"}},
		{[]string{"serve", "--log-f"}, []string{"--log-format"}},
		{[]string{"serve", "--log-format", ""}, []string{"auto", "text", "json"}},
		{[]string{"serve", "--log-format=t"}, []string{"--log-format=text"}},
		{[]string{"serve", "--log-format", "=", "j"}, []string{"json"}},                 // as bash splits it
		{[]string{"serve", "--log-format", "="}, []string{"auto", "text", "json"}},      // the same, with nothing behind
		{[]string{"serve", "--hold", "--log-format", "j"}, []string{"json"}},            // a flag without a value
		{[]string{"serve", "--log-format", "json", "--log-l"}, []string{"--log-level"}}, // behind a value
		{[]string{"serve", "--data", "x"}, []string{files}},                             // a folder
		{[]string{"serve", "--data=x"}, []string{files}},                                // the same
		{[]string{"casetype", "check", "--", "-"}, []string{files}},                     // an argument
		{[]string{"casetype", "check", "one.yaml", ""}, []string{files}},                // one of many
		{[]string{"casetype", "init", "permit", "-o", ""}, []string{files}},             // a short flag
		{[]string{"serve", "--unheard-of", "--log-format", "j"}, []string{"json"}},      // an unknown flag
		{[]string{"bench-w"}, nil},                                                      // a hidden command
		{[]string{"unheard-of", "x"}, nil},                                              // an unknown one
		{[]string{"completion", "zsh", ""}, nil},                                        // one argument too many
		{[]string{"serve", "--unheard-of=x"}, nil},                                      // a value of nothing
	} {
		if diff := cmp.Diff(c.want, completedBy(t, c.words...)); diff != "" {
			t.Errorf("%q: %s", c.words, diff)
		}
	}
	if all := completedBy(t); !slices.Contains(all, "serve") || slices.Contains(all, "complete") {
		t.Errorf("%v", all)
	}
}

// The script is run by a bash of its own, which completes words as at a terminal.
func TestBashCompletesCommandsOptionsAndFiles(t *testing.T) {
	dir := program(t)
	if err := os.WriteFile(filepath.Join(dir, "my permit.yaml"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		`casehook se`:                            "serve",
		`casehook serve --log-format=j`:          "json",
		`casehook serve --log-format `:           "auto text json",
		`casehook endpoints --h`:                 "--help",
		`casehook casetype check ` + dir + `/my`: dir + "/my permit.yaml",
		`casehook unheard-of x`:                  "",
	} {
		// A command line is split at =, as COMP_WORDBREAKS says.
		const script = `source <(casehook completion bash)
IFS=$'\n' read -r -d '' -a COMP_WORDS < <(printf '%s' "$1" | sed 's/=/ = /; s/  *$/ \x01/' | tr ' ' '\n'; printf '\0')
[ "${COMP_WORDS[-1]}" = $'\x01' ] && COMP_WORDS[-1]=
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_casehook && IFS=' ' && printf '%s' "${COMPREPLY[*]}"`
		run := exec.CommandContext(t.Context(), "bash", "--norc", "-c", script, "bash", line)
		run.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
		out, err := run.CombinedOutput()
		if err != nil || string(out) != want {
			t.Errorf("%s: %q, %v, want %q", line, out, err, want)
		}
	}
}

// TestMain is casehook itself in the processes that program starts.
func TestMain(m *testing.M) {
	if os.Getenv("CASEHOOK_TEST_AS_PROGRAM") != "" {
		main()
	}
	os.Exit(m.Run())
}

// program returns a folder that has the program.
func program(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	script := "#!/bin/sh\nCASEHOOK_TEST_AS_PROGRAM=1 exec '" + os.Args[0] + "' \"$@\"\n"
	if err := os.WriteFile(filepath.Join(dir, "casehook"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestCompletionIsForKnownShells(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		status, out, _ := runCommand(t, "completion", shell)
		if status != exitOK || !strings.Contains(out, "casehook complete --") {
			t.Errorf("%s: status %d: %s", shell, status, out)
		}
	}
	status, _, err := runCommand(t, "completion", "tcsh")
	if status != exitUsage || !strings.Contains(err, "bash, zsh or fish") {
		t.Errorf("status %d: %s", status, err)
	}
}
