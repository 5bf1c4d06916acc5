package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

var (
	docBlock   = regexp.MustCompile("(?ms)^```sh[^\n]*\n(.*?)^```$")
	docCommand = regexp.MustCompile(`(?m)^(?:casehook|go run \./cmd/casehook) (.+)$`)
	docSpan    = regexp.MustCompile("`casehook ([^`]+)`")
	shellWord  = regexp.MustCompile(`'[^']*'|"[^"]*"|\S+`)
)

// placeholders are words of the docs that a reader replaces.
var placeholders = strings.NewReplacer("KEY", "permit", "CALLBACK", "submit", "$CASE", "4539148803436467")

// The program accepts every command in the README, in docs/ and in the guides.
func TestTheCommandsOfTheDocsAreAccepted(t *testing.T) {
	pages := []string{"../../README.md", "../../SECURITY.md"}
	for _, pattern := range []string{"../../docs/*.md", "../../internal/api/docs/guides/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s matches nothing: %v", pattern, err)
		}
		pages = append(pages, found...)
	}
	t.Setenv("CASEHOOK_TOKEN", "chk_token")
	accepted := 0
	for _, page := range pages {
		source, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, command := range commandsIn(string(source)) {
			accepted++
			if err := accept(command); err != nil {
				t.Errorf("%s: casehook %s: %v", page, strings.Join(command, " "), err)
			}
		}
	}
	if accepted < 40 {
		t.Errorf("only %d commands were found", accepted)
	}
	for _, wrong := range []string{"casehook serve --dat x", "casehook endpoint list", "casehook tenant set"} {
		for _, command := range commandsIn("```sh\n" + wrong + "\n```\n") {
			if accept(command) == nil {
				t.Errorf("%s is accepted", wrong)
			}
		}
	}
}

// commandsIn returns the arguments of the program's commands in a page.
func commandsIn(page string) (commands [][]string) {
	var lines []string
	for _, block := range docBlock.FindAllStringSubmatch(page, -1) {
		for _, found := range docCommand.FindAllStringSubmatch(block[1], -1) {
			lines = append(lines, found[1])
		}
	}
	for _, found := range docSpan.FindAllStringSubmatch(page, -1) {
		lines = append(lines, strings.Join(strings.Fields(found[1]), " ")+" --help") // prose may omit arguments
	}
	for _, line := range lines {
		words := shellWord.FindAllString(line, -1)
		if comment := slices.Index(words, "#"); comment >= 0 {
			words = words[:comment]
		}
		for i := range words {
			words[i] = placeholders.Replace(strings.Trim(words[i], `'"`))
		}
		commands = append(commands, words)
	}
	return commands
}

// accept parses a command line without running it. --help is accepted too.
func accept(args []string) (err error) {
	type helped struct{}
	defer func() {
		if cause := recover(); cause != nil && cause != any(helped{}) {
			panic(cause)
		}
	}()
	parser, err := kong.New(&commands{}, kong.Name("casehook"), kong.Writers(io.Discard, io.Discard),
		kong.Exit(func(int) { panic(helped{}) }),
		kong.BindTo(context.Background(), (*context.Context)(nil)), kong.Bind(stdio{}))
	if err != nil {
		return err
	}
	_, err = parser.Parse(args)
	return err
}

var (
	demoBlock = regexp.MustCompile("(?s)\n```text\n( \\d .*?)```")
	drawn     = regexp.MustCompile(`\b\d{16}\b|msg_\S+`) // ids
)

// checkReadmeShows reports the lines of the README's excerpt that the demo does not print, in their order.
func checkReadmeShows(t *testing.T, printed string) {
	t.Helper()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	excerpt := demoBlock.FindSubmatch(readme)
	if excerpt == nil {
		t.Fatal("the README has no output of the demo")
	}
	printed = drawn.ReplaceAllString(printed, "ID")
	for line := range strings.Lines(drawn.ReplaceAllString(string(excerpt[1]), "ID")) {
		_, rest, found := strings.Cut(printed, strings.TrimRight(line, "\n"))
		if !found {
			t.Errorf("the README shows %q, which the demo does not print there", line)
			continue
		}
		printed = rest
	}
}
