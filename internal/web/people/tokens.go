package people

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/web/ui"
)

// tokensPage lists the tokens, and shows a new one this once.
type tokensPage struct {
	Tokens []access.Token
	Now    time.Time
	Bearer string // of the one that was just made; empty: none was
	Form   tokenForm
}

// tokenForm is the form of a new token.
type tokenForm struct {
	Name, Role, Clearance, Allowed, Expires string
	Further                                 string // roles, separated by blanks or commas
	Action                                  string // the path to which it is sent
	Roles                                   []access.Role
	Clearances                              []casetype.Classification
	Faults                                  []ui.Fault
}

// newTokenForm returns an empty form, with the roles and clearances that the reader may choose.
func newTokenForm(p access.Principal, action string) tokenForm {
	f := tokenForm{Role: string(access.Caseworker), Clearance: string(p.Clearance), Action: action,
		Further: strings.Join(p.Further.Names(), ", "),
	}
	for _, role := range []access.Role{access.Viewer, access.Caseworker, access.Manager, access.Admin} {
		if p.Role.Includes(role) {
			f.Roles = append(f.Roles, role)
		}
	}
	for _, c := range casetype.Classifications() {
		if p.Clearance.Sees(c) {
			f.Clearances = append(f.Clearances, c)
		}
	}
	return f
}

func (h handler) listTokens(ctx context.Context, r *ui.Request) (ui.View, error) {
	return h.tokensView(ctx, r, tokensPage{Form: newTokenForm(r.Principal, "/tokens")})
}

func (h handler) tokensView(ctx context.Context, r *ui.Request, page tokensPage) (ui.View, error) {
	var err error
	if page.Tokens, err = h.services.Tokens.Tokens(ctx, r.Principal); err != nil {
		return ui.View{}, err
	}
	page.Now = time.Now()
	view := ui.View{Title: "Tokens", Section: "/tokens", Body: tokensTemplate(page), Call: "GET /v1/tokens"}
	if len(page.Form.Faults) > 0 {
		view.Status = http.StatusUnprocessableEntity
	}
	return view, nil
}

func (h handler) createToken(ctx context.Context, r *ui.Request) (ui.View, error) {
	f := newTokenForm(r.Principal, "/tokens")
	bearer, err := f.create(ctx, r, h.services.Tokens.CreateToken)
	if err != nil {
		return ui.View{}, err
	}
	return h.tokensView(ctx, r, tokensPage{Bearer: bearer, Form: f})
}

// create reads a form that was sent and makes its token. If the form has faults, it keeps what was sent; otherwise it
// is empty again.
func (f *tokenForm) create(
	ctx context.Context, r *ui.Request,
	do func(context.Context, access.Principal, people.TokenRequest, authz.Once) (people.NewToken, error),
) (bearer string, err error) {
	empty := *f
	f.Name, f.Role, f.Clearance = strings.TrimSpace(r.Form("name")), r.Form("role"), r.Form("clearance")
	f.Further, f.Allowed, f.Expires = r.Form("further_roles"), r.Form("allowed"), r.Form("expires")
	request := people.TokenRequest{
		Name: f.Name, Role: access.Role(f.Role), Further: append([]string{}, words(f.Further)...),
		Clearance: casetype.Classification(f.Clearance), Allowed: words(f.Allowed),
	}
	if f.Expires != "" {
		if request.Expires, err = time.Parse(time.DateOnly, f.Expires); err != nil {
			f.Faults = []ui.Fault{{Field: "expires", Title: "Ends on", Message: "Write a date, such as 2031-01-31."}}
			return "", nil
		}
	}
	made, err := do(ctx, r.Principal, request, authz.Once{})
	if err != nil {
		f.Faults, err = ui.FaultsOf(err, tokenField)
		return "", err
	}
	*f = empty
	return made.Bearer, nil
}

func tokenField(path string) (id, title string) {
	switch id, _, _ = strings.Cut(strings.TrimPrefix(path, "/"), "/"); id {
	case "name":
		return "name", "Name"
	case "expires_at":
		return "expires", "Ends on"
	case "allowed_addresses":
		return "allowed", "Addresses"
	case "further_roles":
		return id, "Further roles"
	case "role", "clearance":
		return id, strings.ToUpper(id[:1]) + id[1:]
	}
	return "", path
}

func (h handler) deleteToken(ctx context.Context, r *ui.Request) (ui.View, error) {
	if r.Form("id") == "" {
		return ui.View{}, fault.New(fault.Invalid, "request.invalid", "Choose the token to revoke.")
	}
	return ui.Redirect("/tokens"), h.services.Tokens.DeleteToken(ctx, r.Principal, r.Form("id"))
}
