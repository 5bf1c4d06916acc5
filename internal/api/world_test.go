package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/blob"
	"github.com/casehook/casehook/internal/callback"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/definitions"
	"github.com/casehook/casehook/internal/delivery"
	"github.com/casehook/casehook/internal/hooks"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/session"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/store/storetest"
	"github.com/casehook/casehook/internal/waits"
	"github.com/casehook/casehook/internal/wire/wiretest"
)

var update = flag.Bool("update", false, "write the golden files")

// world is the API over a real service on a real database, with a callback
// server, as a client sees it.
type world struct {
	t           testing.TB
	handler     http.Handler
	server      *httptest.Server
	store       *store.Store
	services    api.Services
	sessions    *session.Manager
	engine      *delivery.Engine // runs where a test lets it
	progress    *waits.Progress  // of the engine, and of streams that end
	bearer      string
	log         *lockedBuffer
	document    *description
	around      func(request) answer // sends every request of a story; nil: direct does
	driver, dsn string               // the database, for tests that look into it
	observe     func(answer)         // is called with every answer; nil: nothing is
	unchecked   bool                 // a test closes the store, or changes its database

	hashed atomic.Int64 // passwords

	mu      sync.Mutex
	seen    map[string]bool                                // "create-case 201"
	reply   func(w http.ResponseWriter, asked callbackAsk) // what the callback answers
	checked []access.Operation                             // the operations that a role was checked for
}

var operatorKey = bytes.Repeat([]byte{3}, 32)

// bearerFor returns the credential for a path: a token, or an operator's credential.
func (w *world) bearerFor(path string) string {
	if strings.HasPrefix(path, "/v1/tenants") {
		return access.OperatorBearer(operatorKey, time.Now())
	}
	return w.bearer
}

type callbackAsk struct {
	Details struct {
		Data map[string]any `json:"case_data"`
	} `json:"case_details"`
}

// databaseKey is that of every world's database.
var databaseKey = bytes.Repeat([]byte{1}, 32)

// start starts a world on SQLite.
func start(t testing.TB, change ...func(*api.Config)) *world {
	t.Helper()
	return startOn(t, "sqlite", storetest.SQLite(t, filepath.Join(t.TempDir(), "db"), databaseKey), change...)
}

// startOn starts a world on a database, which is named as database/sql does.
func startOn(t testing.TB, driver, dsn string, change ...func(*api.Config)) *world {
	t.Helper()
	return startSending(t, driver, dsn, outbound.Config{AllowPrefixes: loopback}, change...)
}

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// startSending is startOn with a configuration of the outbound client.
func startSending(t testing.TB, driver, dsn string, sends outbound.Config, change ...func(*api.Config)) *world {
	t.Helper()
	w := &world{
		t: t, log: &lockedBuffer{}, seen: map[string]bool{}, driver: driver, dsn: dsn, progress: waits.NewProgress(t),
	}
	dir := t.TempDir()
	options := store.Options{Path: dsn, Key: databaseKey}
	if driver == "pgx" {
		options.URL = dsn
	}
	var err error
	w.store, err = store.Open(t.Context(), options)
	must(t, err)
	t.Cleanup(func() {
		if !w.unchecked {
			storetest.CheckRecent(t, w.store)
		}
		w.store.Close()
	})
	blobs, err := blob.NewDisk(filepath.Join(dir, "blobs"))
	must(t, err)
	callbacks := httptest.NewServer(wiretest.Callback(t, http.HandlerFunc(w.callback)))
	t.Cleanup(callbacks.Close)
	out := outbound.New(sends)
	t.Cleanup(out.Close)
	catalog := definitions.NewCatalog(w.store)
	w.services.Guard = authz.New(w.store, catalog, authz.Config{Checked: w.noteChecked})
	w.services.People = people.New(people.Config{
		Store: w.store, Guard: w.services.Guard, PublicURL: "https://cases.example",
		Hashing:      func() { w.hashed.Add(1) },
		PasswordCost: access.PasswordCost{Memory: 8, Passes: 1, Threads: 1}, // tests only count hashes
		Variable:     func(string) (string, bool) { return callbacks.URL, true },
	})
	tenants := w.services.People.Tenants
	w.services.Casework = casework.New(casework.Config{
		Store: w.store, Guard: w.services.Guard, Definitions: catalog, Blobs: blobs,
		Callbacks: callback.New(out, callback.Clock{}), MaxUpload: 64 << 20, Worked: w.progress.Made,
		Tenants: casework.Tenants{PublicURLOf: tenants.PublicURLOf, Variables: tenants.Variables},
	})
	w.services.Hooks = hooks.New(hooks.Config{
		Store: w.store, Guard: w.services.Guard, Cases: hooks.Cases{KnownCase: w.services.Casework.Cases.KnownCase},
	})
	w.bearer, err = tenants.Bootstrap(t.Context(), nil)
	must(t, err)
	w.sessions = session.New(w.store, session.Config{Insecure: true})
	w.engine = delivery.New(w.store, out, delivery.Config{Node: "world", Version: "1.2.3", Poll: 20 * time.Millisecond,
		Flush: 20 * time.Millisecond, Jitter: func() float64 { return 0.5 }, Log: w.logger(),
		Progress: w.progress.Made})
	config := api.Config{Feed: w.engine.Feed(), Tester: w.engine.Tester(),
		Follow:   api.FollowLimits{Lifetime: 100 * time.Millisecond},
		Sessions: w.sessions, Version: "1.2.3", Log: w.logger(),
		MaxBody: 64 << 10, Key: bytes.Repeat([]byte{2}, 32), Operator: operatorKey}
	for _, c := range change {
		c(&config)
	}
	w.serve(config)
	w.describe(config.Version)
	return w
}

