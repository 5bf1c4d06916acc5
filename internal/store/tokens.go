package store

import (
	"context"
	"database/sql"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/access"
)

const tokenColumns = `id, tenant, name, hash, role, clearance, allowed, created_at, expires_at, last_used_at`

var (
	tokenInsert = define(`insert into tokens (` + tokenColumns + `) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`)
	tokenByID   = define(`select ` + tokenColumns + ` from tokens where id = $1`)
	tokenList   = define(`select ` + tokenColumns + ` from tokens where tenant = $1 order by id`)
	tokenUsed   = define(`update tokens set last_used_at = $3 where tenant = $1 and id = $2 and last_used_at < $4`)
	tokenDelete = define(`delete from tokens where tenant = $1 and id = $2`)
)

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
	_, err := tx.q.exec(ctx, tokenInsert, t.ID, t.Tenant, t.Name, t.Hash, string(t.Role), string(t.Clearance),
		joinPrefixes(t.Allowed), micros(t.CreatedAt), micros(t.ExpiresAt), micros(t.LastUsed))
	return err
}

// DeleteToken revokes a token.
func (tx *Tx) DeleteToken(ctx context.Context, tenant int64, id string) error {
	tx.regrant(tenant)
	n, err := tx.q.exec(ctx, tokenDelete, tenant, id)
	if err == nil && n == 0 {
		err = notFound("token.not_found", "There is no token %q.", id)()
	}
	return err
}

// TokenUsed notes that a token was used now, unless that is noted since before.
func (tx *Tx) TokenUsed(ctx context.Context, tenant int64, id string, now, before time.Time) error {
	_, err := tx.q.exec(ctx, tokenUsed, tenant, id, micros(now), micros(before))
	return err
}

func scanToken(rows *sql.Rows) (t access.Token, err error) {
	var allowed string
	var created, expires, used int64
	err = rows.Scan(&t.ID, &t.Tenant, &t.Name, &t.Hash, &t.Role, &t.Clearance, &allowed, &created, &expires, &used)
	if err != nil {
		return t, err
	}
	t.CreatedAt, t.ExpiresAt, t.LastUsed = fromMicros(created), fromMicros(expires), fromMicros(used)
	for _, text := range strings.Fields(allowed) {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return t, fmt.Errorf("allowed addresses of %s: %w", t.ID, err)
		}
		t.Allowed = append(t.Allowed, prefix)
	}
	return t, nil
}

func joinPrefixes(all []netip.Prefix) string {
	texts := make([]string, len(all))
	for i, p := range all {
		texts[i] = p.String()
	}
	return strings.Join(texts, " ")
}
