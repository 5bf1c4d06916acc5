package delivery_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/store/storetest"
	"github.com/casehook/casehook/internal/wire/wiretest"
)

func TestBearerAndBasicGoWithEachRequestAndIntoNoRecord(t *testing.T) {
	onBothEngines(t, func(b *bench) {
		for want, auth := range map[string]endpoint.Auth{
			"Bearer sesame-token":                {Kind: endpoint.BearerAuth, Token: "sesame-token"},
			"Basic QWRhOnNlc2FtZTpwYXNzd29yZA==": {Kind: endpoint.BasicAuth, Username: "Ada", Password: "sesame:password"},
		} {
			server, heard := b.repeater()
			e := b.add(endpoint.Endpoint{URL: server.URL, Auth: auth})
			b.comment(1, 1)
			if got := next(b, heard).header["Authorization"]; len(got) != 1 || got[0] != want {
				b.Errorf("Authorization is %q", got)
			}
			b.hides(b.record(e), "sesame", strings.Fields(want)[1])
		}
	})
}

// hides fails the test if an attempt contains a secret.
func (b *bench) hides(a store.Attempt, secrets ...string) {
	b.Helper()
	for _, secret := range secrets {
		if strings.Contains(a.Request+a.Response, secret) {
			b.Errorf("the attempt contains %s: %s %s", secret, a.Request, a.Response)
		}
	}
	if !strings.Contains(a.Request, `["Authorization","(redacted)"]`) {
		b.Errorf("the attempt does not show that it had an Authorization: %s", a.Request)
	}
}

// issuer is an OAuth2 server whose answers a test decides.
type issuer struct {
	server *httptest.Server
	mu     sync.Mutex
	asked  []http.Header
	forms  []string
	answer func(n int, w http.ResponseWriter) // n is 1, 2, ...
}

func (b *bench) issuer(answer func(n int, w http.ResponseWriter)) *issuer {
	i := &issuer{answer: answer}
	i.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		q.ParseForm()
		i.mu.Lock()
		i.asked, i.forms = append(i.asked, q.Header.Clone()), append(i.forms, q.PostForm.Encode())
		n, answer := len(i.asked), i.answer
		i.mu.Unlock()
		b.progress.Made()
		w.Header().Set("Content-Type", "application/json")
		answer(n, w)
	}))
	b.Cleanup(i.server.Close)
	return i
}

func (i *issuer) times() int { i.mu.Lock(); defer i.mu.Unlock(); return len(i.asked) }

func (i *issuer) answers(answer func(n int, w http.ResponseWriter)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.answer = answer
}

func grants(seconds int) func(int, http.ResponseWriter) {
	return func(n int, w http.ResponseWriter) {
		fmt.Fprintf(w, `{"access_token": "token-number-%d", "token_type": "bearer", "expires_in": %d}`, n, seconds)
	}
}

func (i *issuer) auth() endpoint.Auth {
	return endpoint.Auth{Kind: endpoint.OAuth2Auth, TokenURL: i.server.URL + "/token", ClientID: "casehook",
		ClientSecret: "sesame/secret",
		Scopes:       []string{"hooks:write", "b"}, Audience: "https://crm.example"}
}

func TestATokenIsAskedForOnceAndKeptUntilItEnds(t *testing.T) {
	onBothEngines(t, func(b *bench) {
		hold := make(chan struct{})
		i := b.issuer(func(n int, w http.ResponseWriter) { <-hold; grants(3600)(n, w) })
		server, heard := b.repeater()
		e := b.add(endpoint.Endpoint{
			URL: server.URL, Auth: i.auth(), Policy: endpoint.Policy{Order: endpoint.None, Concurrency: 8},
		})
		for version := range int64(20) {
			b.comment(version+1, 1)
		}
		b.eventually("a token is asked for", func() bool { return i.times() > 0 })
		close(hold)
		for range 20 {
			if got := next(b, heard).header.Get("Authorization"); got != "Bearer token-number-1" {
				b.Errorf("Authorization is %q", got)
			}
		}
		b.served(e)
		if n := i.times(); n != 1 {
			b.Errorf("20 messages asked for %d tokens", n)
		}
		type question struct{ Authorization, ID, Form string }
		got := question{i.asked[0].Get("Authorization"), i.asked[0].Get("webhook-id"), i.forms[0]}
		want := question{
			Authorization: "Basic Y2FzZWhvb2s6c2VzYW1lJTJGc2VjcmV0",
			Form:          "audience=https%3A%2F%2Fcrm.example&grant_type=client_credentials&scope=hooks%3Awrite+b",
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			b.Errorf("asked with (-want +got):\n%s", diff)
		}
		if agent := i.asked[0].Get("User-Agent"); !strings.HasPrefix(agent, "Casehook/") {
			b.Errorf("asked by %q", agent)
		}
		attempts, err := b.store.Attempts(b.Context(), b.tenant, e.ID, 1<<62, 100)
		if err != nil || len(attempts) != 20 {
			b.Fatalf("%d attempts, %v", len(attempts), err)
		}
		b.hides(attempts[0], "sesame", "token-number")
	})
}