// eventually waits until the engine, or the end of a stream, makes a condition true.
func (w *world) eventually(what string, met func() bool) {
	w.t.Helper()
	w.progress.Until(w.t, what, met)
}

// deliver lets the engine run until the test ends.
func (w *world) deliver() {
	ctx, stop := context.WithCancel(w.t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- w.engine.Run(ctx) }()
	w.t.Cleanup(func() { stop(); <-stopped })
}

// serve begins to serve with a configuration.
func (w *world) serve(c api.Config) {
	w.handler = api.New(w.services, c)
	w.server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/stream" {
			defer w.progress.Made()
		}
		w.handler.ServeHTTP(rw, r)
	}))
	w.t.Cleanup(w.server.Close)
}

func (w *world) callback(rw http.ResponseWriter, r *http.Request) {
	var asked callbackAsk
	json.NewDecoder(r.Body).Decode(&asked)
	w.mu.Lock()
	reply := w.reply
	w.mu.Unlock()
	if reply != nil {
		reply(rw, asked)
	}
}

// answers sets the callback's answer from now on.
func (w *world) answers(status int, body string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reply = func(rw http.ResponseWriter, _ callbackAsk) {
		rw.WriteHeader(status)
		io.WriteString(rw, body)
	}
}

// silent lets the callback hang until the test ends.
func (w *world) silent() {
	stop, cancel := context.WithCancel(w.t.Context())
	w.t.Cleanup(cancel)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reply = func(http.ResponseWriter, callbackAsk) { <-stop.Done() }
}

// loan is a case type. The transitions open_asked and submit have callbacks.
const loan = `
key: loan
name: Loan
outcome: contract
reference: L-{seq:03}
name_template: "{client}"
color: gray
edit: edit
fields:
  type: object
  properties:
    client: { type: string, maxLength: 40 }
    amount: { type: number }
    email: { type: string, format: email }
states:
  - { key: draft, name: Draft }
  - { key: review, name: In review, color: blue }
  - { key: done, name: Done, final: true }
transitions:
  - { key: open, to: draft }
  - key: open_asked
    to: draft
    about_to_submit: { url: "${CASEHOOK_VAR_CALLBACKS}/open", timeout: 1s, retries: [] }
  - { key: edit, from: [draft, review] }
  - key: submit
    from: [draft]
    to: review
    fields: [amount]
    precondition: has(data.client)
    about_to_submit: { url: "${CASEHOOK_VAR_CALLBACKS}/submit", timeout: 1s, retries: [], guard: { max_dropped: 0 } }
  - { key: finish, from: [review], to: done, fields: [] }
documents:
  - { key: summary, template: "# {case.reference}" }
  - { key: letter, template: "Dear {client}" }
proofs:
  - { key: passport }
`

// note is a case type without an edit, and with one creation.
const note = `{"key": "note", "fields": {"type": "object", "properties": {"text": {"type": "string"}}},
	"states": [{"key": "open"}], "transitions": [{"key": "write", "to": "open"}]}`

// answer is an answer to a request.
type answer struct {
	t      testing.TB
	op     string
	status int
	header http.Header
	body   []byte
}

