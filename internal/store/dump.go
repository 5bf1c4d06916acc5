package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/casehook/casehook/internal/fault"
)

// Dump is a database as it was at one moment, for backups. It may be read while servers write, and it locks nothing
// that they need; on SQLite the write-ahead log grows until the dump is closed.
type Dump struct {
	Engine string  // SQLite or Postgres
	Schema int64   // the number of the last migration
	Tables []Table // in an order in which they can be loaded
	// Sequences has the highest id that each table with generated ids has used, also for rows that are gone.
	Sequences map[string]int64
	// Attachments says where the contents of attachments are; empty: that was never recorded.
	Attachments string

	tx    *sql.Tx
	close func() error
}

// Table is a table of a dump.
type Table struct {
	Name    string
	Columns []Column
	key     []string // the columns of its primary key, in order
}

// Column is a column of a table.
type Column struct {
	Name string
	Type string // bigint, text, bytea or boolean
}

// The engines, as dumps name them.
const (
	SQLite   = "sqlite"
	Postgres = "postgres"
)

// notDumped are tables whose rows mean nothing to another process (sessions, nodes, questions that are waited for),
// those that triggers fill from others, and contents of attachments and their place, which are copied by themselves.
var notDumped = []string{
	"sessions", "signin_failures", "presences", "listeners", "nodes", "open_questions",
	"goose_db_version", "case_fields", "blobs", "attachment_place",
}

// loadedFirst are tables to which others refer, by a constraint or in a trigger, in the order of loading.
var loadedFirst = []string{
	"tenants", "endpoints", "cursors", "replays", "labels", "contacts", "jobs", "cases",
}

// OpenDump opens a dump of a database that exists. Its schema has to be the one that this version of Casehook has.
func OpenDump(ctx context.Context, o Options) (*Dump, error) {
	db, err := openForDump(o)
	if err != nil {
		return nil, err
	}
	d := &Dump{Engine: SQLite, Sequences: map[string]int64{}}
	if o.URL != "" {
		d.Engine = Postgres
	}
	d.tx, err = db.BeginTx(ctx, &sql.TxOptions{ReadOnly: o.URL != "", Isolation: isolationOf(o)})
	if err != nil {
		return nil, errors.Join(translate(err), db.Close())
	}
	d.close = func() error { return errors.Join(d.tx.Rollback(), db.Close()) }
	for _, step := range []func(context.Context) error{d.readSchema, d.readTables, d.readSequences, d.readPlace} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, d.Close())
		}
	}
	return d, nil
}

func isolationOf(o Options) sql.IsolationLevel {
	if o.URL != "" {
		return sql.LevelRepeatableRead
	}
	return sql.LevelDefault // a transaction of SQLite sees one moment
}

// frozenDump is how long PostgreSQL waits for a process that reads a dump, and may wait for a slow place to write to.
const frozenDump = "10min"

func openForDump(o Options) (*sql.DB, error) {
	if o.URL == "" {
		if _, err := os.Stat(o.Path); err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "store.missing", "There is no database %s.", o.Path)
		}
		return openFile(o.Path, "deferred", 1)
	}
	config, err := pgx.ParseConfig(o.URL)
	if err != nil {
		return nil, errURL()
	}
	config.RuntimeParams[applicationName] = "casehook backup"
	config.RuntimeParams[idleTimeout] = frozenDump
	noticeDeadConnections(config)
	return stdlib.OpenDB(*config), nil
}

// Close ends the dump.
func (d *Dump) Close() error {
	if err := d.close(); err != nil {
		return fmt.Errorf("closing the dump: %w", err)
	}
	return nil
}

const gooseVersion = `select coalesce(max(version_id), 0) from goose_db_version where is_applied`

