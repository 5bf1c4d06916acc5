package store

import (
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// growing are the tables that grow with what users do, and so must not be read from end to end.
var growing = []string{
	"cases", "case_labels", "case_contacts", "comments", "attachments", "blobs", "contacts", "journal", "journal_pending",
	"journal_seq", "attempts", "parked", "dead", "replay_messages", "audit", "idempotency", "questions",
	"delivery_counts",
}

var growingScan = regexp.MustCompile(`\b(?:SCAN|Seq Scan on) (` + strings.Join(growing, "|") + `)\b.*`)

// A statement has a good plan also where nobody has counted rows yet, in a database that is new and in one that has
// grown since.
func TestNoStatementReadsAWholeTable(t *testing.T) {
	stores := openBoth(t)
	for _, filled := range []bool{false, true} {
		if filled {
			fill(t, stores["postgres"])
		}
		for _, s := range statements {
			if plan := generalPlan(t, stores["postgres"], s); filled {
				for _, found := range scansOf(plan, s) {
					t.Errorf("postgres: %s\n%s\n%s", found, s.text[postgres], plan)
				}
			}
			plan := sqliteGeneralPlan(t, stores["sqlite"], s)
			for _, found := range append(scansOf(plan, s), tenantScans(t, stores["sqlite"], s, plan)...) {
				t.Errorf("sqlite: %s\n%s\n%s", found, s.text[sqlite], plan)
			}
		}
	}
}

// scanning are the statements that may read a table without a condition, and why.
var scanning = map[*statement]string{
	backlogParked: "it counts up to a limit",
	journalOldest: "it reads the first row",
	purgeFloor:    "the lanes of all endpoints, once a round of retention",
	purgeNeeded:   "the same",
	contentSum:    "all contents are read anyway, once a move of attachments",
}

func scansOf(plan string, s *statement) []string {
	if scanning[s] != "" {
		return nil
	}
	return slices.DeleteFunc(growingScan.FindAllString(plan, -1), func(scan string) bool {
		return strings.HasSuffix(scan, "_unfolded") // the index of what is left to fold
	})
}

// tenantScan is a search of SQLite for all rows of a tenant.
var tenantScan = regexp.MustCompile(`SEARCH \w+ USING (?:COVERING )?INDEX (\w+) \(tenant=\?\)`)

// tenantScans returns the parts of a plan that read all rows which a tenant has in a growing table.
func tenantScans(t *testing.T, s *Store, of *statement, plan string) (all []string) {
	t.Helper()
	if strings.HasPrefix(of.text[sqlite], "insert into tenants") {
		return nil // its foreign keys are checked in tables where the new tenant has no rows
	}
	for _, found := range tenantScan.FindAllStringSubmatch(plan, -1) {
		var table string
		err := sqliteDB(s).QueryRowContext(t.Context(), "select tbl_name from sqlite_master where name = ?", found[1]).
			Scan(&table)
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(growing, table) {
			all = append(all, found[0])
		}
	}
	return all
}

func sqliteGeneralPlan(t *testing.T, s *Store, of *statement) string {
	t.Helper()
	if of.text[sqlite] == "" || !plannable.MatchString(of.text[sqlite]) {
		return ""
	}
	return sqlitePlan(t, s, of, make([]any, highestParameter(of.text[sqlite])))
}

var (
	plannable        = regexp.MustCompile(`^\s*(?:select|insert|update|delete|with)\b`)
	parameterPattern = regexp.MustCompile(`\$(\d+)`)
)

// highestParameter returns how many parameters a statement has.
func highestParameter(text string) (n int) {
	n = strings.Count(text, "?")
	for _, found := range parameterPattern.FindAllStringSubmatch(text, -1) {
		var k int
		_, _ = fmt.Sscan(found[1], &k)
		n = max(n, k)
	}
	return n
}

// generalPlan is the plan of a statement that PostgreSQL makes without looking at the parameters.
func generalPlan(t *testing.T, s *Store, of *statement) string {
	t.Helper()
	text := of.text[postgres]
	if text == "" || !plannable.MatchString(text) {
		return ""
	}
	conn, err := postgresPool(s).Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	run := func(text string) (lines []string) {
		results, err := conn.Conn().PgConn().Exec(t.Context(), text).ReadAll()
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for _, row := range results[len(results)-1].Rows {
			lines = append(lines, string(row[0]))
		}
		return lines
	}
	run("set plan_cache_mode = force_generic_plan; prepare planned as " + text)
	execute := "explain execute planned"
	if n := highestParameter(text); n > 0 {
		execute += "(" + strings.TrimSuffix(strings.Repeat("null,", n), ",") + ")"
	}
	lines := run(execute)
	run("deallocate planned")
	return strings.Join(lines, "\n")
}

// fill puts rows into the tables that grow, which PostgreSQL does not count: 100,000 into the journal, and 10,000 into
// the others, on pages that are nine tenths empty, so that they look like as many.
func fill(t *testing.T, s *Store) {
	t.Helper()
	db := s.engine.(*postgresEngine).db
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	exec := func(text string) {
		if _, err := conn.ExecContext(t.Context(), text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	exec("set session_replication_role = replica")
	for _, table := range growing {
		size, full := 10_000, 10
		if strings.HasPrefix(table, "journal") {
			size, full = 100_000, 100
		}
		exec(fmt.Sprintf("alter table %s set (autovacuum_enabled = false, fillfactor = %d)", table, full))
		names, values := rowsOf(t, conn, table)
		exec(fmt.Sprintf("insert into %s (%s) select %s from generate_series(1, %d) g", table, names, values, size))
	}
}

// rowsOf returns the columns of a table, and a value for each in the row g.
func rowsOf(t *testing.T, conn *sql.Conn, table string) (names, values string) {
	t.Helper()
	rows, err := conn.QueryContext(t.Context(), `select column_name, data_type from information_schema.columns
		where table_schema = current_schema() and table_name = $1 and is_generated = 'NEVER'
			and is_identity = 'NO'`, table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all, of []string
	for rows.Next() {
		var name, kind string
		if err := rows.Scan(&name, &kind); err != nil {
			t.Fatal(err)
		}
		value := map[string]string{
			"bigint": "g", "integer": "g", "smallint": "1", "boolean": "g % 2 = 0", "text": "'x' || g",
			"bytea": "'\\x00'", "double precision": "g", "tsvector": "to_tsvector('simple', 'x' || g)",
		}[kind]
		if value == "" {
			t.Fatalf("%s.%s has the unknown type %s", table, name, kind)
		}
		all, of = append(all, name), append(of, value)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, ", "), strings.Join(of, ", ")
}
