package people

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/inbound"
	"github.com/casehook/casehook/internal/session"
)

// authenticateSession finds out which user a request without a token is from.
func (a *Authenticator) authenticateSession(x *rest.Exchange) error {
	if err := a.loadSession(x); err != nil {
		return err
	}
	if err := a.inSession(x); err != nil {
		return err
	}
	return a.sessions.Extend(x.Request.Context(), x)
}

// inSession finds out which user the request's session is of.
func (a *Authenticator) inSession(x *rest.Exchange) (err error) {
	ctx := x.Request.Context()
	u, ok := a.sessions.User(ctx)
	if !ok {
		return fault.New(fault.Unauthenticated, "token.missing", "Send a token: Authorization: Bearer chk_...; or sign in: POST /v1/session.")
	}
	if x.Principal, err = a.service.InSession(ctx, sessionOf(u), x.Address()); err != nil {
		return err
	}
	return a.service.CheckHost(ctx, x.Principal, x.Request.Host)
}

func sessionOf(u session.User) casework.Session {
	return casework.Session{Tenant: u.Tenant, User: u.ID, Epoch: u.Epoch, Key: u.Key}
}

// loadSession loads the request's session, unless another site's page sent it
// to change something.
func (a *Authenticator) loadSession(x *rest.Exchange) error {
	at, err := a.place(x)
	if err != nil {
		return err
	}
	if scheme, _, _ := strings.Cut(at.URL, ":"); at.Set {
		x.Request = x.Request.WithContext(session.WithScheme(x.Request.Context(), scheme))
	}
	if err := a.checkOrigin(x.Request, originOf(at.URL)); err != nil {
		return fault.Wrap(err, fault.Forbidden, "request.cross_origin", "A page of another site sent this request, which may change nothing here.")
	}
	ctx, err := a.sessions.Load(x.Request.Context(), x.Request)
	x.Request = x.Request.WithContext(ctx)
	return err
}

// place is where a request came to. It is not looked for where that makes no
// difference: for a request that has no cookie, and gets none.
func (a *Authenticator) place(x *rest.Exchange) (casework.Place, error) {
	if r := x.Request; r.Header.Get("Cookie") == "" && !x.Open {
		return casework.Place{}, nil
	}
	return a.service.PlaceAt(x.Request.Context(), 0, x.Request.Host)
}

// checkOrigin fails if a page of another site sent the request, which may change
// something. Pages of the tenant's own origin, if it has one, may. By which scheme the request came is
// known where a trusted proxy says so: then a page that came by another is another
// site's.
func (a *Authenticator) checkOrigin(r *http.Request, own string) error {
	origin, scheme := r.Header.Get("Origin"), inbound.Scheme(r.Context())
	if own != "" && origin == own {
		return nil
	}
	if err := a.origins.Check(r); err != nil {
		return err
	}
	safe := slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodOptions}, r.Method)
	if safe || origin == "" || scheme == "" || r.Header.Get("Sec-Fetch-Site") != "" ||
		origin == a.origin || strings.EqualFold(origin, scheme+"://"+r.Host) {
		return nil
	}
	return errors.New("the page came by another scheme")
}
