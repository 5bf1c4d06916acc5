package people

import (
	"context"
	"net/http"
	"strings"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/web/ui"
)

// operatorPage is the page of an operator, who has no session. Its forms hold the credential, which is good for five
// minutes.
type operatorPage struct {
	Credential string
	Tenants    []store.Tenant // nil: the credential is asked for
	Done       string         // what was done
	Token      string         // an administrator's, shown once
	TokenOf    string         // its tenant
	Failed     string
	Faults     []fault.Field
}

func (h handler) showOperator(context.Context, *ui.Request) (ui.View, error) {
	return operatorView(operatorPage{}), nil
}

func operatorView(p operatorPage) ui.View {
	view := ui.View{Title: "Tenants", Body: operatorTemplate(p), Bare: true}
	if p.Failed != "" {
		view.Status = http.StatusUnprocessableEntity
	}
	return view
}

// operate does what a form of the operator's page says, and shows the page again.
func (h handler) operate(ctx context.Context, r *ui.Request) (ui.View, error) {
	page := operatorPage{Credential: strings.TrimSpace(r.Form("credential"))}
	p, err := h.sessions.Operator(page.Credential, r.Exchange.Address())
	if err != nil {
		view := operatorView(operatorPage{Failed: fault.As(err).Detail})
		view.Status = http.StatusUnauthorized
		return view, nil
	}
	if err := h.tenants(ctx, p, r, &page); err != nil {
		e := fault.As(err)
		if e.Kind == fault.Internal || e.Kind == fault.Unavailable {
			return ui.View{}, err
		}
		page.Failed, page.Faults = e.Detail, e.Fields
	}
	if page.Tenants, err = h.services.Tenants.Tenants(ctx, p); err != nil {
		return ui.View{}, err
	}
	return operatorView(page), nil
}

// tenants creates or changes a tenant.
func (h handler) tenants(ctx context.Context, p access.Principal, r *ui.Request, page *operatorPage) error {
	key := r.Form("key")
	switch r.Form("do") {
	case "create":
		made, err := h.services.Tenants.CreateTenant(ctx, p, key, tenantChange(r), authz.Once{})
		if err == nil {
			page.Done = "The tenant " + key + " is there."
			page.Token, page.TokenOf = made.Token.Bearer, key
		}
		return err
	case "change":
		_, err := h.services.Tenants.ChangeTenant(ctx, p, key, tenantChange(r))
		if err == nil {
			page.Done = "The tenant " + key + " is changed."
		}
		return err
	case "administrator":
		made, err := h.services.Tenants.CreateTenantAdministrator(ctx, p, key, authz.Once{})
		if err == nil {
			page.Done = "The tenant " + key + " has a new administrator's token."
			page.Token, page.TokenOf = made.Bearer, key
		}
		return err
	}
	return nil
}

func tenantChange(r *ui.Request) people.TenantChange {
	name, url := strings.TrimSpace(r.Form("name")), strings.TrimSpace(r.Form("public_url"))
	hosts, variables, allow := strings.Fields(r.Form("hosts")), strings.Fields(r.Form("variables")),
		strings.Fields(r.Form("allow_addresses"))
	change := people.TenantChange{Hosts: &hosts, Variables: &variables, Allow: &allow, PublicURL: &url}
	if name != "" {
		change.Name = &name
	}
	return change
}
