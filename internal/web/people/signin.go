package people

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/a-h/templ"

	"github.com/casehook/casehook/internal/access"
	apipeople "github.com/casehook/casehook/internal/api/people"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/web/ui"
)

func (h handler) showSignIn(_ context.Context, r *ui.Request) (ui.View, error) {
	return h.signInView(signInForm{
		To: ui.Local(r.Query("to")), Tenant: r.Query("tenant"), Out: r.Query("out") != "",
	}), nil
}

func (h handler) signInView(f signInForm) ui.View {
	f.Provider = h.sessions.Provider
	return ui.View{Title: "Sign in", Body: signInPage(f), Bare: true}
}

func (h handler) signIn(ctx context.Context, r *ui.Request) (ui.View, error) {
	f := signInForm{To: ui.Local(r.Form("to")), Email: r.Form("email"), Tenant: r.Form("tenant")}
	err := h.sessions.SignIn(ctx, apipeople.SignIn{Email: f.Email, Password: r.Form("password"), Tenant: f.Tenant})
	if err == nil {
		return ui.Redirect(f.To), nil
	}
	e := fault.As(err)
	if e.Kind == fault.Internal || e.Kind == fault.Unavailable {
		return ui.View{}, err
	}
	f.Failed = e.Detail
	view := h.signInView(f)
	view.Status = http.StatusUnauthorized
	return view, nil
}

// providerPath is where the sign-in with OpenID Connect begins.
func providerPath(f signInForm) templ.SafeURL {
	query := url.Values{"return_to": {f.To}}
	if f.Tenant != "" {
		query.Set("tenant", f.Tenant)
	}
	return templ.SafeURL("/v1/oidc/login?" + query.Encode())
}

func (h handler) signOut(ctx context.Context, _ *ui.Request) (ui.View, error) {
	if err := h.sessions.SignOut(ctx); err != nil {
		return ui.View{}, err
	}
	return ui.Redirect("/sign-in?out=1"), nil
}

func (h handler) showSetUp(context.Context, *ui.Request) (ui.View, error) {
	return ui.View{Title: "Set up", Body: setUpPage(setUpForm{}), Bare: true}, nil
}

// setUp makes an administrator's account for the holder of a token, and signs them in.
func (h handler) setUp(ctx context.Context, r *ui.Request) (ui.View, error) {
	f := setUpForm{Email: strings.TrimSpace(r.Form("email")), Name: strings.TrimSpace(r.Form("name"))}
	err := h.makeAdministrator(ctx, r, f)
	if err == nil {
		return ui.Redirect("/"), nil
	}
	if fault.As(err).Kind == fault.Unauthenticated {
		f.Faults = []ui.Fault{{
			Field: "token", Title: "Token", Message: "It is not valid. Copy it whole, from chk_ on.",
		}}
	} else if f.Faults, err = ui.FaultsOf(err, userField); err != nil {
		return ui.View{}, err
	}
	return ui.View{
		Title: "Set up", Body: setUpPage(f), Bare: true, Status: http.StatusUnprocessableEntity,
	}, nil
}

func (h handler) makeAdministrator(ctx context.Context, r *ui.Request, f setUpForm) error {
	p, err := h.services.Tokens.Authenticate(ctx, strings.TrimSpace(r.Form("token")), r.Exchange.Address())
	if err != nil {
		return err
	}
	if err := h.services.Tenants.CheckHost(ctx, p, r.HTTP.Host); err != nil {
		return err
	}
	role, clearance, password := access.Admin, casetype.Restricted, r.Form("password")
	made, err := h.services.Users.CreateUser(ctx, p, people.UserChange{
		Email: &f.Email, Name: &f.Name, Role: &role, Clearance: &clearance, Password: &password,
	}, authz.Once{})
	if err != nil {
		return err
	}
	return h.sessions.Start(ctx, made)
}

// userField names the field of the form for a user that a fault is about.
func userField(path string) (id, title string) {
	switch id, _, _ = strings.Cut(strings.TrimPrefix(path, "/"), "/"); id {
	case "email":
		return id, "E-mail address"
	case "name":
		return id, "Name"
	case "further_roles":
		return id, "Further roles"
	case "password", "new_password":
		return id, "Password"
	case "old_password":
		return id, "Present password"
	}
	return "", path
}
