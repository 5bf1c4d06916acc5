package casework

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
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// Audit lists the tenant's audit records with ids below before, newest first; 0
// begins at the newest. What is about something above the caller's clearance is left out.
func (s *Service) Audit(ctx context.Context, p access.Principal, before int64, limit int) (none store.Page[access.Record], err error) {
	if err := s.Permit(ctx, p, access.ListAudit); err != nil {
		return none, err
	}
	return s.store.Audited(ctx, p.Tenant, p.Clearance, newest(before), page(limit))
}

// subject is what a record of the audit is about. The zero subject is nothing in particular.
type subject struct {
	name  string
	class casetype.Classification // who sees it; empty: everybody
}

func aboutEndpoint(e endpoint.Endpoint) subject { return subject{"endpoint/" + e.ID, e.Clearance} }

func aboutType(key string, class casetype.Classification) subject {
	return subject{"case_type/" + key, class}
}

func aboutCase(c cases.Case) subject {
	return subject{"case/" + strconv.FormatInt(c.ID, 10), c.Classification}
}

func aboutUser(id int64) subject { return subject{name: "user/" + strconv.FormatInt(id, 10)} }

func aboutToken(id string) subject { return subject{name: "token/" + id} }

// audit notes what somebody does, in the transaction that does it. Detail holds
// no secret and no case data; it may be nil.
func (s *Service) audit(
	ctx context.Context, tx *store.Tx, p access.Principal, what access.Action, of subject, detail map[string]any,
) error {
	raw, err := json.Marshal(detail)
	if err != nil {
		return fmt.Errorf("encoding an audit record: %w", err)
	}
	if detail == nil {
		raw = nil
	}
	return tx.Audit(ctx, access.Record{
		Tenant: p.Tenant, At: s.now(), Action: what, Subject: of.name, Actor: p.Actor, Detail: raw, Classification: of.class,
	})
}

// failuresLast is how long failed sign-ins are remembered.
const failuresLast = 24 * time.Hour

// noTenant counts what came for tenants that don't exist.
const noTenant = "no tenant"

// note is audit for what changes nothing else. It is noted even when whoever
// asked is gone, and its failing stops nobody.
func (s *Service) note(ctx context.Context, p access.Principal, what access.Action, of subject, detail map[string]any) {
	ctx = context.WithoutCancel(ctx)
	if err := s.write(ctx, p, what, of, detail); err != nil {
		s.Log.ErrorContext(ctx, "the audit could not be written", "action", string(what), "code", fault.As(err).Code, "error", err)
	}
}

// write is audit in a transaction of its own. What is about a tenant that does not exist
// is counted in its place, so that it takes as long.
func (s *Service) write(
	ctx context.Context, p access.Principal, what access.Action, of subject, detail map[string]any,
) error {
	return s.store.Update(ctx, func(tx *store.Tx) error {
		if p.Tenant == 0 {
			_, _, err := tx.CountSignIn(ctx, noTenant, s.now(), s.now().Add(-failuresLast))
			return err
		}
		return s.audit(ctx, tx, p, what, of, detail)
	})
}
