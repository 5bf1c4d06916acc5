package store

import (
	"database/sql"
	"fmt"
	"iter"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/pgtest"
)

// A dump has every table but those that are named as not dumped, and what is loaded of it is the same, on the same
// engine and from SQLite to PostgreSQL. A new table is tried without a change here.
func TestWhatIsLoadedIsWhatWasDumped(t *testing.T) {
	stores := openBoth(t)
	fillEachTable(t, stores["sqlite"].engine.(*sqliteEngine).writers, stores["sqlite"])
	fillEachTable(t, stores["postgres"].engine.(*postgresEngine).db, stores["postgres"])
	sources := map[string]Options{
		SQLite:   {Path: stores["sqlite"].engine.(*sqliteEngine).path},
		Postgres: {URL: stores["postgres"].engine.(*postgresEngine).pool.Config().ConnString()},
	}
	for _, way := range []struct{ from, to string }{
		{SQLite, SQLite}, {Postgres, Postgres}, {SQLite, Postgres},
	} {
		t.Run(way.from+" to "+way.to, func(t *testing.T) {
			dumped, sequences := readDump(t, sources[way.from])
			target := loadAll(t, way.to, way.from, dumped, sequences)
			loaded, after := readDump(t, target)
			for _, table := range []string{"journal_seq", "journal_head", "journal_pending"} {
				if way.from != way.to || table == "journal_head" { // SQLite has none; the head has moved on
					delete(loaded, table)
					delete(dumped, table)
				}
			}
			if diff := cmp.Diff(namedValues(dumped), namedValues(loaded)); diff != "" {
				t.Errorf("rows (-dumped +loaded):\n%s", diff)
			}
			for table, last := range sequences {
				if after[table] <= last {
					t.Errorf("the next id of %s is %d, and %d was used", table, after[table]+1, last)
				}
			}
			checkDerived(t, target)
		})
	}
}

// readDump reads all of a dump: the rows of each table, as text.
func readDump(t *testing.T, o Options) (map[string]dumpedTable, map[string]int64) {
	t.Helper()
	d, err := OpenDump(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	all := map[string]dumpedTable{}
	for _, table := range d.Tables {
		read := dumpedTable{Columns: table.Columns}
		err := d.Rows(t.Context(), table, func(row []any) error {
			for i, value := range row {
				if b, ok := value.([]byte); ok {
					row[i] = slices.Clone(b)
				}
			}
			read.Rows = append(read.Rows, slices.Clone(row))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(read.Rows) == 0 && table.Name != "journal_pending" {
			t.Errorf("%s: no rows were dumped", table.Name)
		}
		all[table.Name] = read
	}
	return all, d.Sequences
}

// namedValues returns the rows of each table with the names of their columns, whose order differs between the engines.
func namedValues(tables map[string]dumpedTable) map[string][]map[string]any {
	all := map[string][]map[string]any{}
	for name, table := range tables {
		for _, row := range table.Rows {
			named := map[string]any{}
			for i, c := range table.Columns {
				named[c.Name+" "+c.Type] = row[i]
			}
			all[name] = append(all[name], named)
		}
	}
	return all
}

type dumpedTable struct {
	Columns []Column
	Rows    [][]any
}

// loadAll loads a dump into a new database, and opens that as a server does.
func loadAll(
	t *testing.T, engine, from string, tables map[string]dumpedTable, sequences map[string]int64,
) Options {
	t.Helper()
	o := Options{Path: filepath.Join(t.TempDir(), "restored.db"), Key: testKey}
	if engine == Postgres {
		o = Options{URL: pgtest.URL(t), Key: testKey}
	}
	schema, err := newestSchema()
	if err != nil {
		t.Fatal(err)
	}
	l, err := NewLoader(t.Context(), o, schema)
	if err != nil {
		t.Fatal(err)
	}
	names := slices.Sorted(maps.Keys(tables))
	slices.SortStableFunc(names, func(a, b string) int { return rankOf(a) - rankOf(b) })
	for _, name := range names {
		rows := tables[name].Rows
		n, err := l.Load(t.Context(), Table{Name: name, Columns: tables[name].Columns}, each(rows))
		if err != nil || n != int64(len(rows)) {
			t.Fatalf("%s: %d of %d rows were loaded: %v", name, n, len(rows), err)
		}
	}
	if err := l.Finish(t.Context(), from, maps.Clone(sequences)); err != nil {
		t.Fatal(err)
	}
	opened, err := l.Options()
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), opened)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if engine == Postgres {
		if replaced, err := l.Publish(t.Context()); err != nil || replaced != "" {
			t.Fatalf("%q was replaced in an empty database: %v", replaced, err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return o
}

func each(rows [][]any) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

// fillEachTable puts three rows into each table. Row n has the number n and the text xn in all columns, so that the
// rows with one number refer to each other.
func fillEachTable(t *testing.T, db *sql.DB, s *Store) {
	t.Helper()
	if s.dialect == sqlite { // the writer keeps its only connection
		path := s.engine.(*sqliteEngine).path
		var err error
		if db, err = openFile(path, "immediate", 1); err != nil {
			t.Fatal(err)
		}
		defer db.Close()
	}
	engine := [...]string{sqlite: SQLite, postgres: Postgres}[s.dialect]
	tables, err := tablesOf(t.Context(), db, engine)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		if table.Name == "journal_head" {
			continue // it has its one row
		}
		for n := int64(1); n <= 3; n++ {
			text, row := filledRow(table, n, s.dialect)
			if _, err := db.ExecContext(t.Context(), text, row...); err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
		}
	}
}

// filledRow returns a statement that inserts a row, and its values.
func filledRow(table Table, n int64, d dialect) (text string, row []any) {
	var names, places []string
	for i, c := range table.Columns {
		names = append(names, quote(c.Name))
		places = append(places, fmt.Sprintf("$%d", i+1))
		row = append(row, filled(table.Name, c, n))
	}
	overriding := ""
	if d == postgres {
		overriding = " overriding system value"
	}
	return `insert into ` + quote(table.Name) + ` (` + strings.Join(names, ", ") + `)` + overriding +
		` values (` + strings.Join(places, ", ") + `)`, row
}

func filled(table string, c Column, n int64) any {
	switch table + "." + c.Name {
	case "cases.indexed":
		return `[["colour","blue",1]]`
	case "cases.folding":
		return 2
	case "cases.search":
		return "needle"
	}
	switch c.Type {
	case "bigint":
		return n
	case "boolean":
		return n%2 == 0
	case "bytea":
		return []byte{0, 0xff, byte(n)}
	}
	return fmt.Sprintf("x%d", n)
}

// checkDerived checks what triggers and indexes derive from the rows.
func checkDerived(t *testing.T, o Options) {
	t.Helper()
	o.Key = testKey
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	db, words := (*sql.DB)(nil), ""
	switch e := s.engine.(type) {
	case *sqliteEngine:
		db, words = e.readers, `select count(*) from case_words where case_words match 'needle'`
	case *postgresEngine:
		db, words = e.db, `select count(*) from cases where words @@ 'needle'::tsquery`
	}
	for _, query := range []string{words, `select count(*) from case_fields where value = 'blue'`} {
		var n int
		if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil || n != 3 {
			t.Errorf("%d of 3: %v\n%s", n, err, query)
		}
	}
}
