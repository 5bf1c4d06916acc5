package store

import (
	"cmp"
	"context"
	"database/sql"
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
	textColumn("actor_key", func(r *access.Record) *access.Owner { return &r.By }),
	rawColumn("detail", func(r *access.Record) *[]byte { return (*[]byte)(&r.Detail) }),
	textColumn("classification", func(r *access.Record) *casetype.Classification { return &r.Classification }),
}

// auditInserted are the columns of a new record. The database counts its id.
var auditInserted = auditColumns.without("id")

// The audit is append-only; the schema refuses updates and deletions.
var (
	auditInsert = define(`insert into audit (` + auditInserted.names() + `)
		values (` + auditInserted.parameters(1) + `)`)
	auditList      = auditListed("")
	auditByActor   = auditListed("and actor_key = $5")
	auditByAction  = auditListed("and action = $5")
	auditBySubject = auditListed("and subject = $5")
	auditFirstAt   = define(`select id from audit where tenant = $1 and at >= $2 order by at, id limit 1`)
)

// auditListed defines a list of records, of those that a further condition selects.
func auditListed(condition string) *statement {
	return define(`select ` + auditColumns.names() + ` from audit
		where tenant = $1 ` + condition + ` and id < $2
			and ($4 >= 2 or classification = 'PUBLIC')
			and ($4 >= 3 or classification <> 'RESTRICTED') and $4 >= 1
		order by id desc limit $3`)
}

// Audit appends a record to the audit.
func (tx *Tx) Audit(ctx context.Context, r access.Record) error {
	if r.Detail == nil {
		r.Detail = json.RawMessage("{}")
	}
	r.Classification, r.By = cmp.Or(r.Classification, casetype.Public), access.OwnerOf(r.Actor)
	_, err := auditInserted.exec(ctx, tx.q, auditInsert, &r)
	return err
}

// AuditFilter selects records of the audit. Empty members select all.
type AuditFilter struct {
	Clearance casetype.Classification // sees them
	Subject   string
	By        access.Owner
	Action    access.Action
	Before    int64 // have a lower id
}

// Audited lists a tenant's records, newest first. It selects by the first of subject, actor and action that the filter
// has, along an index; the caller selects by the others.
func (r reader) Audited(ctx context.Context, tenant int64, f AuditFilter, limit int) (Page[access.Record], error) {
	list, args := auditList, []any{tenant, f.Before, limit + 1, f.Clearance.Level()}
	switch {
	case f.Subject != "":
		list, args = auditBySubject, append(args, f.Subject)
	case f.By != "":
		list, args = auditByActor, append(args, string(f.By))
	case f.Action != "":
		list, args = auditByAction, append(args, string(f.Action))
	}
	rows, err := r.q.query(ctx, list, args...)
	return collectPage(rows, err, limit, sized(auditColumns, func(r *access.Record) (access.Record, int, error) {
		return *r, len(r.Detail), nil
	}))
}

// FirstAudited returns the id of a tenant's first record since a time; 0: there is none.
func (r reader) FirstAudited(ctx context.Context, tenant int64, since time.Time) (id int64, err error) {
	rows, err := r.q.query(ctx, auditFirstAt, tenant, micros(since))
	all, err := collect(rows, err, func(rows *sql.Rows) (id int64, err error) { return id, rows.Scan(&id) })
	if len(all) > 0 {
		id = all[0]
	}
	return id, err
}
