package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casetype"
)

// The audit is only ever appended to; the schema refuses everything else.
var (
	auditInsert = define(`insert into audit (tenant, at, action, subject, actor, detail, classification)
		values ($1, $2, $3, $4, $5, $6, $7)`)
	auditList = define(`select id, tenant, at, action, subject, actor, detail, classification from audit
		where tenant = $1 and id < $2
		and ($4 >= 2 or classification = 'PUBLIC') and ($4 >= 3 or classification <> 'RESTRICTED') and $4 >= 1
		order by id desc limit $3`)
)

// Audit appends a record to the audit.
func (tx *Tx) Audit(ctx context.Context, r access.Record) error {
	actor, err := json.Marshal(r.Actor)
	if err != nil {
		return err
	}
	detail := r.Detail
	if detail == nil {
		detail = json.RawMessage("{}")
	}
	_, err = tx.q.exec(ctx, auditInsert, r.Tenant, micros(r.At), string(r.Action), r.Subject, string(actor), string(detail),
		string(cmp.Or(r.Classification, casetype.Public)))
	return err
}

// Audited lists a tenant's records that a clearance sees with ids below before,
// newest first.
func (r reader) Audited(
	ctx context.Context, tenant int64, clearance casetype.Classification, before int64, limit int,
) (Page[access.Record], error) {
	rows, err := r.q.query(ctx, auditList, tenant, before, limit+1, clearance.Level())
	return collectPage(rows, err, limit, func(rows *sql.Rows) (r access.Record, size int, err error) {
		var at int64
		var actor, detail []byte
		if err := rows.Scan(&r.ID, &r.Tenant, &at, &r.Action, &r.Subject, &actor, &detail, &r.Classification); err != nil {
			return r, 0, err
		}
		r.At, r.Detail = fromMicros(at), detail
		return r, rowBytes + len(detail), json.Unmarshal(actor, &r.Actor)
	})
}
