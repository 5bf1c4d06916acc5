package store

import (
	"database/sql"
	"fmt"
	"strings"
)

// PageBytes is the size, in bytes, at which a page of a list ends. Its last item
// may go beyond it.
const PageBytes = 4 << 20

// rowBytes is about what a row takes beside the columns that are counted.
const rowBytes = 1 << 10

// Page is a part of a list: at most as many items as requested, and at least one if there is any. It ends early where
// the items are large.
type Page[T any] struct {
	Items []T
	More  bool // the list goes on behind the last item
}

// listing is a query whose rows may be large.
type listing struct {
	columns string // of a row
	names   string // of the columns, as the query's result has them
	size    string // of a row, in bytes: no more than what its scan counts
	from    string // the tables and the condition
	order   string
	limit   string // the parameter
}

// plain is the query without a bound of bytes.
func (l listing) plain() string {
	return fmt.Sprintf("select %s from %s order by %s limit %s", l.columns, l.from, l.order, l.limit)
}

// text returns the query whose readers stop after most bytes and one row more, with its parameters. SQLite computes
// rows on demand. PostgreSQL sends all of them, so that its text needs the bound; it knows the length of a column that
// it stores out of line without reading it.
func (l listing) text(d dialect, most int) string {
	if d == sqlite {
		return l.plain()
	}
	return fmt.Sprintf(`select %[1]s from (
			select %[2]s,
				sum(%[3]s) over (order by %[5]s rows between unbounded preceding and 2 preceding) as bytes_before,
				row_number() over (order by %[5]s) as row_place
			from %[4]s order by %[5]s limit %[6]s
		) as listed where coalesce(bytes_before, 0) < %[7]d order by row_place`,
		l.names, l.columns, l.size, l.from, l.order, l.limit, most)
}

// defineListing defines a listing whose readers stop after most bytes.
func defineListing(most int, l listing) *statement {
	s := define(l.plain())
	s.text[postgres] = postgres.render(l.text(postgres, most))
	return s
}

// lengths is the SQL of the length of several columns together.
func lengths(columns ...string) string {
	return "octet_length(" + strings.Join(columns, ") + octet_length(") + ")"
}

// collectPage reads up to limit rows, and stops once they have PageBytes. The query has to select one row more, which
// shows that the list continues. Scan also returns the size of a row, in bytes.
func collectPage[T any](rows *sql.Rows, err error, limit int, scan func(*sql.Rows) (T, int, error)) (Page[T], error) {
	return collectUpTo(rows, err, limit, PageBytes, scan)
}

// collectUpTo is collectPage for another size.
func collectUpTo[T any](rows *sql.Rows, err error, limit, most int,
	scan func(*sql.Rows) (T, int, error)) (p Page[T], _ error) {
	if err != nil {
		return p, err
	}
	defer rows.Close()
	for rows.Next() {
		if len(p.Items) >= limit || most <= 0 && len(p.Items) > 0 {
			p.More = true
			return p, nil
		}
		item, size, err := scan(rows)
		if err != nil {
			return Page[T]{}, fmt.Errorf("reading a row: %w", translate(err))
		}
		most -= size
		p.Items = append(p.Items, item)
	}
	return p, translate(rows.Err())
}
