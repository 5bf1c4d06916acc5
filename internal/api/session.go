package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/inbound"
	"github.com/casehook/casehook/internal/session"
)

// SignIn is the body that signs a person in.
type SignIn struct {
	Email    string `json:"email" maxLength:"200" doc:"The user's address." example:"ada@example.org"`
	Password string `json:"password" maxLength:"800" doc:"The user's password." example:"correct horse battery staple"`
	Tenant   string `json:"tenant,omitempty" maxLength:"100" doc:"The key of the tenant; absent: the one that has the host name, else the first." example:"default"`
}

// NewPassword is the body that changes one's own password.
type NewPassword struct {
	Old string `json:"old_password" maxLength:"800" doc:"Your password as it is." example:"correct horse battery staple"`
	New string `json:"new_password" maxLength:"800" doc:"The password that you want, of 12 to 200 characters." example:"another horse, another battery"`
}

// Session says who is asking.
type Session struct {
	Source    string `json:"source" enum:"ui,api" doc:"ui: a person who signed in; api: a program with a token." example:"ui"`
	Name      string `json:"name" doc:"The user's name, or the token's." example:"Ada Lovelace"`
	UserID    *int64 `json:"user_id" doc:"The user's id; null: it is no user." example:"7"`
	TokenID   string `json:"token_id,omitempty" doc:"The token's id; absent: it is a user." example:"tok_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	Role      string `json:"role" enum:"admin,manager,caseworker,viewer" doc:"What they may do." example:"caseworker"`
	Clearance string `json:"clearance" enum:"PUBLIC,PRIVATE,RESTRICTED" doc:"The highest classification that they may see." example:"PRIVATE"`
}

type shownSession struct{ Body Session }

const sessionPath = "/v1/session"

// anybody is the security of what needs no credential.
var anybody = []map[string][]string{}

// open makes an operation that anybody may ask for. Browsers may so from our own
// pages alone.
func (a *API) open(op huma.Operation) huma.Operation {
	op.Security = anybody
	op.Errors = slices.DeleteFunc(op.Errors, func(status int) bool { return status == http.StatusUnauthorized || status == http.StatusForbidden })
	a.opened[op.Method+" "+op.Path] = true
	return op
}

func (a *API) session() {
	const tag = "session"
	signIn := a.open(operation("create-session", http.MethodPost, sessionPath, tag, "Sign in",
		"With an address and a password. The answer sets a cookie; requests that carry it are the user's. "+
			"Failures in a row hold further attempts back, by where they come from: see Retry-After. "+
			"A browser in which the user has signed in before is judged by its own alone.",
		http.StatusTooManyRequests))
	signIn.Errors = append(signIn.Errors, http.StatusUnauthorized, http.StatusForbidden)
	handleBody(a, signIn, a.signIn)
	handle(a, operation("get-session", http.MethodGet, sessionPath, tag, "Get who is asking", "A user by the session's cookie, or a token."),
		func(ctx context.Context, _ *struct{}) (*shownSession, error) {
			return &shownSession{showSession(principalOf(ctx))}, nil
		})
	handle(a, operation("delete-session", http.MethodDelete, sessionPath, tag, "Sign out", "The session ends at once.", http.StatusConflict), a.signOut)
	handleBody(a, operation("change-password", http.MethodPost, sessionPath+"/password", tag,
		"Change one's own password",
		"For somebody who has signed in. All other sessions of the user end; this one goes on, by the cookie that "+
			"the answer sets. A wrong old password counts as a failed sign-in does, and too many in a row are held "+
			"back: see Retry-After.",
		http.StatusConflict, http.StatusTooManyRequests), a.changePassword)
}

func (a *API) signIn(ctx context.Context, _ *struct{}, body SignIn) (*shownSession, error) {
	x := exchangeOf(ctx)
	tenant, err := a.service.TenantFor(ctx, body.Tenant, x.request.Host)
	if err != nil {
		return nil, err
	}
	u, err := a.service.SignIn(ctx, casework.SignIn{
		Tenant: tenant, Key: body.Tenant, Email: body.Email, Password: body.Password, From: x.address(), Browser: a.browser(x),
	})
	if err != nil {
		return nil, err
	}
	return a.begin(ctx, u)
}

// begin begins a user's session.
func (a *API) begin(ctx context.Context, u access.User) (*shownSession, error) {
	x := exchangeOf(ctx)
	if err := a.config.Sessions.SignIn(ctx, x, session.User{Tenant: u.Tenant, ID: u.ID, Epoch: u.Epoch}); err != nil {
		return nil, err
	}
	if err := a.know(x, u); err != nil {
		return nil, err
	}
	p, err := a.service.InSession(ctx, casework.Session{Tenant: u.Tenant, User: u.ID, Epoch: u.Epoch}, x.address())
	if err != nil {
		return nil, err
	}
	return &shownSession{showSession(p)}, nil
}

func (a *API) signOut(ctx context.Context, _ *struct{}) (*noContent, error) {
	p := principalOf(ctx)
	if p.Actor.UserID == 0 {
		return nil, fault.New(fault.Conflict, "session.none", "A token has no session that could end. DELETE /v1/tokens/%s revokes it.", p.Actor.TokenID)
	}
	if err := a.service.SignedOut(ctx, p); err != nil {
		return nil, err
	}
	return &noContent{}, a.config.Sessions.SignOut(ctx, exchangeOf(ctx))
}

func (a *API) changePassword(ctx context.Context, _ *struct{}, body NewPassword) (*shownSession, error) {
	x := exchangeOf(ctx)
	u, err := a.service.ChangePassword(ctx, principalOf(ctx), casework.PasswordChange{
		Old: body.Old, New: body.New, From: x.address(), Browser: a.browser(x),
	})
	if err != nil {
		return nil, err
	}
	return a.begin(ctx, u)
}

// authenticateSession finds out which user a request without a token is from.
func (a *API) authenticateSession(x *exchange) error {
	if err := a.loadSession(x); err != nil {
		return err
	}
	if err := a.inSession(x); err != nil {
		return err
	}
	return a.config.Sessions.Extend(x.request.Context(), x)
}

// inSession finds out which user the request's session is of.
func (a *API) inSession(x *exchange) (err error) {
	ctx := x.request.Context()
	u, ok := a.config.Sessions.User(ctx)
	if !ok {
		return fault.New(fault.Unauthenticated, "token.missing", "Send a token: Authorization: Bearer chk_...; or sign in: POST /v1/session.")
	}
	if x.principal, err = a.service.InSession(ctx, sessionOf(u), x.address()); err != nil {
		return err
	}
	return a.service.CheckHost(ctx, x.principal, x.request.Host)
}

func sessionOf(u session.User) casework.Session {
	return casework.Session{Tenant: u.Tenant, User: u.ID, Epoch: u.Epoch, Key: u.Key}
}

// loadSession loads the request's session, unless another site's page sent it
// to change something.
func (a *API) loadSession(x *exchange) error {
	at, err := a.place(x.request)
	if err != nil {
		return err
	}
	if scheme, _, _ := strings.Cut(at.URL, ":"); at.Set {
		x.request = x.request.WithContext(session.WithScheme(x.request.Context(), scheme))
	}
	if err := a.checkOrigin(x.request, originOf(at.URL)); err != nil {
		return fault.Wrap(err, fault.Forbidden, "request.cross_origin", "A page of another site sent this request, which may change nothing here.")
	}
	ctx, err := a.config.Sessions.Load(x.request.Context(), x.request)
	x.request = x.request.WithContext(ctx)
	return err
}

// place is where a request came to. It is not looked for where that makes no
// difference: for a request that has no cookie, and gets none.
func (a *API) place(r *http.Request) (casework.Place, error) {
	if r.Header.Get("Cookie") == "" && !a.opened[r.Method+" "+r.URL.Path] {
		return casework.Place{}, nil
	}
	return a.service.PlaceAt(r.Context(), 0, r.Host)
}

// checkOrigin fails if a page of another site sent the request, which may change
// something. Pages of the tenant's own origin, if it has one, may. By which scheme the request came is
// known where a trusted proxy says so: then a page that came by another is another
// site's.
func (a *API) checkOrigin(r *http.Request, own string) error {
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

func showSession(p access.Principal) Session {
	s := Session{Source: string(p.Actor.Source), Name: p.Actor.Name, TokenID: p.Actor.TokenID, Role: string(p.Role), Clearance: string(p.Clearance)}
	if p.Actor.Source == event.UI {
		s.UserID = &p.Actor.UserID
	}
	return s
}
