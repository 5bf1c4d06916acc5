package casework_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/blob"
	"github.com/casehook/casehook/internal/callback"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/definitions"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/hooks"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/testworld"
	"github.com/casehook/casehook/internal/waits"
	"github.com/casehook/casehook/internal/wire/wiretest"
)

// world is a service on a real database, with a tenant, and a callback service.
type world struct {
	services
	t         testing.TB
	url       string // of the PostgreSQL database; empty: SQLite
	store     *store.Store
	blobs     *blob.Disk
	p         access.Principal
	callbacks *callbacks
	node      func() *services // makes another on the same database
	nodeOn    func(*store.Store) *services
	clock     testworld.Clock
	worked    *waits.Progress // of jobs
}

// settings configure a world.
type settings struct {
	casework.Config
	guard  authz.Config
	people people.Config

	keepAttempts, keepJournal time.Duration
}

// services are the use cases on one node.
type services struct {
	cases       *casework.Cases
	submissions *casework.Submissions
	switches    *casework.Switches
	questions   *casework.Questions
	backtests   *casework.Backtests
	types       *casework.CaseTypes
	migrations  *casework.Migrations
	comments    *casework.Comments
	labels      *casework.Labels
	contacts    *casework.Contacts
	files       *casework.Files
	documents   *casework.FieldDocuments
	jobs        *casework.Jobs
	owed        *casework.Owed
	guard       *authz.Guard
	users       *people.Users
	tokens      *people.Tokens
	tenants     *people.Tenants
	endpoints   *hooks.Endpoints
	messages    *hooks.Messages
	journal     *hooks.Journal
}

// start makes a world on SQLite.
func start(t *testing.T, change ...func(*settings)) *world {
	t.Helper()
	t.Parallel()
	return startAt(t, "", change...)
}

// startAt makes a world on SQLite, or on the PostgreSQL database at url.
func startAt(t testing.TB, url string, change ...func(*settings)) *world {
	t.Helper()
	return startOn(t, store.Options{URL: url}, change...)
}

