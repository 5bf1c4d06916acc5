package server

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/pgtest"
	"github.com/casehook/casehook/internal/testclient"
	"github.com/casehook/casehook/internal/waits"
)

// mostSilence is the time within which every request is answered while the database is silent.
const mostSilence = 10 * time.Second

// silentServer starts a server whose database can be made to swallow what is sent.
func silentServer(t *testing.T) (*Server, *pgtest.Proxy) {
	t.Helper()
	cluster := pgtest.New(t)
	proxy := cluster.Proxy(t)
	s, _ := start(t, Config{
		Database: proxy.URL(t, cluster.Database(t)), Key: base64.StdEncoding.EncodeToString(make([]byte, 32)),
		Data: t.TempDir(), Grace: time.Second,
		Allow: []outbound.AllowedPrefix{{Prefix: netip.MustParsePrefix("127.0.0.0/8")}},
	})
	t.Cleanup(proxy.Mend) // so that the server can stop
	return s, proxy
}

// asked is an operation, and how it was answered.
type asked struct {
	name   string // "GET /v1/cases"
	status int
	body   string
	took   time.Duration
}

// ask sends a request of a name, whose path may have parameters.
func (a *asked) ask(t *testing.T, s *Server, bearer, body string) {
	method, path, _ := strings.Cut(a.name, " ")
	ctx, cancel := context.WithTimeout(t.Context(), 3*mostSilence)
	defer cancel()
	path = parameters.ReplaceAllString(strings.ReplaceAll(path, "{key}", "default"), "1")
	r, err := http.NewRequestWithContext(ctx, method, s.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return
	}
	r.Header.Set("Authorization", "Bearer "+bearer)
	r.Header.Set("Content-Type", "application/json")
	began := time.Now()
	response, err := testclient.Client.Do(r)
	a.took = time.Since(began)
	if err != nil {
		a.body = err.Error()
		return
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	a.status, a.body, a.took = response.StatusCode, string(text), time.Since(began)
}

var parameters = regexp.MustCompile(`\{[^}]+\}`)

// withoutDatabase are the operations that need no database.
var withoutDatabase = map[string]bool{"GET /healthz": true}

// operations returns the names of all operations, and for those of operators an entry in the second result.
func operations(t *testing.T, s *Server) (names []string, operators map[string]bool) {
	t.Helper()
	status, text := get(t, s, "/openapi.json", "")
	var document struct {
		Paths map[string]map[string]struct {
			Security []map[string][]string `json:"security"`
		} `json:"paths"`
	}
	if err := json.Unmarshal([]byte(text), &document); err != nil || status != http.StatusOK {
		t.Fatalf("the document is %d, %v", status, err)
	}
	operators = map[string]bool{}
	for path, methods := range document.Paths {
		for method, operation := range methods {
			name := strings.ToUpper(method) + " " + path
			names = append(names, name)
			for _, way := range operation.Security {
				if _, is := way["operator"]; is {
					operators[name] = true
				}
			}
		}
	}
	return names, operators
}

// While packets to the database vanish, connections that wait in the pool included, every operation answers 503 in time
// and says why, and so do pages. Afterwards the server goes on by itself.
func TestEveryOperationAnswersWhileTheDatabaseIsSilent(t *testing.T) {
	t.Parallel()
	s, proxy := silentServer(t)
	names, operators := operations(t, s)
	if len(names) < 100 {
		t.Fatalf("there are only %d operations", len(names))
	}
	names = append(names, "GET /sign-in", "GET /", "GET /cases", "GET /messages")
	operator, err := OperatorBearer(s.config, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	proxy.Swallow()
	answers := make([]asked, len(names))
	var all sync.WaitGroup
	for i, name := range names {
		bearer := s.Token()
		if operators[name] {
			bearer = operator
		}
		answers[i].name = name
		body := "{}"
		if name == "POST /v1/tenants" {
			body = `{"key": "acme"}`
		}
		all.Go(func() { answers[i].ask(t, s, bearer, body) })
	}
	all.Wait()
	for _, a := range answers {
		switch {
		case a.took > mostSilence:
			t.Errorf("%s: answered %d after %v", a.name, a.status, a.took)
		case withoutDatabase[a.name]:
			if a.status != http.StatusOK {
				t.Errorf("%s: answered %d", a.name, a.status)
			}
		case a.status != http.StatusServiceUnavailable || !strings.Contains(a.body, "database"):
			t.Errorf("%s: answered %d %.200s", a.name, a.status, a.body)
		case a.name == "GET /readyz" && a.took > 3*readyTimeout:
			t.Errorf("it is not ready after %v", a.took)
		}
	}
	proxy.Mend()
	waits.Poll(t, "the server goes on", func() bool {
		ready, _ := get(t, s, "/readyz", "")
		listed, _ := get(t, s, "/v1/cases", s.Token())
		return ready == http.StatusOK && listed == http.StatusOK
	})
	for _, list := range []string{"cases", "case-types", "endpoints", "users"} {
		if all := call(t, s, "GET /v1/"+list, s.Token(), "")["items"].([]any); len(all) != 0 {
			t.Errorf("%s were saved: %v", list, all)
		}
	}
}

// If the database falls silent during a callback, the submission is answered in time. It is saved as a whole or not at
// all, and its repetition with the same key saves it once.
func TestASubmissionIntoTheSilence(t *testing.T) {
	t.Parallel()
	s, proxy := silentServer(t)
	var silence sync.Once
	callback := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		silence.Do(proxy.Swallow)
		io.WriteString(w, "{}")
	}))
	t.Cleanup(callback.Close)
	call(t, s, "PUT /v1/case-types/note", s.Token(), fmt.Sprintf(`{"key": "note",
		"fields": {"type": "object", "properties": {"text": {"type": "string"}}}, "states": [{"key": "open"}],
		"transitions": [{"key": "write", "to": "open", "about_to_submit": {"url": %q}}]}`, callback.URL))
	submit := func() asked {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), "POST", s.URL()+"/v1/case-types/note/cases",
			strings.NewReader(`{"data": {"text": "one"}}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+s.Token())
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", "once")
		began := time.Now()
		response, err := testclient.Client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return asked{status: response.StatusCode, body: string(text), took: time.Since(began)}
	}
	first := submit()
	if told := regexp.MustCompile(`"store\.(unreachable|outcome_unknown)"`); !told.MatchString(first.body) {
		t.Errorf("answered %d %s", first.status, first.body)
	}
	if first.took > mostSilence {
		t.Errorf("answered after %v", first.took)
	}
	proxy.Mend()
	var again asked
	waits.Poll(t, "the repetition", func() bool {
		again = submit()
		return again.status == http.StatusCreated
	})
	if all := call(t, s, "GET /v1/cases", s.Token(), "")["items"].([]any); len(all) != 1 {
		t.Errorf("%d cases were saved: %v", len(all), all)
	}
}
