package store

import (
	"context"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
)

var portalLinkColumns = columns[access.PortalLink]{
	textColumn("id", func(l *access.PortalLink) *string { return &l.ID }),
	intColumn("tenant", func(l *access.PortalLink) *int64 { return &l.Tenant }),
	textColumn("name", func(l *access.PortalLink) *string { return &l.Name }),
	textColumn("endpoint", func(l *access.PortalLink) *string { return &l.Scope.Endpoint }),
	textColumn("metadata_key", func(l *access.PortalLink) *string { return &l.Scope.Key }),
	textColumn("metadata_value", func(l *access.PortalLink) *string { return &l.Scope.Value }),
	textColumn("role", func(l *access.PortalLink) *access.Role { return &l.Scope.Role }),
	textColumn("further_roles", func(l *access.PortalLink) *access.FurtherRoles { return &l.Scope.Further }),
	textColumn("clearance", func(l *access.PortalLink) *casetype.Classification { return &l.Clearance }),
	bytesColumn("hash", func(l *access.PortalLink) *[]byte { return &l.Hash }),
	textColumn("created_by", func(l *access.PortalLink) *string { return &l.CreatedBy }),
	timeColumn("created_at", func(l *access.PortalLink) *time.Time { return &l.CreatedAt }),
	timeColumn("expires_at", func(l *access.PortalLink) *time.Time { return &l.ExpiresAt }),
}

var (
	portalLinkSelect = `select ` + portalLinkColumns.names() + ` from portal_links `
	portalLinkByID   = define(portalLinkSelect + `where id = $1`)
	portalLinkList   = define(portalLinkSelect + `where tenant = $1 and expires_at > $2 order by id`)
	portalLinkCount  = define(`select count(*) from portal_links where tenant = $1 and expires_at > $2`)
	portalLinkInsert = define(`insert into portal_links (` + portalLinkColumns.names() + `)
		values (` + portalLinkColumns.parameters(1) + `)`)
	portalLinkDelete = define(`delete from portal_links where tenant = $1 and id = $2`)
	portalLinksPurge = define(`delete from portal_links where expires_at <= $1`)
)

// PortalLink returns a portal link by its id, in any tenant. The link determines the tenant.
func (r reader) PortalLink(ctx context.Context, id string) (access.PortalLink, error) {
	rows, err := r.q.query(ctx, portalLinkByID, id)
	return one(rows, err, portalLinkColumns.scan(), portalLinkMissing)
}

// PortalLinks lists a tenant's portal links that have not expired, oldest first.
func (r reader) PortalLinks(ctx context.Context, tenant int64, now time.Time) ([]access.PortalLink, error) {
	rows, err := r.q.query(ctx, portalLinkList, tenant, micros(now))
	return collect(rows, err, portalLinkColumns.scan())
}

// maxPortalLinks is how many portal links of a tenant can be in force.
const maxPortalLinks = 10_000

// CreatePortalLink adds a portal link, unless the tenant has too many.
func (tx *Tx) CreatePortalLink(ctx context.Context, l access.PortalLink) error {
	rows, err := tx.q.query(ctx, portalLinkCount, l.Tenant, micros(l.CreatedAt))
	n, err := one(rows, err, scanValue[int], unanswered("store.count"))
	if err != nil {
		return err
	}
	if n >= maxPortalLinks {
		return fault.New(fault.Conflict, "portal_link.too_many",
			"%d portal links are in force, which is the most. Revoke one, or wait until one has expired.",
			maxPortalLinks)
	}
	_, err = portalLinkColumns.exec(ctx, tx.q, portalLinkInsert, &l)
	return err
}

// DeletePortalLink revokes a portal link, and ends its sessions.
func (tx *Tx) DeletePortalLink(ctx context.Context, tenant int64, id string) error {
	tx.regrant(tenant)
	n, err := tx.q.exec(ctx, portalLinkDelete, tenant, id)
	if err == nil && n == 0 {
		err = portalLinkMissing()
	}
	if err != nil {
		return err
	}
	_, err = tx.q.exec(ctx, sessionsEnd, id)
	return err
}

func portalLinkMissing() error {
	return notFound("portal_link.not_found",
		"There is no portal link with this id. GET /v1/portal-links lists those in force.")()
}
