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
	Faults                                  []ui.Fault
}

func (h handler) listTokens(ctx context.Context, r *ui.Request) (ui.View, error) {
	return h.tokensView(ctx, r, tokensPage{Form: tokenForm{
		Role: string(access.Caseworker), Clearance: string(r.Principal.Clearance),
	}})
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
	f := tokenForm{
		Name: strings.TrimSpace(r.Form("name")), Role: r.Form("role"), Clearance: r.Form("clearance"),
		Allowed: r.Form("allowed"), Expires: r.Form("expires"),
	}
	request := people.TokenRequest{
		Name: f.Name, Role: access.Role(f.Role), Clearance: casetype.Classification(f.Clearance),
		Allowed: strings.Fields(strings.ReplaceAll(f.Allowed, ",", " ")),
	}
	var err error
	if f.Expires != "" {
		if request.Expires, err = time.Parse(time.DateOnly, f.Expires); err != nil {
			f.Faults = []ui.Fault{{Field: "expires", Title: "Ends on", Message: "Write a date, such as 2031-01-31."}}
			return h.tokensView(ctx, r, tokensPage{Form: f})
		}
	}
	made, err := h.services.Tokens.CreateToken(ctx, r.Principal, request, authz.Once{})
	if err != nil {
		if f.Faults, err = ui.FaultsOf(err, tokenField); err != nil {
			return ui.View{}, err
		}
		return h.tokensView(ctx, r, tokensPage{Form: f})
	}
	return h.tokensView(ctx, r, tokensPage{Bearer: made.Bearer, Form: tokenForm{
		Role: string(access.Caseworker), Clearance: string(r.Principal.Clearance),
	}})
}

func tokenField(path string) (id, title string) {
	switch id, _, _ = strings.Cut(strings.TrimPrefix(path, "/"), "/"); id {
	case "name":
		return "name", "Name"
	case "expires_at":
		return "expires", "Ends on"
	case "allowed_addresses":
		return "allowed", "Addresses"
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

// auditPage is a page of the audit.
type auditPage struct {
	Records []auditRow
	Next    string
}

type auditRow struct {
	At                                 time.Time
	Action, Subject, By, Address, Rest string
}

func (h handler) audit(ctx context.Context, r *ui.Request) (ui.View, error) {
	var before int64
	if err := r.Position("console audit", &before); err != nil {
		return ui.View{}, err
	}
	found, err := h.guard.Records(ctx, r.Principal, before, usersPerPage)
	if err != nil {
		return ui.View{}, err
	}
	page := auditPage{}
	for _, record := range found.Items {
		by := r.Principal.Redact(record.Actor)
		row := auditRow{
			At: record.At, Action: string(record.Action), Subject: record.Subject, By: by.Name, Address: by.Address,
			Rest: string(record.Detail),
		}
		if row.Rest == "{}" {
			row.Rest = ""
		}
		page.Records = append(page.Records, row)
	}
	if found.More && len(found.Items) > 0 {
		if page.Next, err = r.Cursor("console audit", found.Items[len(found.Items)-1].ID); err != nil {
			return ui.View{}, err
		}
	}
	return ui.View{Title: "Audit", Section: "/audit", Body: auditTemplate(page), Call: "GET /v1/audit"}, nil
}
