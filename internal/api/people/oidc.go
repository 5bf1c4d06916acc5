package people

import (
	"github.com/casehook/casehook/internal/people"

	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/oidc"
)

// redirect is an answer that redirects the browser.
type redirect struct {
	Location string `header:"Location" doc:"Where to go on."`
}

// pendingSignIn is the value of a cookie while a user signs in at the provider.
type pendingSignIn struct {
	oidc.AuthRequest
	Tenant   string // its key, as sent; only the last step tells whether it exists
	Host     string // that the request was sent to
	ReturnTo string
}

// oidcCallback is the path that providers send people back to.
const oidcCallback = "/v1/oidc/callback"

// oidcHandler has the operations for signing in with OpenID Connect.
type oidcHandler struct {
	service  people.Services
	log      *slog.Logger
	sessions sessionHandler
	provider *oidc.Provider // nil: there is none
	states   *usedStates
}

func newOIDCHandler(sessions sessionHandler, c Config) oidcHandler {
	return oidcHandler{
		service: sessions.service, log: c.Log, sessions: sessions, provider: c.OIDC, states: &usedStates{},
	}
}

func (h oidcHandler) register() {
	const tag = "session"
	rest.Handle(h.sessions.kernel, rest.Operation{
		ID:      access.BeginOIDC,
		Pattern: "GET /v1/oidc/login",
		Tag:     tag,
		Callers: rest.Anybody,
		Success: http.StatusSeeOther,
		Summary: "Sign in with OpenID Connect",
		Description: "Sends the browser to the provider that the server is configured with, which sends it back to " +
			oidcCallback + " behind the public URL: the tenant's, under its own host names, else the installation's. " +
			"The provider has to know each of these addresses.",
		Problems: []int{http.StatusNotFound, http.StatusBadGateway},
	}, h.startOIDC)
	rest.Handle(h.sessions.kernel, rest.Operation{
		ID:      access.FinishOIDC,
		Pattern: "GET " + oidcCallback,
		Tag:     tag,
		Callers: rest.Anybody,
		Success: http.StatusSeeOther,
		Summary: "Come back from the provider",
		Description: "The user is the one who has signed in with this identity before, else the one with the address " +
			"that the provider has verified. Anybody else is refused.",
		Problems: []int{http.StatusForbidden, http.StatusNotFound, http.StatusBadGateway},
	}, h.finishOIDC)
}

func (h oidcHandler) startOIDC(ctx context.Context, in *struct {
	Tenant   string `query:"tenant" maxLength:"100" doc:"The key of the tenant; absent: the one that has the host name, else the first." example:"default"`
	ReturnTo string `query:"return_to" maxLength:"2000" doc:"The path to go to in the end; absent: /." example:"/cases"`
}) (*redirect, error) {
	if h.provider == nil {
		return nil, oidcOff()
	}
	x := rest.ExchangeOf(ctx)
	tenant, err := h.service.Tenants.TenantFor(ctx, in.Tenant, x.Request.Host)
	if err != nil {
		return nil, err
	}
	at, err := h.service.Tenants.PlaceAt(ctx, tenant, x.Request.Host)
	if err != nil {
		return nil, err
	}
	back := "" // the installation's URL
	if at.URL != "" {
		back = at.URL + oidcCallback // the cookie is for this host alone
	}
	location, pending, err := h.provider.StartAt(ctx, back)
	if err != nil {
		return nil, h.providerFailed(ctx, err)
	}
	kept := pendingSignIn{AuthRequest: pending, Tenant: in.Tenant, Host: x.Request.Host, ReturnTo: ours(in.ReturnTo)}
	return &redirect{location}, keepSealed(h.sessions, x, pendingCookie, kept, pendingLasts)
}

// providerFailed logs the error of a provider that can't be used. Its answer does not
// show the cause.
func (h oidcHandler) providerFailed(ctx context.Context, err error) error {
	if errors.Is(err, fault.Upstream) {
		h.log.WarnContext(ctx, "the OpenID Connect provider can't be used",
			"request_id", rest.ExchangeOf(ctx).ID, "code", fault.As(err).Code, "error", err)
	}
	return err
}

func (h oidcHandler) finishOIDC(ctx context.Context, in *struct {
	Code        string `query:"code" maxLength:"4000" doc:"The provider's code."`
	State       string `query:"state" maxLength:"200" doc:"The state that the provider was sent."`
	Error       string `query:"error" maxLength:"200" doc:"Why the provider refused."`
	Description string `query:"error_description" maxLength:"2000" doc:"More of why."`
	ErrorURI    string `query:"error_uri" maxLength:"2000" doc:"Where more of why is."`
	Issuer      string `query:"iss" maxLength:"2000" doc:"The issuer."`
	Session     string `query:"session_state" maxLength:"2000" doc:"The session at the provider."`
	Scope       string `query:"scope" maxLength:"2000" doc:"The scopes that the provider grants."`
}) (*redirect, error) {
	if h.provider == nil {
		return nil, oidcOff()
	}
	x := rest.ExchangeOf(ctx)
	kept := sealedIn[pendingSignIn](h.sessions, x, pendingCookie)
	if kept.State != "" { // valid for one answer
		h.sessions.sessions.SetCookie(ctx, x, pendingCookie, "", -1)
		if in.State == kept.State && !h.states.use(kept.State) {
			kept = pendingSignIn{}
		}
	}
	if in.Error != "" && kept.State == in.State && in.State != "" {
		return nil, fault.New(fault.Invalid, "oidc.refused",
			"The provider refused the sign-in. Start again: GET /v1/oidc/login.")
	}
	who, err := h.provider.Finish(ctx, kept.AuthRequest, in.State, in.Code)
	if err != nil {
		return nil, h.providerFailed(ctx, err)
	}
	tenant, err := h.service.Tenants.TenantFor(ctx, kept.Tenant, kept.Host)
	if err != nil {
		return nil, err
	}
	u, err := h.service.Users.SignInIdentity(ctx, tenant, access.Identity(who), x.Address())
	if err != nil {
		return nil, err
	}
	if _, err := h.sessions.start(ctx, u); err != nil {
		return nil, err
	}
	return &redirect{kept.ReturnTo}, nil
}

// maxReturnTo bounds the path that a cookie keeps, in bytes: browsers drop longer
// cookies.
const maxReturnTo = 1000

// ours returns path if it is one of this server, and otherwise its root, so that no user is redirected to another
// site.
func ours(path string) string {
	if len(url.QueryEscape(path)) > maxReturnTo || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") ||
		strings.ContainsAny(path, "\\\r\n\t") {
		return "/"
	}
	return path
}

func oidcOff() error {
	return fault.New(fault.NotFound, "oidc.off",
		"The server has no OpenID Connect provider: casehook serve --oidc-issuer sets one.")
}
