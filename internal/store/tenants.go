package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/casehook/casehook/internal/access"
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
	tokenInsert  = define(`insert into tokens (id, tenant, name, hash, created_at, expires_at) values ($1, $2, $3, $4, $5, $6)`)
	tokenByID    = define(`select id, tenant, name, hash, created_at, expires_at from tokens where id = $1`)
	tokenList    = define(`select id, tenant, name, hash, created_at, expires_at from tokens where tenant = $1 order by id`)
	tokenDelete  = define(`delete from tokens where tenant = $1 and id = $2`)
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

// Token finds a token by its id, in any tenant: it is what says which.
func (r reader) Token(ctx context.Context, id string) (access.Token, error) {
	rows, err := r.q.query(ctx, tokenByID, id)
	return one(rows, err, scanToken, notFound("token.not_found", "There is no such token."))
}

// Tokens lists a tenant's tokens, oldest first.
func (r reader) Tokens(ctx context.Context, tenant int64) ([]access.Token, error) {
	rows, err := r.q.query(ctx, tokenList, tenant)
	return collect(rows, err, scanToken)
}

// CreateToken adds a token.
func (tx *Tx) CreateToken(ctx context.Context, t access.Token) error {
	_, err := tx.q.exec(ctx, tokenInsert, t.ID, t.Tenant, t.Name, t.Hash, micros(t.CreatedAt), micros(t.ExpiresAt))
	return err
}

// DeleteToken revokes a token.
func (tx *Tx) DeleteToken(ctx context.Context, tenant int64, id string) error {
	n, err := tx.q.exec(ctx, tokenDelete, tenant, id)
	if err == nil && n == 0 {
		err = notFound("token.not_found", "There is no token %q.", id)()
	}
	return err
}

func scanToken(rows *sql.Rows) (t access.Token, err error) {
	var created, expires int64
	err = rows.Scan(&t.ID, &t.Tenant, &t.Name, &t.Hash, &created, &expires)
	t.CreatedAt, t.ExpiresAt = fromMicros(created), fromMicros(expires)
	return t, err
}
