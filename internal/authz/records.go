package authz

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/input"
	"github.com/casehook/casehook/internal/store"
)

// System returns the principal of Casehook's own work in a tenant.
func System(tenant int64) access.Principal {
	return access.Principal{
		Tenant:    tenant,
		Role:      access.Admin,
		Clearance: casetype.Restricted,
		Actor:     event.Actor{Source: event.System, Name: "Casehook"},
	}
}

// Records lists the tenant's audit records with ids below before, newest first; 0
// begins at the newest. Records of subjects above the caller's clearance are left out.
func (g *Guard) Records(
	ctx context.Context, p access.Principal, before int64, limit int,
) (none store.Page[access.Record], err error) {
	if err := g.Permit(ctx, p, access.ListAudit); err != nil {
		return none, err
	}
	return g.store.Audited(ctx, p.Tenant, p.Clearance, input.Newest(before), input.Page(limit))
}

// Subject names the object of an audit record. The zero subject names none.
type Subject struct {
	Name  string
	Class casetype.Classification // who sees it; empty: everybody
}

func AboutEndpoint(e endpoint.Endpoint) Subject { return Subject{"endpoint/" + e.ID, e.Clearance} }

func AboutType(key string, class casetype.Classification) Subject {
	return Subject{"case_type/" + key, class}
}

func AboutCase(c cases.Case) Subject {
	return Subject{"case/" + strconv.FormatInt(c.ID, 10), c.Classification}
}

func AboutUser(id int64) Subject { return Subject{Name: "user/" + strconv.FormatInt(id, 10)} }

func AboutToken(id string) Subject { return Subject{Name: "token/" + id} }

func AboutPortalLink(l access.PortalLink) Subject { return Subject{"portal_link/" + l.ID, l.Clearance} }

// Record writes a note to the audit, in the transaction of the change that it describes.
func (g *Guard) Record(ctx context.Context, tx *store.Tx, n Note) error {
	raw, err := json.Marshal(n.Detail)
	if err != nil {
		return fmt.Errorf("encoding an audit record: %w", err)
	}
	if n.Detail == nil {
		raw = nil
	}
	return tx.Audit(ctx, access.Record{
		Tenant:         n.Who.Tenant,
		At:             g.now(),
		Action:         n.What,
		Subject:        n.Subject.Name,
		Actor:          n.Who.Actor,
		Detail:         raw,
		Classification: n.Subject.Class,
	})
}

// FailuresLast is how long failed sign-ins are remembered.
const FailuresLast = 24 * time.Hour

// noTenant is the counter of notes about tenants that don't exist.
const noTenant = "no tenant"

// Note writes a note to the audit about an event that changes nothing else, even after the request has ended. A
// failure is logged, not returned.
func (g *Guard) Note(ctx context.Context, n Note) {
	ctx = context.WithoutCancel(ctx)
	if err := g.write(ctx, n); err != nil {
		g.log.ErrorContext(ctx, "the audit could not be written",
			"action", string(n.What), "code", fault.As(err).Code, "error", err)
	}
}

// write writes a note in a transaction of its own. A note about a tenant that does not exist is counted instead,
// which takes as long.
func (g *Guard) write(ctx context.Context, n Note) error {
	return g.store.Update(ctx, func(tx *store.Tx) error {
		if n.Who.Tenant == 0 {
			_, _, err := tx.CountSignIn(ctx, noTenant, g.now(), g.now().Add(-FailuresLast))
			return err
		}
		return g.Record(ctx, tx, n)
	})
}
