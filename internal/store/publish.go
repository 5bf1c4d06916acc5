package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/casehook/casehook/internal/fault"
)

// before begins the name of a schema that has the tables which a restored backup replaced.
const before = "casehook_before_"

// objects is the query for what a schema has: the kind, the name, and the types of a function's parameters.
const objects = `select case c.relkind when 'v' then 'view' else 'table' end, quote_ident(c.relname)
		from pg_class c where c.relnamespace = cast($1 as regnamespace) and c.relkind in ('r', 'v')
	union all
	select 'function', quote_ident(p.proname) || '(' || pg_get_function_identity_arguments(p.oid) || ')'
		from pg_proc p where p.pronamespace = cast($1 as regnamespace)`

type object struct{ kind, name string }

// Publish replaces the tables of a PostgreSQL database by the loaded ones, in one transaction. It returns the schema
// that has the replaced ones now; empty: there were none. It fails if a server uses the database. On SQLite the
// caller moves the file.
func (l *Loader) Publish(ctx context.Context) (replaced string, err error) {
	if err := noServer(ctx, l.db); err != nil {
		return "", err
	}
	tx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return "", translate(err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tx.Rollback())
		}
	}()
	loaded, err := objectsOf(ctx, tx, l.schema)
	if err != nil {
		return "", err
	}
	present, err := objectsOf(ctx, tx, l.target)
	if err != nil {
		return "", err
	}
	ours := map[object]bool{}
	for _, o := range loaded {
		ours[o] = true
	}
	for _, o := range present {
		if !ours[o] {
			continue // it belongs to another program
		}
		if replaced == "" {
			replaced = before + time.Now().UTC().Format("20060102150405")
			if _, err := tx.ExecContext(ctx, `create schema `+quote(replaced)); err != nil {
				return "", translate(err)
			}
		}
		if err := move(ctx, tx, o, l.target, replaced); err != nil {
			return "", err
		}
	}
	for _, o := range loaded {
		if err := move(ctx, tx, o, l.schema, l.target); err != nil {
			return "", err
		}
	}
	if _, err := tx.ExecContext(ctx, `drop schema `+quote(l.schema)); err != nil {
		return "", translate(err)
	}
	return replaced, translate(tx.Commit())
}

func objectsOf(ctx context.Context, tx *sql.Tx, schema string) ([]object, error) {
	rows, err := tx.QueryContext(ctx, objects, quote(schema))
	return collect(rows, err, func(rows *sql.Rows) (o object, err error) {
		err = rows.Scan(&o.kind, &o.name)
		return o, err
	})
}

func move(ctx context.Context, tx *sql.Tx, o object, from, to string) error {
	_, err := tx.ExecContext(ctx, `alter `+o.kind+` `+quote(from)+`.`+o.name+` set schema `+quote(to))
	if err != nil {
		return fmt.Errorf("moving the %s %s: %w", o.kind, o.name, translate(err))
	}
	return nil
}

// leaving is how long PostgreSQL may still show connections of a server that has stopped.
const leaving = 5 * time.Second

// noServer returns an error if a server is connected to the database, and goes on to be.
func noServer(ctx context.Context, db *sql.DB) error {
	const servers = `select count(*) from pg_stat_activity
		where application_name = 'casehook' and datname = current_database()`
	ticker := time.NewTicker(leaving / 50)
	defer ticker.Stop()
	for begun := time.Now(); ; {
		var n int
		if err := db.QueryRowContext(ctx, servers).Scan(&n); err != nil || n == 0 {
			return translate(err)
		}
		if time.Since(begun) > leaving {
			return fault.New(fault.Conflict, "store.in_use",
				"A server uses the database, over %d connections. Stop all servers, and try again.", n)
		}
		select {
		case <-ctx.Done():
			return translate(ctx.Err())
		case <-ticker.C:
		}
	}
}

// Occupied reports whether the database at a URL of PostgreSQL has tables of Casehook. It fails if a server uses them.
func Occupied(ctx context.Context, o Options) (bool, error) {
	db, err := openForDump(o)
	if err != nil {
		return false, err
	}
	defer db.Close()
	if err := noServer(ctx, db); err != nil {
		return false, err
	}
	var there bool
	err = db.QueryRowContext(ctx, `select to_regclass('tenants') is not null`).Scan(&there)
	return there, translate(err)
}
