package people

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/input"
	"github.com/casehook/casehook/internal/store"
)

// Portal has the use cases of portal links, and of the sessions that begin with one. It is safe for concurrent use.
type Portal struct {
	store   *store.Store
	guard   *authz.Guard
	now     func() time.Time
	tenants *Tenants
	random  io.Reader
	known   *store.Memory[string, access.PortalLink] // by id
}

// The bounds of a link's life, in hours.
const (
	DefaultPortalHours = 24
	MaxPortalHours     = 72
)

// PortalRequest has the settings of a new portal link: one endpoint's id, or a key and a value in metadata.
type PortalRequest struct {
	Endpoint   string
	Key, Value string
	Hours      int // 0: DefaultPortalHours
}

// NewPortalLink is the result of creating a portal link. The URL has the secret, and is shown once.
type NewPortalLink struct {
	Link access.PortalLink
	URL  string
}

// CreateLink makes a portal link for endpoints that the caller sees. Its holder sees at most what the caller sees now.
func (s *Portal) CreateLink(
	ctx context.Context, p access.Principal, r PortalRequest, once authz.Once,
) (made NewPortalLink, err error) {
	if err := s.guard.Permit(ctx, p, access.CreatePortalLink); err != nil {
		return made, err
	}
	err = s.guard.Once(ctx, p, once, func() (err error) {
		if made, err = s.newLink(ctx, p, r); err != nil {
			return err
		}
		return s.guard.Update(ctx, authz.NewMandate(p, access.CreatePortalLink), func(tx *store.Tx) error {
			l := made.Link
			if err := tx.CreatePortalLink(ctx, l); err != nil {
				return err
			}
			err := s.guard.Record(ctx, tx, authz.Note{
				Who:     p,
				What:    access.PortalLinkCreated,
				Subject: authz.AboutPortalLink(l),
				Detail:  map[string]any{"for": l.Name, "hours": int(l.ExpiresAt.Sub(l.CreatedAt).Hours())},
			})
			if err != nil {
				return err
			}
			return s.guard.Keep(ctx, tx, p, once, made)
		})
	})
	if err != nil {
		return NewPortalLink{}, err
	}
	return made, nil
}

// newLink returns a new link, unless the request has faults.
func (s *Portal) newLink(ctx context.Context, p access.Principal, r PortalRequest) (made NewPortalLink, err error) {
	hours := cmp.Or(r.Hours, DefaultPortalHours)
	if hours < 1 || hours > MaxPortalHours {
		return made, portalFault("/hours", fmt.Sprintf("is not between 1 and %d", MaxPortalHours))
	}
	now := s.now()
	l := access.PortalLink{
		ID: id.New("link"), Tenant: p.Tenant, Clearance: p.Clearance, CreatedBy: p.Actor.Name, CreatedAt: now,
		ExpiresAt: now.Add(time.Duration(hours) * time.Hour),
	}
	switch {
	case (r.Endpoint == "") == (r.Key == ""):
		return made, portalFault("/endpoint", "or metadata: send one of them")
	case r.Endpoint != "":
		e, err := s.endpoint(ctx, p, r.Endpoint)
		if err != nil {
			return made, err
		}
		l.Name, l.Clearance = nameOfEndpoint(e), casetype.Lower(p.Clearance, e.Reached)
		l.Scope = access.Scope{Endpoint: e.ID, Role: p.Role, Further: p.Further}
	default:
		l.Name, l.Scope = r.Value, access.Scope{Key: r.Key, Value: r.Value, Role: p.Role, Further: p.Further}
		if err := s.checkSelects(ctx, p, l.Scope); err != nil {
			return made, err
		}
	}
	secret, hash, err := access.NewToken(s.random)
	if err != nil {
		return made, err
	}
	t, err := s.store.Tenant(ctx, p.Tenant)
	if err != nil {
		return made, err
	}
	l.Hash = hash
	fragment := url.Values{"secret": {access.PortalSecret(l.ID, secret)}}
	return NewPortalLink{l, s.tenants.PublicURLOf(t) + "/portal#" + fragment.Encode()}, nil
}

// endpoint returns an endpoint that the caller sees.
func (s *Portal) endpoint(ctx context.Context, p access.Principal, id string) (e endpoint.Endpoint, err error) {
	if input.Word(id) {
		e, err = s.store.Endpoint(ctx, p.Tenant, id)
	}
	if err != nil && !errors.Is(err, fault.NotFound) {
		return e, err
	}
	if err != nil || e.ID == "" || !p.Clearance.Sees(e.Clearance) {
		return e, portalFault("/endpoint", "is not the id of an endpoint; GET /v1/endpoints lists them")
	}
	return e, nil
}

// checkSelects refuses a scope that selects no endpoint that the caller sees.
func (s *Portal) checkSelects(ctx context.Context, p access.Principal, scope access.Scope) error {
	text := store.MetadataText{Key: scope.Key, Value: scope.Value}
	for after := ""; ; {
		found, err := s.store.EndpointsWith(ctx, p.Tenant, text, after, input.MaxPage)
		if err != nil {
			return err
		}
		for _, e := range found.Items {
			after = e.ID
			if p.Clearance.Sees(e.Clearance) && scope.Selects(e.ID, e.Metadata) {
				return nil
			}
		}
		if !found.More || len(found.Items) == 0 {
			return portalFault("/metadata", "is of no endpoint; GET /v1/endpoints shows their metadata")
		}
	}
}

