// Package api is the REST API: typed operations over package casework, described
// by the OpenAPI document that they are served from.
//
// Every answer that is not a success is an RFC 9457 problem with a stable code;
// [Problem] is its one shape, and one function makes it out of a fault. Every
// request has an id, which its answer carries and the log names; bodies, tokens
// and case data never reach the log. Uploads and downloads are streams: memory
// does not grow with the size of a file.
package api

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/delivery"
	"github.com/casehook/casehook/internal/observe"
	"github.com/casehook/casehook/internal/oidc"
	"github.com/casehook/casehook/internal/session"
)

// Config is what the API needs besides the use cases.
type Config struct {
	Version string // of Casehook, as the OpenAPI document names it

	AtfinityVersion string // of examples in X-atfinity-version; default Version

	Log         *slog.Logger     // default slog.Default()
	MaxBody     int64            // bytes of a request that is no upload; default DefaultMaxBody
	Operator    []byte           // the key of operators' credentials; when empty, nobody is one
	Sessions    *session.Manager // of the people who sign in
	OIDC        *oidc.Provider   // by which people may sign in; nil: by password alone
	PublicURL   string           // whose pages may send requests with a session, besides the address that they go to
	CORSOrigins []string         // of pages that may use the API with tokens: "https://app.example.com"

	Key    []byte           // 32 bytes that seal cursors; drawn when empty, so that cursors end with the process
	Feed   *delivery.Feed   // the journal, for those who follow it; required
	Tester *delivery.Tester // sends samples to endpoints; required
	Follow Follow           // bounds those

	Ready        func(context.Context) error // why it should get no requests, if it should not; nil: it always should
	Hold         bool                        // nothing is sent and no callback asked, as /readyz shows
	Metrics      http.Handler                // answers GET /metrics, to whoever has MetricsToken
	MetricsToken string                      // empty: nobody has it
	Requests     *observe.HTTP               // counts requests; nil: they are not counted
	Tracer       *observe.Tracer             // nil: nothing is traced
}

// API is the handler's state. It never changes while it serves.
type API struct {
	service *casework.Service
	config  Config
	log     *slog.Logger
	kernel  *rest.Kernel
	origins *http.CrossOriginProtection
	origin  string // of the public URL
	states  usedStates

	followers  *followers
	attemptIDs rest.SealedIDs
	auditIDs   rest.SealedIDs
}

// New makes the handler of the API, its description and its documentation.
// A key of a wrong length is a mistake of the program, and panics.
func New(s *casework.Service, c Config) http.Handler { return newAPI(s, c).kernel.Handler() }

func newAPI(s *casework.Service, c Config) *API {
	c.Version = cmp.Or(c.Version, "dev")
	c.AtfinityVersion = cmp.Or(c.AtfinityVersion, c.Version)
	c.Follow = c.Follow.withDefaults()
	if c.Log == nil {
		c.Log = slog.Default()
	}
	a := &API{service: s, config: c, log: c.Log, origins: http.NewCrossOriginProtection()}
	a.kernel = rest.New(rest.Config{
		OpenAPI:        describe(c.Version),
		Log:            c.Log,
		MaxBody:        c.MaxBody,
		CORSOrigins:    c.CORSOrigins,
		Key:            c.Key,
		Requests:       c.Requests,
		Tracer:         c.Tracer,
		Authenticate:   a.authenticate,
		Reauthenticate: a.reauthenticate,
		Permit:         s.Permit,
	})
	a.attemptIDs = a.kernel.SealedIDs("att_")
	a.auditIDs = a.kernel.SealedIDs("aud_")
	a.followers = newFollowers(c.Follow)
	a.trust(c.PublicURL)
	a.health()
	a.readiness()
	a.caseTypes()
	a.migrations()
	a.retirements()
	a.cases()
	a.claims()
	a.marks()
	a.labels()
	a.history()
	a.comments()
	a.documents()
	a.proofs()
	a.contacts()
	a.endpoints()
	a.attempts()
	a.deliveries()
	a.secrets()
	a.lag()
	a.replays()
	a.endpointHealth()
	a.filters()
	a.repair()
	a.tests()
	a.triggers()
	a.journal()
	a.session()
	a.openIDConnect()
	a.users()
	a.tokens()
	a.tenants()
	a.audit()
	a.webhooks()
	a.metrics()
	a.publish()
	return a
}

// trust lets the pages at a URL send requests with a session, whatever the
// address is that a proxy passes them on to.
func (a *API) trust(publicURL string) {
	if a.origin = originOf(publicURL); a.origin == "" {
		return
	}
	if err := a.origins.AddTrustedOrigin(a.origin); err != nil {
		a.log.Warn("the public URL is no origin that a browser names", "error", err)
	}
}

// originOf is the origin of the pages at a URL; empty: it has none.
func originOf(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
