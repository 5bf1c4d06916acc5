package server

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"

	"github.com/casehook/casehook/internal/pgtest"
	"github.com/casehook/casehook/internal/waits"
)

// authority is an ACME authority (Pebble) that validates challenges at ports of this machine, whatever the host.
type authority struct {
	directory string
	transport http.RoundTripper
	roots     *x509.CertPool
	ready     chan func() (httpPort, tlsPort int)
}

// newAuthority starts an authority. It answers once the ports are known.
func newAuthority(t *testing.T) *authority {
	t.Helper()
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	a := &authority{roots: x509.NewCertPool(), ready: make(chan func() (int, int), 1)}
	logs := log.New(io.Discard, "", 0)
	resolver := resolveHere(t)
	store := db.NewMemoryStore()
	issuer := ca.New(logs, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {}})
	block := issuer.GetRootCert(0)
	a.roots.AppendCertsFromPEM(block.PEM())
	handler := make(chan http.Handler, 1)
	go func() {
		select {
		case ports := <-a.ready:
			httpPort, tlsPort := ports()
			validator := va.New(logs, httpPort, tlsPort, false, resolver, store)
			front := wfe.New(logs, store, validator, issuer, []string{"pebble.example"}, false, false, 1, 1)
			handler <- front.Handler()
		case <-t.Context().Done():
		}
	}()
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case h := <-handler:
			handler <- h
			h.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	a.directory, a.transport = s.URL+wfe.DirectoryPath, s.Client().Transport
	return a
}

// resolveHere starts a name server that knows every name as this machine's, and returns its address.
func resolveHere(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &dns.Server{Listener: listener, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, asked *dns.Msg) {
		answer := new(dns.Msg).SetReply(asked)
		if question := asked.Question[0]; question.Qtype == dns.TypeA {
			answer.Answer = []dns.RR{&dns.A{
				Hdr: dns.RR_Header{Name: question.Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 1},
				A:   net.IPv4(127, 0, 0, 1),
			}}
		}
		w.WriteMsg(answer)
	})}
	done := make(chan struct{})
	go func() { defer close(done); s.ActivateAndServe() }()
	t.Cleanup(func() { listener.Close(); <-done })
	return listener.Addr().String()
}

func portOf(t *testing.T, raw string) int {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// answeredBy connects to a server as a host, and returns the certificate that it has.
func answeredBy(t *testing.T, s *Server, a *authority, host string) *x509.Certificate {
	t.Helper()
	var got *x509.Certificate
	waits.Poll(t, "a certificate for "+host, func() bool {
		conn, err := tls.Dial("tcp", s.listener.Addr().String(), &tls.Config{ServerName: host, RootCAs: a.roots})
		if err != nil {
			return false
		}
		got = conn.ConnectionState().PeerCertificates[0]
		conn.Close()
		return true
	})
	return got
}

// An authority that really validates issues a certificate, by TLS on the server's own port, or by plain HTTP. It is
// kept, sealed, and another process of the installation uses it.
func TestCertificatesOfAnAuthority(t *testing.T) {
	for name, http := range map[string]bool{"tls-alpn-01": false, "http-01": true} {
		t.Run(name, func(t *testing.T) {
			a := newAuthority(t)
			c := Config{
				Database: pgtest.URL(t), Key: base64.StdEncoding.EncodeToString(make([]byte, 32)), Data: t.TempDir(),
				Log: slog.New(slog.DiscardHandler), HTTPRedirect: "127.0.0.1:0",
				ACME: ACME{
					Hosts: []string{"Cases.Example.com"}, Email: "ops@example.com",
					Directory: a.directory, transport: a.transport,
				},
			}
			first, stop := start(t, c)
			if first.config.PublicURL != "https://cases.example.com" {
				t.Errorf("the public URL is %s", first.config.PublicURL)
			}
			a.ready <- func() (int, int) {
				if http {
					return portOf(t, first.redirectURL), 1 // where nothing listens
				}
				return 1, portOf(t, first.url)
			}
			issued := answeredBy(t, first, a, "cases.example.com")
			if err := issued.VerifyHostname("cases.example.com"); err != nil {
				t.Error(err)
			}
			refused := &tls.Config{ServerName: "other.example.com", InsecureSkipVerify: true}
			if _, err := tls.Dial("tcp", first.listener.Addr().String(), refused); err == nil {
				t.Error("there is a certificate for a host that was not named")
			}
			second, _ := start(t, c)
			if got := answeredBy(t, second, a, "cases.example.com"); !got.Equal(issued) {
				t.Error("the second process has a certificate of its own")
			}
			stop()
			if stored := rawCertificates(t, first.config.Database); bytes.Contains(stored, []byte("PRIVATE KEY")) {
				t.Error("the key is not sealed")
			}
		})
	}
}

// rawCertificates returns what the database has.
func rawCertificates(t *testing.T, database string) (all []byte) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), "select value from installation where name like 'certificate/%'")
	if err != nil {
		t.Fatal(err)
	}
	values, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(values) < 2 {
		t.Fatalf("%d values are kept: %v", len(values), err)
	}
	for _, value := range values {
		raw, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			t.Fatal(err)
		}
		all = append(append(all, value...), raw...)
	}
	return all
}

// While an authority does not answer, the server serves and stops as usual.
func TestAnAuthorityThatDoesNotAnswerStopsNothing(t *testing.T) {
	a := newAuthority(t) // which is never ready
	_, stop := start(t, Config{
		Data: t.TempDir(), Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		ACME: ACME{Hosts: []string{"cases.example.com"}, Directory: a.directory, transport: a.transport},
	})
	began := time.Now()
	stop()
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("it stopped after %v", took)
	}
}