func portalFault(path, message string) error {
	return fault.In("portal_link.invalid", "The portal link was not made: see fields.",
		fault.Field{Path: path, Message: message})
}

// nameOfEndpoint returns the name of an endpoint, or its address where it has none.
func nameOfEndpoint(e endpoint.Endpoint) string { return cmp.Or(e.Name, hostIn(e.URL), e.ID) }

// Links lists the tenant's portal links in force, oldest first: those whose holders see no more than the caller.
func (s *Portal) Links(ctx context.Context, p access.Principal) (shown []access.PortalLink, err error) {
	if err := s.guard.Permit(ctx, p, access.ListPortalLinks); err != nil {
		return nil, err
	}
	all, err := s.store.PortalLinks(ctx, p.Tenant, s.now())
	for _, l := range all {
		if p.Clearance.Sees(l.Clearance) {
			shown = append(shown, l)
		}
	}
	return shown, err
}

// DeleteLink revokes a portal link at once, and ends the sessions that began with it.
func (s *Portal) DeleteLink(ctx context.Context, p access.Principal, linkID string) error {
	if err := s.guard.Permit(ctx, p, access.DeletePortalLink); err != nil {
		return err
	}
	if !input.Word(linkID) {
		return portalLinkMissing()
	}
	l, err := s.store.PortalLink(ctx, linkID)
	if err == nil && (l.Tenant != p.Tenant || !p.Clearance.Sees(l.Clearance)) {
		err = portalLinkMissing()
	}
	if err != nil {
		return err
	}
	return s.guard.Update(ctx, authz.NewMandate(p, access.DeletePortalLink), func(tx *store.Tx) error {
		if err := tx.DeletePortalLink(ctx, p.Tenant, linkID); err != nil {
			return err
		}
		return s.guard.Record(ctx, tx, authz.Note{
			Who:     p,
			What:    access.PortalLinkRevoked,
			Subject: authz.AboutPortalLink(l),
		})
	})
}

func portalLinkMissing() error {
	return fault.New(fault.NotFound, "portal_link.not_found",
		"There is no portal link with this id. GET /v1/portal-links lists those in force.")
}

// Open returns the link whose secret somebody has, who calls from an address by a host name, and records the sign-in.
// All values that open nothing have the same error.
func (s *Portal) Open(ctx context.Context, value, host, from string) (l access.PortalLink, err error) {
	linkID, secret, ok := access.ParsePortalSecret(value)
	if !ok || len(value) > maxBearer || !input.Word(linkID) {
		return l, portalRefused()
	}
	if l, err = s.store.PortalLink(ctx, linkID); err != nil && !errors.Is(err, fault.NotFound) {
		return l, err
	}
	valid := l.Valid(secret, s.now())
	p := receiver(l, from)
	if valid {
		err = s.tenants.CheckHost(ctx, p, host)
	}
	if err != nil && !errors.Is(err, fault.NotFound) && !errors.Is(err, fault.Unauthenticated) {
		return l, err
	}
	if err != nil || !valid {
		s.guard.NoteStranger(ctx, p, access.SignInFailed, authz.Subject{}, map[string]any{"by": "portal_link"})
		return access.PortalLink{}, portalRefused()
	}
	return l, s.store.Update(ctx, func(tx *store.Tx) error {
		return s.guard.Record(ctx, tx, authz.Note{
			Who:     p,
			What:    access.SignedIn,
			Subject: authz.AboutPortalLink(l),
			Detail:  map[string]any{"by": "portal_link"},
		})
	})
}

func portalRefused() error {
	return fault.New(fault.Unauthenticated, "portal_link.refused",
		"The link opens nothing: it has expired, was revoked, or is not whole. Ask for another one.")
}

// InSession returns the principal of a session that began with a portal link, which must still be in force.
func (s *Portal) InSession(ctx context.Context, session Session, from string) (access.Principal, error) {
	l, looked, err := s.known.Get(session.PortalLink, func() (access.PortalLink, int64, error) {
		l, err := s.store.PortalLink(ctx, session.PortalLink)
		return l, l.Tenant, err
	})
	if err != nil && !errors.Is(err, fault.NotFound) {
		return access.Principal{}, err
	}
	if err != nil || l.Tenant != session.Tenant || !s.now().Before(l.ExpiresAt) {
		return access.Principal{}, authz.SessionOver()
	}
	p := receiver(l, from)
	p.Credential = access.Credential{
		At: looked.Looked, Moment: looked.Moment, Expires: l.ExpiresAt, Session: session.Key,
	}
	if rights := session.Rights; !rights.Looked.IsZero() && rights.Moment < looked.Moment {
		p.Credential.At, p.Credential.Moment = rights.Looked, rights.Moment
	}
	return p, nil
}

// receiver returns the holder of a portal link, whose actor has the link's id.
func receiver(l access.PortalLink, from string) access.Principal {
	return access.Principal{
		Tenant: l.Tenant, Role: access.Receiver, Clearance: l.Clearance, Scope: l.Scope,
		Actor: event.Actor{Source: event.UI, Name: "Receiver of " + l.Name, TokenID: l.ID, Address: from},
	}
}
