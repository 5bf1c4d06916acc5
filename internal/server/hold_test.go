package server

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/casehook/casehook/internal/pgtest"
	"github.com/casehook/casehook/internal/testclient"
	"github.com/casehook/casehook/internal/waits"
	"github.com/casehook/casehook/internal/wire/wiretest"
)

// peers are all programs that a server may call: a receiver, callbacks and an OAuth server.
type peers struct {
	server   *httptest.Server
	status   atomic.Int64 // of the receiver's answers
	requests atomic.Int64 // of all kinds
	messages chan string  // triggers that the receiver accepted
}

func newPeers(t *testing.T) *peers {
	t.Helper()
	e := &peers{messages: make(chan string, 100)}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(http.ResponseWriter, *http.Request) { e.requests.Add(1) })
	mux.HandleFunc("/token", func(w http.ResponseWriter, _ *http.Request) {
		e.requests.Add(1)
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"access_token": "t", "token_type": "Bearer", "expires_in": 3600}`)
	})
	mux.Handle("/hook", wiretest.Handler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.requests.Add(1)
		w.WriteHeader(int(e.status.Load()))
		if e.status.Load() == http.StatusOK {
			e.messages <- r.Header.Get("X-Atfinity-Event")
		}
	})))
	e.server = httptest.NewServer(mux)
	t.Cleanup(e.server.Close)
	return e
}

// leaveUndelivered leaves a database in which an endpoint is owed a message that it refused.
func (e *peers) leaveUndelivered(t *testing.T, c Config) (token string) {
	t.Helper()
	e.status.Store(http.StatusServiceUnavailable)
	progress := waits.NewProgress(t)
	c.progress = progress.Made
	s, stop := start(t, c)
	ask := fmt.Sprintf(`"about_to_submit": {"url": "%s/callback", "retries": [], "failure_policy": "ignore"}`,
		e.server.URL)
	call(t, s, "PUT /v1/case-types/note", s.Token(),
		`{"key": "note", "edit": "edit", "fields": {"type": "object", "properties": {}},
		"states": [{"key": "open"}], "transitions": [{"key": "write", "to": "open"}, {"key": "edit", "from": ["open"]},
		{"key": "ask", "to": "open", `+ask+`}, {"key": "go", "from": ["open"], `+ask+`}], "switch": {`+ask+`}, "delete": {`+ask+`}}`)
	call(t, s, "PUT /v1/case-types/memo", s.Token(), `{"key": "memo", "fields": {"type": "object", "properties": {}},
		"states": [{"key": "open"}], "transitions": [{"key": "write", "to": "open"}]}`)
	call(t, s, "POST /v1/endpoints", s.Token(),
		`{"name": "crm", "url": "`+e.server.URL+`/hook", "triggers": ["case_created", "case_comment"],
		"policy": {"retries": [`+strings.Repeat(`"200ms", `, 28)+`"200ms"]},
		"auth": {"type": "oauth2", "token_url": "`+e.server.URL+`/token", "client_id": "c", "client_secret": "s"}}`)
	call(t, s, "POST /v1/endpoints", s.Token(),
		`{"name": "erp", "url": "`+e.server.URL+`/hook", "triggers": ["case_created"],
		"policy": {"retries": [`+strings.Repeat(`"200ms", `, 28)+`"200ms"]}}`)
	call(t, s, "POST /v1/case-types/note/cases", s.Token(), `{"transition": "write"}`)
	progress.Until(t, "both endpoints were tried", func() bool { return e.requests.Load() >= 3 })
	stop()
	return s.Token()
}

func TestAHeldServerOnACopySendsNothing(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		e, original, folder := newPeers(t), t.TempDir(), filepath.Join(t.TempDir(), "copy")
		token := e.leaveUndelivered(t, Config{Data: original, Allow: loopback})
		if err := os.CopyFS(folder, os.DirFS(original)); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{folder, filepath.Join(folder, "attachments")} {
			if err := os.Chmod(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		e.checkHold(t, Config{Data: folder, Allow: loopback}, token)
	})
	t.Run("postgres", func(t *testing.T) {
		e, token := newPeers(t), ""
		c := Config{Key: base64.StdEncoding.EncodeToString(make([]byte, 32)), Allow: loopback, Data: t.TempDir()}
		c.Database = pgtest.Copy(t, t.Name()+e.server.URL, func(url string) error {
			c := c
			c.Database = url
			token = e.leaveUndelivered(t, c)
			return nil
		})
		e.checkHold(t, c, token)
	})
}

// checkHold starts a server on the database twice: first with --hold, then without.
func (e *peers) checkHold(t *testing.T, c Config, token string) {
	t.Helper()
	var log bytes.Buffer
	before := e.requests.Load()
	e.status.Store(http.StatusOK)
	c.Hold, c.Log, c.MetricsListen = true, slog.New(slog.NewTextHandler(&log, nil)), "127.0.0.1:0"
	s, stop := start(t, c)
	if status, body := get(t, s, "/readyz", ""); status != 200 || !strings.Contains(body, `"held":true`) {
		t.Errorf("/readyz: %d %s", status, body)
	}
	if got := value(scrape(t, s.MetricsURL()), "held"); got != 1 {
		t.Errorf("casehook_held is %v", got)
	}
	made := pathOf(call(t, s, "POST /v1/case-types/note/cases", token, `{"transition": "write"}`))
	call(t, s, "POST "+made+"/comments", token, `{"text": "x"}`)
	memo := pathOf(call(t, s, "POST /v1/case-types/memo/cases", token, `{}`))
	crm := call(t, s, "GET /v1/endpoints", token, "")["items"].([]any)[0].(map[string]any)
	endpoint := crm["id"].(string)
	for _, r := range []struct{ method, path, body, code string }{
		{"POST", "/v1/case-types/note/cases", `{"transition": "ask"}`, "callback.held"},
		{"POST", made + "/transitions/go", `{}`, "callback.held"},
		{"POST", made + "/switch-type", `{"type": "memo"}`, "callback.held"},
		{"POST", memo + "/switch-type", `{"type": "note"}`, "callback.held"},
		{"DELETE", made, "", "callback.held"},
		{"POST", "/v1/endpoints/" + endpoint + "/test", `{"trigger": "case_created"}`, "delivery.held"},
	} {
		if status, body := send(t, s, r.method+" "+r.path, token, r.body); status != 503 ||
			!strings.Contains(body, r.code) {
			t.Errorf("%s %s: %d %s", r.method, r.path, status, body)
		}
	}
	call(t, s, "POST /v1/endpoints/"+endpoint+"/replays", token, `{"since": "beginning"}`)
	if seen := call(t, s, "GET /v1/journal?after=beginning&triggers=case_comment",
		token, "")["messages"].([]any); len(seen) != 1 {
		t.Errorf("the journal has %v", seen)
	}
	stop()
	if sent := e.requests.Load() - before; sent != 0 {
		t.Errorf("it made %d requests", sent)
	}
	if text := log.String(); !strings.Contains(text, "level=WARN") ||
		!strings.Contains(text, "start the server without --hold") {
		t.Errorf("the log does not warn of --hold: %s", text)
	}
	if c.Database != "" { // a second server with --hold leaves all endpoints to one without
		start(t, c)
	}
	c.Hold, c.Log = false, nil
	s, _ = start(t, c)
	want := map[string]int{"case_created": 6, "case_comment": 1} // for both endpoints; a replay sends some again
	for n := 0; n < 7; {
		trigger := <-e.messages
		if want[trigger] > 0 {
			want[trigger]--
			n++
		}
	}
	if status, body := send(t, s, "POST "+made+"/transitions/go", token, `{}`); status != 200 {
		t.Errorf("not held any more, it is answered %d %s", status, body)
	}
}

// send sends a request such as "GET /v1/cases", and returns the status and the body of its answer.
func send(t *testing.T, s *Server, operation, token, body string) (int, string) {
	t.Helper()
	method, path, _ := strings.Cut(operation, " ")
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	response, err := testclient.Client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer bytes.Buffer
	if _, err := answer.ReadFrom(response.Body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, answer.String()
}
