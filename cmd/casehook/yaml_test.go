package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/apply"
)

// Definitions, files for apply and files of options are all read by internal/yaml.
func TestEachFileOfYAMLIsReadAlike(t *testing.T) {
	for name, test := range map[string]struct {
		source string
		line   int
		want   string
	}{
		"a key twice":           {"key: a\nname: b\nkey: c\n", 3, "/key: is given twice; the first is on line 1"},
		"a nested key twice":    {"key: a\nb:\n  c: 1\n  d: 2\n  c: 3\n", 5, "/b/c: is given twice; the first is on line 3"},
		"a key twice, in JSON":  {"{\"key\": 1,\n\"b\": 2,\n\"key\": 3}", 3, "/key: is given twice; the first is on line 1"},
		"a number and its text": {"b:\n  1: x\n  '1': y\n", 3, "/b/1: is given twice; the first is on line 2"},
		"a tab":                 {"key: a\nb:\n\tc: 1\n", 3, "is not YAML: found character that cannot start any token"},
		"an open list":          {"key: a\nb: [1,\n  2\nc: 3\n", 4, "while parsing a flow sequence that begins on line 2"},
		"lines of CRLF":         {"key: a\r\nb: @\r\n", 2, "is not YAML: "},
		"a separator":           {"key: \"a\u2028\u0085b\"\nb: @\n", 2, "is not YAML: "},
		"YAML 1.1":              {"# c\n%YAML 1.1\n---\nkey: a\n", 2, "is YAML 1.1; only YAML 1.2 is read here"},
		"a second document":     {"key: a\n---\nkey: b\n", 2, "begins a second document"},
		"a merge key":           {"key: a\nb: &b {c: 1}\nd:\n  <<: *b\n", 4, "/d/<<: is a merge key, which YAML 1.2 does not have"},
		"binary":                {"key: a\nb: !!binary aGk=\n", 2, "/b: has the tag !!binary, which means nothing here"},
		"a tag of one's own":    {"key: a\nb: !env X\n", 2, "/b: has the tag !env, which means nothing here"},
		"a list for a key":      {"key: a\n? [b]\n: c\n", 2, "has a key that is not text"},
		"no key":                {"key: a\n: c\n", 2, "has no key before the colon"},
		"no UTF-8":              {"key: a\nb: \xff\n", 2, "is not valid UTF-8"},
		"UTF-16":                {"\xff\xfek\x00:\x00", 1, "is not valid UTF-8"},
		"NUL":                   {"key: a\nb: x\x00\n", 2, "holds the character U+0000"},
		"an escaped NUL":        {"key: a\nb: \"\\0\"\n", 2, "/b: holds the character U+0000"},
		"half a pair":           {"key: a\nb: \"\\ud83d\"\n", 2, "found invalid Unicode character escape code"},
		"deep nesting":          {"key: a\nb:\n  " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000), 3, "is nested deeper than 64 levels"},
		"an alias of nothing":   {"key: a\nb: *c\n", 2, "unknown anchor 'c' referenced"},
		"an alias of itself":    {"key: a\nb: &b\n  - *b\n", 3, "/b/0: is an alias of a value that contains it"},
		"a billion laughs":      {"key: a\nb:\n" + laughs(), 0, "values, aliases expanded"},
		"a number without end":  {"key: a\nb: .inf\n", 2, "/b: is not a number that JSON can hold"},
		"a list":                {"- a\n", 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			path := file(t, test.source)
			byName := filepath.Join(filepath.Dir(path), "apply.yaml")
			if err := os.WriteFile(byName, []byte("case_types: [casehook.yaml]\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, args := range [][]string{
				{"casetype", "check", path}, {"apply", "-f", path, "--dry-run"}, {"apply", "-f", byName, "--dry-run"}, {"serve", "--config", path},
			} {
				status, stdout, stderr := runCommand(t, args...)
				at := path + ":"
				if test.line > 0 {
					at = fmt.Sprintf("%s:%d: ", path, test.line)
				}
				told := false
				for line := range strings.SplitSeq(stdout+stderr, "\n") {
					told = told || strings.Contains(line, at) && strings.Contains(line, test.want)
				}
				if status == exitOK || !told {
					t.Errorf("%s: status %d; the output lacks %s%s:\n%.2000s%.2000s", args, status, at, test.want,
						stdout, stderr)
				}
			}
		})
	}
}

func laughs() string {
	var b strings.Builder
	b.WriteString("  a0: &a0 [x]\n")
	for i := range 20 {
		fmt.Fprintf(&b, "  a%d: &a%d [%s]\n", i+1, i+1,
			strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 9), ", "))
	}
	return b.String()
}

func TestEachFileMayBeWrittenInEveryWayOfYAML12(t *testing.T) {
	const options, definition = "listen: '127.0.0.1:7'\n", "key: note\nname: 'a:b'\nfields: {type: object, " +
		"properties: {}}\n" +
		"states: [{key: open}]\ntransitions: [{key: write, to: open}]\n"
	indented := "case_types:\n  - " + strings.ReplaceAll(strings.TrimSpace(definition), "\n", "\n    ") + "\n"
	for name, written := range map[string]func(string) string{
		"as it is":       func(s string) string { return s },
		"with a mark":    func(s string) string { return "\ufeff" + s },
		"with CRLF":      func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
		"with CR":        func(s string) string { return strings.ReplaceAll(s, "\n", "\r") },
		"with a version": func(s string) string { return "%YAML 1.2\n---\n" + s + "...\n" },
		"with tabs":      func(s string) string { return strings.ReplaceAll(s, ": ", ":\t") },
		"with comments":  func(s string) string { return strings.ReplaceAll(s, "\n", " # c\u2028\n") },
		"with escapes": func(s string) string {
			return strings.NewReplacer("'a:b'", `"\u0061:b"`, "'127", `"\u0031\x327`, "1:7'", `1:7"`).Replace(s)
		},
		"with tags of the core": func(s string) string {
			return strings.NewReplacer("'a:b'", "!!str 'a:b'", "'127", "!!str '127").Replace(s)
		},
	} {
		t.Run(name, func(t *testing.T) {
			if c, err := parsed(t, "--config", file(t, written(options))); err != nil || c.Listen != "127.0.0.1:7" {
				t.Errorf("options: %q, %v", c.Listen, err)
			}
			status, stdout, stderr := runCommand(t, "casetype", "check", file(t, written(definition)))
			if status != exitOK {
				t.Errorf("a definition: %s%s", stdout, stderr)
			}
			plan, err := apply.Read("c.yaml", []byte(written(indented)), nil, nil)
			if err != nil || len(plan.Types) != 1 || plan.Types[0].CaseType.Name != "a:b" {
				t.Errorf("apply: %v", err)
			}
		})
	}
}

// Texts may be written without quotation marks, and are read as they are written.
func TestAnOptionIsReadAsItIsWritten(t *testing.T) {
	c, err := parsed(t, "--config",
		file(t,
			"oidc-client-id: 0123\natfinity-version: 1.10\nmax-connections: 12\nkeep-journal: 0\nlisten:\ndata: ~\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(c.OIDCClientID, " ", c.Atfinity, " ", c.MaxConns, " ",
		c.Listen); got != "0123 1.10 12 127.0.0.1:8080" {
		t.Errorf("they are %s", got)
	}
}
