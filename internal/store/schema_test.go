package store

import (
	"cmp"
	"database/sql"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/casehook/casehook/internal/pgtest"
)

var testKey = []byte("0123456789abcdef0123456789abcdef")

// openBoth opens an empty store of each engine.
func openBoth(t *testing.T) map[string]*Store {
	t.Helper()
	t.Parallel()
	stores := map[string]*Store{}
	for name, o := range map[string]Options{
		"sqlite":   {Path: filepath.Join(t.TempDir(), "casehook.db"), Key: testKey},
		"postgres": {URL: migrated(t), Key: testKey},
	} {
		s, err := Open(t.Context(), o)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		stores[name] = s
	}
	return stores
}

// migrated returns the URL of a PostgreSQL database that a store with the key of tests left behind empty. It is a copy
// of one that was migrated once.
func migrated(t *testing.T) string {
	t.Helper()
	return pgtest.Copy(t, "migrated", func(url string) error {
		s, err := Open(t.Context(), Options{URL: url, Key: testKey})
		if err != nil {
			return err
		}
		return s.Close()
	})
}

func sqliteDB(s *Store) *sql.DB           { return s.engine.(*sqliteEngine).readers }
func postgresPool(s *Store) *pgxpool.Pool { return s.engine.(*postgresEngine).pool }

func TestEveryStatementIsPreparedOnBothEngines(t *testing.T) {
	stores := openBoth(t)
	conn, err := postgresPool(stores["postgres"]).Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	for _, s := range statements {
		if text := s.text[sqlite]; text != "" {
			p, err := sqliteDB(stores["sqlite"]).PrepareContext(t.Context(), text)
			if err != nil {
				t.Errorf("sqlite: %v\n%s", err, text)
				continue
			}
			p.Close()
		}
		if text := s.text[postgres]; text != "" {
			if _, err := conn.Conn().Prepare(t.Context(), "", text); err != nil {
				t.Errorf("postgres: %v\n%s", err, text)
			}
		}
	}
}

// onlyPostgres lists the tables with which PostgreSQL assigns positions to entries; on SQLite journal_seq is a view.
var onlyPostgres = []string{"journal_head", "journal_pending", "journal_seq"}

// onlySQLite reports whether a table is one of SQLite's index of words. PostgreSQL has the column words for it.
func onlySQLite(table string) bool {
	return table == "case_documents" || strings.HasPrefix(table, "case_words")
}

type schemaColumn struct {
	Table, Name, Type string
	NotNull           bool
	Key               int // position in the primary key, from 1
}

type index struct {
	Table, Name string // Name is "" for one that a constraint made
	Columns     string
	Unique      bool
	Partial     bool
}

// SQLite parses a statement anew each time that it is run if its limit is a parameter alone.
func TestNoLimitOfSQLiteIsAParameterAlone(t *testing.T) {
	alone := regexp.MustCompile(`\blimit\s+\$\d+\b\s*([^+\s]|$)`)
	if !alone.MatchString("select 1 limit $1") || !alone.MatchString("(select 1 limit $12) as x") {
		t.Fatal("the pattern matches nothing")
	}
	for _, s := range statements {
		if found := alone.FindString(s.text[sqlite]); found != "" {
			t.Errorf("%q in: %s", found, s.text[sqlite])
		}
	}
}

func TestTheSchemasAgree(t *testing.T) {
	stores := openBoth(t)
	lite := schemaColumns(t, sqliteDB(stores["sqlite"]), `select m.name, c.name, c.type, c."notnull" or c.pk > 0, c.pk
		from sqlite_schema m, pragma_table_info(m.name) c
		where m.type = 'table' and m.name not like 'sqlite%' and m.name not like 'goose%'`)
	db := stores["postgres"].engine.(*postgresEngine).db
	full := schemaColumns(t, db, `select c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
		coalesce(array_position(i.indkey::int2[], a.attnum) + 1, 0) -- indkey counts from 0
		from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
		left join pg_index i on i.indrelid = c.oid and i.indisprimary
		where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and c.relname not like 'goose%'`)
	for i, c := range lite {
		lite[i].Type = map[string]string{
			"INTEGER": "bigint", "TEXT": "text", "BLOB": "bytea", "BOOLEAN": "boolean",
		}[strings.ToUpper(c.Type)]
	}
	full = slices.DeleteFunc(full, func(c schemaColumn) bool {
		return slices.Contains(onlyPostgres, c.Table) || c.Table == "cases" && c.Name == "words"
	})
	lite = slices.DeleteFunc(lite, func(c schemaColumn) bool { return onlySQLite(c.Table) })
	if diff := gocmp.Diff(lite, full); diff != "" {
		t.Errorf("columns (-sqlite +postgres):\n%s", diff)
	}

	liteIndexes := indexes(t,
		sqliteDB(stores["sqlite"]), `select m.name, case l.origin when 'c' then l.name else '' end,
		(select group_concat(name, ',') from (select name from pragma_index_info(l.name) order by seqno)), l."unique", l.partial
		from sqlite_schema m, pragma_index_list(m.name) l where m.type = 'table' and l.origin <> 'pk' and m.name not like 'goose%'`)
	fullIndexes := indexes(t, db, `select t.relname, case when k.oid is null then c.relname else '' end,
		(select string_agg(a.attname, ',' order by n) from unnest(i.indkey::int2[]) with ordinality as u (col, n)
			join pg_attribute a on a.attrelid = t.oid and a.attnum = u.col), i.indisunique, i.indpred is not null
		from pg_index i join pg_class c on c.oid = i.indexrelid join pg_class t on t.oid = i.indrelid
		left join pg_constraint k on k.conindid = c.oid and k.contype = 'u'
		where not i.indisprimary and t.relnamespace = 'public'::regnamespace and t.relname not like 'goose%'`)
	fullIndexes = slices.DeleteFunc(fullIndexes, func(i index) bool {
		return slices.Contains(onlyPostgres, i.Table) || i.Name == "cases_by_word"
	})
	liteIndexes = slices.DeleteFunc(liteIndexes, func(i index) bool { return onlySQLite(i.Table) })
	if diff := gocmp.Diff(liteIndexes, fullIndexes); diff != "" {
		t.Errorf("indexes (-sqlite +postgres):\n%s", diff)
	}
}

func schemaColumns(t *testing.T, db *sql.DB, query string) []schemaColumn {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	all, err := collect(rows, err, func(rows *sql.Rows) (c schemaColumn, err error) {
		return c, rows.Scan(&c.Table, &c.Name, &c.Type, &c.NotNull, &c.Key)
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("%d columns, %v", len(all), err)
	}
	slices.SortFunc(all, func(a, b schemaColumn) int {
		return cmp.Or(strings.Compare(a.Table, b.Table), strings.Compare(a.Name, b.Name))
	})
	return all
}

func indexes(t *testing.T, db *sql.DB, query string) []index {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	all, err := collect(rows, err, func(rows *sql.Rows) (i index, err error) {
		return i, rows.Scan(&i.Table, &i.Name, &i.Columns, &i.Unique, &i.Partial)
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("%d indexes, %v", len(all), err)
	}
	slices.SortFunc(all, func(a, b index) int {
		return cmp.Or(strings.Compare(a.Table, b.Table), strings.Compare(a.Name, b.Name),
			strings.Compare(a.Columns, b.Columns))
	})
	return all
}
