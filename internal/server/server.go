// Package server is the Casehook process: it checks the configuration, opens the data, connects the
// parts, and stops them in an order that loses nothing.
//
//	listen -> data directory, key -> store, blobs -> casework -> delivery -> serve
//
// The parts stop in the opposite order: no new connections are accepted; requests under way are
// answered; deliveries under way are settled; the store is closed. Each step is limited by
// [Config.Grace]. Unfinished work is resumed at the next start.
package server

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"

	"github.com/casehook/casehook/internal/api"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/blob"
	"github.com/casehook/casehook/internal/callback"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/certificates"
	"github.com/casehook/casehook/internal/definitions"
	"github.com/casehook/casehook/internal/delivery"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/hooks"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/inbound"
	"github.com/casehook/casehook/internal/observe"
	"github.com/casehook/casehook/internal/oidc"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/session"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/web"
)

// Server is a running Casehook.
type Server struct {
	config      Config
	url         string
	token       string
	http        *http.Server
	listener    net.Listener
	clients     *inbound.Clients
	guard       *authz.Guard
	people      people.Services
	casework    casework.Services
	hooks       hooks.Services
	engine      *delivery.Engine
	store       *store.Store
	metrics     *observe.Metrics
	draining    chan struct{} // closed when the server begins to stop
	tls         *tls.Config   // nil: the server speaks plain HTTP
	files       *certificates.Files
	acme        *certificates.ACME
	metricsURL  string
	redirectURL string
	opened      closers
	done        chan struct{}
	err         error // valid once done is closed
}

// Start starts a server, which then runs until ctx ends. When it returns without an error, the
// server accepts requests.
func Start(ctx context.Context, c Config) (*Server, error) {
	c = c.withDefaults()
	if err := c.check(); err != nil {
		return nil, err
	}
	s := &Server{
		config: c, metrics: observe.New(c.Version), clients: inbound.New(c.inbound()),
		draining: make(chan struct{}), done: make(chan struct{}),
	}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.opened.Close())
	}
	go s.run(ctx)
	return s, nil
}

// Run calls Start, ready, and Wait.
func Run(ctx context.Context, c Config, ready func(*Server)) error {
	s, err := Start(ctx, c)
	if err != nil {
		return err
	}
	ready(s)
	return s.Wait()
}

// URL returns the server's URL on this machine, without a slash at its end.
func (s *Server) URL() string { return s.url }

// MetricsURL returns the URL at which metrics are served without a token; empty: there is none.
func (s *Server) MetricsURL() string { return s.metricsURL }

// Token returns the administrator's token if this was the first start, else "".
func (s *Server) Token() string { return s.token }

// Wait waits until the server has stopped. It returns nil if ctx stopped it and all work under way was
// finished in time.
func (s *Server) Wait() error {
	<-s.done
	return s.err
}

// open opens all parts of the server, in order.
func (s *Server) open(ctx context.Context) error {
	if err := s.openCertificate(); err != nil {
		return err
	}
	if err := s.listen(ctx); err != nil {
		return err
	}
	if err := s.openMetrics(ctx); err != nil {
		return err
	}
	var err error
	if s.config.MetricsToken, err = s.config.metricsToken(); err != nil {
		return err
	}
	key, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	blobs, err := s.openBlobs(ctx)
	if err != nil {
		return err
	}
	node := id.New("node")
	tracer, err := s.openTracing(ctx, node)
	if err != nil {
		return err
	}
	s.openACME()
	if err := s.openRedirect(ctx); err != nil {
		return err
	}
	if s.config.Hold {
		s.metrics.SetHeld()
	}
	s.metrics.Sample(context.WithoutCancel(ctx), s.config.Log, s.store.Backlog)
	proxy, err := s.config.egressProxy()
	if err != nil {
		return err
	}
	if proxy != nil {
		s.config.Log.Info("callbacks and deliveries leave by a proxy", "proxy", proxy.String())
	}
	out := outbound.New(outbound.Config{
		Allowed: s.config.allowed(s.store.Tenant), Version: s.config.Version, Proxy: proxy,
	})
	s.opened.add(closer(func() error { out.Close(); return nil }))
	s.openUseCases(blobs, out, tracer)
	s.openEngine(node, out, tracer)
	if err := s.openAPI(ctx, key, tracer); err != nil {
		return err
	}
	return s.bootstrap(ctx)
}

