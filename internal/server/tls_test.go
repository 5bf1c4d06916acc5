package server

import (
	"bytes"
	"crypto/tls"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/testclient"
	"github.com/casehook/casehook/internal/waits"
)

var inAYear = time.Now().Add(365 * 24 * time.Hour)

// curl runs curl, which trusts an authority, and returns its output.
func curl(t *testing.T, authority *testclient.Authority, args ...string) (string, error) {
	t.Helper()
	roots := filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(roots, authority.PEM, 0o600); err != nil {
		t.Fatal(err)
	}
	output, err := exec.CommandContext(t.Context(), "curl",
		append([]string{"-sS", "--max-time", "20", "--cacert", roots}, args...)...).CombinedOutput()
	return string(output), err
}

func TestTheServerSpeaksTLS(t *testing.T) {
	t.Parallel()
	authority, dir := testclient.NewAuthority(t), t.TempDir()
	c := Config{Data: filepath.Join(dir, "data"), HTTPRedirect: "127.0.0.1:0"}
	c.TLSCert, c.TLSKey = authority.Issue(t, inAYear).Write(t, dir)
	s, _ := start(t, c)
	if !strings.HasPrefix(s.URL(), "https://127.0.0.1:") || s.config.PublicURL != s.URL() {
		t.Errorf("the URLs are %s and %s", s.URL(), s.config.PublicURL)
	}
	versions := "%{http_version} %{http_code}"
	for flags, want := range map[string]string{
		"--http2": "2 200", "--http1.1": "1.1 200", "--tlsv1.3": "2 200", "--tlsv1.2 --tls-max 1.2": "2 200",
		"--tlsv1.0 --tls-max 1.1 --ciphers DEFAULT@SECLEVEL=0": "refused",
	} {
		got, err := curl(t, authority, append(strings.Fields(flags), "-o", filepath.Join(dir, "body"), "-w", versions,
			s.URL()+"/healthz")...)
		if want == "refused" && (err == nil || !strings.Contains(got, "version")) || want != "refused" && got != want {
			t.Errorf("curl %s: %q, %v; want %s", flags, got, err, want)
		}
	}
	got, err := curl(t, authority, "-i", s.URL()+"/healthz")
	if err != nil || !strings.Contains(strings.ToLower(got), "strict-transport-security: max-age=31536000\r\n") {
		t.Errorf("answered %q, %v", got, err)
	}
	plain := "http" + strings.TrimPrefix(s.URL(), "https")
	if got, err := curl(t, authority, plain+"/healthz"); err != nil || !strings.Contains(got, "server.needs_tls") {
		t.Errorf("plain HTTP is answered %q, %v", got, err)
	}
	for request, want := range map[string]string{
		"/v1/cases?limit=3": "308 " + s.URL() + "/v1/cases?limit=3", "/x|-d|secret": "400 ",
	} {
		path, flags, _ := strings.Cut(request, "|")
		args := []string{"-o", filepath.Join(dir, "body"), "-w", "%{http_code} %{redirect_url}", s.redirectURL + path}
		if flags != "" {
			args = append(args, strings.Split(flags, "|")...)
		}
		if got, err := curl(t, authority, args...); err != nil || got != want {
			t.Errorf("the redirection of %s is %q, %v", request, got, err)
		}
	}
}

// Cookies are only sent by HTTPS, and pages of the plain scheme are other sites, although no proxy says anything.
func TestCookiesOfTLSAreSecure(t *testing.T) {
	t.Parallel()
	authority, dir := testclient.NewAuthority(t), t.TempDir()
	c := Config{Data: filepath.Join(dir, "data"), PublicURL: "http://cases.example"}
	c.TLSCert, c.TLSKey = authority.Issue(t, inAYear).Write(t, dir)
	s, _ := start(t, c)
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: authority.Pool}, ForceAttemptHTTP2: true,
	}}
	t.Cleanup(client.CloseIdleConnections)
	send := func(method, path, body string, headers ...string) *http.Response {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		for _, header := range headers {
			name, value, _ := strings.Cut(header, ": ")
			r.Header.Set(name, value)
		}
		response, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, response.Body)
		response.Body.Close()
		return response
	}
	send("POST", "/v1/users", `{"email": "ada@example.org", "name": "Ada", "role": "caseworker",
		"password": "correct horse battery"}`, "Authorization: Bearer "+s.Token())
	in := send("POST", "/v1/session", adasSignIn)
	if in.ProtoMajor != 2 || len(in.Cookies()) == 0 {
		t.Fatalf("the sign-in is answered %s by %s", in.Status, in.Proto)
	}
	cookie := in.Cookies()[0]
	if cookie.Name != "__Host-casehook_session" || !cookie.Secure {
		t.Errorf("the cookie is %s", cookie)
	}
	with := "Cookie: " + cookie.Name + "=" + cookie.Value
	host := strings.TrimPrefix(s.URL(), "https://")
	for _, page := range []struct {
		origin string
		status int
	}{{"http://" + host, 403}, {"https://evil.example", 403}, {"https://" + host, 204}} {
		if r := send("DELETE", "/v1/session", "", with, "Origin: "+page.origin); r.StatusCode != page.status {
			t.Errorf("a page at %s is answered %d", page.origin, r.StatusCode)
		}
	}
}

// The files are read again without a restart.
func TestAReplacedCertificateIsServed(t *testing.T) {
	t.Parallel()
	authority, dir := testclient.NewAuthority(t), t.TempDir()
	wishes := make(chan struct{})
	c := Config{Data: filepath.Join(dir, "data"), Reload: wishes}
	first, second := authority.Issue(t, inAYear), authority.Issue(t, inAYear)
	c.TLSCert, c.TLSKey = first.Write(t, dir)
	s, _ := start(t, c)
	served := func(want testclient.Pair) bool {
		conn, err := tls.Dial("tcp", s.listener.Addr().String(), &tls.Config{RootCAs: authority.Pool})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return bytes.Equal(conn.ConnectionState().PeerCertificates[0].Raw, want.Leaf.Raw)
	}
	if !served(first) {
		t.Error("another certificate is served at first")
	}
	second.Write(t, dir)
	wishes <- struct{}{}
	waits.Poll(t, "the new certificate", func() bool { return served(second) })
}

func TestSettingsOfTLSThatContradictEachOther(t *testing.T) {
	t.Parallel()
	hosts := []string{"cases.example.com"}
	for names, c := range map[string]Config{
		"config.tls --tls-key":       {TLSCert: "a"},
		"config.tls --tls-cert":      {TLSKey: "a"},
		"config.tls --acme-host":     {TLSCert: "a", TLSKey: "a", ACME: ACME{Hosts: hosts}},
		"config.acme --acme-host":    {ACME: ACME{Email: "a@b.example"}},
		"config.acme localhost":      {ACME: ACME{Hosts: []string{"localhost"}}},
		"config.acme --acme-dir":     {ACME: ACME{Hosts: hosts, Directory: "http://ca.example"}},
		"config.http_redirect HTTPS": {HTTPRedirect: "127.0.0.1:0"},
		"config.tls nowhere":         {TLSCert: "nowhere", TLSKey: "nowhere"},
	} {
		c.Data, c.Listen = filepath.Join(t.TempDir(), "data"), "127.0.0.1:0"
		code, text, _ := strings.Cut(names, " ")
		_, err := Start(t.Context(), c)
		if f := fault.As(err); err == nil || f.Code != code || !strings.Contains(f.Detail, text) {
			t.Errorf("%s: %v", names, err)
		}
		if _, err := os.Stat(c.Data); err == nil {
			t.Errorf("%s: the data folder was made", names)
		}
	}
}
