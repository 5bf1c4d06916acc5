package people

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/inbound"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/session"
)

// authenticateSession sets the principal of a request without a token, and extends its
// session.
func (a *Authenticator) authenticateSession(x *rest.Exchange) error {
	if err := a.loadSession(x); err != nil {
		return err
	}
	if err := a.inSession(x); err != nil {
		return err
	}
	return a.sessions.Extend(x.Request.Context(), x)
}

// inSession sets the principal of a request to the user of its session, or the receiver.
func (a *Authenticator) inSession(x *rest.Exchange) (err error) {
	ctx := x.Request.Context()
	u, ok := a.sessions.User(ctx)
	if !ok {
		return fault.New(fault.Unauthenticated, "token.missing",
			"Send a token: Authorization: Bearer chk_...; or sign in: POST /v1/session.")
	}
	inSession := a.service.Users.InSession
	if u.PortalLink != "" {
		inSession = a.service.Portal.InSession
	}
	if x.Principal, err = inSession(ctx, sessionOf(u), x.Address()); err != nil {
		return err
	}
	return a.service.Tenants.CheckHost(ctx, x.Principal, x.Request.Host)
}

func sessionOf(u session.User) people.Session {
	return people.Session{
		Tenant: u.Tenant, User: u.ID, Epoch: u.Epoch, PortalLink: u.PortalLink, Key: u.Key, Rights: u.Rights,
	}
}

// loadSession loads the session of a request, unless a page of another site sent the
// request to change something.
func (a *Authenticator) loadSession(x *rest.Exchange) error {
	at, err := a.place(x)
	if err != nil {
		return err
	}
	if scheme, _, _ := strings.Cut(at.URL, ":"); at.Set {
		x.Request = x.Request.WithContext(session.WithScheme(x.Request.Context(), scheme))
	}
	if err := cmp.Or(checkAsker(x), a.checkOrigin(x.Request, originOf(at.URL))); err != nil {
		return fault.Wrap(err, fault.Forbidden, "request.cross_origin",
			"A page of another site sent this request, and may not do that here. Send it from this site, or with a token.")
	}
	ctx, err := a.sessions.Load(x.Request.Context(), x.Request)
	x.Request = x.Request.WithContext(ctx)
	return err
}

// place returns the tenant's host that a request was sent to. It looks nothing up for a request that has no cookie
// and gets none.
func (a *Authenticator) place(x *rest.Exchange) (people.Place, error) {
	if r := x.Request; r.Header.Get("Cookie") == "" && !x.Open {
		return people.Place{}, nil
	}
	return a.service.Tenants.PlaceAt(x.Request.Context(), 0, x.Request.Host)
}

// checkAsker fails if a browser was led to an operation that asks another system: by a link on another site or in a
// message, or by its address bar.
func checkAsker(x *rest.Exchange) error {
	site := x.Request.Header.Get("Sec-Fetch-Site")
	if x.Asks && site != "" && site != "same-origin" {
		return errors.New("the request asks another system, and is from " + site)
	}
	return nil
}

// checkOrigin fails if a page of another site sent a request that may change something. Pages of the tenant's own
// origin, if it has one, may send it. If a trusted proxy names the request's scheme, a page with another scheme
// counts as another site.
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
	return errors.New("the page has another scheme than the request")
}
