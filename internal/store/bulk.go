package store

import (
	"context"
	"fmt"
	"strings"
)

// bulk is an insertion of many rows. SQLite takes them as lists of values of a
// few lengths, each a statement that stays prepared, and PostgreSQL as an array
// for each column: both in a fraction of the time that a list in JSON takes,
// which pays where there are thousands of rows in a second.
type bulk struct {
	kinds []string // bigint, text or boolean, of each column
	sized []sized  // on SQLite, the longest first
	array *statement
}

// sized is an insertion of a certain number of rows.
type sized struct {
	rows int
	*statement
}

// defineBulk defines an insertion into a table of columns "tenant bigint".
func defineBulk(table string, columns ...string) *bulk {
	b := &bulk{}
	var names, arrays []string
	for i, column := range columns {
		name, kind, _ := strings.Cut(column, " ")
		names, b.kinds = append(names, name), append(b.kinds, kind)
		arrays = append(arrays, fmt.Sprintf("cast($%d as %s[])", i+1, kind))
	}
	insert := "insert into " + table + " (" + strings.Join(names, ", ") + ") "
	row := "(?" + strings.Repeat(", ?", len(columns)-1) + ")"
	for _, n := range []int{64, 8, 1} {
		s := sqliteOnly(insert + "values " + row + strings.Repeat(", "+row, n-1))
		s.bulk = insert
		b.sized = append(b.sized, sized{n, s})
	}
	b.array = postgresOnly(insert + "select * from unnest(" + strings.Join(arrays, ", ") + ")")
	return b
}

// insert inserts rows whose values are of the columns' kinds: int or int64,
// string, bool. What no text can hold is replaced.
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
	for _, s := range b.sized {
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