func (d *Dump) readSchema(ctx context.Context) error {
	if err := d.tx.QueryRowContext(ctx, gooseVersion).Scan(&d.Schema); err != nil {
		return fault.Wrap(err, fault.Invalid, "store.not_casehook",
			"The database has no tables of Casehook. Name the --data or --database of a server.")
	}
	known, err := newestSchema()
	if err == nil && d.Schema != known {
		err = fault.New(fault.Invalid, "store.other_schema",
			"The database has schema %d, and this Casehook makes backups of schema %d. Use the version of Casehook "+
				"that serves the database.", d.Schema, known)
	}
	return err
}

// newestSchema returns the number of the last migration, which is the same for both engines.
func newestSchema() (int64, error) {
	all, err := scripts(SQLite)
	if err != nil {
		return 0, err
	}
	return slices.MaxFunc(all, func(a, b *goose.Migration) int { return int(a.Version - b.Version) }).Version, nil
}

// The queries for the columns of all tables: the table, the column, its type, and its place in the primary key.
var dumpColumns = map[string]string{
	SQLite: `select m.name, c.name, case upper(c.type)
			when 'INTEGER' then 'bigint' when 'TEXT' then 'text' when 'BLOB' then 'bytea'
			when 'BOOLEAN' then 'boolean' else c.type end, c.pk
		from sqlite_schema m, pragma_table_info(m.name) c
		where m.type = 'table' and m.name not like 'sqlite%'
		order by m.name, c.cid`,
	Postgres: `select c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
			coalesce(array_position(cast(i.indkey as int2[]), a.attnum) + 1, 0) -- indkey counts from 0
		from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
			left join pg_index i on i.indrelid = c.oid and i.indisprimary
		where c.relkind = 'r' and c.relnamespace = cast(current_schema() as regnamespace)
		order by c.relname, a.attnum`,
}

// readTables reads which tables and columns there are.
func (d *Dump) readTables(ctx context.Context) (err error) {
	d.Tables, err = tablesOf(ctx, d.tx, d.Engine)
	return err
}

// rowsReader is a database or a transaction.
type rowsReader interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// tablesOf returns the tables that are dumped, in the order in which they are loaded.
func tablesOf(ctx context.Context, db rowsReader, engine string) ([]Table, error) {
	type row struct {
		table string
		Column
		place int
	}
	rows, err := db.QueryContext(ctx, dumpColumns[engine])
	all, err := collect(rows, err, func(rows *sql.Rows) (r row, err error) {
		err = rows.Scan(&r.table, &r.Name, &r.Type, &r.place)
		return r, err
	})
	if err != nil {
		return nil, err
	}
	var tables []Table
	places := map[string]map[int]string{}
	for _, r := range all {
		if !isDumped(r.table) || r.Type == "tsvector" { // a trigger fills it
			continue
		}
		if !slices.Contains([]string{"bigint", "text", "bytea", "boolean"}, r.Type) {
			return nil, fmt.Errorf("store: the column %s.%s is a %s, which no dump has", r.table, r.Name, r.Type)
		}
		if len(tables) == 0 || tables[len(tables)-1].Name != r.table {
			tables = append(tables, Table{Name: r.table})
			places[r.table] = map[int]string{}
		}
		t := &tables[len(tables)-1]
		t.Columns = append(t.Columns, r.Column)
		if r.place > 0 {
			places[r.table][r.place] = r.Name
		}
	}
	for i := range tables {
		for place := 1; places[tables[i].Name][place] != ""; place++ {
			tables[i].key = append(tables[i].key, places[tables[i].Name][place])
		}
	}
	slices.SortStableFunc(tables, func(a, b Table) int { return rankOf(a.Name) - rankOf(b.Name) })
	return tables, nil
}

func isDumped(table string) bool {
	return !slices.Contains(notDumped, table) && table != "case_documents" && !strings.HasPrefix(table, "case_words")
}

// rankOf returns the place of a table in the order of loading.
func rankOf(table string) int {
	if i := slices.Index(loadedFirst, table); i >= 0 {
		return i
	}
	return len(loadedFirst)
}