// startOn makes a world on a database that may fail.
func startOn(t testing.TB, o store.Options, change ...func(*settings)) *world {
	t.Helper()
	st := testworld.Open(t, o)
	blobs, err := blob.NewDisk(filepath.Join(t.TempDir(), "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		t: t, url: o.URL, store: st, blobs: blobs, callbacks: &callbacks{paths: map[string]*asked{}},
		worked: waits.NewProgress(t),
	}
	server := httptest.NewServer(wiretest.Callback(t, w.callbacks))
	w.callbacks.url = server.URL
	t.Cleanup(server.Close)
	out := outbound.New(outbound.Config{AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	t.Cleanup(out.Close)
	config := settings{
		guard:  authz.Config{Now: w.now},
		Config: casework.Config{Blobs: blobs, Callbacks: callback.New(out, callback.Clock{}), MaxUpload: 1 << 20, Worked: w.worked.Made},
		people: people.Config{
			PublicURL: "https://casehook.example", PasswordCost: testworld.CheapPasswords,
			Variable: func(name string) (string, bool) { return server.URL, name == "CASEHOOK_VAR_CALLBACKS" },
		},
	}
	for _, c := range change {
		c(&config)
	}
	w.nodeOn = func(st *store.Store) *services {
		c := config.Config
		c.Store, c.Definitions = st, definitions.NewCatalog(st)
		config.guard.Log = c.Log
		c.Guard = authz.New(st, c.Definitions, config.guard)
		p := config.people
		p.Store, p.Guard, p.Random, p.Log = st, c.Guard, c.Random, c.Log
		of := people.New(p)
		c.Tenants = casework.Tenants{PublicURLOf: of.Tenants.PublicURLOf, Variables: of.Tenants.Variables}
		work := casework.New(c)
		to := hooks.New(hooks.Config{
			Store: st, Guard: c.Guard, Random: c.Random, Cases: hooks.Cases{KnownCase: work.Cases.KnownCase},
			KeepAttempts: config.keepAttempts, KeepJournal: config.keepJournal,
		})
		return &services{
			cases:       work.Cases,
			submissions: work.Submissions,
			switches:    work.Switches,
			questions:   work.Questions,
			backtests:   work.Backtests,
			types:       work.CaseTypes,
			migrations:  work.Migrations,
			comments:    work.Comments,
			labels:      work.Labels,
			contacts:    work.Contacts,
			files:       work.Files,
			documents:   work.Documents,
			jobs:        work.Jobs,
			owed:        work.Owed,
			guard:       c.Guard,
			users:       of.Users,
			tokens:      of.Tokens,
			tenants:     of.Tenants,
			endpoints:   to.Endpoints,
			messages:    to.Messages,
			journal:     to.Journal,
		}
	}
	w.node = func() *services { return w.nodeOn(st) }
	w.services = *w.node()
	w.p = w.tenant("first")
	return w
}

func (w *world) now() time.Time { return w.clock.Now() }

// later moves the service's clock.
func (w *world) later(d time.Duration) { w.clock.Later(d) }

// engines runs a test on SQLite and on PostgreSQL.
func engines(t *testing.T, test func(t *testing.T, w *world)) {
	testworld.Engines(t, func(t *testing.T, url string) { test(t, startAt(t, url)) })
}

func (w *world) tenant(key string) access.Principal { return testworld.Tenant(w.t, w.store, key) }

// loan returns a case type. Ask is JSON: further settings of the callbacks of its transitions submit and open_asked.
func loan(key, ask string) string {
	if ask != "" {
		ask = ", " + ask
	}
	return fmt.Sprintf(`{
	"key": %[1]q, "name": "Loan", "process_key": "lending", "outcome": "contract", "reference": "L-{seq:03}",
	"name_template": "{client}", "color": "gray", "security_classification": "PRIVATE", "edit": "edit",
	"fields": {"type": "object", "properties": {
		"client": {"type": "string", "maxLength": 40}, "amount": {"type": "integer"},
		"email": {"type": "string", "format": "email", "x-classification": "RESTRICTED"},
		"score": {"type": "integer"}, "tags": {"type": "array", "items": {"type": "string"}}}},
	"states": [{"key": "draft"}, {"key": "review", "color": "blue"}, {"key": "approved", "outcome": "approved"},
		{"key": "declined", "outcome": "declined", "final": true}, {"key": "closed", "final": true}],
	"transitions": [
		{"key": "open", "to": "draft"},
		{"key": "open_asked", "to": "draft", "about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/%[1]s"%[2]s}},
		{"key": "edit", "from": ["draft", "review"], "fields": ["client", "amount", "email", "tags"]},
		{"key": "submit", "from": ["draft"], "to": "review", "about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/%[1]s"%[2]s}},
		{"key": "approve", "from": ["review"], "to": "approved", "precondition": "has(data.amount) && data.amount < 100", "fields": []},
		{"key": "decline", "from": ["draft", "review"], "to": "declined"},
		{"key": "close", "from": ["approved"], "to": "closed", "fields": []}],
	"documents": [{"key": "summary", "name": "Summary", "template": "# {case.reference}\n\nClient: {client}\n"}],
	"proofs": [{"key": "passport"}, {"key": "bill"}]
	}`, key, ask)
}

func (w *world) put(p access.Principal, definition string) casework.PutType {
	w.t.Helper()
	var head struct{ Key string }
	if err := json.Unmarshal([]byte(definition), &head); err != nil {
		w.t.Fatal(err)
	}
	t, err := w.types.PutCaseType(w.t.Context(), p, head.Key, "test.json", []byte(definition))
	if err != nil {
		w.t.Fatal(err)
	}
	return t
}

func (w *world) submit(in casework.Submission) casework.View {
	w.t.Helper()
	v, err := w.submissions.Submit(w.t.Context(), w.p, in, authz.Once{})
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

// open makes a case of a type.
func (w *world) open(key string) casework.View {
	w.t.Helper()
	return w.submit(casework.Submission{
		Type: key, Transition: "open", Data: object(`{"client":"Ann","amount":10,"email":"ann@example.com"}`),
	})
}

func (w *world) load(id int64) casework.View {
	w.t.Helper()
	v, err := w.cases.Case(w.t.Context(), w.p, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

func items[T any](p store.Page[T], err error) ([]T, error) { return testworld.Items(p, err) }

// listed returns the cases of a page.
func listed(l *casework.CaseList, err error) (all []casework.View, _ error) {
	if err != nil {
		return nil, err
	}
	for v, err := range l.All(context.Background()) {
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

// history returns a case's entries, oldest first.
func (w *world) history(id int64) []*event.Entry {
	w.t.Helper()
	entries, err := items(w.cases.History(w.t.Context(), w.p, id, 0, 1000))
	if err != nil {
		w.t.Fatal(err)
	}
	oldest := make([]*event.Entry, 0, len(entries))
	for i := range entries {
		oldest = append(oldest, entries[len(entries)-1-i])
	}
	return oldest
}

// facts names the facts of a case's last entry.
func (w *world) facts(id int64) string {
	w.t.Helper()
	entries := w.history(id)
	var names []string
	for _, f := range entries[len(entries)-1].Facts {
		names = append(names, strings.TrimPrefix(f.Name, "case."))
	}
	return strings.Join(names, " ")
}

// assign assigns a case; user 0: to nobody.
func (w *world) assign(p access.Principal, id, user int64) (casework.View, error) {
	return w.cases.Assign(w.t.Context(), p, casework.Assignment{CaseID: id, UserID: user})
}

func (w *world) addLabel(p access.Principal, id int64, slug string) (casework.View, error) {
	return w.labels.AddLabel(w.t.Context(), p, casework.CaseLabel{CaseID: id, Slug: slug})
}

func (w *world) removeLabel(p access.Principal, id int64, slug string) (casework.View, error) {
	return w.labels.RemoveLabel(w.t.Context(), p, casework.CaseLabel{CaseID: id, Slug: slug})
}

func (w *world) comment(p access.Principal, id int64, text string, once authz.Once) (cases.Comment, error) {
	return w.comments.AddComment(w.t.Context(), p, casework.NewComment{CaseID: id, Text: text}, once)
}

func object(raw string) map[string]any {
	data, err := casetype.Decode([]byte(raw))
	if err != nil {
		panic(err)
	}
	return data
}

func encode(t testing.TB, data map[string]any) string {
	t.Helper()
	raw, err := casetype.Encode(data)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func wantFault(t testing.TB, err error, kind fault.Kind, code string) *fault.Error {
	t.Helper()
	return testworld.WantFault(t, err, kind, code)
}

func wantFields(t testing.TB, f *fault.Error, paths ...string) {
	t.Helper()
	testworld.WantFields(t, f, paths...)
}

// once returns a request that happens once per key; its stored answer is the result as JSON.
func once(operation access.Operation, key, request string) authz.Once {
	return authz.Once{Operation: operation, Key: key, Request: request, Render: func(result any) (store.Answer, error) {
		raw, err := json.Marshal(result)
		return store.Answer{Status: 201, Header: map[string]string{"X-Operation": string(operation)}, Body: raw}, err
	}}
}

func replayed(t testing.TB, err error) store.Answer {
	t.Helper()
	var r *authz.RepeatError
	if !errors.As(err, &r) {
		t.Fatalf("%v, want the stored answer", err)
	}
	return r.Answer
}

// callbacks is a callback service. Each path has a list of handlers, one per request; the last one repeats.
type callbacks struct {
	url string

	mu    sync.Mutex
	paths map[string]*asked
}

type asked struct {
	behaviour []http.HandlerFunc
	requests  []*http.Request
	bodies    []string
}

func (c *callbacks) on(path string, behaviour ...http.HandlerFunc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.paths["/"+path] = &asked{behaviour: behaviour}
}

func (c *callbacks) at(path string) asked {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a := c.paths["/"+path]; a != nil {
		return *a
	}
	return asked{}
}

func (c *callbacks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	c.mu.Lock()
	a := c.paths[r.URL.Path]
	if a == nil {
		a = &asked{behaviour: []http.HandlerFunc{respond(200, "")}}
		c.paths[r.URL.Path] = a
	}
	a.requests, a.bodies = append(a.requests, r), append(a.bodies, string(body))
	does := a.behaviour[0]
	if len(a.behaviour) > 1 {
		a.behaviour = a.behaviour[1:]
	}
	c.mu.Unlock()
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	does(w, r)
}

func respond(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// hangs sends a text, and then waits until the client gives up.
func hangs(head string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if head != "" {
			io.WriteString(w, head)
			w.(http.Flusher).Flush()
		}
		<-r.Context().Done()
	}
}

// drops closes the connection instead of answering.
func drops(w http.ResponseWriter, _ *http.Request) {
	conn, _, _ := w.(http.Hijacker).Hijack()
	conn.Close()
}
