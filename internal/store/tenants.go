package store

import (
	"context"
	"database/sql"
	"time"
)

// Tenant is an isolated customer.
type Tenant struct {
	ID   int64
	Key  string
	Name string
}

var (
	tenantInsert = define(`insert into tenants (key, name, created_at) values ($1, $2, $3) returning id`)
	tenantByKey  = define(`select id, key, name from tenants where key = $1`)
)

// TenantByKey finds a tenant.
func (r reader) TenantByKey(ctx context.Context, key string) (Tenant, error) {
	rows, err := r.q.query(ctx, tenantByKey, key)
	return one(rows, err, func(rows *sql.Rows) (t Tenant, err error) {
		err = rows.Scan(&t.ID, &t.Key, &t.Name)
		return t, err
	}, notFound("tenant.not_found", "There is no tenant %q.", key))
}

// CreateTenant adds a tenant and returns its id.
func (tx *Tx) CreateTenant(ctx context.Context, key, name string, now time.Time) (int64, error) {
	rows, err := tx.q.query(ctx, tenantInsert, key, name, micros(now))
	return one(rows, err, scanValue[int64], notFound("tenant.not_found", "The tenant was not created."))
}
