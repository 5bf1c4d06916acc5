package api_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/api"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/session"
	"github.com/casehook/casehook/internal/store/storetest"
)

const password = "correct horse battery"

// person creates a user, and returns the path.
func (w *world) person(email, role string) string {
	w.t.Helper()
	return w.post("/v1/users", `{"email": "`+email+`", "name": "Ada", "role": "`+role+
		`", "clearance": "PRIVATE", "password": "`+password+`"}`).
		is(201, "").header.Get("Location")
}

// signIn signs in, and returns a browser's header Cookie.
func (w *world) signIn(email string) string {
	w.t.Helper()
	g := w.post("/v1/session", `{"email": "`+email+`", "password": "`+password+`"}`, "Authorization", "").is(200, "")
	return cookieOf(g)
}

func cookieOf(g answer) string { return g.cookie("casehook_session") }

// cookie returns a browser's header Cookie after the answer.
func (g answer) cookie(name string) string {
	g.t.Helper()
	for _, c := range (&http.Response{Header: g.header}).Cookies() {
		if strings.HasSuffix(c.Name, name) {
			return c.Name + "=" + c.Value
		}
	}
	g.t.Fatalf("%s: no cookie in %s", g.op, g.header)
	return ""
}

func (w *world) storyOfPeople() {
	t := w.t
	path := w.person("Ada@example.org", "caseworker")
	if u := w.get(path).is(200, ""); u.text("email") != "ada@example.org" || u.json()["password"] != true ||
		bytes.Contains(u.body, []byte("argon2")) {
		t.Errorf("the user is %s", u.body)
	}
	if u := w.do("PATCH", path, `{"name": "Ada King"}`).is(200, ""); u.text("name") != "Ada King" ||
		u.text("role") != "caseworker" {
		t.Errorf("the user is %s", u.body)
	}
	if all := w.get("/v1/users").is(200, "").items(); len(all) != 2 {
		t.Errorf("there are %d users", len(all))
	}
	if token := w.get("/v1/session").is(200, ""); token.text("source") != "api" || token.json()["user_id"] != nil {
		t.Errorf("the token is %s", token.body)
	}
}

// storyOfASession follows storyOfPeople.
func (w *world) storyOfASession() {
	t := w.t
	cookie := w.signIn("ada@example.org")
	me := w.get("/v1/session", "Authorization", "", "Cookie", cookie).is(200, "")
	me.has(members{"name": "Ada King", "source": "ui", "clearance": "PRIVATE"})
	made := w.post("/v1/case-types/note/cases", `{"data": {"text": "x"}}`, "Authorization", "", "Cookie",
		cookie).is(201, "")
	by := w.get(made.header.Get("Location") + "/history").items()[0].(map[string]any)["by"].(map[string]any)
	if by["source"] != "ui" || by["name"] != "Ada King" {
		t.Errorf("it was by %v", by)
	}
	for _, change := range [][2]string{{password, "another horse battery"}, {"another horse battery", password}} {
		cookie = cookieOf(w.post("/v1/session/password",
			`{"old_password": "`+change[0]+`", "new_password": "`+change[1]+`"}`,
			"Authorization", "", "Cookie", cookie).is(200, ""))
	}
	w.do("DELETE", "/v1/session", nil, "Authorization", "", "Cookie", cookie).is(204, "")
	w.get("/v1/session", "Authorization", "", "Cookie", cookie).is(401, "token.missing")
}

