package api_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/api"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/definitions"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/pgtest"
	"github.com/casehook/casehook/internal/store"
)

// guarded is a case type all of whose changes but the transition plain ask a callback.
func guarded(key, access string) string {
	const ask = `"about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/x", "retries": []}`
	return fmt.Sprintf(`{"key": %q, "edit": "edit", %s
		"fields": {"type": "object", "properties": {"text": {"type": "string"}}},
		"states": [{"key": "open"}, {"key": "done"}],
		"transitions": [{"key": "write", "to": "open", %[3]s}, {"key": "plain", "to": "open"},
			{"key": "edit", "from": ["open"], %[3]s}, {"key": "finish", "from": ["open"], "to": "done", "roles": ["manager"], %[3]s}],
		"switch": {%[3]s}, "delete": {%[3]s}, "proofs": [{"key": "scan"}]}`, key, access, ask)
}

// credential is the credential of a request, with a way to revoke it.
type credential struct {
	name   string
	header []string
	status int // of the refusal
	revoke func(w *world)
}

var persons atomic.Int64

// address returns a new user's.
func address() string { return fmt.Sprintf("person%d@example.org", persons.Add(1)) }

// revocations lists all ways in which a user or token loses rights, each for a manager cleared for PRIVATE.
func (w *world) revocations() []credential {
	w.t.Helper()
	patched := func(name, change string, status int) credential {
		email := address()
		path := w.person(email, "manager")
		return credential{name, []string{"Authorization", "", "Cookie", w.signIn(email)}, status,
			func(w *world) { w.sends("PATCH", path, change) }}
	}
	made := w.post("/v1/tokens", `{"name": "m", "role": "manager", "clearance": "PRIVATE"}`).is(201, "")
	email := address()
	w.person(email, "manager")
	leaver := []string{"Authorization", "", "Cookie", w.signIn(email)}
	return []credential{
		{"a revoked token", []string{"Authorization", "Bearer " + made.text("token")}, 401,
			func(w *world) { w.sends("DELETE", made.header.Get("Location"), "") }},
		{"an ended session", leaver, 401, func(w *world) { w.sends("DELETE", "/v1/session", "", leaver...) }},
		patched("a disabled user", `{"disabled": true}`, 401),
		patched("a new password", `{"password": "another horse battery"}`, 401),
		patched("a lowered role", `{"role": "viewer"}`, 403),
	}
}

// sends sends a request from any goroutine.
func (w *world) sends(method, path, body string, header ...string) {
	var sentBody any
	if body != "" {
		sentBody = body
	}
	response, err := w.server.Client().Do(w.request(request{method, path, sentBody, header}))
	if err != nil {
		w.t.Error(err)
		return
	}
	if response.Body.Close(); response.StatusCode >= 300 {
		w.t.Errorf("%s %s is %s", method, path, response.Status)
	}
}

// whenAsked calls a function before the callback's next answer.
func (w *world) whenAsked(do func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reply = func(http.ResponseWriter, callbackAsk) {
		w.mu.Lock()
		w.reply = nil
		w.mu.Unlock()
		do()
	}
}

// changes are the requests that ask a callback.
func changes(path string) []request {
	return []request{
		{"POST", "/v1/case-types/guarded/cases", `{"transition": "write", "data": {"text": "late"}}`, nil},
		{"PATCH", path, `{"data": {"text": "late"}}`, nil},
		{"POST", path + "/transitions/finish", `{"data": {"text": "late"}}`, nil},
		{"POST", path + "/switch-type", `{"type": "other"}`, nil},
		{"DELETE", path, nil, nil},
	}
}

func TestARevocationDuringACallbackSavesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.do("PUT", "/v1/case-types/guarded", guarded("guarded", "")).is(201, "")
		w.do("PUT", "/v1/case-types/other", guarded("other", "")).is(201, "")
		path := w.post("/v1/case-types/guarded/cases", `{"transition": "plain", "data": {"text": "x"}}`).is(201, "").
			header.Get("Location")
		for _, c := range changes(path) {
			for _, of := range w.revocations() {
				if of.name == "a new password" && c.method != "PATCH" {
					continue // passwords are hashed slowly, and it is as a disabled user
				}
				before := w.get(path + "/history").body
				cases := len(w.get("/v1/cases").items())
				w.whenAsked(func() { of.revoke(w) })
				g := w.do(c.method, c.path, c.body, append([]string{"Idempotency-Key", "k"}, of.header...)...)
				if g.status != of.status {
					t.Errorf("%s %s of %s is %d: %s", c.method, c.path, of.name, g.status, g.body)
				}
				if string(w.get(path+"/history").body) != string(before) || len(w.get("/v1/cases").items()) != cases {
					t.Fatalf("%s %s of %s was saved", c.method, c.path, of.name)
				}
			}
		}
	})
}

