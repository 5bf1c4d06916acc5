package people

import (
	"context"
	"net/http"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/session"
	"github.com/casehook/casehook/internal/store"
)

// PortalLink is a link to the portal of some endpoints' receiver.
type PortalLink struct {
	ID        string    `json:"id" doc:"Its id." example:"link_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	Endpoint  string    `json:"endpoint,omitempty" doc:"The id of the endpoint; absent: it is for those with the metadata." example:"ep_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	Metadata  *Metadata `json:"metadata,omitempty" doc:"The text in the metadata of its endpoints; absent: it is for one endpoint."`
	CreatedBy string    `json:"created_by" doc:"The person or program that made it." example:"Grace Hopper"`
	CreatedAt rest.Time `json:"created_at" doc:"When it was made."`
	ExpiresAt rest.Time `json:"expires_at" doc:"When it ends, and its sessions with it."`
}

// Metadata is a text in the metadata of endpoints, by its name.
type Metadata struct {
	Key   string `json:"key" minLength:"1" maxLength:"40" doc:"Its name." example:"customer"`
	Value string `json:"value" maxLength:"500" doc:"The text itself, which endpoints must have exactly so." example:"acme"`
}

// CreatedPortalLink is a portal link that was just made, with its URL.
type CreatedPortalLink struct {
	PortalLink
	URL string `json:"url" doc:"The address to give to the receiver's people. Its secret is behind the #, which browsers send to no server. It is shown this once." example:"https://cases.example.com/portal#secret=chp_..."`
}

// NewPortalLink is the body that makes a portal link.
type NewPortalLink struct {
	Endpoint string    `json:"endpoint,omitempty" maxLength:"100" doc:"The id of the endpoint; absent: send metadata." example:"ep_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	Metadata *Metadata `json:"metadata,omitempty" doc:"Instead of an endpoint: all endpoints that have this text in their metadata, later ones included."`
	Hours    int       `json:"hours,omitempty" minimum:"1" maximum:"72" doc:"For how many hours it can be opened, and its sessions last at most; absent: 24." example:"8"`
}

// portalHandler has the operations on portal links.
type portalHandler struct {
	kernel  *rest.Kernel
	service *people.Portal
}

const portalLinksPath = "/v1/portal-links"

func (h portalHandler) register() {
	const path, tag = portalLinksPath, "endpoints"
	rest.HandleBody(h.kernel, rest.Operation{
		ID:      access.CreatePortalLink,
		Pattern: "POST " + path,
		Tag:     tag,
		Summary: "Make a portal link",
		Description: "Its holder sees and repairs the messages of one endpoint, or of the endpoints with a text in " +
			"their metadata, and nothing else: at most what you see of them. Anybody who has the link can open it, " +
			"until it expires or is revoked.",
		Problems: []int{http.StatusConflict},
		Success:  http.StatusCreated,
	}, h.createLink)
	rest.Handle(h.kernel, rest.Operation{
		ID: access.ListPortalLinks, Pattern: "GET " + path, Tag: tag,
		Summary:     "List the portal links",
		Description: "Those in force whose holders see no more than you, the oldest first.",
	}, func(ctx context.Context, in *rest.InList) (*rest.PageAnswer[PortalLink], error) {
		all, err := h.service.Links(ctx, rest.PrincipalOf(ctx))
		if err != nil {
			return nil, err
		}
		return rest.PageBehind(rest.NewPager(h.kernel, "portal links", showPortalLink,
			func(l access.PortalLink) string { return l.ID }), in.Cursor, all)
	})
	rest.Handle(h.kernel, rest.Operation{
		ID: access.DeletePortalLink, Pattern: "DELETE " + path + "/{id}", Tag: tag,
		Summary:     "Revoke a portal link",
		Description: "It ends at once, and all sessions that began with it.",
		Problems:    []int{http.StatusNotFound},
	}, func(ctx context.Context, in *struct {
		ID string `path:"id" maxLength:"100" doc:"The id of the portal link." example:"link_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	}) (*rest.NoContent, error) {
		return &rest.NoContent{}, h.service.DeleteLink(ctx, rest.PrincipalOf(ctx), in.ID)
	})
}

func (h portalHandler) createLink(
	ctx context.Context, in *rest.IdempotencyHeader, body NewPortalLink,
) (*rest.PostAnswer[CreatedPortalLink], error) {
	request := people.PortalRequest{Endpoint: body.Endpoint, Hours: body.Hours}
	if body.Metadata != nil {
		request.Key, request.Value = body.Metadata.Key, body.Metadata.Value
	}
	return rest.Create[CreatedPortalLink](ctx, *in, func(made people.NewPortalLink) (store.Answer, error) {
		return rest.Answer(http.StatusCreated, CreatedPortalLink{showPortalLink(made.Link), made.URL}, "Location",
			portalLinksPath+"/"+made.Link.ID)
	}, func(o authz.Once) (people.NewPortalLink, error) {
		return h.service.CreateLink(ctx, rest.PrincipalOf(ctx), request, o)
	})
}

func showPortalLink(l access.PortalLink) PortalLink {
	out := PortalLink{
		ID: l.ID, Endpoint: l.Scope.Endpoint, CreatedBy: l.CreatedBy,
		CreatedAt: rest.Time(l.CreatedAt), ExpiresAt: rest.Time(l.ExpiresAt),
	}
	if l.Scope.Endpoint == "" {
		out.Metadata = &Metadata{l.Scope.Key, l.Scope.Value}
	}
	return out
}

// OpenPortal starts the session of somebody who has the secret of a portal link, for pages.
func (s Sessions) OpenPortal(ctx context.Context, secret string) error {
	x := rest.ExchangeOf(ctx)
	l, err := s.handler.service.Portal.Open(ctx, secret, x.Request.Host, x.Address())
	if err != nil {
		return err
	}
	return s.handler.sessions.SignIn(ctx, x, session.User{Tenant: l.Tenant, PortalLink: l.ID, Ends: l.ExpiresAt})
}