func TestATokenThatIsNotTakenIsReplacedOnce(t *testing.T) {
	onBothEngines(t, func(b *bench) {
		i := b.issuer(grants(3600))
		var mu sync.Mutex
		revoked, got := map[string]bool{}, []string{}
		server := httptest.NewServer(wiretest.Handler(b, http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			token := strings.TrimPrefix(q.Header.Get("Authorization"), "Bearer token-number-")
			got = append(got, token+" "+q.Header.Get("webhook-attempt"))
			if revoked[token] {
				w.WriteHeader(http.StatusUnauthorized)
			}
		})))
		b.Cleanup(server.Close)
		auth := i.auth()
		auth.ClientAuth = endpoint.InBody
		e := b.add(endpoint.Endpoint{URL: server.URL, Auth: auth})
		b.comment(1, 1)
		b.served(e)
		mu.Lock()
		revoked["1"] = true
		mu.Unlock()
		b.comment(1, 2)
		b.served(e)
		mu.Lock()
		if want := "1 1,1 1,2 1"; strings.Join(got, ",") != want {
			b.Errorf("it got the tokens and attempts %q, want %s", got, want)
		}
		mu.Unlock()
		if i.times() != 2 || !strings.Contains(i.forms[1], "client_secret=sesame%2Fsecret") ||
			i.asked[1].Get("Authorization") != "" {
			b.Errorf("asked %d times, with %v", i.times(), i.forms)
		}
		attempts, err := b.store.Attempts(b.Context(), b.tenant, e.ID, 1<<62, 100)
		if err != nil || len(attempts) != 2 || !attempts[0].Delivered {
			b.Errorf("%d attempts, %v", len(attempts), err)
		}
	})
}

func TestWithoutATokenNothingIsSentAndTheReasonIsClear(t *testing.T) {
	for name, test := range map[string]struct {
		answer func(n int, w http.ResponseWriter)
		auth   func(*endpoint.Auth)
		says   string
	}{
		"refused": {answer: func(_ int, w http.ResponseWriter) {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"error": "invalid_client", "error_description": "sesame/secret is wrong"}`)
		}, says: "it answered 401 Unauthorized (invalid_client)"},
		"an odd code": {answer: func(_ int, w http.ResponseWriter) {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"error": "sesame/secret"}`)
		}, says: "it answered 400 Bad Request"},
		"an odd reason phrase": {answer: func(_ int, w http.ResponseWriter) {
			connection, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			defer connection.Close()
			fmt.Fprint(connection, "HTTP/1.1 400 sesame/secret\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		}, says: "it answered 400 Bad Request"},
		"redirected": {answer: func(_ int, w http.ResponseWriter) {
			w.Header().Set("Location", "https://elsewhere.example/")
			w.WriteHeader(http.StatusTemporaryRedirect)
		}, says: "it answered 307 Temporary Redirect"},
		"nonsense":          {answer: func(_ int, w http.ResponseWriter) { fmt.Fprint(w, "sesame") }, says: "its answer holds none"},
		"no token":          {answer: func(_ int, w http.ResponseWriter) { fmt.Fprint(w, `{"expires_in": 1}`) }, says: "its answer holds none"},
		"a MAC token":       {answer: func(_ int, w http.ResponseWriter) { fmt.Fprint(w, `{"access_token": "sesame", "token_type": "mac"}`) }, says: "not of the type bearer"},
		"an injection":      {answer: func(_ int, w http.ResponseWriter) { fmt.Fprint(w, `{"access_token": "sesame\r\nHost: x"}`) }, says: "can't be sent in a header"},
		"too long":          {answer: func(_ int, w http.ResponseWriter) { fmt.Fprint(w, strings.Repeat("sesame", 100_000)) }, says: "too_large"},
		"a private address": {auth: func(a *endpoint.Auth) { a.TokenURL = "https://10.0.0.1/token" }, says: "refused_address"},
		"nobody there":      {auth: func(a *endpoint.Auth) { a.TokenURL = "http://127.0.0.1:1/token" }, says: "connect"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t,
				store.Options{Path: storetest.SQLite(t, filepath.Join(t.TempDir(), "casehook.db"), databaseKey)})
			i := b.issuer(grants(3600))
			if test.answer != nil {
				i.answers(test.answer)
			}
			auth := i.auth()
			if test.auth != nil {
				test.auth(&auth)
			}
			server, heard := b.repeater()
			e := b.add(endpoint.Endpoint{
				URL: server.URL, Auth: auth, Policy: endpoint.Policy{Retries: every(100*time.Millisecond, 30)},
			})
			b.comment(1, 1)
			b.eventually("the failure is recorded", func() bool { return b.tries(e) > 0 })
			attempts, err := b.store.Attempts(b.Context(), b.tenant, e.ID, 1<<62, 10)
			if err != nil || len(heard) != 0 {
				t.Fatalf("%d requests, %v", len(heard), err)
			}
			if a := attempts[0]; a.Class != "credentials" || a.Status != 0 {
				t.Fatalf("attempt %+v", a)
			}
			if reason := b.reason(e); !strings.Contains(reason, test.says) ||
				strings.Contains(reason+attempts[0].Response, "sesame") {
				t.Errorf("the reason is %q, want %q", reason, test.says)
			}
			if test.answer != nil { // the message is not to blame: it waits until there are tokens
				i.answers(grants(3600))
				next(b, heard)
			}
		})
	}
}