// openUseCases creates the services of the three wings.
func (s *Server) openUseCases(blobs blob.Store, out *outbound.Client, tracer *observe.Tracer) {
	c := s.config
	guard, catalog := s.openGuard(s.store)
	s.guard = guard
	s.people = people.New(people.Config{
		Store:     s.store,
		Guard:     s.guard,
		PublicURL: c.PublicURL,
		Variable:  c.Variable,
		Random:    c.Random,
		Log:       c.Log,
	})
	s.casework = casework.New(casework.Config{
		Store:       s.store,
		Guard:       s.guard,
		Definitions: catalog,
		Blobs:       blobs,
		Tenants: casework.Tenants{
			PublicURLOf: s.people.Tenants.PublicURLOf, Variables: s.people.Tenants.Variables,
		},
		Callbacks: callback.New(out, callback.Clock{}).Observed(s.metrics.Callback, tracer).Logged(c.Log),
		MaxUpload: c.MaxUpload,
		Documents: c.QuickCasePrefix + "/documents/",
		Fonts:     c.fonts(),
		Random:    c.Random,
		Log:       c.Log,
		Tracer:    tracer,
		Hold:      c.Hold,
	})
	s.hooks = hooks.New(hooks.Config{
		Store:        s.store,
		Guard:        s.guard,
		Cases:        hooks.Cases{KnownCase: s.casework.Cases.KnownCase},
		KeepAttempts: c.KeepAttempts,
		KeepJournal:  c.KeepJournal,
		Random:       c.Random,
	})
}

// openGuard returns the guard of all use cases, and the catalog of case types.
func (s *Server) openGuard(st *store.Store) (*authz.Guard, *definitions.Catalog) {
	catalog := definitions.NewCatalog(st)
	return authz.New(st, catalog, authz.Config{Log: s.config.Log}), catalog
}

// openEngine creates the engine that delivers.
func (s *Server) openEngine(node string, out *outbound.Client, tracer *observe.Tracer) {
	s.engine = delivery.New(s.store, out, delivery.Config{
		Node:         node,
		Version:      s.config.AtfinityVersion,
		LeaseTTL:     s.config.LeaseTTL,
		DisableAfter: s.config.DisableAfter,
		Drain:        s.config.Grace,
		Jitter:       rand.Float64,
		Log:          s.config.Log,
		Metrics:      s.metrics.Delivery,
		Tracer:       tracer,
		Hold:         s.config.Hold,
		Progress:     s.config.progress,
	})
}

// openAPI creates the HTTP server of the API, with secrets derived from the installation's key.
func (s *Server) openAPI(ctx context.Context, key []byte, tracer *observe.Tracer) error {
	c := s.config
	cursorKey, err := derive(key, "casehook api cursors")
	if err != nil {
		return err
	}
	operatorKey, err := derive(key, operatorPurpose)
	if err != nil {
		return err
	}
	origins, err := corsOrigins(c.CORSOrigins)
	if err != nil {
		return err
	}
	stopping := make(chan struct{})
	services := api.Services{Guard: s.guard, Casework: s.casework, Hooks: s.hooks, People: s.people}
	s.http = s.httpServer(ctx, hsts(api.New(services, api.Config{
		Version:         c.Version,
		AtfinityVersion: c.AtfinityVersion,
		QuickCasePrefix: c.QuickCasePrefix,
		Log:             c.Log,
		Operator:        operatorKey,
		Sessions:        s.sessions(),
		OIDC:            c.provider(),
		PublicURL:       c.PublicURL,
		CORSOrigins:     origins,
		Key:             cursorKey,
		Feed:            s.engine.Feed(),
		Tester:          s.engine.Tester(),
		Follow:          api.FollowLimits{Stop: stopping},
		Ready:           s.ready,
		Hold:            c.Hold,
		Metrics:         s.metrics.Handler(),
		MetricsToken:    c.MetricsToken,
		Requests:        s.metrics.HTTP,
		Tracer:          tracer,
		Console:         s.console(services, stopping),
	})))
	s.http.RegisterOnShutdown(sync.OnceFunc(func() { close(stopping) }))
	return nil
}

// console returns the function that registers the console's pages.
func (s *Server) console(services api.Services, stopping <-chan struct{}) func(api.Console) {
	return func(parts api.Console) {
		web.Register(services, parts, web.Config{
			Gallery:  s.config.Gallery,
			Wait:     s.engine.Feed().Wait,
			Stop:     stopping,
			Settings: s.config.settings(),
			TenantName: func(ctx context.Context, tenant int64) string {
				t, err := s.store.Tenant(ctx, tenant)
				if err != nil {
					return "Casehook" // the page shows the error of what it is about
				}
				return t.Name
			},
		})
	}
}

