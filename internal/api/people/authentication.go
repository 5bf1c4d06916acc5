package people

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/session"
)

// Authenticator authenticates requests.
type Authenticator struct {
	service  people.Services
	log      *slog.Logger
	sessions *session.Manager
	operator []byte // the key of operators' credentials
	origins  *http.CrossOriginProtection
	origin   string // of the public URL
}

// NewAuthenticator returns an authenticator.
func NewAuthenticator(s people.Services, c Config) *Authenticator {
	a := &Authenticator{
		service: s, log: c.Log, sessions: c.Sessions, operator: c.Operator,
		origins: http.NewCrossOriginProtection(),
	}
	a.trust(c.PublicURL)
	return a
}

// trust allows the pages at a URL to send requests with a session, whichever host a proxy forwards them to.
func (a *Authenticator) trust(publicURL string) {
	if a.origin = originOf(publicURL); a.origin == "" {
		return
	}
	if err := a.origins.AddTrustedOrigin(a.origin); err != nil {
		a.log.Warn("the public URL has no origin that a browser would send", "error", err)
	}
}

// originOf returns the origin of the pages at a URL; empty: it has none.
func originOf(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// Authenticate sets the principal of a request, and loads its session.
func (a *Authenticator) Authenticate(x *rest.Exchange) error {
	if x.Open {
		return a.loadSession(x)
	}
	if x.Request.Header.Get("Authorization") == "" {
		if err := a.authenticateSession(x); err != nil {
			return err
		}
		if forOperators(x.Request.URL.Path) {
			return a.service.Tenants.RefuseTenantOperations(x.Request.Context(), x.Principal)
		}
		return nil
	}
	scheme, bearer, _ := strings.Cut(x.Request.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || bearer == "" {
		return fault.New(fault.Unauthenticated, "token.missing", "Send a token: Authorization: Bearer chk_...")
	}
	bearer = strings.TrimSpace(bearer)
	if access.IsOperator(bearer) {
		x.Principal = people.Operator(x.Address())
		return a.authenticateOperator(bearer, x.Request.URL.Path)
	}
	if err := a.byToken(x, bearer); err != nil {
		return err
	}
	if forOperators(x.Request.URL.Path) {
		return a.service.Tenants.RefuseTenantOperations(x.Request.Context(), x.Principal)
	}
	return nil
}

// byToken sets the principal of a request with a token.
func (a *Authenticator) byToken(x *rest.Exchange, bearer string) (err error) {
	if x.Principal, err = a.service.Tokens.Authenticate(x.Request.Context(), bearer, x.Address()); err != nil {
		return err
	}
	return a.service.Tenants.CheckHost(x.Request.Context(), x.Principal, x.Request.Host)
}

// Reauthenticate sets the principal of a long request again. It does not extend a
// session.
func (a *Authenticator) Reauthenticate(x *rest.Exchange) error {
	if header := x.Request.Header.Get("Authorization"); header != "" {
		_, bearer, _ := strings.Cut(header, " ")
		return a.byToken(x, strings.TrimSpace(bearer))
	}
	if err := a.loadSession(x); err != nil {
		return err
	}
	return a.inSession(x)
}

// forOperators reports whether a path is for operators.
func forOperators(path string) bool {
	return path == tenantsPath || strings.HasPrefix(path, tenantsPath+"/")
}

// checkOperator checks an operator's credential.
func checkOperator(key []byte, bearer string) error {
	if access.ValidOperator(key, bearer, time.Now()) {
		return nil
	}
	return fault.New(fault.Unauthenticated, "token.invalid",
		"The operator's credential is not valid or has expired. casehook tenant makes one from the "+
			"key of the installation: name this server's --data, or its --key-file.")
}

// authenticateOperator checks an operator's credential, which is valid only for the paths of tenants.
func (a *Authenticator) authenticateOperator(bearer, path string) error {
	if err := checkOperator(a.operator, bearer); err != nil {
		return err
	}
	if !forOperators(path) {
		return fault.New(fault.Unauthenticated, "token.invalid",
			"An operator's credential is valid only for /v1/tenants. Send a token of a tenant.")
	}
	return nil
}
