package store

import (
	"context"
	"fmt"
	"strings"
)

// bulk is an insertion of many rows. SQLite gets lists of values in a few lengths, each of which is a prepared
// statement; PostgreSQL gets an array for each column. Both take a fraction of the time that a list in JSON takes,
// which matters at thousands of rows a second.
type bulk struct {
	kinds  []string     // bigint, text or boolean, of each column
	values []bulkValues // on SQLite, the longest first
	array  *statement
}

// bulkValues is an insertion of a certain number of rows.
type bulkValues struct {
	rows      int
	statement *statement
}

// defineBulk defines an insertion into the columns of a table.
func defineBulk[R any](table string, c columns[R]) *bulk {
	b := &bulk{}
	for _, column := range c {
		b.kinds = append(b.kinds, column.kind)
	}
	insert := "insert into " + table + " (" + c.names() + ") "
	row := "(?" + strings.Repeat(", ?", len(c)-1) + ")"
	for _, n := range []int{64, 8, 1} {
		s := sqliteOnly(insert + "values " + row + strings.Repeat(", "+row, n-1))
		s.bulk = insert
		b.values = append(b.values, bulkValues{n, s})
	}
	arrays := c.join(func(i int, c column[R]) string { return fmt.Sprintf("cast($%d as %s[])", i+1, c.kind) })
	b.array = postgresOnly(insert + "select * from unnest(" + arrays + ")")
	return b
}

// insert inserts rows whose values are of the columns' kinds: int or int64, string, bool.
// Characters that a text column can't hold are replaced.
func (tx *Tx) insert(ctx context.Context, b *bulk, rows [][]any) error {
	mend(rows)
	for _, portion := range portions(rows, maxList) {
		var err error
		if tx.dialect == postgres {
			err = tx.insertArrays(ctx, b, portion)
		} else {
			err = tx.insertValues(ctx, b, portion)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) insertValues(ctx context.Context, b *bulk, rows [][]any) error {
	for _, s := range b.values {
		args := make([]any, 0, s.rows*len(b.kinds))
		for ; len(rows) >= s.rows; rows = rows[s.rows:] {
			args = args[:0]
			for _, row := range rows[:s.rows] {
				args = append(args, row...)
			}
			if _, err := tx.q.exec(ctx, s.statement, args...); err != nil {
				return err
			}
		}
	}
	return nil
}

func (tx *Tx) insertArrays(ctx context.Context, b *bulk, rows [][]any) error {
	args := make([]any, len(b.kinds))
	for i, kind := range b.kinds {
		switch kind {
		case "bigint":
			args[i] = columnOf(rows, i, whole)
		case "text":
			args[i] = columnOf(rows, i, func(v any) string { return v.(string) })
		case "boolean":
			args[i] = columnOf(rows, i, func(v any) bool { return v.(bool) })
		}
	}
	_, err := tx.q.exec(ctx, b.array, args...)
	return err
}

// columnOf makes an array of a column.
func columnOf[T any](rows [][]any, i int, as func(any) T) []T {
	column := make([]T, len(rows))
	for n, row := range rows {
		column[n] = as(row[i])
	}
	return column
}

func whole(v any) int64 {
	if n, small := v.(int); small {
		return int64(n)
	}
	return v.(int64)
}
