package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/casehook/casehook/internal/casetype"
)

// CaseType is one stored version of a definition.
type CaseType struct {
	Key        string
	Version    int64
	Definition []byte // canonical JSON
	CreatedAt  time.Time
	Clearance  casetype.Classification // of who put it
	RetiredAt  time.Time               // of the type, all of its versions; zero: it is not
}

var typeColumns = columns[CaseType]{
	textColumn("key", func(t *CaseType) *string { return &t.Key }),
	intColumn("version", func(t *CaseType) *int64 { return &t.Version }),
	rawColumn("definition", func(t *CaseType) *[]byte { return &t.Definition }),
	timeColumn("created_at", func(t *CaseType) *time.Time { return &t.CreatedAt }),
	textColumn("clearance", func(t *CaseType) *casetype.Classification { return &t.Clearance }),
	timeColumn("retired_at", func(t *CaseType) *time.Time { return &t.RetiredAt }).from(`coalesce((
		select r.retired_at from retired_types r where r.tenant = t.tenant and r.type = t.key), 0)`),
}

// typeInserted are the columns of a version. Another table has the types that are retired.
var typeInserted = typeColumns.without("retired_at")

var (
	typeSelect  = `select ` + typeColumns.of("t") + ` from case_types t `
	typeVersion = define(typeSelect + `where tenant = $1 and key = $2 and version = $3`)
	typeLatest  = define(typeSelect + `where tenant = $1 and key = $2 order by version desc limit 1`)
	typeList    = defineListing(PageBytes, listing{
		columns: typeColumns.of("t"), names: typeColumns.names(),
		size: lengths("definition"),
		from: `case_types t where tenant = $1 and key > $2
			and version = (select max(version) from case_types where tenant = t.tenant and key = t.key)`,
		order: `key`, limit: `$3`,
	})
	typeInsert = define(`insert into case_types (tenant, ` + typeInserted.names() + `)
		values ($1, ` + typeInserted.parameters(2) + `)`)
	typeRetire = define(`insert into retired_types (tenant, type, retired_at) values ($1, $2, $3)
		on conflict (tenant, type) do nothing`)
	typeRestore = define(`delete from retired_types where tenant = $1 and type = $2`)
)

// CaseType finds a version of a case type; version 0 is the newest.
func (r reader) CaseType(ctx context.Context, tenant int64, key string, version int64) (CaseType, error) {
	var rows *sql.Rows
	var err error
	if version == 0 {
		rows, err = r.q.query(ctx, typeLatest, tenant, key)
	} else {
		rows, err = r.q.query(ctx, typeVersion, tenant, key, version)
	}
	return one(rows, err, typeColumns.scan(), notFound("case_type.not_found", "There is no case type %q.", key))
}

// CaseTypes lists the newest version of each case type behind one of them, by key.
func (r reader) CaseTypes(ctx context.Context, tenant int64, after string, limit int) (Page[CaseType], error) {
	rows, err := r.q.query(ctx, typeList, tenant, after, limit+1)
	return collectPage(rows, err, limit, sized(typeColumns, func(t *CaseType) (CaseType, int, error) {
		return *t, len(t.Definition), nil
	}))
}

// CreateCaseType adds a version. It returns a conflict if the version exists.
func (tx *Tx) CreateCaseType(ctx context.Context, tenant int64, t CaseType) error {
	tx.regrant(tenant)
	_, err := typeInserted.exec(ctx, tx.q, typeInsert, &t, tenant)
	return err
}

// RetireCaseType retires a type, and reports whether this changed anything.
func (tx *Tx) RetireCaseType(ctx context.Context, tenant int64, key string, now time.Time) (bool, error) {
	tx.regrant(tenant)
	n, err := tx.q.exec(ctx, typeRetire, tenant, key, micros(now))
	return n > 0, err
}

// RestoreCaseType restores a retired type, and reports whether it was retired.
func (tx *Tx) RestoreCaseType(ctx context.Context, tenant int64, key string) (bool, error) {
	tx.regrant(tenant)
	n, err := tx.q.exec(ctx, typeRestore, tenant, key)
	return n > 0, err
}
