package api_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Each refusal costs one hash and has the same text, so that neither its time nor its text shows whether a tenant or a
// user exists.
func TestARefusedSignInCostsOneHashWhoeverIsMissing(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.person("ada@example.org", "viewer")
		gone := w.person("gone@example.org", "viewer")
		w.do("PATCH", gone, `{"disabled": true}`).is(200, "")
		w.post("/v1/users", `{"email": "none@example.org", "name": "None"}`).is(201, "")
		w.post("/v1/tenants", `{"key": "acme", "name": "Acme", "hosts": ["acme.example"]}`).is(201, "")
		const wrong = "wrong horse battery"
		var first *answer
		for _, try := range []struct{ name, email, password, tenant, host string }{
			{"a wrong password", "ada@example.org", wrong, "default", ""},
			{"an unknown user", "eve@example.org", wrong, "default", ""},
			{"a user without a password", "none@example.org", wrong, "default", ""},
			{"a disabled user", "gone@example.org", password, "default", ""},
			{"no address", "", wrong, "default", ""},
			{"too long a password", "ada@example.org", strings.Repeat("ä", 800), "default", ""},
			{"another tenant's user", "ada@example.org", password, "acme", ""},
			{"another tenant's host", "ada@example.org", password, "", "acme.example"},
			{"a tenant at another's host", "ada@example.org", password, "default", "acme.example"},
			{"an unknown tenant", "ada@example.org", password, "nobody", ""},
			{"an unknown tenant at a host", "ada@example.org", password, "nobody", "acme.example"},
			{"a key that is none", "ada@example.org", password, "../\u00e4", ""},
		} {
			before := w.hashed.Load()
			g := w.post("/v1/session", signInBody(try.email, try.password, try.tenant), "Authorization", "", "Host",
				try.host)
			if n := w.hashed.Load() - before; n != 1 {
				t.Errorf("%s: %d passwords were hashed", try.name, n)
			}
			for _, varies := range []string{"Date", "X-Request-Id"} {
				g.header.Del(varies)
			}
			if first == nil {
				first = &g
			}
			g.is(401, "session.refused")
			if diff := cmp.Diff(withoutID(*first), withoutID(g)) + cmp.Diff(first.header, g.header); diff != "" {
				t.Errorf("%s differs:\n%s", try.name, diff)
			}
		}
	})
}

func signInBody(email, password, tenant string) string {
	var b strings.Builder
	b.WriteString(`{"email": ` + quoted(email) + `, "password": ` + quoted(password))
	if tenant != "" {
		b.WriteString(`, "tenant": ` + quoted(tenant))
	}
	return b.String() + "}"
}

func quoted(text string) string {
	raw, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

func withoutID(g answer) map[string]any {
	members := g.json()
	delete(members, "request_id")
	return members
}

func TestSignInsAtAnUnknownTenantAreHeldAsAtAKnownOne(t *testing.T) {
	statuses := func(tenant string) (all []int) {
		w := start(t)
		for range 12 { // a hold lasts for two seconds and more
			all = append(all,
				w.post("/v1/session", signInBody("eve@example.org", "x", tenant), "Authorization", "").status)
		}
		return all
	}
	for _, tenant := range []string{"default", "nobody"} {
		want := []int{http.StatusUnauthorized, http.StatusTooManyRequests}
		if diff := cmp.Diff(want, statuses(tenant)[5:7]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tenant, diff)
		}
	}
}

// The redirect to the provider and its cookie come before the tenant is looked up.
func TestOpenIDConnectBeginsAlikeForAnUnknownTenant(t *testing.T) {
	w, p := startWithProvider(t)
	shape := func(tenant string) []string {
		g := w.get("/v1/oidc/login?tenant="+tenant, "Authorization", "").is(303, "")
		return []string{g.header.Get("Location")[:len(p.server.URL)], g.cookie("casehook_oidc")[:14],
			strconv.Itoa(len(g.cookie("casehook_oidc")))}
	}
	if diff := cmp.Diff(shape("default"), shape("unknown")); diff != "" {
		t.Error(diff)
	}
	for _, tenant := range []string{"default", "unknown"} {
		p.setClaims(map[string]any{"email": "eve@example.org", "sub": "eve"})
		cookie, back := w.leave(p, "?tenant="+tenant)
		w.get(back, "Authorization", "", "Cookie", cookie).is(403, "oidc.unknown_user")
	}
}
