package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/casehook/casehook/internal/fault"
)

// Loader fills a new database with the tables of a dump: on SQLite a new file, on PostgreSQL a schema of its own in a
// database that may have Casehook's tables already. Nobody else sees it until it is [Loader.Publish]ed.
type Loader struct {
	o      Options
	engine string
	schema string // of PostgreSQL
	target string // the schema of PostgreSQL that Publish replaces
	db     *sql.DB
	tables map[string]Table
}

// NewLoader makes an empty database of a dump's schema, which is no newer than that of this version of Casehook. On
// SQLite, o.Path names a file that does not exist.
func NewLoader(ctx context.Context, o Options, schema int64) (*Loader, error) {
	if known, err := newestSchema(); err != nil || schema > known {
		return nil, errors.Join(err, fault.New(fault.Invalid, "store.newer",
			"The backup has schema %d, and this Casehook knows schemas up to %d. Restore it with the version that "+
				"made it, or a newer one.", schema, known))
	}
	l := &Loader{o: o, engine: SQLite, tables: map[string]Table{}}
	open, dialect := l.openFile, goose.DialectSQLite3
	if o.URL != "" {
		l.engine, open, dialect = Postgres, l.openSchema, goose.DialectPostgres
	}
	if err := open(ctx); err != nil {
		return nil, err
	}
	if err := l.prepare(ctx, dialect, schema); err != nil {
		return nil, errors.Join(err, l.Discard(ctx))
	}
	return l, nil
}

func (l *Loader) prepare(ctx context.Context, d goose.Dialect, schema int64) error {
	p, err := newProvider(l.db, d, l.engine)
	if err != nil {
		return err
	}
	if _, err := p.UpTo(ctx, schema); err != nil {
		return fmt.Errorf("making the tables: %w", err)
	}
	tables, err := tablesOf(ctx, l.db, l.engine)
	for _, t := range tables {
		l.tables[t.Name] = t
	}
	return err
}

// openFile opens a new file. Only the whole file is made durable, at the end, because a part of it is of no use.
func (l *Loader) openFile(context.Context) error {
	if _, err := os.Stat(l.o.Path); err == nil {
		return fmt.Errorf("store: %s is there already", l.o.Path)
	}
	pragmas := url.Values{"_pragma": {
		"journal_mode(memory)", "synchronous(off)", "foreign_keys(0)", "temp_store(memory)", "cache_size(-64000)",
	}, "_txlock": {"immediate"}}
	db, err := openPath(l.o.Path, pragmas)
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	l.db = db
	return nil
}

// restoring begins the name of a schema of PostgreSQL that is being filled.
const restoring = "casehook_restoring_"

// loaderName is how PostgreSQL knows connections that load: they are no server's.
const loaderName = "casehook restore"

func (l *Loader) openSchema(ctx context.Context) error {
	config, err := pgx.ParseConfig(l.o.URL)
	if err != nil {
		return errURL()
	}
	config.RuntimeParams[applicationName] = loaderName
	config.RuntimeParams[idleTimeout] = frozenDump
	noticeDeadConnections(config)
	first, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return translate(err)
	}
	defer first.Close(context.WithoutCancel(ctx))
	l.schema = restoring + strings.ToLower(rand.Text()[:12])
	if err := first.QueryRow(ctx, `select current_schema()`).Scan(&l.target); err != nil {
		return translate(err)
	}
	if _, err := first.Exec(ctx, `create schema `+quote(l.schema)); err != nil {
		return translate(err)
	}
	config.RuntimeParams["search_path"] = l.schema
	l.db = stdlib.OpenDB(*config)
	return nil
}

// Load fills a table with the rows of a dump's table, and returns how many there were.
func (l *Loader) Load(ctx context.Context, t Table, rows iter.Seq2[[]any, error]) (int64, error) {
	if !isDumped(t.Name) {
		return 0, fmt.Errorf("store: %s is no table of a dump", t.Name)
	}
	if l.engine == SQLite && slices.Contains([]string{"journal_seq", "journal_pending", "journal_head"}, t.Name) {
		return 0, fault.New(fault.Invalid, "store.other_engine",
			"The backup is one of PostgreSQL, and can't be restored into SQLite. Name a --database.")
	}
	known := l.tables[t.Name]
	for _, c := range t.Columns {
		if !slices.Contains(known.Columns, c) {
			return 0, fmt.Errorf("store: schema has no column %s.%s of the type %s", t.Name, c.Name, c.Type)
		}
	}
	if err := l.empty(ctx, t.Name); err != nil {
		return 0, err
	}
	if l.engine == SQLite {
		return l.insert(ctx, t, rows)
	}
	return l.copy(ctx, t, rows)
}

// empty removes the rows that migrations put into a new table.
func (l *Loader) empty(ctx context.Context, table string) error {
	var n int64
	err := l.db.QueryRowContext(ctx, `select count(*) from `+quote(table)).Scan(&n)
	if err == nil && n > 0 {
		_, err = l.db.ExecContext(ctx, `delete from `+quote(table))
	}
	return translate(err)
}

func columnNames(t Table) []string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	return names
}

