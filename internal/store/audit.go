package store

import (
	"cmp"
	"context"
	"encoding/json"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
)

var auditColumns = columns[access.Record]{
	intColumn("id", func(r *access.Record) *int64 { return &r.ID }),
	intColumn("tenant", func(r *access.Record) *int64 { return &r.Tenant }),
	timeColumn("at", func(r *access.Record) *time.Time { return &r.At }),
	textColumn("action", func(r *access.Record) *access.Action { return &r.Action }),
	textColumn("subject", func(r *access.Record) *string { return &r.Subject }),
	jsonColumn("actor", func(r *access.Record) *event.Actor { return &r.Actor }),
	rawColumn("detail", func(r *access.Record) *[]byte { return (*[]byte)(&r.Detail) }),
	textColumn("classification", func(r *access.Record) *casetype.Classification { return &r.Classification }),
}

// auditInserted are the columns of a new record. The database counts its id.
var auditInserted = auditColumns.without("id")

// The audit is append-only; the schema refuses updates and deletions.
var (
	auditInsert = define(`insert into audit (` + auditInserted.names() + `)
		values (` + auditInserted.parameters(1) + `)`)
	auditList = define(`select ` + auditColumns.names() + ` from audit
		where tenant = $1 and id < $2
			and ($4 >= 2 or classification = 'PUBLIC')
			and ($4 >= 3 or classification <> 'RESTRICTED') and $4 >= 1
		order by id desc limit $3`)
)

// Audit appends a record to the audit.
func (tx *Tx) Audit(ctx context.Context, r access.Record) error {
	if r.Detail == nil {
		r.Detail = json.RawMessage("{}")
	}
	r.Classification = cmp.Or(r.Classification, casetype.Public)
	_, err := auditInserted.exec(ctx, tx.q, auditInsert, &r)
	return err
}

// Audited lists a tenant's records that a clearance sees with ids below before,
// newest first.
func (r reader) Audited(
	ctx context.Context, tenant int64, clearance casetype.Classification, before int64, limit int,
) (Page[access.Record], error) {
	rows, err := r.q.query(ctx, auditList, tenant, before, limit+1, clearance.Level())
	return collectPage(rows, err, limit, sized(auditColumns, func(r *access.Record) (access.Record, int, error) {
		return *r, len(r.Detail), nil
	}))
}
