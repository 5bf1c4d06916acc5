package certificates

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
	"golang.org/x/net/idna"
)

// LetsEncrypt is the default directory of an authority.
const LetsEncrypt = autocert.DefaultACMEDirectory

// ACMEConfig configures certificates that an authority issues.
type ACMEConfig struct {
	Hosts     []string          // for which certificates are wanted; others get none
	Email     string            // at which the authority reaches the operator; may be empty
	Directory string            // the URL of the authority; default LetsEncrypt
	Cache     autocert.Cache    // keeps what belongs to certificates, for all processes
	Transport http.RoundTripper // reaches the authority; default: like http.DefaultTransport
	Version   string            // of Casehook, for the User-Agent
	Log       *slog.Logger
}

// ACME has the certificates of an authority. They are obtained and renewed in the background; no handshake waits for
// the authority, and none makes it issue a certificate.
type ACME struct {
	hosts   []string
	log     *slog.Logger
	manager *autocert.Manager

	mu     sync.Mutex
	ready  map[string]*tls.Certificate
	failed map[string]failure // hosts for which the last try failed
}

// failure is how often in a row a certificate could not be obtained, and when it is tried again.
type failure struct {
	times int
	again time.Time
}

const (
	firstRetry   = time.Minute // doubled each time
	longestRetry = time.Hour   // authorities limit failures an hour
	mostRetries  = 10          // that are counted
)

// NewACME returns an ACME without certificates, which [ACME.Keep] obtains.
func NewACME(c ACMEConfig) *ACME {
	if c.Directory == "" {
		c.Directory = LetsEncrypt
	}
	if c.Transport == nil {
		c.Transport = http.DefaultTransport.(*http.Transport).Clone()
	}
	client := &http.Client{
		Timeout: 30 * time.Second, Transport: &orders{next: c.Transport, urls: map[string]string{}},
	}
	return &ACME{
		hosts: c.Hosts, log: c.Log, ready: map[string]*tls.Certificate{}, failed: map[string]failure{},
		manager: &autocert.Manager{
			Prompt: autocert.AcceptTOS, Cache: c.Cache, HostPolicy: autocert.HostWhitelist(c.Hosts...), Email: c.Email,
			Client: &acme.Client{
				DirectoryURL: c.Directory, HTTPClient: client, UserAgent: "Casehook/" + c.Version,
			},
		},
	}
}

// Host returns a host name as certificates have it. Its error completes "The host ...".
func Host(name string) (string, error) {
	ascii, err := idna.Lookup.ToASCII(strings.TrimSuffix(strings.TrimSpace(name), "."))
	switch {
	case err != nil || strings.ContainsAny(ascii, ":/*@ "):
		return "", fmt.Errorf("%q is not the name of a host", name)
	case !strings.Contains(ascii, "."):
		return "", fmt.Errorf("%q has no dot, and no authority issues certificates for such names", name)
	case strings.Trim(ascii, "0123456789.") == "":
		return "", fmt.Errorf("%q is an address, and certificates are for names", name)
	}
	return ascii, nil
}

// Get returns the certificate for a handshake, or the answer to the authority's challenge.
func (a *ACME) Get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	name, err := Host(hello.ServerName)
	if err != nil || !slices.Contains(a.hosts, name) {
		return nil, errors.New("the client names no host that has a certificate")
	}
	if slices.Equal(hello.SupportedProtos, []string{acme.ALPNProto}) {
		return a.manager.GetCertificate(hello)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if ready := a.ready[name]; ready != nil {
		return ready, nil
	}
	return nil, errors.New("there is no certificate yet for the host that the client names")
}

// Config returns the configuration of a server.
func (a *ACME) Config() *tls.Config {
	c := Config(a.Get)
	c.NextProtos = []string{acme.ALPNProto}
	return c
}

// HTTP returns a handler that answers the authority's challenges by plain HTTP, on port 80. Other requests go to next.
func (a *ACME) HTTP(next http.Handler) http.Handler {
	challenges := a.manager.HTTPHandler(nil)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/.well-known/acme-challenge/") {
			next.ServeHTTP(w, r)
			return
		}
		if name, _, err := net.SplitHostPort(r.Host); err == nil {
			r.Host = name // which the manager compares; there may be a port if port 80 is forwarded
		}
		challenges.ServeHTTP(w, r)
	})
}

// Keep obtains the certificates of all hosts, and then takes up renewed ones at each tick, until ctx ends. A failure is
// tried again later and later. A request to the authority that is under way when ctx ends goes on for minutes at most.
func (a *ACME) Keep(ctx context.Context, ticks <-chan time.Time) {
	for {
		round := make(chan struct{})
		go func() {
			defer close(round)
			for _, host := range a.hosts {
				if ctx.Err() == nil && a.due(host, time.Now()) {
					a.obtain(host)
				}
			}
		}()
		select {
		case <-ctx.Done():
			return
		case <-round:
		}
		select {
		case <-ctx.Done():
			return
		case <-ticks:
		}
	}
}

func (a *ACME) due(host string, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !now.Before(a.failed[host].again)
}

// obtain gets a host's certificate from memory, the cache or the authority. The manager renews it by itself.
func (a *ACME) obtain(host string) {
	got, err := a.manager.GetCertificate(&tls.ClientHelloInfo{
		ServerName:       host,
		SignatureSchemes: []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256},
		CipherSuites:     []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}, // means that an ECDSA key is wanted
		SupportedCurves:  []tls.CurveID{tls.CurveP256},
	})
	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil {
		a.fail(host, err)
		return
	}
	delete(a.failed, host)
	if before := a.ready[host]; before == nil || !before.Leaf.Equal(got.Leaf) {
		a.log.Info("there is a certificate", "host", host, "ends", got.Leaf.NotAfter)
	}
	a.ready[host] = got
}

// fail logs a failure, and delays the next try.
func (a *ACME) fail(host string, err error) {
	f := a.failed[host]
	wait := min(firstRetry<<f.times, longestRetry)
	a.failed[host] = failure{times: min(f.times+1, mostRetries), again: time.Now().Add(wait)}
	a.log.Error("no certificate could be obtained", "host", host, "error", err, "next_try_in", wait, "advice",
		"The name has to lead to this server, and the authority has to reach it on port 443, or on port 80 with "+
			"--http-redirect.")
}