// storyOfSessions follows storyOfPeople.
func (w *world) storyOfSessions() {
	t := w.t
	first, second, third := w.signIn("ada@example.org"), w.signIn("ada@example.org"), w.signIn("ada@example.org")
	as := func(cookie string) []string { return []string{"Authorization", "", "Cookie", cookie} }
	var this string
	var others []string
	for _, item := range w.get("/v1/sessions", as(first)...).is(200, "").items() {
		s := item.(map[string]any)
		if s["began_at"] == nil || s["last_used_at"].(string) >= s["ends_at"].(string) {
			t.Errorf("a session is %v", s)
		}
		if id := s["id"].(string); s["this"] == true {
			this = id
		} else {
			others = append(others, id)
		}
	}
	if this == "" || len(others) != 2 {
		t.Fatalf("the sessions are %s and %v", this, others)
	}
	stranger := w.person("eve@example.org", "admin")
	w.do("DELETE", "/v1/sessions/"+this, nil, as(w.signIn("eve@example.org"))...).is(404, "session.not_found")
	w.do("DELETE", "/v1/sessions/"+this, nil, as(first)...).is(409, "session.own")
	w.do("DELETE", "/v1/sessions/"+others[0], nil, as(first)...).is(204, "")
	w.do("DELETE", "/v1/sessions/"+others[0], nil, as(first)...).is(404, "session.not_found")
	if all := w.get("/v1/sessions", as(first)...).is(200, "").items(); len(all) != 2 {
		t.Errorf("the sessions are %v", all)
	}
	w.do("DELETE", "/v1/sessions", nil, as(first)...).is(204, "")
	for _, ended := range []string{second, third} {
		w.get("/v1/session", as(ended)...).is(401, "token.missing")
	}
	if all := w.get("/v1/sessions").is(200, "").items(); len(all) != 0 {
		t.Errorf("a token has the sessions %v", all)
	}
	w.do("PATCH", stranger, `{"disabled": true}`).is(200, "")
	w.do("DELETE", "/v1/session", nil, as(first)...).is(204, "")
}

func (w *world) problemsOfPeople() {
	path := w.person("ada@example.org", "viewer")
	w.provoke([]provoke{
		{"GET", "/v1/users/4711", "", 404, "user.not_found"},
		{"GET", "/v1/users/nonsense", "", 404, "user.not_found"},
		{"PATCH", "/v1/users/0", `{}`, 404, "user.not_found"},
		{"PATCH", "/v1/users/4711", `{}`, 404, "user.not_found"},
		{"PATCH", path, `{"password": "short"}`, 422, "user.invalid"},
		{"POST", "/v1/users", `{"email": "ada@example.org", "name": "A"}`, 409, "user.taken"},
		{"POST", "/v1/users", `{"email": "nonsense", "name": "A"}`, 422, "user.invalid"},
		{"DELETE", "/v1/session", "", 409, "session.none"},
		{"POST", "/v1/session", `{"email": "ada@example.org", "password": "x", "tenant": "nonsense"}`, 401, "session.refused"},
	})
	own := w.signIn("ada@example.org")
	id := w.get("/v1/sessions", "Authorization", "", "Cookie", own).items()[0].(map[string]any)["id"].(string)
	w.do("DELETE", "/v1/sessions/"+id, nil, "Authorization", "", "Cookie", own).is(409, "session.own")
	other := w.person("bob@example.org", "viewer")
	w.do("PATCH", other, `{"email": "ada@example.org"}`).is(409, "user.taken")
	w.post("/v1/session", `{}`, "Sec-Fetch-Site", "cross-site").is(403, "request.cross_origin")
	for range 6 {
		w.post("/v1/session", `{"email": "ada@example.org", "password": "wrong horse"}`, "Authorization",
			"").is(401, "session.refused")
	}
	held := w.post("/v1/session", `{"email": "ada@example.org", "password": "`+password+`"}`).
		is(429, "session.too_many")
	if after := held.header.Get("Retry-After"); after != "1" && after != "2" {
		w.t.Errorf("to be tried again after %q", after)
	}
}

func TestTheCookieIsCareful(t *testing.T) {
	t.Parallel()
	secure := start(t)
	secure.person("ada@example.org", "viewer")
	planted := "casehook_session=planted"
	g := secure.post("/v1/session", `{"email": "ada@example.org", "password": "`+password+`"}`, "Authorization",
		"", "Cookie", planted).is(200, "")
	cookie := (&http.Response{Header: g.header}).Cookies()[0]
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.Value == "planted" ||
		len(cookie.Value) < 32 {
		t.Errorf("the cookie is %+v", cookie)
	}
	first := cookieOf(g)
	again := secure.post("/v1/session", `{"email": "ada@example.org", "password": "`+password+`"}`, "Authorization",
		"", "Cookie", first).is(200, "")
	if cookieOf(again) == first {
		t.Error("signing in again keeps the old token")
	}
	secure.get("/v1/session", "Authorization", "", "Cookie", first).is(401, "token.missing")
	if log := secure.log.String(); strings.Contains(log, cookie.Value) || strings.Contains(log, "horse") ||
		strings.Contains(log, "ada@") {
		t.Errorf("the log tells: %s", log)
	}
}

