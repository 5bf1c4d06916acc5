package people

import (
	"context"
	"net/http"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/people"
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

// Session describes the caller.
type Session struct {
	Source    string   `json:"source" enum:"ui,api" doc:"ui: a person who signed in; api: a program with a token." example:"ui"`
	Name      string   `json:"name" doc:"The user's name, or the token's." example:"Ada Lovelace"`
	UserID    *int64   `json:"user_id" doc:"The user's id; null: it is no user." example:"7"`
	TokenID   string   `json:"token_id,omitempty" doc:"The token's id; absent: it is no token." example:"tok_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	Link      string   `json:"portal_link,omitempty" doc:"The id of the portal link that was opened; absent: none was." example:"link_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	Role      string   `json:"role" enum:"admin,manager,caseworker,viewer,receiver" doc:"Their role; receiver: that of the holder of a portal link." example:"caseworker"`
	Further   []string `json:"further_roles" doc:"Their further roles, by which case types know them." example:"[\"town-officer\"]"`
	Clearance string   `json:"clearance" enum:"PUBLIC,PRIVATE,RESTRICTED" doc:"The highest classification that they may see." example:"PRIVATE"`
}

type shownSession struct{ Body Session }

const sessionPath = "/v1/session"

// sessionHandler has the operations on the session of the caller.
type sessionHandler struct {
	kernel   *rest.Kernel
	service  people.Services
	sessions *session.Manager
}

func (h sessionHandler) register() {
	const tag = "session"
	rest.HandleBody(h.kernel, rest.Operation{
		ID:      access.CreateSession,
		Pattern: "POST " + sessionPath,
		Tag:     tag,
		Callers: rest.Anybody,
		Summary: "Sign in",
		Description: "With an address and a password. The answer sets a cookie; requests that carry it are the " +
			"user's. Failures in a row hold further attempts back, by where they come from: see Retry-After. For a " +
			"browser in which the user has signed in before, only its own failures count.",
		Problems: []int{http.StatusTooManyRequests, http.StatusUnauthorized, http.StatusForbidden},
	}, h.signIn)
	rest.Handle(h.kernel, rest.Operation{
		ID: access.GetSession, Pattern: "GET " + sessionPath, Tag: tag,
		Summary:     "Get your session",
		Description: "The user of the session's cookie, or the token.",
	}, func(ctx context.Context, _ *struct{}) (*shownSession, error) {
		return &shownSession{showSession(rest.PrincipalOf(ctx))}, nil
	})
	rest.Handle(h.kernel, rest.Operation{
		ID: access.DeleteSession, Pattern: "DELETE " + sessionPath, Tag: tag,
		Summary:     "Sign out",
		Description: "The session ends at once.",
		Problems:    []int{http.StatusConflict},
	}, h.signOut)
	rest.HandleBody(h.kernel, rest.Operation{
		ID: access.ChangePassword, Pattern: "POST " + sessionPath + "/password", Tag: tag,
		Summary: "Change one's own password",
		Description: "For signed-in users. All other sessions of the user end; this one goes on, by the " +
			"cookie that the answer sets. A wrong old password counts as a failed sign-in does, and too many in a " +
			"row are held back: see Retry-After.",
		Problems: []int{http.StatusConflict, http.StatusTooManyRequests},
	}, h.changePassword)
}

func (h sessionHandler) signIn(ctx context.Context, _ *struct{}, body SignIn) (*shownSession, error) {
	x := rest.ExchangeOf(ctx)
	tenant, err := h.service.Tenants.TenantFor(ctx, body.Tenant, x.Request.Host)
	if err != nil {
		return nil, err
	}
	u, err := h.service.Users.SignIn(ctx, people.SignIn{
		Tenant: tenant, Key: body.Tenant, Email: body.Email, Password: body.Password, From: x.Address(),
		Browser: h.browser(x),
	})
	if err != nil {
		return nil, err
	}
	return h.start(ctx, u)
}

// start starts a user's session.
func (h sessionHandler) start(ctx context.Context, u access.User) (*shownSession, error) {
	x := rest.ExchangeOf(ctx)
	if err := h.sessions.SignIn(ctx, x, session.User{Tenant: u.Tenant, ID: u.ID, Epoch: u.Epoch}); err != nil {
		return nil, err
	}
	if err := h.remember(x, u); err != nil {
		return nil, err
	}
	p, err := h.service.Users.InSession(ctx, people.Session{Tenant: u.Tenant, User: u.ID, Epoch: u.Epoch}, x.Address())
	if err != nil {
		return nil, err
	}
	return &shownSession{showSession(p)}, nil
}

func (h sessionHandler) signOut(ctx context.Context, _ *struct{}) (*rest.NoContent, error) {
	p := rest.PrincipalOf(ctx)
	if p.Actor.UserID == 0 && p.Role != access.Receiver {
		return nil, fault.New(fault.Conflict, "session.none",
			"A token has no session that could end. DELETE /v1/tokens/%s revokes it.", p.Actor.TokenID)
	}
	if err := h.service.Users.SignedOut(ctx, p); err != nil {
		return nil, err
	}
	return &rest.NoContent{}, h.sessions.SignOut(ctx, rest.ExchangeOf(ctx))
}

func (h sessionHandler) changePassword(ctx context.Context, _ *struct{}, body NewPassword) (*shownSession, error) {
	x := rest.ExchangeOf(ctx)
	u, err := h.service.Users.ChangePassword(ctx, rest.PrincipalOf(ctx), people.PasswordChange{
		Old: body.Old, New: body.New, From: x.Address(), Browser: h.browser(x),
	})
	if err != nil {
		return nil, err
	}
	return h.start(ctx, u)
}

func showSession(p access.Principal) Session {
	s := Session{
		Source: string(p.Actor.Source), Name: p.Actor.Name, Role: string(p.Role),
		Further: append([]string{}, p.Further.Names()...), Clearance: string(p.Clearance),
	}
	switch {
	case p.Role == access.Receiver:
		s.Link = p.Actor.TokenID
	case p.Actor.Source == event.UI:
		s.UserID = &p.Actor.UserID
	default:
		s.TokenID = p.Actor.TokenID
	}
	return s
}