// Further roles are given and taken by administrators, and those of the commit count.
func TestFurtherRolesAreThoseOfTheCommit(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		const roles = `"roles": {"clerk": {}, "officer": {}}, "role_map": {"officer": ["town-officer"]},`
		staffed := strings.Replace(guarded("guarded", roles), `["manager"]`, `["officer", "clerk"]`, 1)
		w.do("PUT", "/v1/case-types/guarded", staffed).is(201, "")
		path := w.post("/v1/case-types/guarded/cases", `{"transition": "plain", "data": {"text": "x"}}`).is(201, "").
			header.Get("Location")
		email := address()
		user := w.person(email, "caseworker")
		as := []string{"Authorization", "", "Cookie", w.signIn(email)}
		w.post(path+"/transitions/finish", `{}`, as...).is(403, "access.denied")
		w.do("PATCH", user, `{"further_roles": ["town-officer", "x y"]}`).is(422, "user.invalid")
		w.do("PATCH", user, `{"further_roles": ["town-officer", "auditor"]}`).is(200, "").
			has(members{"role": "caseworker", "further_roles": []any{"auditor", "town-officer"}})
		w.get("/v1/session", as...).is(200, "").has(members{"further_roles": []any{"auditor", "town-officer"}})
		own := w.post("/v1/own-tokens", `{"name": "own", "further_roles": ["town-officer"]}`, as...).is(201, "")
		w.whenAsked(func() { w.sends("PATCH", user, `{"further_roles": ["auditor"]}`) })
		w.post(path+"/transitions/finish", `{}`, as...).is(403, "access.denied")
		w.post(path+"/transitions/finish", `{}`, "Authorization", "Bearer "+own.text("token")).is(403, "access.denied")
		made := w.post("/v1/tokens", `{"name": "clerk", "role": "caseworker", "further_roles": ["clerk"]}`).is(201, "")
		made.has(members{"further_roles": []any{"clerk"}})
		w.do("PATCH", user, `{"further_roles": ["town-officer", "clerk"]}`).is(200, "")
		w.post(path+"/transitions/finish", `{}`, as...).is(200, "")
	})
}

// A change of role does not stop a request that the new role permits. A lower clearance stops it, and so does a new
// version of the type that excludes the role.
func TestTheRightsOfTheCommitCount(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.do("PUT", "/v1/case-types/guarded", guarded("guarded", "")).is(201, "")
		w.do("PUT", "/v1/case-types/other", guarded("other", "")).is(201, "")
		path := w.post("/v1/case-types/guarded/cases", `{"transition": "plain", "data": {"text": "x"}}`).is(201, "").
			header.Get("Location")
		user := w.person("ada@example.org", "manager")
		ada := []string{"Authorization", "", "Cookie", w.signIn("ada@example.org")}
		edit := func(status int, meanwhile func()) {
			t.Helper()
			w.whenAsked(meanwhile)
			if g := w.do("PATCH", path, `{"data": {"text": "late"}}`, ada...); g.status != status {
				t.Errorf("status %d, want %d: %s", g.status, status, g.body)
			}
		}
		edit(200, func() { w.sends("PATCH", user, `{"role": "caseworker"}`) })
		edit(200, func() { w.sends("PATCH", user, `{"clearance": "RESTRICTED"}`) })
		edit(403, func() { w.sends("PATCH", user, `{"clearance": "PUBLIC"}`) })
		narrowed := guarded("guarded", `"access": {"write": ["manager"]},`)
		edit(403, func() { w.sends("PUT", "/v1/case-types/guarded", narrowed) })
	})
}

// A role that may set a field, and is lost while the callback is asked, does not set it.
func TestTheRolesOfFieldsAreThoseOfTheCommit(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		kept := `"roles": {"officer": {}}, "role_map": {"officer": ["manager"]},
			"access": {"fields": {"text": {"update": ["officer"]}}},`
		w.do("PUT", "/v1/case-types/guarded", guarded("guarded", kept)).is(201, "")
		path := w.post("/v1/case-types/guarded/cases", `{"transition": "plain", "data": {"text": "x"}}`).is(201, "").
			header.Get("Location")
		user := w.person("ada@example.org", "manager")
		ada := []string{"Authorization", "", "Cookie", w.signIn("ada@example.org")}
		edit := func(status int, text string, meanwhile func()) {
			t.Helper()
			w.whenAsked(meanwhile)
			body := `{"data": {"text": "` + text + `"}, "summary": "` + text + `"}`
			if g := w.do("PATCH", path, body, ada...); g.status != status {
				t.Errorf("status %d, want %d: %s", g.status, status, g.body)
			}
		}
		edit(200, "early", func() {})
		edit(403, "late", func() { w.sends("PATCH", user, `{"role": "caseworker"}`) })
		edit(200, "early", func() {})
		edit(422, "late", func() {})
		w.get(path).has(members{"data": map[string]any{"text": "early"}})
	})
}