// A page of another site can't use the session of somebody who visits it.
func TestOtherSitesCantUseASession(t *testing.T) {
	t.Parallel()
	w := start(t, func(c *api.Config) { c.PublicURL = "https://cases.example" })
	w.putTypes()
	w.person("ada@example.org", "caseworker")
	cookie := w.signIn("ada@example.org")
	write := func(headers ...string) answer {
		return w.post("/v1/case-types/note/cases", `{"data": {"text": "x"}}`,
			append([]string{"Authorization", "", "Cookie", cookie}, headers...)...)
	}
	write("Sec-Fetch-Site", "cross-site").is(403, "request.cross_origin")
	write("Sec-Fetch-Site", "same-site").is(403, "request.cross_origin")
	write("Origin", "https://evil.example").is(403, "request.cross_origin")
	write("Sec-Fetch-Site", "same-origin").is(201, "")
	write("Origin", "https://cases.example").is(201, "")
	write("Origin", w.server.URL).is(201, "")
	w.get("/v1/cases", "Authorization", "", "Cookie", cookie, "Sec-Fetch-Site", "cross-site").is(200, "")
	start := func(site string) answer { // which asks a callback
		return w.get("/v1/starts?type=note&transition=write",
			"Authorization", "", "Cookie", cookie, "Sec-Fetch-Site", site)
	}
	start("cross-site").is(403, "request.cross_origin")
	start("same-site").is(403, "request.cross_origin")
	start("none").is(403, "request.cross_origin") // a link in a message
	start("same-origin").is(200, "")
}

// A session may end after a request has read it, and before the request has read the session's user.
func TestASessionThatEndsWhileARequestBeginsSavesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.person("ada@example.org", "manager")
		cookie := w.signIn("ada@example.org")
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/v1/contacts", nil)
		r.Header.Set("Cookie", cookie)
		ctx, err := w.sessions.Load(t.Context(), r)
		must(t, err)
		u, ok := w.sessions.User(ctx)
		if !ok {
			t.Fatal("nobody is signed in")
		}
		w.do("DELETE", "/v1/session", nil, "Authorization", "", "Cookie", cookie).is(204, "")
		read := people.Session{Tenant: u.Tenant, User: u.ID, Epoch: u.Epoch, Key: u.Key, Rights: u.Rights}
		p, err := w.services.People.Users.InSession(ctx, read, "192.0.2.1")
		must(t, err)
		_, err = w.services.Casework.Contacts.CreateContact(ctx, p,
			event.ContactDetails{BusinessName: "Acme", IsBusiness: true}, authz.Once{})
		if !errors.Is(err, fault.Unauthenticated) {
			t.Errorf("a contact is created: %v", err)
		}
	})
}

func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	var clock struct{ skew time.Duration }
	w := start(t)
	w.sessions = session.New(w.store, session.Config{Insecure: true, Idle: time.Hour, Lifetime: 3 * time.Hour,
		Now: func() time.Time { return time.Now().Add(clock.skew) }})
	w.serve(api.Config{Sessions: w.sessions, Log: w.logger()})
	path := w.person("ada@example.org", "viewer")
	mine := func(cookie string, status int) {
		t.Helper()
		w.get("/v1/session", "Authorization", "", "Cookie", cookie).is(status, "")
	}
	cookie := w.signIn("ada@example.org")
	mine(cookie, 200)
	clock.skew = 61 * time.Minute
	mine(cookie, 401)

	cookie = w.signIn("ada@example.org")
	second := w.signIn("ada@example.org")
	mine(cookie, 200)
	clock.skew = 0
	mine(second, 200)
	w.do("PATCH", path, `{"disabled": true}`).is(200, "")
	mine(second, 401)
	w.post("/v1/session", `{"email": "ada@example.org", "password": "`+password+`"}`, "Authorization",
		"").is(401, "session.refused")
	w.do("PATCH", path, `{"disabled": false}`).is(200, "")
	mine(second, 401)
	cookie = w.signIn("ada@example.org")
	mine(cookie, 200)
	w.do("PATCH", path, `{"password": "another horse battery"}`).is(200, "")
	mine(cookie, 401)
}

