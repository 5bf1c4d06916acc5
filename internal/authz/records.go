package authz

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
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

// RecordQuery asks for records of the audit. Empty members select all.
type RecordQuery struct {
	Action  access.Action
	Subject string // "endpoint/ep_..."
	By      access.Owner
	Outcome Outcome
	Since   time.Time // they are from this time on
	Until   time.Time // they are from before this time
	Before  int64     // they have a lower id; 0: begin at the newest
	Limit   int
}

// Outcome says whether what the audit records was done.
type Outcome string

// The outcomes.
const (
	OutcomeDone    Outcome = "done"
	OutcomeRefused Outcome = "refused"
)

const (
	recordRounds = 10          // that a page is filled up in, if few of the records that are read are selected
	recordBatch  = 500         // that are read at once then, at least
	clocksDiffer = time.Minute // at most, between nodes: ids and times are in the same order but for this
)

// Records lists the tenant's audit records that a query selects, newest first, and where the next page begins; 0:
// there is none. A page may have fewer records than its limit.
func (g *Guard) Records(
	ctx context.Context, p access.Principal, q RecordQuery,
) (shown []access.Record, next int64, err error) {
	if err := g.Permit(ctx, p, access.ListAudit); err != nil {
		return nil, 0, err
	}
	return g.findRecords(ctx, p, q)
}

// The bounds of an export of records.
const (
	maxExported = 10_000
	exportPage  = 500
)

// ExportRecords returns a function that reads the records that a query selects, newest first and 10,000 at most, page
// by page; a page may be empty. More is false with the last one. The first page is read at once, so that an error of
// the request comes before any record.
func (g *Guard) ExportRecords(
	ctx context.Context, p access.Principal, q RecordQuery,
) (read func(context.Context) (page []access.Record, more bool, err error), err error) {
	if err := g.Permit(ctx, p, access.ExportAudit); err != nil {
		return nil, err
	}
	left := maxExported
	q.Limit = exportPage
	ahead, next, err := g.findRecords(ctx, p, q)
	return func(ctx context.Context) (page []access.Record, more bool, err error) {
		if page = ahead; page == nil && next > 0 {
			q.Before = next
			if page, next, err = g.findRecords(ctx, p, q); err != nil {
				return nil, false, err
			}
		}
		ahead = nil
		page = page[:min(len(page), left)]
		left -= len(page)
		return page, next > 0 && left > 0, nil
	}, err
}

func (g *Guard) findRecords(
	ctx context.Context, p access.Principal, q RecordQuery,
) (shown []access.Record, next int64, err error) {
	if q.malformed() {
		return nil, 0, nil // nothing has such a name
	}
	f := store.AuditFilter{
		Clearance: p.Clearance, Subject: q.Subject, By: q.By, Action: q.Action, Before: input.Newest(q.Before),
	}
	if q.Before == 0 && !q.Until.IsZero() {
		first, err := g.store.FirstAudited(ctx, p.Tenant, q.Until.Add(clocksDiffer))
		if err != nil {
			return nil, 0, err
		}
		if first > 0 {
			f.Before = first
		}
	}
	limit := input.Page(q.Limit)
	batch := limit
	for range recordRounds {
		found, err := g.store.Audited(ctx, p.Tenant, f, batch)
		if err != nil {
			return nil, 0, err
		}
		for i, r := range found.Items {
			if !q.Since.IsZero() && r.At.Before(q.Since.Add(-clocksDiffer)) {
				return shown, 0, nil
			}
			if f.Before = r.ID; q.selects(r) {
				shown = append(shown, r)
			}
			if len(shown) == limit && (found.More || i < len(found.Items)-1) {
				return shown, f.Before, nil
			}
		}
		if !found.More {
			return shown, 0, nil
		}
		batch = max(limit, recordBatch)
	}
	return shown, f.Before, nil
}

// malformed reports whether the query has a word that no record can have.
func (q RecordQuery) malformed() bool {
	words := func(s string) bool { return input.Word(strings.ReplaceAll(s, "/", "")) }
	return !input.Word(string(q.Action)) || !words(q.Subject) || !words(string(q.By))
}

// selects reports whether the query selects a record that was read.
func (q RecordQuery) selects(r access.Record) bool {
	switch {
	case q.Action != "" && r.Action != q.Action, q.Subject != "" && r.Subject != q.Subject, q.By != "" && r.By != q.By:
		return false
	case q.Outcome != "" && (q.Outcome == OutcomeRefused) != r.Action.Refused():
		return false
	case !q.Since.IsZero() && r.At.Before(q.Since):
		return false
	}
	return q.Until.IsZero() || r.At.Before(q.Until)
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
