package api_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
)

// undo records every row that is written to an SQLite database, as it was before, so that a test can list and revert
// the changes of a request. Triggers record it in the transaction that writes, so that it costs nothing where nothing
// is written.
//
// A token's last use is not recorded.
type undo struct {
	t    testing.TB
	conn *sql.Conn       // one connection, so that it sees whether others wrote
	ctx  context.Context // never ends: the driver starts a goroutine per query for one that may
	cols map[string][]string
	at   int64 // the version up to which all changes are known
}

// rowChange is a row that was written.
type rowChange struct {
	id        int64
	table, by string // insert, update or delete
	row       int64
	old       []any // its columns; nil for an insert
}

func (w rowChange) String() string { return fmt.Sprintf("%s of %s %.500q", w.by, w.table, w.old) }

func newUndo(w *world) *undo {
	w.t.Helper()
	database, err := sql.Open(w.driver, w.dsn+"?_pragma=busy_timeout(10000)&_pragma=synchronous(off)")
	must(w.t, err)
	w.t.Cleanup(func() { database.Close() })
	u := &undo{t: w.t, ctx: context.Background(), cols: map[string][]string{}}
	u.conn, err = database.Conn(u.ctx)
	must(w.t, err)
	w.t.Cleanup(func() { u.conn.Close() })
	u.record()
	return u
}

func (u *undo) exec(text string, args ...any) {
	u.t.Helper()
	_, err := u.conn.ExecContext(u.ctx, text, args...)
	must(u.t, err)
}

// record begins. The audit can be undone like everything else.
func (u *undo) record() {
	u.t.Helper()
	u.exec("drop trigger audit_keeps_on_update")
	u.exec("drop trigger audit_keeps_on_delete")
	rows, err := u.conn.QueryContext(u.ctx, `select m.name, c.name from pragma_table_list m, pragma_table_info(m.name) c
		where m.schema = 'main' and m.type = 'table' and m.name not like 'sqlite_%' and m.name not like 'goose%'
			and m.name not in ('case_documents', 'case_words_due')
		order by m.name, c.cid`) // triggers write the index of words and its documents
	must(u.t, err)
	defer rows.Close()
	most := 0
	for rows.Next() {
		var table, column string
		must(u.t, rows.Scan(&table, &column))
		u.cols[table] = append(u.cols[table], column)
		most = max(most, len(u.cols[table]))
	}
	must(u.t, rows.Err())
	u.exec("create table undone (id integer primary key, tab, op, row" + numbered(", c%d", most) + ")")
	for table, columns := range u.cols {
		u.recordTable(table, columns)
	}
	u.at = u.version()
}

func (u *undo) recordTable(table string, columns []string) {
	u.t.Helper()
	var differs []string
	for _, c := range columns {
		if c != "last_used_at" {
			differs = append(differs, fmt.Sprintf("old.%[1]q is not new.%[1]q", c))
		}
	}
	old := `old."` + strings.Join(columns, `", old."`) + `"`
	note := func(op, when, values string, n int) {
		u.t.Helper()
		u.exec(fmt.Sprintf("create trigger undo_%[1]s_%[2]s after %[2]s on %[1]s %[3]s begin insert into undone "+
			"(tab, op, row%[4]s) values ('%[1]s', '%[2]s', %[5]s); end",
			table, op, when, numbered(", c%d", n), values))
	}
	note("insert", "", "new.rowid", 0)
	note("update", "when "+strings.Join(differs, " or "), "new.rowid, "+old, len(columns))
	note("delete", "", "old.rowid, "+old, len(columns))
}

// numbered repeats a form with the numbers from 0.
func numbered(form string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, form, i)
	}
	return b.String()
}

// version returns a number that changes when others commit.
func (u *undo) version() (n int64) {
	u.t.Helper()
	must(u.t, u.conn.QueryRowContext(u.ctx, "pragma data_version").Scan(&n))
	return n
}

// forget starts anew from the present rows.
func (u *undo) forget() {
	u.t.Helper()
	if version := u.version(); version != u.at {
		u.exec("delete from undone")
		u.at = version
	}
}

// changes lists the rows that others have written since, newest first.
func (u *undo) changes() (all []rowChange) {
	u.t.Helper()
	version := u.version()
	if version == u.at {
		return nil
	}
	u.at = version
	rows, err := u.conn.QueryContext(u.ctx, "select * from undone order by id desc")
	must(u.t, err)
	defer rows.Close()
	columns, err := rows.Columns()
	must(u.t, err)
	for rows.Next() {
		w := rowChange{old: make([]any, len(columns)-4)}
		places := []any{&w.id, &w.table, &w.by, &w.row}
		for i := range w.old {
			places = append(places, &w.old[i])
		}
		must(u.t, rows.Scan(places...))
		for i, value := range w.old {
			if blob, ok := value.([]byte); ok && blob == nil {
				w.old[i] = []byte{} // which would be written as null
			}
		}
		if w.old = w.old[:len(u.cols[w.table])]; w.by == "insert" {
			w.old = nil
		}
		all = append(all, w)
	}
	must(u.t, rows.Err())
	return all
}

// revert reverts changes.
func (u *undo) revert(all []rowChange) {
	u.t.Helper()
	if len(all) == 0 {
		return
	}
	u.exec("begin immediate")
	for _, w := range all {
		columns := u.cols[w.table]
		switch w.by {
		case "insert":
			u.exec("delete from "+w.table+" where rowid = $1", w.row)
		case "update":
			u.exec("update "+w.table+` set "`+strings.Join(columns, `" = ?, "`)+`" = ? where rowid = ?`,
				append(w.old, w.row)...)
		case "delete":
			u.exec("insert into "+w.table+` (rowid, "`+strings.Join(columns, `", "`)+`") values (?`+
				strings.Repeat(", ?", len(columns))+")",
				append([]any{w.row}, w.old...)...)
		}
	}
	u.exec("delete from undone")
	u.exec("commit")
}
