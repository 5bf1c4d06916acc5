// Package api is the REST API. It composes the kernel (package rest), the operations
// of three wings (cases, hooks and people) and the documentation.
package api

import (
	"github.com/casehook/casehook/internal/hooks"
	"github.com/casehook/casehook/internal/people"

	"cmp"
	"context"
	"log/slog"
	"net/http"

	"github.com/casehook/casehook/internal/api/cases"
	"github.com/casehook/casehook/internal/api/docs"
	apihooks "github.com/casehook/casehook/internal/api/hooks"
	apipeople "github.com/casehook/casehook/internal/api/people"
	"github.com/casehook/casehook/internal/api/quickcase"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/delivery"
	"github.com/casehook/casehook/internal/observe"
	"github.com/casehook/casehook/internal/oidc"
	"github.com/casehook/casehook/internal/session"
)

// Config has the settings and collaborators of the API, besides the use cases.
type Config struct {
	Version string // of Casehook, for the OpenAPI document

	AtfinityVersion string // in X-atfinity-version of examples; default Version
	QuickCasePrefix string // of the routes for QuickCase's client; default /quickcase

	Log         *slog.Logger // default slog.Default()
	MaxBody     int64        // bytes of a request body, except uploads; default DefaultMaxBody
	Operator    []byte       // the key of operators' credentials; empty: there are no operators
	Sessions    *session.Manager
	OIDC        *oidc.Provider // nil: people sign in with passwords alone
	PublicURL   string         // its pages may send requests with a session, as may pages of the server's own address
	CORSOrigins []string       // origins of pages that may use the API with tokens: "https://app.example.com"

	Key    []byte           // 32 bytes that seal cursors; default: random, so that cursors end with the process
	Feed   *delivery.Feed   // required
	Tester *delivery.Tester // required
	Follow FollowLimits

	Ready        func(context.Context) error // fails while the server should get no requests; nil: never
	Hold         bool                        // for /readyz: nothing is sent and no callback is asked
	Metrics      http.Handler                // answers GET /metrics for clients with MetricsToken
	MetricsToken string                      // empty: there are no metrics
	Requests     *observe.HTTP               // counts requests; nil: they are not counted
	Tracer       *observe.Tracer             // nil: nothing is traced

	Console func(Console) // registers pages; nil: there are none
}

// Console has the parts of the API that pages need.
type Console struct {
	Kernel       *rest.Kernel
	Authenticate func(*rest.Exchange) error
	Sessions     apipeople.Sessions
	Tester       *delivery.Tester

	Version, AtfinityVersion string // in examples
}

// Services are the use cases that the API serves.
type Services struct {
	Guard    *authz.Guard
	Casework casework.Services
	Hooks    hooks.Services
	People   people.Services
}

// FollowLimits bounds the clients that follow the journal or wait for questions.
type FollowLimits = rest.FollowLimits

// New returns the handler of the API, its description and its documentation. It panics if the key has a wrong length.
func New(s Services, c Config) http.Handler { return compose(s, c).Handler() }

// compose returns a kernel with all operations registered.
func compose(s Services, c Config) *rest.Kernel {
	c.Version = cmp.Or(c.Version, "dev")
	c.AtfinityVersion = cmp.Or(c.AtfinityVersion, c.Version)
	if c.Log == nil {
		c.Log = slog.Default()
	}
	peopleConfig := apipeople.Config{
		Guard: s.Guard,
		Log:   c.Log, Operator: c.Operator, Sessions: c.Sessions, OIDC: c.OIDC, PublicURL: c.PublicURL,
	}
	authenticator := apipeople.NewAuthenticator(s.People, peopleConfig)
	k := rest.New(rest.Config{
		OpenAPI:        describe(c.Version),
		Log:            c.Log,
		MaxBody:        c.MaxBody,
		CORSOrigins:    c.CORSOrigins,
		Key:            c.Key,
		Requests:       c.Requests,
		Tracer:         c.Tracer,
		Authenticate:   authenticator.Authenticate,
		Reauthenticate: authenticator.Reauthenticate,
		Authorize:      s.Guard.Authorize,
	})
	registerServer(k, c)
	followers := rest.NewFollowers(c.Follow)
	cases.Register(k, s.Casework, followers)
	apihooks.Register(k, s.Hooks, apihooks.Config{
		CaseTypes: s.Casework.CaseTypes,
		Guard:     s.Guard,
		Version:   c.Version, AtfinityVersion: c.AtfinityVersion, Feed: c.Feed, Tester: c.Tester, Followers: followers,
	})
	quickcase.Register(k, s.Casework, c.QuickCasePrefix)
	sessions := apipeople.Register(k, s.People, peopleConfig)
	if c.Console != nil {
		c.Console(Console{
			Kernel: k, Authenticate: authenticator.Authenticate, Sessions: sessions, Tester: c.Tester,
			Version: c.Version, AtfinityVersion: c.AtfinityVersion,
		})
	}
	docs.Serve(k, docs.Versions{Casehook: c.Version, Atfinity: c.AtfinityVersion})
	return k
}
