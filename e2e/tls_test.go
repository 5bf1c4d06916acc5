//go:build unix

package e2e_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/casehook/casehook/internal/testclient"
	"github.com/casehook/casehook/internal/waits"
)

// A person signs in over the server's own TLS, by HTTP/2 and with a cookie that is sent by HTTPS alone. The commands
// trust a private authority by SSL_CERT_FILE. SIGHUP replaces the certificate.
func TestPeopleSignInOverTLS(t *testing.T) {
	t.Parallel()
	dir, authority := t.TempDir(), testclient.NewAuthority(t)
	inAYear := time.Now().Add(365 * 24 * time.Hour)
	first, second := authority.Issue(t, inAYear), authority.Issue(t, inAYear)
	certificate, key := first.Write(t, dir)
	roots := filepath.Join(dir, "roots.pem")
	if err := os.WriteFile(roots, authority.PEM, 0o600); err != nil {
		t.Fatal(err)
	}
	casehook := filepath.Join(programs(t), "casehook")
	server := exec.Command(casehook, "serve", "--data", filepath.Join(dir, "data"), "--listen", "127.0.0.1:0",
		"--tls-cert", certificate, "--tls-key", key)
	url := startLine(t, server, regexp.MustCompile(`listens on (https://\S+)`))
	token, err := os.ReadFile(filepath.Join(dir, "data", "admin-token"))
	if err != nil {
		t.Fatal(err)
	}
	command := func(env string) (string, error) {
		c := exec.CommandContext(t.Context(), casehook, "user", "create", "--email", "ada@example.org", "--role",
			"manager", "--server", url)
		c.Env = append(os.Environ(), "CASEHOOK_TOKEN="+strings.TrimSpace(string(token)), env)
		out, err := c.CombinedOutput()
		return string(out), err
	}
	if out, err := command("SSL_CERT_FILE=" + certificate + ".none"); err == nil || !strings.Contains(out, "x509") {
		t.Errorf("without the authority a command prints %q, %v", out, err)
	}
	out, err := command("SSL_CERT_FILE=" + roots)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	password := regexp.MustCompile(`once:\n\n  (\S+)\n`).FindStringSubmatch(out)
	if password == nil {
		t.Fatalf("there is no password in %q", out)
	}
	signInOverTLS(t, url, first, password[1])

	second.Write(t, dir)
	if err := server.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	waits.Poll(t, "the new certificate", func() bool {
		conn, err := tls.Dial("tcp", strings.TrimPrefix(url, "https://"), &tls.Config{RootCAs: authority.Pool})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].Equal(second.Leaf)
	})
}

// signInOverTLS signs Ada in in a browser that trusts one certificate.
func signInOverTLS(t *testing.T, url string, trusted testclient.Pair, password string) {
	t.Helper()
	pin := sha256.Sum256(trusted.Leaf.RawSubjectPublicKeyInfo)
	b := openBrowser(t, url, chromedp.Flag("ignore-certificate-errors-spki-list",
		base64.StdEncoding.EncodeToString(pin[:])))
	b.open("/sign-in")
	b.fill("email", "ada@example.org")
	b.fill("password", password)
	b.press("Sign in")
	b.wait("the page behind the sign-in", `location.pathname !== "/sign-in"`)
	var protocol string
	b.run(chromedp.Evaluate(`performance.getEntriesByType("navigation")[0].nextHopProtocol`, &protocol))
	if protocol != "h2" {
		t.Errorf("the page came by %s", protocol)
	}
	b.run(chromedp.ActionFunc(func(ctx context.Context) error {
		cookies, err := network.GetCookies().Do(ctx)
		for _, cookie := range cookies {
			if !cookie.Secure || !strings.HasPrefix(cookie.Name, "__Host-") {
				t.Errorf("the cookie %s is sent by plain HTTP", cookie.Name)
			}
		}
		if len(cookies) == 0 {
			t.Error("there is no cookie")
		}
		return err
	}))
}