// sessions returns the manager of users' sessions.
func (s *Server) sessions() *session.Manager {
	return session.New(s.store, session.Config{
		Insecure: strings.HasPrefix(strings.ToLower(s.config.PublicURL), "http://"),
		Idle:     s.config.SessionIdle,
		Lifetime: s.config.SessionLifetime,
	})
}

// bootstrap does the work of the first start: it creates the first tenant and its token.
func (s *Server) bootstrap(ctx context.Context) (err error) {
	if s.config.NoFirstToken {
		return s.people.Tenants.BootstrapWithoutToken(ctx)
	}
	s.token, err = s.people.Tenants.Bootstrap(ctx, func(bearer string) error {
		if s.config.FirstToken == nil {
			return nil
		}
		return s.config.FirstToken(s.url, bearer)
	})
	return err
}

// allowed returns a function that returns the addresses that a tenant may call besides public ones:
// those that the operator has granted it, and for the first tenant those of the configuration.
func (c Config) allowed(
	tenant func(context.Context, int64) (store.Tenant, error),
) func(context.Context, int64) ([]string, error) {
	var started []string
	for _, a := range c.Allow {
		started = append(started, a.String())
	}
	return func(ctx context.Context, id int64) ([]string, error) {
		t, err := tenant(ctx, id)
		if t.Key == people.DefaultTenant {
			return append(started[:len(started):len(started)], t.Allow...), err
		}
		return t.Allow, err
	}
}

// provider returns the OpenID Connect provider, or nil if none is configured.
func (c Config) provider() *oidc.Provider {
	if c.OIDC.Issuer == "" {
		return nil
	}
	c.OIDC.RedirectURL = c.PublicURL + "/v1/oidc/callback"
	return oidc.New(c.OIDC)
}

// listen opens the listener. It is the first step, so that an address in use is reported before
// anything is created.
func (s *Server) listen(ctx context.Context) error {
	var l net.ListenConfig
	listener, err := l.Listen(ctx, "tcp", s.config.Listen)
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "config.listen",
			"Casehook can't listen on %s: %v. Name another address with --listen HOST:PORT.",
			s.config.Listen, reason(err))
	}
	s.listener = listener
	s.opened.add(closer(func() error {
		if err := listener.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	}))
	s.url = baseURL(s.config.scheme(), listener.Addr())
	if s.config.PublicURL == "" {
		s.config.PublicURL = s.url
		if hosts := s.config.ACME.Hosts; len(hosts) > 0 {
			name, _ := certificates.Host(hosts[0]) // it was checked
			s.config.PublicURL = "https://" + name
		}
	}
	return nil
}

// reason returns the innermost cause of an error.
func reason(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			if address, ok := err.(*net.AddrError); ok {
				return errors.New(address.Err) // without the address, which the caller names
			}
			return err
		}
		err = inner
	}
}

// openStore opens the database, and returns the key that seals secrets in it.
func (s *Server) openStore(ctx context.Context) ([]byte, error) {
	c := s.config
	if c.Database == "" {
		lock, err := openData(c.Data)
		if err != nil {
			return nil, err
		}
		s.opened.add(lock)
	}
	key, err := c.key()
	if err != nil {
		return nil, err
	}
	st, err := store.Open(ctx,
		store.Options{
			URL: c.Database, Path: filepath.Join(c.Data, fileName), Key: key, Metrics: s.metrics.Store, Log: c.Log,
		})
	if err != nil {
		return nil, err
	}
	s.opened.add(st)
	s.store = st
	return key, nil
}

// httpServer returns a server for a handler.
func (s *Server) httpServer(ctx context.Context, handler http.Handler) *http.Server {
	return s.clients.Server(context.WithoutCancel(ctx), handler)
}

// closers closes what was opened, in the opposite order.
type closers []io.Closer

func (c *closers) add(one io.Closer) { *c = append(*c, one) }

func (c *closers) Close() error {
	var errs []error
	for i := len(*c) - 1; i >= 0; i-- {
		errs = append(errs, (*c)[i].Close())
	}
	*c = nil
	return errors.Join(errs...)
}

type closer func() error

func (c closer) Close() error { return c() }
