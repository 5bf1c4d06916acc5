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

const (
	typeStored = `key, version, definition, created_at, clearance`
	typeRead   = typeStored + `, coalesce((select r.retired_at from retired_types r
		where r.tenant = t.tenant and r.type = t.key), 0) as retired_at`
)

var (
	typeVersion = define(`select ` + typeRead + ` from case_types t where tenant = $1 and key = $2 and version = $3`)
	typeLatest  = define(`select ` + typeRead + ` from case_types t
		where tenant = $1 and key = $2 order by version desc limit 1`)
	typeList = defineListing(PageBytes, listing{
		columns: typeRead, names: typeStored + `, retired_at`,
		size: lengths("definition"),
		from: `case_types t where tenant = $1 and key > $2
			and version = (select max(version) from case_types where tenant = t.tenant and key = t.key)`,
		order: `key`, limit: `$3`,
	})
	typeInsert = define(`insert into case_types (tenant, key, version, definition, created_at, clearance)
		values ($1, $2, $3, $4, $5, $6)`)
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
	return one(rows, err, scanCaseType, notFound("case_type.not_found", "There is no case type %q.", key))
}

// CaseTypes lists the newest version of each case type behind one of them, by key.
func (r reader) CaseTypes(ctx context.Context, tenant int64, after string, limit int) (Page[CaseType], error) {
	rows, err := r.q.query(ctx, typeList, tenant, after, limit+1)
	return collectPage(rows, err, limit, func(rows *sql.Rows) (CaseType, int, error) {
		t, err := scanCaseType(rows)
		return t, rowBytes + len(t.Definition), err
	})
}

// CreateCaseType adds a version. A version that exists is a conflict.
func (tx *Tx) CreateCaseType(ctx context.Context, tenant int64, t CaseType) error {
	tx.regrant(tenant)
	_, err := tx.q.exec(ctx, typeInsert, tenant, t.Key, t.Version, string(t.Definition), micros(t.CreatedAt), string(t.Clearance))
	return err
}

// RetireCaseType retires a type, and reports whether it was not yet.
func (tx *Tx) RetireCaseType(ctx context.Context, tenant int64, key string, now time.Time) (bool, error) {
	n, err := tx.q.exec(ctx, typeRetire, tenant, key, micros(now))
	return n > 0, err
}

// RestoreCaseType makes a retired type one like others, and reports whether it was
// retired.
func (tx *Tx) RestoreCaseType(ctx context.Context, tenant int64, key string) (bool, error) {
	n, err := tx.q.exec(ctx, typeRestore, tenant, key)
	return n > 0, err
}

func scanCaseType(rows *sql.Rows) (t CaseType, err error) {
	var created, retired int64
	err = rows.Scan(&t.Key, &t.Version, &t.Definition, &created, &t.Clearance, &retired)
	t.CreatedAt, t.RetiredAt = fromMicros(created), fromMicros(retired)
	return t, err
}
