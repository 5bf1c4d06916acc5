package hooks

import (
	"context"
	"strconv"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/web/ui"
)

// registerPortal registers the page of all portal links, and what is done with links on the page of an endpoint.
func (h handler) registerPortal(s *ui.Site) {
	s.Page("GET /portal-links", access.ListPortalLinks, h.listLinks)
	s.Page("POST /portal-links/{link}/revoke", access.DeletePortalLink, h.revokeListed)
	s.Page("POST /endpoints/{id}/portal-links", access.CreatePortalLink, h.createLink)
	s.Page("POST /endpoints/{id}/portal-links/{link}/revoke", access.DeletePortalLink, h.revokeLink)
}

// lives are for how long links last, as the form offers it.
var lives = []struct {
	Hours int
	Name  string
}{{1, "1 hour"}, {8, "8 hours"}, {24, "24 hours"}, {72, "3 days"}}

// linksOf returns the portal links in force whose holders see an endpoint.
func (h handler) linksOf(
	ctx context.Context, r *ui.Request, e endpoint.Endpoint,
) (found []access.PortalLink, err error) {
	all, err := h.config.Portal.Links(ctx, r.Principal)
	for _, l := range all {
		if l.Scope.Selects(e.ID, e.Metadata) {
			found = append(found, l)
		}
	}
	return found, err
}

// createLink makes a portal link for an endpoint, or for all that have the same text in their metadata, and shows it
// once.
func (h handler) createLink(ctx context.Context, r *ui.Request) (ui.View, error) {
	e, err := h.services.Endpoints.Endpoint(ctx, r.Principal, r.Path("id"))
	if err != nil {
		return ui.View{}, err
	}
	in := people.PortalRequest{Endpoint: e.ID}
	in.Hours, _ = strconv.Atoi(r.Form("hours")) // 0: the default
	if key := r.Form("key"); key != "" {
		in.Endpoint, in.Key, in.Value = "", key, e.Metadata[key]
	}
	made, err := h.config.Portal.CreateLink(ctx, r.Principal, in, authz.Once{})
	if err != nil {
		return ui.View{}, err
	}
	d, err := h.endpointDetail(ctx, r)
	if err != nil {
		return ui.View{}, err
	}
	d.MadeLink = made
	return d.view(), nil
}

// portalLinks is the page of all portal links.
type portalLinks struct {
	Links   []access.PortalLink
	Revoked bool // one was just revoked
}

func (h handler) listLinks(ctx context.Context, r *ui.Request) (ui.View, error) {
	all, err := h.config.Portal.Links(ctx, r.Principal)
	return ui.View{
		Title: "Portal links", Section: "/endpoints", Call: "GET /v1/portal-links",
		Body: portalLinksPage(portalLinks{all, r.Query("done") == "revoked"}),
	}, err
}

// revokeListed revokes a link on the page of all.
func (h handler) revokeListed(ctx context.Context, r *ui.Request) (ui.View, error) {
	return ui.Redirect("/portal-links?done=revoked"), h.config.Portal.DeleteLink(ctx, r.Principal, r.Path("link"))
}

func (h handler) revokeLink(ctx context.Context, r *ui.Request) (ui.View, error) {
	return onEndpoint(r, "revoked", "portal", func(string) error {
		return h.config.Portal.DeleteLink(ctx, r.Principal, r.Path("link"))
	})
}
