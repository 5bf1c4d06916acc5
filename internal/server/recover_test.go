package server

import (
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/pgtest"
	"github.com/casehook/casehook/internal/store"
)

// databases returns configurations of an empty database each.
var databases = map[string]func(t *testing.T) Config{
	"sqlite": func(t *testing.T) Config { return Config{Data: filepath.Join(t.TempDir(), "data")} },
	"postgres": func(t *testing.T) Config {
		return Config{Database: pgtest.URL(t), Key: base64.StdEncoding.EncodeToString(make([]byte, 32))}
	},
}

// The next start repeats one that was interrupted before or after the token was shown: every
// installation has a token that somebody has seen.
func TestAFirstStartCanBeRepeated(t *testing.T) {
	t.Parallel()
	for name, config := range databases {
		t.Run(name, func(t *testing.T) {
			c := config(t)
			c.Listen = "127.0.0.1:0"
			cut := errors.New("cut off")
			var shown []string
			c.FirstToken = func(_, bearer string) error {
				shown = append(shown, bearer)
				return cut
			}
			for range 2 {
				if _, err := Start(t.Context(), c); !errors.Is(err, cut) {
					t.Fatalf("Start = %v", err)
				}
			}
			c.FirstToken = func(_, bearer string) error {
				shown = append(shown, bearer)
				return nil
			}
			s, stop := start(t, c)
			if len(shown) != 3 || shown[0] == shown[1] || shown[2] != s.Token() {
				t.Fatalf("%d tokens were shown", len(shown))
			}
			for i, want := range []int{401, 401, 200} {
				if status, body := get(t, s, "/v1/cases", shown[i]); status != want {
					t.Errorf("token %d: %d %s, want %d", i, status, body, want)
				}
			}
			stop()
			start(t, c)
			if len(shown) != 3 {
				t.Error("a later start showed a token, too")
			}
		})
	}
}

// The holder of the database can make a token if the first one is lost or was never made.
func TestALostTokenIsRecovered(t *testing.T) {
	t.Parallel()
	for name, config := range databases {
		t.Run(name, func(t *testing.T) {
			c := config(t)
			c.NoFirstToken = true
			s, stop := start(t, c)
			if s.Token() != "" {
				t.Error("a token was made")
			}
			if c.Database == "" {
				_, err := RecoverToken(t.Context(), c, "default", "recovered")
				wantCode(t, err, "config.data_in_use")
			}
			stop()
			_, err := RecoverToken(t.Context(), c, "nobody", "recovered")
			wantCode(t, err, "tenant.not_found")
			token, err := RecoverToken(t.Context(), c, "default", "recovered")
			if err != nil {
				t.Fatal(err)
			}
			again, _ := start(t, c)
			if status, body := get(t, again, "/v1/audit", token); status != 200 {
				t.Errorf("%d %s", status, body)
			}
		})
	}
	_, err := RecoverToken(t.Context(), Config{Data: t.TempDir()}, "default", "recovered")
	wantCode(t, err, "config.no_database")
}

// In a folder that exists and is open to all, new files are private to their owner. The server
// refuses files that others can read.
func TestTheDatabasesFilesAreForTheirOwner(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s, stop := start(t, Config{Data: dir})
	call(t, s, "PUT /v1/case-types/note", s.Token(),
		`{"key": "note", "fields": {"type": "object", "properties": {}}, "states": [{"key": "open"}],
			"transitions": [{"key": "write", "to": "open"}]}`)
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if info, err := file.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has the mode %v, %v", file.Name(), info.Mode(), err)
		}
	}
	stop()
	for _, mode := range []os.FileMode{0o644, 0o640, 0o606, 0o660} {
		if err := os.Chmod(filepath.Join(dir, fileName), mode); err != nil {
			t.Fatal(err)
		}
		_, err := Start(t.Context(), Config{Data: dir, Listen: "127.0.0.1:0"})
		wantCode(t, err, "config.data_open")
	}
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if err == nil || fault.As(err).Code != code {
		t.Errorf("%v, want %s", err, code)
	}
}

// /readyz reports a full disk, with advice.
func TestAServerWithAFullDiskIsNotReady(t *testing.T) {
	t.Parallel()
	full := false
	st, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "db"), Key: make([]byte, 32),
		Fail: func(what string, _ bool) error {
			if full && strings.HasPrefix(what, "commit") {
				return fault.New(fault.Unavailable, "store.full", "The disk is full: free some space.")
			}
			return nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	full = true
	if err := st.Update(t.Context(), func(*store.Tx) error { return nil }); err == nil {
		t.Fatal("it does not fail")
	}
	err = (&Server{store: st}).ready(t.Context())
	wantCode(t, err, "server.not_ready")
	if detail := fault.As(err).Detail; !strings.Contains(detail, "free some space") {
		t.Errorf("it says %q", detail)
	}
}
