package store

import (
	"database/sql"
	"fmt"
	"strings"
)

// PageBytes is the size, in bytes, at which a page of a list ends. Its last item
// may go beyond it.
const PageBytes = 4 << 20

// rowBytes is roughly the size of a row's other columns, whose size is not counted.
const rowBytes = 1 << 10

// Page is a part of a list: at most as many items as requested, and at least one if there is any. It ends early where
// the items are large.
type Page[T any] struct {
	Items []T
	More  bool // more items follow
}

// listing is a query whose rows may be large.
type listing struct {
	columns string // of a row
	names   string // of the columns, as the query's result has them
	size    string // of a row, in bytes: at most the size that its scan returns
	from    string // the tables and the condition
	order   string
	limit   string // the parameter
}

// plain returns the query without a limit in bytes.
func (l listing) plain() string {
	return fmt.Sprintf("select %s from %s order by %s limit %s", l.columns, l.from, l.order, l.limit)
}

// text returns the query for readers that stop one row after most bytes. SQLite computes rows on demand. PostgreSQL
// sends all of them, so its query has the limit in it; it knows the length of a column that it stores out of line
// without reading the column.
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

// lengths returns an SQL expression for the sum of the lengths of columns.
func lengths(columns ...string) string {
	return "octet_length(" + strings.Join(columns, ") + octet_length(") + ")"
}

// collectPage reads up to limit rows, and stops once they have PageBytes. The query has to select one row more than
// limit, which shows that the list continues. Scan also returns the size of a row, in bytes.
func collectPage[T any](rows *sql.Rows, err error, limit int, scan func(*sql.Rows) (T, int, error)) (Page[T], error) {
	return collectUpTo(rows, err, limit, PageBytes, scan)
}

// collectUpTo is collectPage with another limit in bytes.
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