// blocking is a body whose second half waits.
type blocking struct {
	parts []string
	wait  func()
}

func (b *blocking) Read(into []byte) (int, error) {
	if len(b.parts) == 0 {
		return 0, io.EOF
	}
	if len(b.parts) == 1 {
		b.wait()
	}
	n := copy(into, b.parts[0])
	b.parts = b.parts[1:]
	return n, nil
}

func TestARevocationDuringAnUploadSavesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.do("PUT", "/v1/case-types/guarded", guarded("guarded", "")).is(201, "")
		path := w.post("/v1/case-types/guarded/cases", `{"transition": "plain", "data": {"text": "x"}}`).is(201, "").
			header.Get("Location")
		for _, of := range w.revocations() {
			body := &blocking{parts: []string{strings.Repeat("x", 1024), "y"}, wait: func() { of.revoke(w) }}
			g := w.do("POST", path+"/proofs?key=scan&filename=x.txt", body,
				append([]string{"Content-Type", "text/plain"}, of.header...)...)
			if g.status != of.status {
				t.Errorf("the upload of %s is %d: %s", of.name, g.status, g.body)
			}
		}
		if all := w.get(path + "/proofs").items(); len(all) != 0 {
			t.Errorf("saved: %v", all)
		}
	})
}

// otherNode is another process on the world's database.
func (w *world) otherNode() people.Services {
	w.t.Helper()
	st, err := store.Open(w.t.Context(), store.Options{URL: w.dsn, Key: databaseKey})
	must(w.t, err)
	w.t.Cleanup(func() { st.Close() })
	return people.New(people.Config{Store: st, Guard: authz.New(st, definitions.NewCatalog(st), authz.Config{})})
}

// No notification arrives here: neither process listens.
func TestARevocationByAnotherNodeDuringACallbackSavesNothing(t *testing.T) {
	w := startOn(t, "pgx", pgtest.URL(t))
	w.do("PUT", "/v1/case-types/guarded", guarded("guarded", "")).is(201, "")
	made := w.post("/v1/tokens", `{"name": "m", "role": "manager"}`).is(201, "")
	other := w.otherNode()
	admin, err := other.Tokens.Authenticate(t.Context(), w.bearer, "")
	must(t, err)
	w.whenAsked(func() {
		if err := other.Tokens.DeleteToken(t.Context(), admin, made.text("id")); err != nil {
			t.Error(err)
		}
	})
	w.do("POST", "/v1/case-types/guarded/cases", `{"transition": "write", "data": {}}`, "Authorization",
		"Bearer "+made.text("token")).is(401, "token.invalid")
}

// Only the revocation can end these: the next keep-alive is due in an hour.
func TestAStreamAndAPollThatWaitsEndAsSoonAsTheirCredentialsAreRevoked(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.deliver()
		for _, of := range w.revocations() {
			s := w.stream("", of.header...)
			if _, ok := s.next(); !ok {
				t.Fatal("it ended by itself")
			}
			polled := make(chan int, 1)
			go func() {
				response, err := w.server.Client().Do(w.request(request{"GET", "/v1/journal?wait=60", nil, of.header}))
				if err != nil {
					t.Error(err)
					polled <- 0
					return
				}
				response.Body.Close()
				polled <- response.StatusCode
			}()
			of.revoke(w)
			for ok := true; ok; {
				_, ok = s.next()
			}
			if status := <-polled; status != of.status {
				t.Errorf("the poll of %s is %d, want %d", of.name, status, of.status)
			}
		}
	}, lasting, silent)
}

func silent(c *api.Config) { c.Follow.KeepAlive = time.Hour }

func TestAStreamEndsAsSoonAsAnotherNodeRevokesItsToken(t *testing.T) {
	w := startOn(t, "pgx", pgtest.URL(t), lasting, silent)
	w.deliver()
	other := startOn(t, "pgx", w.dsn)
	other.deliver()
	made := w.post("/v1/tokens", `{"name": "m", "role": "manager"}`).is(201, "")
	s := w.stream("", "Authorization", "Bearer "+made.text("token"))
	if _, ok := s.next(); !ok {
		t.Fatal("it ended by itself")
	}
	other.bearer = w.bearer
	other.do("DELETE", made.header.Get("Location"), nil).is(204, "")
	for ok := true; ok; {
		_, ok = s.next()
	}
}

func TestAStreamEndsWhenItsTokenExpires(t *testing.T) {
	w := start(t, lasting, silent)
	end := time.Now().Add(1500 * time.Millisecond).UTC().Format(time.RFC3339Nano)
	s := w.stream("", "Authorization", w.token(`{"name": "m", "role": "manager", "expires_at": "`+end+`"}`))
	for ok := true; ok; {
		_, ok = s.next()
	}
}
