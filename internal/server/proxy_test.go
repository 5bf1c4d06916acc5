package server

import (
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/testclient"
)

// proxied sends a request such as "GET /v1/cases" with the headers that a proxy adds.
func proxied(t *testing.T, s *Server, operation, body string, headers ...string) *http.Response {
	t.Helper()
	method, path, _ := strings.Cut(operation, " ")
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	response, err := testclient.Client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response
}

const adasSignIn = `{"email": "ada@example.org", "password": "correct horse battery"}`

// The headers of a trusted proxy determine the address everywhere; those of any other client are
// ignored.
func TestHeadersOfATrustedProxyCount(t *testing.T) {
	t.Parallel()
	for _, trusted := range []bool{true, false} {
		config := Config{Data: filepath.Join(t.TempDir(), "data")}
		if trusted {
			config.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		}
		s, _ := start(t, config)
		call(t, s, "POST /v1/users", s.Token(),
			`{"email": "ada@example.org", "name": "Ada", "role": "caseworker", "password": "correct horse battery"}`)
		bound := call(t, s, "POST /v1/tokens",
			s.Token(), `{"name": "bound", "allowed_addresses": ["2001:db8::/32"]}`)["token"].(string)
		status := func(want int, r *http.Response) *http.Response {
			t.Helper()
			if trusted != (r.StatusCode == want) {
				t.Errorf("trusted: %t; answered %d, and %d where the proxy is believed", trusted, r.StatusCode, want)
			}
			return r
		}
		status(200,
			proxied(t, s, "GET /v1/cases", "", "Authorization: Bearer "+bound, `Forwarded: for="[2001:db8::7]:80"`))
		for range 6 {
			proxied(t, s, "POST /v1/session", strings.Replace(adasSignIn, "correct", "wrong", 1),
				"X-Forwarded-For: 203.0.113.66")
		}
		in := status(200, proxied(t, s, "POST /v1/session", adasSignIn, "X-Forwarded-For: 198.51.100.7"))
		if !trusted {
			continue
		}
		records := call(t, s, "GET /v1/audit?limit=1", s.Token(), "")["items"].([]any)
		if by := records[0].(map[string]any)["by"].(map[string]any); by["address"] != "198.51.100.7" {
			t.Errorf("the audit tells of %v", by)
		}
		if cookie := in.Cookies()[0]; cookie.Secure {
			t.Errorf("where nobody says that it came by HTTPS, the cookie is %s", cookie)
		}
	}
}

// The scheme that a trusted proxy names determines cookies, and the pages that may send requests
// with a session.
func TestTheSchemeIsTheTrustedProxys(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Config{
		Data: filepath.Join(t.TempDir(), "data"), PublicURL: "http://cases.example",
		Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
	})
	call(t, s, "POST /v1/users", s.Token(),
		`{"email": "ada@example.org", "name": "Ada", "role": "caseworker", "password": "correct horse battery"}`)
	const forwarded = "X-Forwarded-For: 198.51.100.7"
	for scheme, name := range map[string]string{"https": "__Host-casehook_session", "http": "casehook_session"} {
		proto := "X-Forwarded-Proto: " + scheme
		cookie := proxied(t, s, "POST /v1/session", adasSignIn, forwarded, proto).Cookies()[0]
		if cookie.Name != name || cookie.Secure != (scheme == "https") {
			t.Errorf("by %s, the cookie is %s", scheme, cookie)
		}
		host := strings.TrimPrefix(s.URL(), "http://")
		with := "Cookie: " + cookie.Name + "=" + cookie.Value
		for _, page := range []struct {
			origin string
			status int
		}{{map[string]string{"https": "http://", "http": "https://"}[scheme] + host, 403},
			{"https://evil.example", 403}, {scheme + "://" + host, 204}} {
			r := proxied(t, s, "DELETE /v1/session", "", forwarded, proto, with, "Origin: "+page.origin)
			if r.StatusCode != page.status {
				t.Errorf("by %s, a page at %s is answered %d, want %d", scheme, page.origin, r.StatusCode, page.status)
			}
		}
	}
}