func TestPeopleChangeTheirOwnPassword(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.person("ada@example.org", "viewer")
	other, cookie := w.signIn("ada@example.org"), w.signIn("ada@example.org")
	change := func(old, next, cookie string) answer {
		return w.post("/v1/session/password", `{"old_password": "`+old+`", "new_password": "`+next+`"}`,
			"Authorization", "", "Cookie", cookie)
	}
	wrong := change("wrong horse battery", "another horse battery", cookie).is(422, "password.wrong")
	if !strings.Contains(string(wrong.body), `"path":"/old_password"`) {
		t.Errorf("the answer is %s", wrong.body)
	}
	short := change(password, "short", cookie).is(422, "password.invalid")
	if !strings.Contains(string(short.body), "a password has 12 to 200") {
		t.Errorf("the answer is %s", short.body)
	}
	w.post("/v1/session/password", `{"old_password": "x", "new_password": "y"}`).is(409, "session.none")
	change(password, "another horse battery", "").is(401, "token.missing")
	changed := change(password, "another horse battery", cookie).is(200, "")
	for c, status := range map[string]int{other: 401, cookie: 401, cookieOf(changed): 200} {
		w.get("/v1/session", "Authorization", "", "Cookie", c).is(status, "")
	}
	w.post("/v1/session", `{"email": "ada@example.org", "password": "`+password+`"}`, "Authorization",
		"").is(401, "session.refused")
	if log := w.log.String(); strings.Contains(log, "horse") {
		t.Errorf("the log tells: %s", log)
	}
}

// A busy session ends exactly at its maximum age.
func TestABusySessionEndsToo(t *testing.T) {
	t.Parallel()
	for driver, dsn := range map[string]func(t *testing.T) string{
		"sqlite": func(t *testing.T) string { return storetest.SQLite(t, filepath.Join(t.TempDir(), "db"), databaseKey) },
		"pgx":    func(t *testing.T) string { return storetest.Postgres(t, databaseKey) },
	} {
		for name, c := range map[string]struct {
			config         session.Config
			idle, lifetime time.Duration
		}{
			"by default":            {session.Config{}, session.DefaultIdle, session.DefaultLifetime},
			"as configured":         {session.Config{Idle: time.Hour, Lifetime: 3 * time.Hour}, time.Hour, 3 * time.Hour},
			"shorter than idleness": {session.Config{Lifetime: time.Hour}, 2 * time.Hour, time.Hour},
		} {
			t.Run(driver+" "+name, func(t *testing.T) { startOn(t, driver, dsn(t)).busy(c.config, c.idle, c.lifetime) })
		}
	}
}

// busy uses a session without a pause until its maximum age.
func (w *world) busy(c session.Config, idle, lifetime time.Duration) {
	began := time.Now().Truncate(time.Second)
	now := began
	c.Now = func() time.Time { return now }
	w.sessions = session.New(w.store, c)
	w.serve(api.Config{Sessions: w.sessions, Log: w.logger()})
	w.person("ada@example.org", "viewer")
	cookie := w.signIn("ada@example.org")
	at := func(since time.Duration, cookie string, status int) {
		w.t.Helper()
		now = began.Add(since)
		if g := w.get("/v1/session", "Authorization", "", "Cookie", cookie); g.status != status {
			w.t.Errorf("%s after the first sign-in: status %d, want %d", since, g.status, status)
		}
	}
	again := w.signIn("ada@example.org")
	for since := idle - time.Minute; since < lifetime; since += idle - time.Minute {
		at(since, cookie, 200)
		at(since, again, 200)
	}
	last := lifetime - time.Second
	at(last, cookie, 200)
	renewed := cookieOf(w.post("/v1/session", `{"email": "ada@example.org", "password": "`+password+`"}`,
		"Authorization", "", "Cookie", again).is(200, ""))
	at(lifetime, cookie, 401)
	later := lifetime + min(idle, lifetime)/2
	at(later, renewed, 200) // a new sign-in starts a new lifetime
	at(min(later+idle, last+lifetime), renewed, 401)
}