// reason returns the reason of the endpoint's last failure.
func (b *bench) reason(e endpoint.Endpoint) string {
	b.Helper()
	attempts, err := b.store.Attempts(b.Context(), b.tenant, e.ID, 1<<62, 1)
	if err != nil {
		b.Fatal(err)
	}
	return attempts[0].Response
}

// authority signs certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pem         string
}

func newAuthority(t testing.TB, name string) *authority {
	t.Helper()
	a := &authority{}
	a.pem, _, a.certificate, a.key = a.issue(t,
		&x509.Certificate{
			Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
			KeyUsage: x509.KeyUsageCertSign,
		})
	return a
}

// issue signs a certificate. The authority signs its own with its own key.
func (a *authority) issue(
	t testing.TB, template *x509.Certificate,
) (certificate, private string, parsed *x509.Certificate, key *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber, template.NotBefore, template.NotAfter = big.NewInt(time.Now().UnixNano()),
		time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.certificate, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	if parsed, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return block("CERTIFICATE", der), block("PRIVATE KEY", secret), parsed, key
}

// client returns an endpoint's settings for a client certificate.
func (a *authority) client(t testing.TB, name, ca string) endpoint.TLS {
	t.Helper()
	certificate, key, _, _ := a.issue(t,
		&x509.Certificate{
			Subject: pkix.Name{CommonName: name}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		})
	return endpoint.TLS{Certificate: certificate, Key: key, CA: ca}
}

func TestClientCertificatesAreShownAndConnectionsNotShared(t *testing.T) {
	onBothEngines(t, func(b *bench) {
		servers, clients := newAuthority(b, "servers"), newAuthority(b, "clients")
		certificate, key, _, _ := servers.issue(b,
			&x509.Certificate{
				Subject: pkix.Name{CommonName: "receiver"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
			})
		pair, err := tls.X509KeyPair([]byte(certificate), []byte(key))
		if err != nil {
			b.Fatal(err)
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM([]byte(clients.pem))
		arrived := make(chan string, 100)
		server := httptest.NewUnstartedServer(wiretest.Handler(b,
			http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
				arrived <- q.URL.Path + " by " + q.TLS.PeerCertificates[0].Subject.CommonName
			})))
		server.TLS = &tls.Config{
			Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool,
		}
		server.StartTLS()
		b.Cleanup(server.Close)

		ada := b.add(endpoint.Endpoint{URL: server.URL + "/ada", TLS: clients.client(b, "ada", servers.pem)})
		bob := b.add(endpoint.Endpoint{URL: server.URL + "/bob", TLS: clients.client(b, "bob", servers.pem)})
		nobody := b.add(endpoint.Endpoint{URL: server.URL + "/nobody", TLS: endpoint.TLS{CA: servers.pem}})
		stranger := b.add(endpoint.Endpoint{
			URL: server.URL + "/stranger", TLS: servers.client(b, "stranger", servers.pem),
		})
		distrusts := b.add(endpoint.Endpoint{
			URL: server.URL + "/distrusts", TLS: clients.client(b, "eve", clients.pem),
		})
		for version := int64(1); version <= 3; version++ {
			b.comment(1, version)
		}
		b.served(ada)
		b.served(bob)
		for range 6 {
			switch got := <-arrived; got {
			case "/ada by ada", "/bob by bob":
			default:
				b.Errorf("it was asked %s", got)
			}
		}
		for name, e := range map[string]endpoint.Endpoint{
			"nobody": nobody, "stranger": stranger, "distrusts": distrusts,
		} {
			b.eventually(name+" fails", func() bool { return b.tries(e) > 0 })
			attempts, err := b.store.Attempts(b.Context(), b.tenant, e.ID, 1<<62, 10)
			if err != nil || attempts[0].Class != "tls" {
				b.Errorf("%s: %+v, %v", name, attempts[0], err)
			}
		}
		if len(arrived) > 0 {
			b.Errorf("it was asked %s", <-arrived)
		}
	})
}
