package server

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/testclient"
)

// For a public URL with HTTPS, the session's cookie is never sent in the clear, and no other host
// can set it. Over plain HTTP, browsers would refuse such a cookie.
func TestTheCookieIsForHTTPSUnlessTheServerIsReachedWithoutIt(t *testing.T) {
	t.Parallel()
	for public, secure := range map[string]bool{
		"https://cases.example": true, "HTTPS://cases.example": true,
		"http://cases.example": false, "HTTP://cases.example": false, "": false,
	} {
		t.Run(public, func(t *testing.T) {
			s, _ := start(t, Config{Data: filepath.Join(t.TempDir(), "data"), PublicURL: public})
			call(t, s, "POST /v1/users", s.Token(),
				`{"email": "ada@example.org", "name": "Ada", "role": "viewer", "password": "correct horse battery"}`)
			name := "casehook_session"
			if secure {
				name = "__Host-casehook_session"
			}
			careful := func(response *http.Response, status int) string {
				t.Helper()
				cookies := response.Cookies()
				if response.StatusCode != status || len(cookies) == 0 {
					t.Fatalf("status %d, want %d; cookies %v", response.StatusCode, status, cookies)
				}
				// The prefix __Host- requires Secure, the path / and no domain, also for removing a
				// cookie.
				c := cookies[0]
				got := http.Cookie{
					Name: c.Name, Secure: c.Secure, Path: c.Path, Domain: c.Domain, HttpOnly: c.HttpOnly,
				}
				want := http.Cookie{Name: name, Secure: secure, Path: "/", HttpOnly: true}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
				return c.Value
			}
			value := careful(browse(t, s, "POST", `{"email": "ada@example.org", "password": "correct horse battery"}`,
				""), 200)
			other := "casehook_session=" + value
			if !secure {
				other = "__Host-" + other
			}
			if response := browse(t, s, "GET", "", other); response.StatusCode != 401 {
				t.Errorf("by another name, the cookie is answered with %d", response.StatusCode)
			}
			if response := browse(t, s, "GET", "", name+"="+value); response.StatusCode != 200 {
				t.Errorf("the cookie is answered with %d", response.StatusCode)
			}
			careful(browse(t, s, "DELETE", "", name+"="+value), 204)
		})
	}
}

// browse sends a request about the session, as a browser with a cookie does.
func browse(t *testing.T, s *Server, method, body, cookie string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL()+"/v1/session", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Cookie", cookie)
	response, err := testclient.Client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response
}
