package people_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/web/webtest"
)

func wants(t *testing.T, page webtest.Page, status int, texts ...string) {
	t.Helper()
	if page.Status != status {
		t.Errorf("%s: status %d, want %d", page.Path, page.Status, status)
	}
	for _, want := range texts {
		if !strings.Contains(page.Text(), want) {
			t.Errorf("%s lacks %q:\n%s", page.Path, want, page.Text())
		}
	}
}

func TestTheFirstAccountIsMadeWithTheToken(t *testing.T) {
	t.Parallel()
	w := webtest.Start(t)
	b := w.Browser()
	form := url.Values{
		"token": {"chk_tok_1.wrong"}, "name": {"Ada"}, "email": {"ada@example.org"}, "password": {"xyz123"},
	}
	wants(t, b.Post("/setup", form), http.StatusUnprocessableEntity, "Token", "is not valid")
	form.Set("token", w.Token)
	refused := b.Post("/setup", form)
	wants(t, refused, http.StatusUnprocessableEntity, "Password")
	if strings.Contains(refused.HTML, "xyz123") || strings.Contains(refused.HTML, w.Token) {
		t.Error("the page repeats a secret")
	}
	form.Set("password", webtest.Password)
	if got := b.Post("/setup", form); got.Path != "/" {
		t.Errorf("the new administrator is led to %s: %s", got.Path, got.Text())
	}
	wants(t, b.Get("/profile"), http.StatusOK, "Ada", "admin", "RESTRICTED")
}

func TestSomeoneWhoSignsInIsLedBackWithinTheSite(t *testing.T) {
	t.Parallel()
	w := webtest.Start(t)
	w.Person("ada@example.org", "viewer", "PUBLIC")
	b := w.Browser()
	form := url.Values{"email": {"ada@example.org"}, "password": {"wrong wrong wrong"}, "to": {"/queues"}}
	wants(t, b.Post("/sign-in", form), http.StatusUnauthorized, "Sign in")
	form.Set("password", webtest.Password)
	if got := b.Post("/sign-in", form); got.Path != "/queues" {
		t.Errorf("one is led to %s", got.Path)
	}
	form.Set("to", "https://elsewhere.example/")
	if got := b.Post("/sign-in", form); got.Path != "/" {
		t.Errorf("one is led to %s", got.Path)
	}
	if got := b.Post("/sign-out", nil); got.Path != "/sign-in?out=1" {
		t.Errorf("one who signs out is led to %s", got.Path)
	}
	if got := b.Get("/queues"); !strings.HasPrefix(got.Path, "/sign-in") {
		t.Error("the session goes on")
	}
}

func TestAccountsAreMadeChangedAndDisabled(t *testing.T) {
	t.Parallel()
	w := webtest.Start(t)
	admin := w.Person("ada@example.org", "admin", "RESTRICTED")
	form := url.Values{"name": {"Bob"}, "email": {"nowhere"}, "role": {"viewer"}, "clearance": {"PUBLIC"}}
	wants(t, admin.Post("/people/new", form), http.StatusUnprocessableEntity, "E-mail address :")
	form.Set("email", "bob@example.org")
	form.Set("password", webtest.Password)
	wants(t, admin.Post("/people/new", form), http.StatusOK, "Bob", "bob@example.org", "viewer", "password")
	link := regexp.MustCompile(`/people/\d+">Bob`).FindString(admin.Get("/people").HTML)
	link, _, _ = strings.Cut(link, `"`)
	wants(t, admin.Get(link), http.StatusOK, "Empty: it stays as it is.")
	form.Set("role", "caseworker")
	form.Set("password", "")
	form.Set("disabled", "true")
	wants(t, admin.Post(link, form), http.StatusOK, "Saved.")
	wants(t, admin.Get("/people"), http.StatusOK, "caseworker", "disabled")
}