// A session is valid in its tenant alone, as a token is.
func TestASessionIsOfOneTenant(t *testing.T) {
	t.Parallel()
	w := start(t)
	made := w.post("/v1/tenants", `{"key": "acme", "hosts": ["acme.example"]}`).is(201, "")
	theirs := "Bearer " + made.text("token")
	w.person("ada@example.org", "admin")
	w.post("/v1/users", `{"email": "eve@acme.example", "name": "Eve", "role": "admin", "password": "`+password+`"}`,
		"Authorization", theirs).is(201, "")
	signIn := `{"email": "eve@acme.example", "password": "` + password + `"`
	w.post("/v1/session", signIn+`}`, "Authorization", "").is(401, "session.refused")
	g := w.post("/v1/session", signIn+`, "tenant": "acme"}`, "Authorization", "").is(200, "")
	eve := cookieOf(g)
	if all := w.get("/v1/users", "Authorization", "", "Cookie",
		eve).is(200, ""); bytes.Contains(all.body, []byte("ada@")) || len(all.items()) != 1 {
		t.Errorf("she sees %s", all.body)
	}
	w.get("/v1/tenants", "Authorization", "", "Cookie", eve).is(403, "tenant.operator_required")
	w.get("/v1/session", "Authorization", "", "Cookie", w.signIn("ada@example.org")).is(200, "")
	at := func(cookie string) int {
		r, err := http.NewRequestWithContext(t.Context(), "GET", w.server.URL+"/v1/session", nil)
		must(t, err)
		r.Host = "acme.example"
		r.Header.Set("Cookie", cookie)
		return w.send(r).status
	}
	if mine, others := at(eve), at(w.signIn("ada@example.org")); mine != 200 || others != 401 {
		t.Errorf("at her host, she is answered %d, and another tenant's user %d", mine, others)
	}
}

// The test of bad input leaves sign-in out, since its refusals are counted. No bad input signs in, or makes the server
// fail.
func TestBadInputSignsNobodyIn(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.post("/v1/users", `{"email": "ada@example.org", "name": "Ada", "role": "viewer", "password": "`+password+`"}`).
		is(201, "")
	long, deep := strings.Repeat("a", 100_000), strings.Repeat(`[`, 5000)+strings.Repeat(`]`, 5000)
	values := []string{
		`null`, `true`, `7`, `1e999`, `""`, `"` + long + `"`, `"\u0000"`, `"\ud800"`, "\"\xff\"", `"e\u0301\u202e@example.org"`, `{}`, `[]`, `["a"]`, deep,
	}
	for _, field := range []string{"email", "password", "tenant"} {
		for _, value := range values {
			good := map[string]string{"email": `"ada@example.org"`, "password": `"` + password + `"`}
			if field == "tenant" && (value == "null" || value == `""`) {
				continue // null is as absent
			}
			good[field] = value
			members := make([]string, 0, len(good))
			for name, v := range good {
				members = append(members, `"`+name+`": `+v)
			}
			w.refusesSignIn("{" + strings.Join(members, ", ") + "}")
		}
	}
	for _, body := range []string{
		``, `{`, `null`, `[]`, `7`, `{}`, `{"email": "ada@example.org"}`, `{"password": "` + password + `"}`,
		`{"email": "ada@example.org", "password": "` + password + `", "more": 1}`,
		`{"email": "eve@example.org", "email": "ada@example.org", "password": "` + password + `"}`,
		`{"email": "ada@example.org", "password": "` + password + `"} {}`,
	} {
		w.refusesSignIn(body)
	}
}

func (w *world) refusesSignIn(body string) {
	w.t.Helper()
	g := w.post("/v1/session", body, "Authorization", "")
	if g.status < 400 || g.status >= 500 || g.text("code") == "" || len(g.header["Set-Cookie"]) > 0 {
		w.t.Errorf("signing in with %.80q: %d %s", body, g.status, g.body)
	}
	if fields, _ := g.json()["fields"].([]any); (g.status == 400 || g.status == 422) && len(fields) == 0 {
		w.t.Errorf("signing in with %.80q: %d without the place of what is wrong: %s", body, g.status, g.body)
	}
}
