package api_test

import (
	"strings"
	"testing"
)

// tenantHost is a tenant with a host name and a public URL of its own.
type tenantHost struct{ key, host, public, cookies string }

var houses = []tenantHost{
	{"north", "north.example", "https://north.example:8443/desk", "__Host-"},
	{"south", "south.example", "http://south.example:8080", ""},
}

// settle creates the tenants, each with a user and a case type.
func (w *world) settle() map[string]string {
	tokens := map[string]string{}
	for _, h := range houses {
		made := w.post("/v1/tenants",
			`{"key": "`+h.key+`", "hosts": ["`+h.host+`"], "public_url": "`+h.public+`/"}`).is(201, "")
		if made.text("public_url") != h.public || made.text("url") != h.public {
			w.t.Errorf("%s is made as %s", h.key, made.body)
		}
		bearer := "Bearer " + made.text("token")
		ada := `{"email": "ada@example.org", "name": "Ada", "role": "admin", "password": "` + password + `"}`
		w.post("/v1/users", ada, "Authorization", bearer).is(201, "")
		w.do("PUT", "/v1/case-types/note", note, "Authorization", bearer).is(201, "")
		tokens[h.key] = bearer
	}
	return tokens
}

// A session that begins at a tenant's host has a cookie of the scheme of its
// public URL, may send requests from its pages, and is led back there by case_url.
func TestPeopleWorkAtTheirTenantsOwnURL(t *testing.T) {
	t.Parallel()
	w := start(t)
	tokens := w.settle()
	for _, h := range houses {
		signIn := `{"email": "ada@example.org", "password": "` + password + `"}`
		g := w.post("/v1/session", signIn, "Authorization", "", "Host", h.host+":99").is(200, "")
		cookie := g.cookie(h.cookies + "casehook_session")
		mine := []string{"Authorization", "", "Cookie", cookie, "Host", h.host}
		w.get("/v1/session", mine...).is(200, "")
		w.get("/v1/session", "Authorization", "",
			"Cookie", cookie).is(map[string]int{"": 200, "__Host-": 401}[h.cookies], "")
		origin, _, _ := strings.Cut(h.public, "/desk")
		v := w.post("/v1/case-types/note/cases", `{"data": {}}`, append(mine, "Origin", origin)...).is(201, "")
		if path := strings.TrimPrefix(v.header.Get("Location"), "/v1"); v.text("url") != h.public+path {
			t.Errorf("the case is at %s", v.text("url"))
		}
		elsewhere := append(mine, "Origin", "https://cases.example")
		w.post("/v1/case-types/note/cases", `{"data": {}}`, elsewhere...).is(403, "request.cross_origin")
		journal := w.get("/v1/journal?after=beginning", "Authorization", tokens[h.key]).is(200, "")
		for _, m := range journal.json()["messages"].([]any) {
			body := m.(map[string]any)["body"].(map[string]any)
			if at, _ := body["case_url"].(string); !strings.HasPrefix(at, h.public+"/cases/") {
				t.Errorf("for %s the case is at %s", h.key, at)
			}
		}
	}
	for _, item := range w.get("/v1/tenants").is(200, "").items() {
		tenant := item.(map[string]any)
		as := tenant["public_url"] == nil && tenant["url"] == "https://cases.example"
		if tenant["key"] == "default" && !as {
			t.Errorf("the first tenant is shown as %v", tenant)
		}
	}
	changed := w.do("PATCH", "/v1/tenants/north", `{"public_url": ""}`).is(200, "")
	if changed.json()["public_url"] != nil || changed.text("url") != "https://north.example" {
		t.Errorf("without a URL of its own it is %s", changed.body)
	}
	w.do("PATCH", "/v1/tenants/north", `{"public_url": "https://south.example"}`).is(409, "tenant.host_taken")
	w.do("PATCH", "/v1/tenants/north", `{"public_url": "https://me@north.example"}`).is(422, "tenant.invalid")
}

// A provider sends people back to the host at which they began, where their cookie is:
// to the public URL of a tenant at its host, else to the installation's.
func TestSignInWithOpenIDConnectAtATenantsOwnHost(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.settle()
	w.post("/v1/users", `{"email": "ada@example.org", "name": "Ada", "role": "viewer"}`).is(201, "")
	p := w.provided()
	installation := p.redirect
	signIn := func(host, query, back, prefix string, want int) {
		t.Helper()
		p.mu.Lock()
		p.redirect = back
		p.mu.Unlock()
		at := []string{"Authorization", "", "Host", host}
		begun := w.get("/v1/oidc/login"+query, at...).is(303, "")
		client := w.server.Client()
		response, err := client.Get(begun.header.Get("Location"))
		must(t, err)
		response.Body.Close()
		_, answer, _ := strings.Cut(response.Header.Get("Location"), "/v1/oidc/callback")
		done := w.get("/v1/oidc/callback"+answer, append(at, "Cookie", begun.cookie(prefix+"casehook_oidc"))...).
			is(303, "")
		me := w.get("/v1/session", append(at, "Cookie", done.cookie(prefix+"casehook_session"))...).is(want, "")
		if me.text("role") != "admin" && host != "" {
			t.Errorf("at %s it is %s", host, me.body)
		}
	}
	signIn("north.example:8443", "", "https://north.example:8443/desk/v1/oidc/callback", "__Host-", 200)
	signIn("south.example:8080", "?tenant=south", "http://south.example:8080/v1/oidc/callback", "", 200)
	signIn("", "", installation, "", 200)
	signIn("elsewhere.example", "?tenant=south", installation, "", 200) // no tenant's host: the installation's URL
	w.do("PATCH", "/v1/tenants/south", `{"hosts": ["a.example", "south.example"], "public_url": ""}`).is(200, "")
	signIn("a.example", "", "https://a.example/v1/oidc/callback", "", 200)
	signIn("south.example", "", "https://south.example/v1/oidc/callback", "", 200)
}
