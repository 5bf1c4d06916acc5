package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/server"
)

// Standard output may be a service's log. The first token is written there only if it is a terminal or a file that
// only its owner can read, and otherwise to such a file.
func TestTheFirstTokenIsWrittenPrivately(t *testing.T) {
	pipe := func(*testing.T) (io.Writer, func() string) {
		var b bytes.Buffer
		return &b, b.String
	}
	file := func(mode os.FileMode) func(*testing.T) (io.Writer, func() string) {
		return func(t *testing.T) (io.Writer, func() string) {
			f, err := os.Create(filepath.Join(t.TempDir(), "out"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { f.Close() })
			if err := f.Chmod(mode); err != nil {
				t.Fatal(err)
			}
			return f, func() string { return content(t, f.Name()) }
		}
	}
	const token, postgres = "chk_tok_1.secret", "postgres://127.0.0.1/casehook"
	for name, test := range map[string]struct {
		out            func(*testing.T) (io.Writer, func() string)
		database, file string
		printed, saved bool
	}{
		"a pipe":                      {pipe, "", tokenFileName, false, true},
		"a log that others can read":  {file(0o644), "", tokenFileName, false, true},
		"a log of a group":            {file(0o640), "", tokenFileName, false, true},
		"a file of one's own":         {file(0o600), "", "", true, false},
		"a file that is named":        {file(0o600), "", "elsewhere", false, true},
		"PostgreSQL and a named file": {pipe, postgres, "elsewhere", false, true},
		"PostgreSQL and a pipe":       {pipe, postgres, "", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			data := t.TempDir()
			out, printed := test.out(t)
			c := serveCmd{Data: data, Database: test.database}
			path := filepath.Join(data, test.file)
			if test.file != tokenFileName && test.file != "" {
				c.TokenFile = path
			}
			var config server.Config
			c.firstToken(stdio{strings.NewReader(""), out, io.Discard}, &config)
			if config.NoFirstToken != (!test.printed && !test.saved) {
				t.Fatalf("no token is made: %v", config.NoFirstToken)
			}
			if config.NoFirstToken {
				return
			}
			for range 2 { // an interrupted start is repeated
				if err := config.FirstToken("http://127.0.0.1:1", token); err != nil {
					t.Fatal(err)
				}
			}
			if strings.Contains(printed(), token) != test.printed || test.saved && !strings.Contains(printed(), path) {
				t.Errorf("it prints\n%s", printed())
			}
			if !test.saved {
				return
			}
			if content(t, path) != token+"\n" {
				t.Errorf("the file holds %q", content(t, path))
			}
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("the file has the mode %v, %v", info.Mode(), err)
			}
		})
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
