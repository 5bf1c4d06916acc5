package store

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
)

var tokenColumns = columns[access.Token]{
	textColumn("id", func(t *access.Token) *string { return &t.ID }),
	intColumn("tenant", func(t *access.Token) *int64 { return &t.Tenant }),
	textColumn("name", func(t *access.Token) *string { return &t.Name }),
	bytesColumn("hash", func(t *access.Token) *[]byte { return &t.Hash }),
	textColumn("role", func(t *access.Token) *access.Role { return &t.Role }),
	textColumn("further_roles", func(t *access.Token) *access.FurtherRoles { return &t.Further }),
	textColumn("clearance", func(t *access.Token) *casetype.Classification { return &t.Clearance }),
	{
		name: "allowed", kind: "text",
		value:  func(t *access.Token) (any, error) { return joinPrefixes(t.Allowed), nil },
		target: func(t *access.Token) any { return (*prefixesTarget)(&t.Allowed) },
	},
	timeColumn("created_at", func(t *access.Token) *time.Time { return &t.CreatedAt }),
	timeColumn("expires_at", func(t *access.Token) *time.Time { return &t.ExpiresAt }),
	timeColumn("last_used_at", func(t *access.Token) *time.Time { return &t.LastUsed }),
	intColumn("user_id", func(t *access.Token) *int64 { return &t.User.UserID }),
}

// tokenRead are the columns of a token and of the user whose own it is. A disabled user has no rights.
var tokenRead = append(tokenColumns[:len(tokenColumns):len(tokenColumns)],
	textColumn("user_name", func(t *access.Token) *string { return &t.User.Name }).from(`coalesce(u.name, '')`),
	textColumn("bound_role", func(t *access.Token) *access.Role { return &t.Bound.Role }).
		from(`case when u.disabled then '' else coalesce(u.role, '') end`),
	textColumn("bound_further", func(t *access.Token) *access.FurtherRoles { return &t.Bound.Further }).
		from(`coalesce(u.further_roles, '')`),
	textColumn("bound_clearance", func(t *access.Token) *casetype.Classification { return &t.Bound.Clearance }).
		from(`case when u.disabled then '' else coalesce(u.clearance, '') end`),
)

var (
	tokenSelect = `select ` + tokenRead.of("t") + `
		from tokens t left join users u on u.tenant = t.tenant and u.id = t.user_id `
	tokenByID   = define(tokenSelect + `where t.id = $1`)
	tokenList   = define(tokenSelect + `where t.tenant = $1 order by t.id`)
	tokensOf    = define(tokenSelect + `where t.tenant = $1 and t.user_id = $2 and t.user_id <> 0 order by t.id`)
	tokenCount  = define(`select count(*) from tokens where tenant = $1 and user_id = $2 and user_id <> 0`)
	tokenInsert = define(`insert into tokens (` + tokenColumns.names() + `)
		values (` + tokenColumns.parameters(1) + `)`)
	tokenUsed   = define(`update tokens set last_used_at = $3 where tenant = $1 and id = $2 and last_used_at < $4`)
	tokenDelete = define(`delete from tokens where tenant = $1 and id = $2`)
)

// Token returns a token by its id, in any tenant. The token determines the tenant.
func (r reader) Token(ctx context.Context, id string) (access.Token, error) {
	rows, err := r.q.query(ctx, tokenByID, id)
	return one(rows, err, tokenRead.scan(), notFound("token.not_found",
		"There is no token with this id. GET /v1/tokens lists the tokens."))
}

// Tokens lists a tenant's tokens, oldest first.
func (r reader) Tokens(ctx context.Context, tenant int64) ([]access.Token, error) {
	rows, err := r.q.query(ctx, tokenList, tenant)
	return collect(rows, err, tokenRead.scan())
}

// TokensOf lists the own tokens of a tenant's user, oldest first.
func (r reader) TokensOf(ctx context.Context, tenant, user int64) ([]access.Token, error) {
	rows, err := r.q.query(ctx, tokensOf, tenant, user)
	return collect(rows, err, tokenRead.scan())
}

// maxOwnTokens is how many tokens of their own a user can have.
const maxOwnTokens = 20

// CreateToken adds a token, unless it is the own token of a user who has too many.
func (tx *Tx) CreateToken(ctx context.Context, t access.Token) error {
	if t.Own() {
		if err := tx.lockUser(ctx, t.Tenant, t.User.UserID); err != nil {
			return err
		}
		rows, err := tx.q.query(ctx, tokenCount, t.Tenant, t.User.UserID)
		n, err := one(rows, err, scanValue[int], unanswered("store.count"))
		if err != nil {
			return err
		}
		if n >= maxOwnTokens {
			return fault.New(fault.Conflict, "token.too_many",
				"You have %d tokens of your own, which is the most. Revoke one that you no longer need.", maxOwnTokens)
		}
	}
	_, err := tokenColumns.exec(ctx, tx.q, tokenInsert, &t)
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

// TokenUsed records that a token was used now, unless a use later than before is already recorded.
func (tx *Tx) TokenUsed(ctx context.Context, tenant int64, id string, now, before time.Time) error {
	_, err := tx.q.exec(ctx, tokenUsed, tenant, id, micros(now), micros(before))
	return err
}

// prefixesTarget is a list of networks, stored as text and separated by spaces.
type prefixesTarget []netip.Prefix

// Scan implements sql.Scanner.
func (p *prefixesTarget) Scan(src any) error {
	raw, err := rawText(src)
	if err != nil {
		return err
	}
	for _, text := range strings.Fields(string(raw)) {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return fmt.Errorf("allowed addresses: %w", err)
		}
		*p = append(*p, prefix)
	}
	return nil
}

func joinPrefixes(all []netip.Prefix) string {
	texts := make([]string, len(all))
	for i, p := range all {
		texts[i] = p.String()
	}
	return strings.Join(texts, " ")
}
