package main

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/alecthomas/kong"
)

func TestErrorsOfTheCommandLineAreInPlainWords(t *testing.T) {
	for command, want := range map[string]string{
		"token create --role king":                `--role: "king" is not known; write admin, manager, caseworker or viewer`,
		"listen --source x":                       `--source: "x" is not known; write ui or api`,
		"endpoints rotate crm --overlap 1":        `--overlap: "1" is not a length of time; write 90s, 10m or 24h`,
		"endpoints rotate crm --overlap":          "--overlap: needs a value",
		"casetype migrate kyc --states in_review": `--states: "in_review" is not a pair; write NAME=VALUE`,
		"casetype migrate kyc --states":           "--states: needs a value",
		"casetype get kyc --version one":          `--version: "one" is not a whole number`,
		"casetype check":                          "missing: <file> ...",
		"casetype rotate":                         "missing: <key> <callback>",
		"casetype rotate kyc":                     "missing: <callback>",
		"casetype":                                "name a command: init, check, list, ",
		"apply -f x y":                            "name one file: casehook apply -f casehook.yaml",
	} {
		status, _, stderr := runCommand(t, strings.Fields(command)...)
		if first, _, _ := strings.Cut(stderr, "\n"); status != exitUsage || !strings.Contains(first, want) {
			t.Errorf("%s: status %d: %s\nwant %s", command, status, first, want)
		}
	}
}

func TestAVariableThatIsWrongIsNamed(t *testing.T) {
	t.Setenv("CASEHOOK_SERVER", "localhost:8080")
	_, _, stderr := runCommand(t, "endpoints")
	if want := `casehook: CASEHOOK_SERVER: "localhost:8080" is not a URL`; !strings.HasPrefix(stderr, want) ||
		strings.Contains(stderr, "envar") {
		t.Errorf("%s\nwant %s", stderr, want)
	}
}

func TestHelpFitsAHundredColumns(t *testing.T) {
	parser, err := kong.New(&commands{})
	if err != nil {
		t.Fatal(err)
	}
	var look func(node *kong.Node, path []string)
	look = func(node *kong.Node, path []string) {
		_, help, _ := runCommand(t, append(path[:len(path):len(path)], "--help")...)
		for line := range strings.Lines(help) {
			if line = strings.TrimSuffix(line, "\n"); utf8.RuneCountInString(line) > 100 {
				t.Errorf("casehook %s --help: %d columns: %s", strings.Join(path, " "),
					utf8.RuneCountInString(line), line)
			}
		}
		for _, child := range node.Children {
			look(child, append(path[:len(path):len(path)], child.Name))
		}
	}
	look(parser.Model.Node, nil)
}