func (d *Dump) readPlace(ctx context.Context) error {
	place, err := d.store().AttachmentPlace(ctx)
	if errors.Is(err, fault.NotFound) {
		return nil
	}
	d.Attachments = place.Place
	return err
}

// identities is the query for the columns of PostgreSQL whose values it generates, with their sequences.
const identities = `select c.relname, pg_get_serial_sequence(quote_ident(c.relname), a.attname)
	from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attidentity <> ''
	where c.relkind = 'r' and c.relnamespace = cast(current_schema() as regnamespace)`

func (d *Dump) readSequences(ctx context.Context) error {
	if d.Engine == SQLite {
		rows, err := d.tx.QueryContext(ctx, `select name, seq from sqlite_sequence`)
		_, err = collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
			var name string
			var last int64
			err = rows.Scan(&name, &last)
			d.Sequences[name] = last
			return none, err
		})
		return err
	}
	sequences, err := sequencesOf(ctx, d.tx)
	if err != nil {
		return err
	}
	for table, sequence := range sequences {
		var last int64
		err := d.tx.QueryRowContext(ctx, `select last_value from `+sequence).Scan(&last)
		if err != nil {
			return translate(err)
		}
		d.Sequences[table] = last
	}
	return nil
}

// sequencesOf returns the sequences of PostgreSQL's tables, as quoted names.
func sequencesOf(ctx context.Context, db rowsReader) (map[string]string, error) {
	sequences := map[string]string{}
	rows, err := db.QueryContext(ctx, identities)
	_, err = collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		var table, sequence string
		err = rows.Scan(&table, &sequence)
		sequences[table] = sequence
		return none, err
	})
	return sequences, err
}

// Rows calls each with the rows of a table, in the order of its key, until each fails. A value is nil, an int64, a
// string, a []byte or a bool. The row is valid until each returns.
func (d *Dump) Rows(ctx context.Context, t Table, each func(row []any) error) error {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = quote(c.Name)
	}
	order := make([]string, len(t.key))
	for i, name := range t.key {
		order[i] = quote(name)
	}
	text := `select ` + strings.Join(names, ", ") + ` from ` + quote(t.Name)
	if len(order) > 0 {
		text += ` order by ` + strings.Join(order, ", ")
	}
	rows, err := d.tx.QueryContext(ctx, text)
	if err != nil {
		return translate(err)
	}
	defer rows.Close()
	row, into := make([]any, len(names)), make([]any, len(names))
	for i := range row {
		into[i] = &row[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return fmt.Errorf("reading a row of %s: %w", t.Name, translate(err))
		}
		for i, c := range t.Columns {
			if n, ok := row[i].(int64); ok && c.Type == "boolean" {
				row[i] = n != 0
			}
		}
		if err := each(row); err != nil {
			return err
		}
	}
	return translate(rows.Err())
}

// Blobs returns the contents that are kept in the database, as they were when the dump was opened.
func (d *Dump) Blobs() *Blobs { return &Blobs{d.store()} }

// store returns a store that reads in the transaction of the dump, and no secrets.
func (d *Dump) store() *Store {
	engine := sqlite
	if d.Engine == Postgres {
		engine = postgres
	}
	return &Store{reader: reader{q: dumpQuerier{d.tx, engine}, dialect: engine}}
}

// dumpQuerier reads in the transaction of a dump.
type dumpQuerier struct {
	tx     *sql.Tx
	engine dialect
}

func (q dumpQuerier) query(ctx context.Context, s *statement, args ...any) (*sql.Rows, error) {
	rows, err := q.tx.QueryContext(ctx, s.text[q.engine], args...)
	return rows, translate(err)
}

func (dumpQuerier) exec(context.Context, *statement, ...any) (int64, error) {
	return 0, errors.New("store: a write to a dump")
}

// quote quotes a name for both engines.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
