package server

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/pgtest"
	"github.com/casehook/casehook/internal/testclient"
	"github.com/casehook/casehook/internal/waits"
)

// start starts a server that ends with the test.
func start(t *testing.T, c Config) (*Server, func()) {
	t.Helper()
	c.Listen = "127.0.0.1:0"
	ctx, cancel := context.WithCancel(t.Context())
	s, err := Start(ctx, c)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	stop := func() {
		cancel()
		if err := s.Wait(); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	return s, stop
}

func get(t *testing.T, s *Server, path, token string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", s.URL()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	response, err := testclient.Client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func TestTheFirstStartMakesATokenThatStaysGood(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]func(t *testing.T) Config{
		"sqlite": func(t *testing.T) Config { return Config{Data: filepath.Join(t.TempDir(), "data")} },
		"postgres": func(t *testing.T) Config {
			return Config{Database: pgtest.URL(t), Key: base64.StdEncoding.EncodeToString(make([]byte, 32))}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := config(t)
			first, stop := start(t, c)
			token := first.Token()
			if status, body := get(t, first, "/v1/cases", token); status != 200 {
				t.Errorf("with the first token: %d %s", status, body)
			}
			stop()
			second, _ := start(t, c)
			if second.Token() != "" {
				t.Error("the second start made a token too")
			}
			if status, body := get(t, second, "/v1/cases", token); status != 200 {
				t.Errorf("after a restart: %d %s", status, body)
			}
		})
	}
}

func TestTheDataDirectoryIsForItsOwnerAndForOneProcess(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	_, stop := start(t, Config{Data: dir})
	for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, keyName): 0o600,
		filepath.Join(dir, lockName): 0o600} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", path, info.Mode().Perm(), want)
		}
	}
	_, err := Start(t.Context(), Config{Data: dir, Listen: "127.0.0.1:0"})
	if !errors.Is(err, fault.Conflict) || fault.As(err).Code != "config.data_in_use" {
		t.Errorf("a second server in the same directory: %v", err)
	}
	stop()
	start(t, Config{Data: dir})
}

func TestAFailedStartSaysWhatToDo(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file("lost/casehook.db", "")
	for name, test := range map[string]struct {
		config Config
		code   string
		says   []string
	}{
		"the address is taken":                  {Config{Listen: taken.Addr().String()}, "config.listen", []string{taken.Addr().String(), "in use", "--listen"}},
		"the address is none":                   {Config{Listen: "127.0.0.1:99999999"}, "config.listen", []string{"--listen"}},
		"the public URL is none":                {Config{PublicURL: "cases.example.com"}, "config.public_url", []string{"https://"}},
		"the version that receivers expect":     {Config{AtfinityVersion: "2 4"}, "config.atfinity_version", []string{"visible ASCII"}},
		"the database is no URL":                {Config{Database: "host=db"}, "config.database", []string{"postgres://"}},
		"PostgreSQL without a key":              {Config{Database: "postgres://nowhere/db"}, "config.key_missing", []string{"--key-file", "CASEHOOK_KEY", "openssl rand -base64 32"}},
		"the key file is missing":               {Config{Database: "postgres://nowhere/db", KeyFile: filepath.Join(dir, "none")}, "config.key_missing", []string{"none", "openssl"}},
		"the key is too short":                  {Config{Data: filepath.Join(dir, "a"), Key: "c2hvcnQ="}, "config.key_invalid", []string{"32 bytes in base64"}},
		"the key is no base64":                  {Config{Data: filepath.Join(dir, "a"), KeyFile: file("odd", "%%%")}, "config.key_invalid", []string{"odd"}},
		"the data directory is a file":          {Config{Data: file("plain", "")}, "config.data", []string{"--data"}},
		"the key of the database is lost":       {Config{Data: filepath.Join(dir, "lost")}, "config.key_lost", []string{"backup"}},
		"PostgreSQL cannot be reached":          {Config{Database: "postgres://127.0.0.1:1/db", Key: base64.StdEncoding.EncodeToString(make([]byte, 32))}, "store.unreachable", nil},
		"an upload of less than nothing at all": {Config{MaxUpload: -1}, "config.max_upload", nil},
	} {
		t.Run(name, func(t *testing.T) {
			if test.config.Listen == "" {
				test.config.Listen = "127.0.0.1:0"
			}
			s, err := Start(t.Context(), test.config)
			if err == nil {
				t.Fatalf("it started at %s", s.URL())
			}
			var known *fault.Error
			if !errors.As(err, &known) || known.Code != test.code {
				t.Fatalf("error %v, want %s", err, test.code)
			}
			for _, want := range test.says {
				if !strings.Contains(known.Detail, want) {
					t.Errorf("%q does not say %q", known.Detail, want)
				}
			}
			if strings.Contains(known.Detail, "c2hvcnQ=") || strings.Contains(known.Detail, "%%%") {
				t.Errorf("%q shows the key", known.Detail)
			}
		})
	}
}

func TestAnotherKeyIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, stop := start(t, Config{Data: dir})
	stop()
	other := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))
	_, err := Start(t.Context(), Config{Data: dir, Listen: "127.0.0.1:0", Key: other})
	if fault.As(err).Code != "store.key_wrong" {
		t.Errorf("error %v, want store.key_wrong", err)
	}
}

func TestAtTheEndRequestsUnderWayAreAnswered(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	s, err := Start(ctx, Config{Data: t.TempDir(), Listen: "127.0.0.1:0", Grace: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	send, answered := underWay(t, s)
	stop()
	refused(t, s)
	io.WriteString(send,
		`{"key": "note", "fields": {"type": "object", "properties": {}}, "states": [{"key": "open"}],
			"transitions": [{"key": "write", "to": "open"}]}`)
	send.Close()
	if status := <-answered; status != "201 Created" {
		t.Errorf("the request under way: %v", status)
	}
	if err := s.Wait(); err != nil {
		t.Error(err)
	}
}

func TestARequestThatTakesTooLongIsCutOff(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	s, err := Start(ctx, Config{Data: t.TempDir(), Listen: "127.0.0.1:0", Grace: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	send, answered := underWay(t, s)
	stop()
	if err := s.Wait(); err != nil {
		t.Error(err)
	}
	send.Close()
	if status := <-answered; !strings.HasPrefix(status, "failed") {
		t.Errorf("it was answered: %s", status)
	}
}

// underWay starts to put a case type: the server has read the head of the request, and waits for
// the rest.
func underWay(t *testing.T, s *Server) (io.WriteCloser, <-chan string) {
	t.Helper()
	reading := make(chan struct{})
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got100Continue: func() { close(reading) }})
	body, send := io.Pipe()
	r, err := http.NewRequestWithContext(ctx, "PUT", s.URL()+"/v1/case-types/note", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.Token())
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Expect", "100-continue")
	answered := make(chan string, 1)
	client := http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Minute}}
	go func() {
		response, err := client.Do(r)
		if err != nil {
			answered <- "failed: " + err.Error()
			return
		}
		response.Body.Close()
		answered <- response.Status
	}()
	<-reading
	return send, answered
}

// refused waits until the server accepts no more connections.
func refused(t *testing.T, s *Server) {
	t.Helper()
	for late := waits.Context(t); late.Err() == nil; {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL(), "http://"))
		if err != nil {
			return
		}
		conn.Close()
	}
	t.Fatal("the server still takes connections")
}

func TestBaseURLIsReachableFromHere(t *testing.T) {
	t.Parallel()
	for listen, want := range map[string]string{
		"127.0.0.1:80": "http://127.0.0.1:80", "0.0.0.0:8080": "http://localhost:8080",
		"[::]:8080": "http://localhost:8080", "[::1]:8080": "http://[::1]:8080",
	} {
		addr, err := net.ResolveTCPAddr("tcp", listen)
		if err != nil {
			t.Fatal(err)
		}
		if got := baseURL("http", addr); got != want {
			t.Errorf("baseURL(%s) = %s, want %s", listen, got, want)
		}
	}
}
