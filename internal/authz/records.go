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

// System is Casehook, as who acts in a tenant.
func System(tenant int64) access.Principal {
	return access.Principal{
		Tenant: tenant, Role: access.Admin, Clearance: casetype.Restricted, Actor: event.Actor{Source: event.System, Name: "Casehook"},
	}
}

// Records lists the tenant's audit records with ids below before, newest first; 0
// begins at the newest. What is about something above the caller's clearance is left out.
func (g *Guard) Records(
	ctx context.Context, p access.Principal, before int64, limit int,
) (none store.Page[access.Record], err error) {
	if err := g.Permit(ctx, p, access.ListAudit); err != nil {
		return none, err
	}
	return g.store.Audited(ctx, p.Tenant, p.Clearance, input.Newest(before), input.Page(limit))
}

// Subject is what a record of the audit is about. The zero subject is nothing in particular.
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

// Record notes what somebody does, in the transaction that does it. Detail holds
// no secret and no case data; it may be nil.
func (g *Guard) Record(
	ctx context.Context, tx *store.Tx, p access.Principal, what access.Action, of Subject, detail map[string]any,
) error {
	raw, err := json.Marshal(detail)
	if err != nil {
		return fmt.Errorf("encoding an audit record: %w", err)
	}
	if detail == nil {
		raw = nil
	}
	return tx.Audit(ctx, access.Record{
		Tenant: p.Tenant, At: g.now(), Action: what, Subject: of.Name, Actor: p.Actor, Detail: raw, Classification: of.Class,
	})
}

// FailuresLast is how long failed sign-ins are remembered.
const FailuresLast = 24 * time.Hour

// noTenant counts what came for tenants that don't exist.
const noTenant = "no tenant"

// Note is audit for what changes nothing else. It is noted even when whoever
// asked is gone, and its failing stops nobody.
func (g *Guard) Note(ctx context.Context, p access.Principal, what access.Action, of Subject, detail map[string]any) {
	ctx = context.WithoutCancel(ctx)
	if err := g.write(ctx, p, what, of, detail); err != nil {
		g.log.ErrorContext(ctx, "the audit could not be written", "action", string(what), "code", fault.As(err).Code, "error", err)
	}
}

// write is audit in a transaction of its own. What is about a tenant that does not exist
// is counted in its place, so that it takes as long.
func (g *Guard) write(
	ctx context.Context, p access.Principal, what access.Action, of Subject, detail map[string]any,
) error {
	return g.store.Update(ctx, func(tx *store.Tx) error {
		if p.Tenant == 0 {
			_, _, err := tx.CountSignIn(ctx, noTenant, g.now(), g.now().Add(-FailuresLast))
			return err
		}
		return g.Record(ctx, tx, p, what, of, detail)
	})
}