func TestATokenIsShownOnceAndRevoked(t *testing.T) {
	t.Parallel()
	w := webtest.Start(t)
	admin := w.Person("ada@example.org", "admin", "RESTRICTED")
	form := url.Values{"name": {"crm"}, "role": {"viewer"}, "clearance": {"PUBLIC"}, "allowed": {"nowhere"}}
	wants(t, admin.Post("/tokens", form), http.StatusUnprocessableEntity, "Addresses :")
	form.Set("allowed", "192.0.2.0/24, 198.51.100.7")
	form.Set("expires", "2991-01-31")
	made := admin.Post("/tokens", form)
	wants(t, made, http.StatusOK, "It is shown this once", "chk_tok_", "192.0.2.0/24, 198.51.100.7/32")
	listed := admin.Get("/tokens")
	if strings.Contains(listed.HTML, "chk_") {
		t.Error("the token is shown again")
	}
	id := regexp.MustCompile(`id="revoke-(tok_\w+)" aria-label="Revoke crm"`).FindStringSubmatch(listed.HTML)
	wants(t, admin.Post("/tokens/delete", url.Values{"id": {id[1]}}), http.StatusOK)
	if strings.Contains(admin.Get("/tokens").HTML, id[1]) {
		t.Error("the revoked token is listed")
	}
	wants(t, admin.Get("/audit"), http.StatusOK, "token.created", "token.revoked", "Ada", "127.0.0.1")
	narrowed := admin.Get("/audit?action=token.revoked")
	wants(t, narrowed, http.StatusOK, "token.revoked", "token/tok_")
	if strings.Contains(narrowed.Text(), "token.created") {
		t.Errorf("narrowed to revoked tokens, the audit has others: %s", narrowed.Text())
	}
	wants(t, admin.Get("/audit?outcome=refused&action=token.created"), http.StatusOK, "No record is like this")
	wants(t, admin.Get("/audit?since=2020-01-01&until=2020-01-02"), http.StatusOK, "No record is like this")
	wants(t, admin.Get("/audit?since=2020-01-01"), http.StatusOK, "token.created")
	file := regexp.MustCompile(`/v1/audit/export\?[^"]*format=csv[^"]*`).FindString(admin.Get(
		"/audit?action=token.created&until=2999-01-01").HTML)
	wants(t, admin.Get(html.UnescapeString(file)), http.StatusOK, "id,at,action", ",token.created,")
	wants(t, admin.Get("/audit?since=soon"), http.StatusBadRequest, "since is a day")
}

func TestOnesOwnTokensAreOnTheProfile(t *testing.T) {
	t.Parallel()
	w := webtest.Start(t)
	admin := w.Person("ada@example.org", "admin", "RESTRICTED")
	b := w.Person("bob@example.org", "caseworker", "PRIVATE")
	page := b.Get("/profile")
	wants(t, page, http.StatusOK, "Your tokens", "It never may do or see more than you")
	for _, above := range []string{`value="manager"`, `value="RESTRICTED"`} {
		if strings.Contains(page.HTML, above) {
			t.Errorf("the form offers %s", above)
		}
	}
	form := url.Values{"name": {"<b>import</b>"}, "role": {"manager"}, "clearance": {"PRIVATE"}}
	refused := b.Post("/profile/tokens", form)
	wants(t, refused, http.StatusUnprocessableEntity, "Role :", "is above your own")
	form.Set("role", "caseworker")
	made := b.Post("/profile/tokens", form)
	wants(t, made, http.StatusOK, "It is shown this once", "chk_tok_", "<b>import</b>", "never")
	page = b.Get("/profile")
	if strings.Contains(page.HTML, "chk_") {
		t.Error("the token is shown again")
	}
	id := regexp.MustCompile(`id="revoke-(tok_\w+)"`).FindStringSubmatch(page.HTML)[1]
	if strings.Contains(admin.Get("/profile").HTML, id) {
		t.Error("another user sees the token as their own")
	}
	wants(t, admin.Get("/tokens"), http.StatusOK, "<b>import</b>", "of Bob", "of the tenant")
	revoke := url.Values{"id": {id}}
	wants(t, admin.Post("/profile/tokens/delete", revoke), http.StatusNotFound, "no token with this id")
	wants(t, b.Post("/tokens/delete", revoke), http.StatusForbidden, "may not")
	if got := b.Post("/profile/tokens/delete", revoke); got.Path != "/profile" || strings.Contains(got.HTML, id) {
		t.Errorf("after the revocation one is at %s: %s", got.Path, got.Text())
	}
}