// json returns the body's members.
func (g answer) json() map[string]any {
	g.t.Helper()
	var v map[string]any
	d := json.NewDecoder(bytes.NewReader(g.body))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		g.t.Fatalf("%s: %v in %s", g.op, err, g.body)
	}
	return v
}

func (g answer) text(name string) string {
	g.t.Helper()
	switch v := g.json()[name].(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	g.t.Fatalf("%s: no %s in %s", g.op, name, g.body)
	return ""
}

// members are named members of an answer's body, and headers, whose names are capitalized.
// Numbers are texts.
type members map[string]any

// has fails the test unless the answer has these members.
func (g answer) has(want members) {
	g.t.Helper()
	got, body := map[string]any{}, map[string]any(nil)
	for name := range want {
		if unicode.IsUpper(rune(name[0])) {
			got[name] = g.header.Get(name)
			continue
		}
		if body == nil {
			body = g.json()
		}
		got[name] = body[name]
	}
	hasMembers(g.t, g.op, got, want)
}

// hasMembers fails the test unless an object has these members.
func hasMembers(t testing.TB, what string, object any, want members) {
	t.Helper()
	got := members{}
	for name := range want {
		got[name] = object.(map[string]any)[name]
		if number, ok := got[name].(json.Number); ok {
			got[name] = number.String()
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func (g answer) items() []any {
	g.t.Helper()
	items, ok := g.json()["items"].([]any)
	if !ok {
		g.t.Fatalf("%s: no items in %s", g.op, g.body)
	}
	return items
}

// is fails the test unless the answer has this status and, for problems, code.
func (g answer) is(status int, code string) answer {
	g.t.Helper()
	if g.status != status {
		g.t.Fatalf("%s: status %d, want %d: %s", g.op, g.status, status, g.body)
	}
	if code != "" && g.text("code") != code {
		g.t.Fatalf("%s: code %q, want %q: %s", g.op, g.text("code"), code, g.body)
	}
	return g
}

// do sends a request; headers come in pairs. The answer is checked against the OpenAPI document.
func (w *world) do(method, path string, body any, header ...string) answer {
	w.t.Helper()
	s := request{method, path, body, header}
	if _, stream := body.(io.Reader); stream || w.around == nil {
		return w.direct(s)
	}
	return w.around(s)
}

// request is a request as a story sends it.
type request struct {
	method, path string
	body         any // nil, a string or an io.Reader
	header       []string
}

func (w *world) direct(s request) answer {
	w.t.Helper()
	return w.send(w.request(s))
}

func (w *world) request(s request) *http.Request {
	w.t.Helper()
	method, path, body, header := s.method, s.path, s.body, s.header
	var reader io.Reader
	switch body := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(body)
	case io.Reader:
		reader = body
	}
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.server.URL+path, reader)
	must(w.t, err)
	r.Header.Set("Authorization", "Bearer "+w.bearerFor(path))
	if _, isText := body.(string); isText {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
		} else if header[i+1] == "" {
			r.Header.Del(header[i])
		} else {
			r.Header.Set(header[i], header[i+1])
		}
	}
	return r
}

func (w *world) send(r *http.Request) answer {
	w.t.Helper()
	response, err := w.server.Client().Do(r)
	must(w.t, err)
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	must(w.t, err)
	g := answer{t: w.t, op: r.Method + " " + r.URL.Path, status: response.StatusCode, header: response.Header,
		body: raw}
	w.agrees(r, g)
	return g
}

func (w *world) post(path, body string, header ...string) answer {
	w.t.Helper()
	return w.do("POST", path, body, header...)
}

func (w *world) get(path string, header ...string) answer {
	w.t.Helper()
	return w.do("GET", path, nil, header...)
}

// putTypes puts the two case types.
func (w *world) putTypes() {
	w.t.Helper()
	w.do("PUT", "/v1/case-types/loan", loan, "Content-Type", "application/yaml").is(201, "")
	w.do("PUT", "/v1/case-types/note", note).is(201, "")
}

// open creates a loan case and returns its path.
func (w *world) open(data string) string {
	w.t.Helper()
	return w.post("/v1/case-types/loan/cases", `{"transition": "open", "data": `+data+`}`).is(201, "").
		header.Get("Location")
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// golden compares with a file in testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		must(t, os.MkdirAll("testdata", 0o755))
		must(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	must(t, err)
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// lockedBuffer is a log that is read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// logger writes to the world's log.
func (w *world) logger() *slog.Logger { return slog.New(slog.NewTextHandler(w.log, nil)) }
