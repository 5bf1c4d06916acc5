package server

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/crypto/acme/autocert"

	"github.com/casehook/casehook/internal/certificates"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/weburl"
)

// ACME configures certificates that an authority issues.
type ACME struct {
	Hosts     []string // empty: there are none
	Email     string   // at which the authority reaches the operator; may be empty
	Directory string   // the URL of the authority; default Let's Encrypt

	transport http.RoundTripper // for tests: reaches the authority
}

// secure reports whether the server speaks TLS itself.
func (c Config) secure() bool { return c.TLSCert != "" || len(c.ACME.Hosts) > 0 }

// scheme returns the scheme of the server's own address.
func (c Config) scheme() string {
	if c.secure() {
		return "https"
	}
	return "http"
}

// checkTLS returns an error if the settings for TLS are incomplete, or contradict each other.
func (c Config) checkTLS() error {
	switch {
	case c.TLSCert == "" && c.TLSKey != "":
		return invalid("tls", "The certificate of the key --tls-key is missing. Name its file with --tls-cert.")
	case c.TLSCert != "" && c.TLSKey == "":
		return invalid("tls", "The key of the certificate --tls-cert is missing. Name its file with --tls-key.")
	case c.TLSCert != "" && len(c.ACME.Hosts) > 0:
		return invalid("tls", "Certificates come from files or from ACME. Leave out --tls-cert and --tls-key, or "+
			"--acme-host.")
	case len(c.ACME.Hosts) == 0 && (c.ACME.Email != "" || c.ACME.Directory != ""):
		return invalid("acme", "No certificate is asked for. Name the server's host with --acme-host.")
	case c.HTTPRedirect != "" && !c.secure():
		return invalid("http_redirect", "There is no HTTPS to redirect to. Give --http-redirect with --tls-cert or "+
			"--acme-host.")
	}
	return c.ACME.check()
}

func (a ACME) check() error {
	for _, name := range a.Hosts {
		if _, err := certificates.Host(name); err != nil {
			return invalid("acme", "The host of --acme-host is wrong: %v. It looks like cases.example.com.", err)
		}
	}
	if a.Directory != "" {
		if u, err := weburl.Parse(a.Directory); err != nil || u.Scheme != "https" {
			return invalid("acme", "The directory of --acme-directory is no URL with https. It looks like "+
				"https://acme-v02.api.letsencrypt.org/directory.")
		}
	}
	return nil
}

// openCertificate reads the certificate of files, if there is one.
func (s *Server) openCertificate() error {
	if s.config.TLSCert == "" {
		return nil
	}
	files, err := certificates.Open(s.config.TLSCert, s.config.TLSKey, s.config.Log)
	if err != nil {
		return invalid("tls", "The certificate %v. Name PEM files that belong together with --tls-cert and --tls-key.",
			err)
	}
	s.files, s.tls = files, certificates.Config(files.Get)
	return nil
}

// openACME prepares certificates of an authority, if they are wanted.
func (s *Server) openACME() {
	c := s.config
	if len(c.ACME.Hosts) == 0 {
		return
	}
	hosts := make([]string, len(c.ACME.Hosts))
	for i, name := range c.ACME.Hosts {
		hosts[i], _ = certificates.Host(name) // it was checked
	}
	s.acme = certificates.NewACME(certificates.ACMEConfig{
		Hosts: hosts, Email: c.ACME.Email, Directory: c.ACME.Directory, Cache: certificateCache{s.store},
		Transport: c.ACME.transport, Version: c.Version, Log: c.Log,
	})
	s.tls = s.acme.Config()
}

// The times between two looks at certificates.
const (
	filesEvery = 5 * time.Second
	acmeEvery  = 30 * time.Second
)

