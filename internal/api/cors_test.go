package api_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/api"
)

const friend = "https://app.example.com"

// Pages of the configured origins may use the API with tokens; other pages may not.
func TestOnlyPagesOfTheConfiguredOriginsMayUseTheAPI(t *testing.T) {
	t.Parallel()
	w := start(t, func(c *api.Config) { c.CORSOrigins = []string{friend} })
	for _, path := range []string{"/v1/cases", "/v1/nothing", "/v1/stream", "/openapi.json"} {
		g := w.get(path, "Origin", friend)
		if g.header.Get("Access-Control-Allow-Origin") != friend ||
			!slices.Contains(g.header.Values("Vary"), "Origin") {
			t.Errorf("%s: %v", path, g.header)
		}
		for _, name := range []string{"ETag", "Location", "Retry-After", "Idempotency-Replayed", "Link"} {
			if !strings.Contains(g.header.Get("Access-Control-Expose-Headers"), name) {
				t.Errorf("%s: %s can't be read", path, name)
			}
		}
	}
	for _, origin := range []string{"https://other.example.com", "http://app.example.com", friend + ":8443",
		friend + ".evil.example", "null", ""} {
		g := w.get("/v1/cases", "Origin", origin)
		if allows(g) || !slices.Contains(g.header.Values("Vary"), "Origin") {
			t.Errorf("%q: %v", origin, g.header)
		}
		if g := w.preflight(origin); g.status == 204 || allows(g) {
			t.Errorf("%q: a preflight is answered with %d", origin, g.status)
		}
	}
}

// A preflight needs no token, and its answer lists all that requests may have.
func TestAPreflightSaysWhatRequestsMayHave(t *testing.T) {
	t.Parallel()
	w := start(t, func(c *api.Config) { c.CORSOrigins = []string{friend} })
	g := w.preflight(friend)
	if g.status != 204 || g.header.Get("Access-Control-Allow-Origin") != friend ||
		g.header.Get("Access-Control-Max-Age") == "" {
		t.Errorf("%d %v", g.status, g.header)
	}
	sends := g.header.Get("Access-Control-Allow-Headers")
	for _, d := range w.operations() {
		if !strings.Contains(g.header.Get("Access-Control-Allow-Methods"), d.method) {
			t.Errorf("%s: %s is not allowed", d.id, d.method)
		}
		parameters, _ := d.op["parameters"].([]any)
		for _, p := range parameters {
			if p := p.(map[string]any); p["in"] == "header" && !strings.Contains(sends, p["name"].(string)) {
				t.Errorf("%s: the header %s is not allowed", d.id, p["name"])
			}
		}
	}
	for _, name := range []string{"Authorization", "Content-Type"} {
		if !strings.Contains(sends, name) {
			t.Errorf("%s is not allowed", name)
		}
	}
}

// Sessions belong to this origin alone: with a cookie, a page of another origin can neither read nor change anything.
func TestNoSessionCrossesOrigins(t *testing.T) {
	t.Parallel()
	w := start(t, func(c *api.Config) { c.CORSOrigins = []string{friend} })
	for _, g := range []answer{w.get("/v1/cases", "Origin", friend), w.preflight(friend)} {
		if g.header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("credentials are allowed: %v", g.header)
		}
	}
	w.post("/v1/session", `{"email": "ada@example.org", "password": "x"}`, "Authorization", "", "Origin", friend,
		"Sec-Fetch-Site", "cross-site").is(403, "request.cross_origin")
	w.post("/v1/labels", `{"slug": "x"}`, "Authorization", "", "Cookie", "casehook_session=x", "Origin", friend,
		"Sec-Fetch-Site", "cross-site").is(403, "request.cross_origin")
}

func TestWithoutOriginsNoAnswerSpeaksOfThem(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, g := range []answer{w.get("/v1/cases", "Origin", friend), w.preflight(friend)} {
		if allows(g) || len(g.header.Values("Vary")) > 0 || g.status == 204 {
			t.Errorf("%d %v", g.status, g.header)
		}
	}
}

func (w *world) preflight(origin string) answer {
	return w.do("OPTIONS", "/v1/cases", nil, "Authorization", "", "Origin", origin,
		"Access-Control-Request-Method", "PATCH", "Access-Control-Request-Headers", "authorization,if-match")
}

// allows reports whether an answer has any header for pages of other origins.
func allows(g answer) bool {
	return slices.ContainsFunc(slices.Collect(maps.Keys(g.header)), func(name string) bool {
		return strings.HasPrefix(name, "Access-Control-")
	})
}