// insert loads a table of SQLite.
func (l *Loader) insert(ctx context.Context, t Table, rows iter.Seq2[[]any, error]) (n int64, err error) {
	tx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return 0, translate(err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tx.Rollback())
		}
	}()
	names := columnNames(t)
	for i := range names {
		names[i] = quote(names[i])
	}
	text := `insert into ` + quote(t.Name) + ` (` + strings.Join(names, ", ") + `) values (?` +
		strings.Repeat(", ?", len(names)-1) + `)`
	p, err := tx.PrepareContext(ctx, text)
	if err != nil {
		return 0, translate(err)
	}
	defer p.Close()
	for row, err := range rows {
		if err != nil {
			return 0, err
		}
		if _, err := p.ExecContext(ctx, row...); err != nil {
			return 0, fmt.Errorf("loading %s: %w", t.Name, translate(err))
		}
		n++
	}
	return n, translate(tx.Commit())
}

// copy loads a table of PostgreSQL.
func (l *Loader) copy(ctx context.Context, t Table, rows iter.Seq2[[]any, error]) (n int64, err error) {
	conn, err := l.db.Conn(ctx)
	if err != nil {
		return 0, translate(err)
	}
	defer conn.Close()
	next, stop := iter.Pull2(rows)
	defer stop()
	err = conn.Raw(func(driver any) error {
		source := pgx.CopyFromFunc(func() ([]any, error) {
			row, err, more := next()
			if !more {
				return nil, nil
			}
			return row, err
		})
		n, err = driver.(*stdlib.Conn).Conn().CopyFrom(ctx, pgx.Identifier{t.Name}, columnNames(t), source)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("loading %s: %w", t.Name, translate(err))
	}
	return n, nil
}

// lost is by how much generated ids grow when a backup is restored: more than were used after the backup was made. So
// no id, and no position in the journal, has two meanings: messages have ids of their own, and a client that reads the
// journal misses nothing although it knows a later position than the backup does.
const lost = 1 << 30

// Finish completes the tables: indexes that triggers can't fill, and the sequences of generated ids.
func (l *Loader) Finish(ctx context.Context, engine string, sequences map[string]int64) error {
	if l.engine == SQLite {
		return l.finishFile(ctx, sequences)
	}
	if engine == SQLite { // there, an entry's id is its position
		for _, text := range []string{
			`insert into journal_seq (seq, entry) select id, id from journal`,
			`update journal_head set seq = coalesce((select max(id) from journal), 0)`,
		} {
			if _, err := l.db.ExecContext(ctx, text); err != nil {
				return translate(err)
			}
		}
	}
	if _, err := l.db.ExecContext(ctx, `update journal_head set seq = seq + $1`, lost); err != nil {
		return translate(err)
	}
	all, err := sequencesOf(ctx, l.db)
	if err != nil {
		return err
	}
	for table, sequence := range all {
		const set = `select setval(cast($1 as regclass), $2)`
		if _, err := l.db.ExecContext(ctx, set, sequence, sequences[table]+lost); err != nil {
			return translate(err)
		}
	}
	for name := range l.tables {
		if _, err := l.db.ExecContext(ctx, `analyze `+quote(name)); err != nil {
			return translate(err)
		}
	}
	return nil
}

func (l *Loader) finishFile(ctx context.Context, sequences map[string]int64) error {
	for _, s := range []*statement{wordsIndex, wordsIndexed} {
		if _, err := l.db.ExecContext(ctx, s.text[sqlite]); err != nil {
			return translate(err)
		}
	}
	for table, last := range sequences {
		for _, text := range []string{
			`delete from sqlite_sequence where name = $1`,
			`insert into sqlite_sequence (name, seq) values ($1, $2)`,
		} {
			if _, err := l.db.ExecContext(ctx, text, table, last+lost); err != nil {
				return translate(err)
			}
		}
	}
	var broken string
	err := l.db.QueryRowContext(ctx, `select coalesce(min("table"), '') from pragma_foreign_key_check`).Scan(&broken)
	if err == nil && broken != "" {
		err = fmt.Errorf("store: a row of %s refers to one that the backup lacks", broken)
	}
	return errors.Join(translate(err), l.db.Close()) // a server opens the file in another mode
}

// Options returns the options with which the loaded database is opened before it is published.
func (l *Loader) Options() (Options, error) {
	o := l.o
	if l.engine == SQLite {
		return o, nil
	}
	address, err := url.Parse(o.URL)
	if err != nil {
		return o, errURL()
	}
	query := address.Query()
	query.Set("search_path", l.schema)
	query.Set(applicationName, loaderName)
	address.RawQuery = query.Encode()
	o.URL = address.String()
	return o, nil
}

// Close releases the database, and keeps what was loaded.
func (l *Loader) Close() error { return l.db.Close() }

// Discard removes what was loaded.
func (l *Loader) Discard(ctx context.Context) error {
	if l.engine == SQLite {
		return errors.Join(l.db.Close(), removeFile(l.o.Path))
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	_, err := l.db.ExecContext(limited, `drop schema `+quote(l.schema)+` cascade`)
	return errors.Join(translate(err), l.db.Close())
}

// removeFile removes a database's file and those beside it.
func removeFile(path string) error {
	var errs []error
	for _, end := range []string{"", "-wal", "-shm", "-closed"} {
		if err := os.Remove(path + end); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