// keepCertificates takes up new certificates until ctx ends.
func (s *Server) keepCertificates(ctx context.Context) {
	every := filesEvery
	if s.acme != nil {
		every = acmeEvery
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	switch {
	case s.files != nil:
		s.files.Watch(ctx, ticker.C, s.config.Reload)
	case s.acme != nil:
		s.acme.Keep(ctx, ticker.C)
	}
}

// serve accepts connections until the server is shut down.
func (s *Server) serve() error {
	if s.tls == nil {
		return s.http.Serve(s.clients.Listener(s.listener))
	}
	s.http.TLSConfig = s.tls
	return s.http.ServeTLS(s.clients.TLSListener(s.listener, s.tls), "", "")
}

// hsts tells browsers to use HTTPS alone for a year, in answers by TLS.
func hsts(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS != nil {
			w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// openRedirect serves HTTPRedirect, if it is configured: it leads browsers to HTTPS, and answers challenges of ACME.
func (s *Server) openRedirect(ctx context.Context) error {
	if s.config.HTTPRedirect == "" {
		return nil
	}
	public, err := url.Parse(s.config.PublicURL)
	if err != nil {
		return err
	}
	var handler http.Handler = redirect(public.Port())
	if s.acme != nil {
		handler = s.acme.HTTP(handler)
	}
	s.redirectURL, err = s.serveBeside(ctx, s.config.HTTPRedirect, "http-redirect", handler)
	return err
}

// redirect leads requests that only read to the same host by HTTPS, at a port; empty: 443. Others are refused, because
// their contents were sent without protection, and their sender has to notice.
func redirect(port string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		host := r.Host
		if name, _, err := net.SplitHostPort(r.Host); err == nil {
			host = name
		}
		if port != "" {
			host = net.JoinHostPort(host, port)
		}
		target, err := weburl.Parse("https://" + host)
		if err != nil || r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "This address only leads to HTTPS. Send the request to https://, and replace the "+
				"credentials in it: they were sent without protection.", http.StatusBadRequest)
			return
		}
		http.Redirect(w, r, "https://"+target.Host+r.URL.RequestURI(), http.StatusPermanentRedirect)
	})
}

// serveBeside serves a handler at a further address, by plain HTTP, and returns its URL. The flag is that of the
// address, without dashes before it.
func (s *Server) serveBeside(ctx context.Context, address, flag string, handler http.Handler) (string, error) {
	var l net.ListenConfig
	listener, err := l.Listen(ctx, "tcp", address)
	if err != nil {
		return "", fault.Wrap(err, fault.Invalid, "config."+strings.ReplaceAll(flag, "-", "_"),
			"Casehook can't listen on %s: %v. Name another address with --%s.", address, reason(err), flag)
	}
	beside := s.httpServer(ctx, handler)
	done := make(chan struct{})
	s.opened.add(closer(func() error {
		err := beside.Close()
		<-done
		return err
	}))
	go func() {
		defer close(done)
		if err := beside.Serve(s.clients.Listener(listener)); !errors.Is(err, http.ErrServerClosed) {
			s.config.Log.Error("an address is no longer served", "option", flag, "error", err)
		}
	}()
	return baseURL("http", listener.Addr()), nil
}

// certificateCache keeps what belongs to certificates in the database, so that all nodes have it: each may answer the
// authority's challenges, and each uses the certificate that one has obtained.
type certificateCache struct{ store *store.Store }

// longestName bounds names that clients choose, in bytes: paths of challenges.
const longestName = 500

// Get implements autocert.Cache.
func (c certificateCache) Get(ctx context.Context, name string) ([]byte, error) {
	if len(name) > longestName {
		return nil, autocert.ErrCacheMiss
	}
	data, found, err := c.store.Certificate(ctx, name)
	if err == nil && !found {
		err = autocert.ErrCacheMiss
	}
	return data, err
}

// Put implements autocert.Cache.
func (c certificateCache) Put(ctx context.Context, name string, data []byte) error {
	return c.store.Update(ctx, func(tx *store.Tx) error { return tx.PutCertificate(ctx, name, data) })
}

// Delete implements autocert.Cache.
func (c certificateCache) Delete(ctx context.Context, name string) error {
	return c.store.Update(ctx, func(tx *store.Tx) error { return tx.DeleteCertificate(ctx, name) })
}
