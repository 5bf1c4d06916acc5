//go:build unix

package e2e_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/testclient"
)

// TestPeopleSignInAtARealProvider runs an OpenID Connect provider that others
// wrote, as a process of its own, next to the real binary; a browser, but for its
// pictures, signs in at the one to use the other.
func TestPeopleSignInAtARealProvider(t *testing.T) {
	bin := programs(t)
	address := freeAddress(t)
	public := "http://" + address
	_, port, _ := net.SplitHostPort(freeAddress(t))
	issuer := "http://localhost:" + port + "/"
	startLine(t, exec.Command(filepath.Join(bin, "server")), regexp.MustCompile("(server listening)"),
		"PORT="+port, "REDIRECT_URI="+public+"/v1/oidc/callback")
	data := t.TempDir()
	startLine(t, exec.Command(filepath.Join(bin, "casehook"), "serve", "--data", data, "--listen", address,
		"--public-url", public, "--allow-address", "127.0.0.0/8", "--allow-address", "::1/128", "--oidc-issuer",
		issuer, "--oidc-client-id", "web"),
		regexp.MustCompile(`(listens on)`), "CASEHOOK_OIDC_CLIENT_SECRET=secret")
	token, err := os.ReadFile(filepath.Join(data, "admin-token"))
	if err != nil {
		t.Fatal(err)
	}

	// The user is found by the address that the provider has verified.
	create, err := http.NewRequest(http.MethodPost, public+"/v1/users",
		strings.NewReader(`{"email": "test-user@zitadel.ch", "name": "Test", "role": "viewer"}`))
	if err != nil {
		t.Fatal(err)
	}
	create.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	create.Header.Set("Content-Type", "application/json")
	if status, body := fetch(t, testclient.Client, create); status != http.StatusCreated {
		t.Fatalf("creating the user: %d %s", status, body)
	}

	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Transport: testclient.Transport, Jar: jar, Timeout: 30 * time.Second}
	_, form := fetch(t, browser, get(t, public+"/v1/oidc/login"))
	id := regexp.MustCompile(`name="id" value="([^"]+)"`).FindStringSubmatch(form)
	if id == nil {
		t.Fatalf("the provider shows no form to sign in with: %s", form)
	}
	answer, err := browser.PostForm(issuer+"login/username", url.Values{
		"id": {id[1]}, "username": {"test-user@localhost"}, "password": {"verysecure"},
	})
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	status, who := fetch(t, browser, get(t, public+"/v1/session"))
	if status != http.StatusOK || !strings.Contains(who, `"source":"ui","name":"Test","user_id":1`) {
		t.Errorf("after signing in the session is %d %s", status, who)
	}
	if status, _ := fetch(t, testclient.Client, get(t, public+"/v1/session")); status != http.StatusUnauthorized {
		t.Errorf("without the cookie the session is %d, want 401", status)
	}
}

// startLine starts a process that ends with the test, and returns what pattern
// finds in its output.
func startLine(t *testing.T, c *exec.Cmd, pattern *regexp.Regexp, env ...string) string {
	t.Helper()
	read, write := io.Pipe()
	c.Env = append(os.Environ(), env...)
	c.Stdout, c.Stderr = write, write
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	found := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(read)
		for lines.Scan() {
			if match := pattern.FindStringSubmatch(lines.Text()); match != nil && len(found) == 0 {
				found <- match[1]
			}
		}
	}()
	select {
	case line := <-found:
		return line
	case <-time.After(time.Minute):
		t.Fatalf("%s did not print %s", c.Path, pattern)
		return ""
	}
}

func get(t *testing.T, url string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func fetch(t *testing.T, c *http.Client, r *http.Request) (int, string) {
	t.Helper()
	answer, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}