func TestOneEndsOnesOtherSessions(t *testing.T) {
	t.Parallel()
	w := webtest.Start(t)
	b := w.Person("ada@example.org", "viewer", "PUBLIC")
	wants(t, b.Get("/profile"), http.StatusOK, "Where you are signed in", "This session")
	if page := b.Get("/profile"); strings.Contains(page.HTML, "End all others") {
		t.Error("others are ended, and there are none")
	}
	other := func() *webtest.Browser {
		b := w.Browser()
		b.Post("/sign-in", url.Values{"email": {"ada@example.org"}, "password": {webtest.Password}})
		wants(t, b.Get("/profile"), http.StatusOK, "This session", "End all others")
		return b
	}
	second, third := other(), other()
	page := b.Get("/profile")
	wants(t, page, http.StatusOK, "End your 2 other sessions?")
	ids := regexp.MustCompile(`name="id" value="(ses_\w+)"`).FindAllStringSubmatch(page.HTML, -1)
	if len(ids) != 2 {
		t.Fatalf("%d sessions can be ended", len(ids))
	}
	wants(t, b.Post("/profile/sessions", url.Values{"id": {ids[0][1]}}), http.StatusOK, "End your other session?")
	wants(t, b.Post("/profile/sessions", url.Values{"id": {ids[0][1]}}), http.StatusNotFound, "no session with this id")
	wants(t, b.Post("/profile/sessions/others", nil), http.StatusOK, "This session")
	for _, ended := range []*webtest.Browser{second, third} {
		if got := ended.Get("/profile"); !strings.HasPrefix(got.Path, "/sign-in") {
			t.Errorf("an ended session sees %s", got.Path)
		}
	}
}

func TestOneChangesOnesOwnPassword(t *testing.T) {
	t.Parallel()
	w := webtest.Start(t)
	b := w.Person("ada@example.org", "viewer", "PUBLIC")
	form := url.Values{"old_password": {"wrong wrong wrong"}, "new_password": {"another horse, another battery"}}
	if got := b.Post("/profile/password", form); got.Status == http.StatusOK {
		t.Error("a wrong password is taken")
	}
	form.Set("old_password", webtest.Password)
	wants(t, b.Post("/profile/password", form), http.StatusOK, "Your password has changed")
}

// An operator has no session: each form of their page holds a credential.
func TestAnOperatorCreatesTenants(t *testing.T) {
	w := webtest.Start(t)
	b := w.Browser()
	wants(t, b.Get("/operator"), http.StatusOK, "casehook tenant link")
	for _, credential := range []string{"", "cho_1.x", w.Token} {
		wants(t, b.Post("/operator", url.Values{"credential": {credential}, "do": {"create"}, "key": {"stolen"}}),
			http.StatusUnauthorized, "not valid or has expired")
	}
	form := url.Values{"credential": {w.Operator()}}
	shown := b.Post("/operator", form)
	wants(t, shown, http.StatusOK, "Default", "Another tenant")
	if strings.Contains(shown.HTML, "stolen") {
		t.Error("a tenant was created without a credential")
	}
	form.Set("do", "create")
	form.Set("key", "Not A Key")
	wants(t, b.Post("/operator", form), http.StatusUnprocessableEntity, "/key")
	form.Set("key", "acme")
	form.Set("name", "Acme <b>Ltd</b>")
	form.Set("hosts", "acme.example.com acme.example.org")
	made := b.Post("/operator", form)
	wants(t, made, http.StatusOK, "The tenant acme is there.", "chk_", "Acme <b>Ltd</b>", "acme.example.com acme.example.org")
	form.Set("do", "change")
	form.Set("hosts", "acme.example.net")
	wants(t, b.Post("/operator", form), http.StatusOK, "The tenant acme is changed.", "acme.example.net")
	form.Set("do", "administrator")
	wants(t, b.Post("/operator", form), http.StatusOK, "new administrator", "chk_")
}

func TestAdministratorsSeeTheSettings(t *testing.T) {
	w := webtest.Start(t)
	wants(t, w.Person("ada@example.org", "admin", "RESTRICTED").Get("/settings"), http.StatusOK,
		"SQLite", "5 days", "2 hours", "no limit", "--keep-attempts", "32 MiB")
	wants(t, w.Person("bo@example.org", "manager", "RESTRICTED").Get("/settings"), http.StatusForbidden, "may not")
}
