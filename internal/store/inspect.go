package store

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/casehook/casehook/internal/fault"
)

// Inspection is a database that is open for reading alone, beside the servers that use it. It changes nothing: it
// neither migrates the schema nor repairs a file, and takes no lock that a server waits for.
type Inspection struct {
	reader
	db *sql.DB
}

// Inspect opens a database for reading. It may have any schema. The key is needed for what is sealed; see CheckKey.
func Inspect(ctx context.Context, o Options) (*Inspection, error) {
	seal, err := newSealer(o.Key)
	if err != nil {
		return nil, err
	}
	db, d := (*sql.DB)(nil), sqlite
	if o.URL != "" {
		d = postgres
		db, err = inspectPostgres(o.URL)
	} else {
		db, err = inspectSQLite(o.Path)
	}
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(2)
	i := &Inspection{reader: reader{q: readOnly{db, d}, seal: seal, dialect: d}, db: db}
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(translate(err), db.Close())
	}
	return i, nil
}

// inspectPostgres opens connections whose transactions can't write.
func inspectPostgres(url string) (*sql.DB, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fault.New(fault.Invalid, "store.url_invalid",
			"The database URL can't be read. It looks like "+
				"postgres://user:password@host:5432/database?sslmode=require.")
	}
	config.RuntimeParams["default_transaction_read_only"] = "on"
	config.RuntimeParams["application_name"] = "casehook doctor"
	return stdlib.OpenDB(*config), nil
}

// inspectSQLite opens a file for reading. Without a log no process has it open, and SQLite would have to create one:
// the file is read as one that does not change.
func inspectSQLite(path string) (*sql.DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	options := url.Values{"mode": {"ro"}, "_pragma": {"query_only(1)", "busy_timeout(2000)"}}
	if _, err := os.Stat(path + "-wal"); errors.Is(err, fs.ErrNotExist) {
		options.Set("immutable", "1")
	}
	file := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: options.Encode()}
	return sql.Open("sqlite", file.String())
}

// readOnly runs statements that read.
type readOnly struct {
	db      *sql.DB
	dialect dialect
}

func (r readOnly) query(ctx context.Context, s *statement, args ...any) (*sql.Rows, error) {
	rows, err := r.db.QueryContext(ctx, s.text[r.dialect], args...)
	return rows, translate(err)
}

func (r readOnly) exec(context.Context, *statement, ...any) (int64, error) {
	return 0, errors.New("store: a write by an inspection")
}

// Tenant returns a tenant.
func (i *Inspection) Tenant(ctx context.Context, id int64) (Tenant, error) { return i.tenant(ctx, id) }

// Close releases the database.
func (i *Inspection) Close() error { return i.db.Close() }

// Version returns the version of the engine, as people write it: "PostgreSQL 16.4".
func (i *Inspection) Version(ctx context.Context) (version string, err error) {
	if i.dialect == postgres {
		err = i.db.QueryRowContext(ctx, `select 'PostgreSQL ' || current_setting('server_version')`).Scan(&version)
	} else {
		err = i.db.QueryRowContext(ctx, `select 'SQLite ' || sqlite_version()`).Scan(&version)
	}
	return version, translate(err)
}

// Schema returns the number of the database's last migration, and of the last one that this program knows.
func (i *Inspection) Schema(ctx context.Context) (applied, known int64, err error) {
	folder := "sqlite"
	if i.dialect == postgres {
		folder = "postgres"
	}
	all, err := scripts(folder)
	if err != nil {
		return 0, 0, fmt.Errorf("reading the migrations: %w", err)
	}
	for _, m := range all {
		known = max(known, m.Version)
	}
	err = i.db.QueryRowContext(ctx, `select coalesce(max(version_id), 0) from goose_db_version`).Scan(&applied)
	return applied, known, translate(err)
}

// Clock returns how far the database's clock is ahead of this machine's. SQLite has the machine's.
func (i *Inspection) Clock(ctx context.Context) (ahead time.Duration, err error) {
	if i.dialect == sqlite {
		return 0, nil
	}
	var seconds float64
	start := time.Now()
	err = i.db.QueryRowContext(ctx,
		`select cast(extract(epoch from clock_timestamp()) as double precision)`).Scan(&seconds)
	middle := start.Add(time.Since(start) / 2)
	return time.UnixMicro(int64(seconds * 1e6)).Sub(middle), translate(err)
}

// CheckKey returns an error if the secrets of the database were sealed with another key, or none at all.
func (i *Inspection) CheckKey(ctx context.Context) error {
	rows, err := i.q.query(ctx, installationGet, keyCheck)
	stored, err := one(rows, err, scanValue[string], keyUnrecorded)
	if err != nil {
		return err
	}
	return i.fitsKey(stored)
}

// keyUnrecorded is the error of a database without the value that its key is checked by.
var keyUnrecorded = notFound("store.key_check",
	"The database does not record which key it was created with. Restore it from your backup.")

// fitsKey returns an error if a value was sealed with another key.
func (r reader) fitsKey(stored string) error {
	sealed, err := base64.StdEncoding.DecodeString(stored)
	if err == nil {
		_, err = r.seal.open(sealed, keyCheck)
	}
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "store.key_wrong",
			"The database was created with another key. Start the server with that key (--key-file, CASEHOOK_KEY), "+
				"or restore it from your backup.")
	}
	return nil
}
