package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// column is one column of a table whose rows are read into, and written from, values of R.
type column[R any] struct {
	name   string
	kind   string // in SQL: bigint, text, boolean or bytea
	source string // the expression that a select reads; empty: the column
	value  func(*R) (any, error)
	target func(*R) any // what rows.Scan is given
}

// columns is a list of columns. It declares the names in a statement, the parameters and the targets of a scan
// together, so that the three can't differ.
type columns[R any] []column[R]

// intColumn is a column of integers.
func intColumn[R any, V ~int | ~int64](name string, field func(*R) *V) column[R] {
	return column[R]{
		name: name, kind: "bigint",
		value:  func(r *R) (any, error) { return int64(*field(r)), nil },
		target: func(r *R) any { return field(r) },
	}
}

// textColumn is a column of texts.
func textColumn[R any, V ~string](name string, field func(*R) *V) column[R] {
	return column[R]{
		name: name, kind: "text",
		value:  func(r *R) (any, error) { return string(*field(r)), nil },
		target: func(r *R) any { return field(r) },
	}
}

// rawColumn is a column of texts that are read as bytes, such as JSON that others decode.
func rawColumn[R any](name string, field func(*R) *[]byte) column[R] {
	return column[R]{
		name: name, kind: "text",
		value:  func(r *R) (any, error) { return string(*field(r)), nil },
		target: func(r *R) any { return field(r) },
	}
}

// bytesColumn is a column of bytes.
func bytesColumn[R any](name string, field func(*R) *[]byte) column[R] {
	return column[R]{
		name: name, kind: "bytea",
		value:  func(r *R) (any, error) { return *field(r), nil },
		target: func(r *R) any { return field(r) },
	}
}

// boolColumn is a column of booleans.
func boolColumn[R any](name string, field func(*R) *bool) column[R] {
	return column[R]{
		name: name, kind: "boolean",
		value:  func(r *R) (any, error) { return *field(r), nil },
		target: func(r *R) any { return field(r) },
	}
}

// timeColumn is a column of times in microseconds; 0 is the zero time.
func timeColumn[R any](name string, field func(*R) *time.Time) column[R] {
	return column[R]{
		name: name, kind: "bigint",
		value:  func(r *R) (any, error) { return micros(*field(r)), nil },
		target: func(r *R) any { return (*timeTarget)(field(r)) },
	}
}

// durationColumn is a column of durations in microseconds.
func durationColumn[R any](name string, field func(*R) *time.Duration) column[R] {
	return column[R]{
		name: name, kind: "bigint",
		value:  func(r *R) (any, error) { return field(r).Microseconds(), nil },
		target: func(r *R) any { return (*durationTarget)(field(r)) },
	}
}

// wordsColumn is a column of lists of words, with a space between two of them. An empty
// list is nil.
func wordsColumn[R any](name string, field func(*R) *[]string) column[R] {
	return column[R]{
		name: name, kind: "text",
		value:  func(r *R) (any, error) { return strings.Join(*field(r), " "), nil },
		target: func(r *R) any { return (*wordsTarget)(field(r)) },
	}
}

// jsonColumn is a column of JSON. An empty text or list leaves the field as it is.
func jsonColumn[R, V any](name string, field func(*R) *V) column[R] {
	return column[R]{
		name: name, kind: "text",
		value: func(r *R) (any, error) {
			text, err := encodeJSON(field(r))
			if err != nil {
				return nil, fmt.Errorf("encoding %s: %w", name, err)
			}
			return text, nil
		},
		target: func(r *R) any { return &jsonTarget{name: name, into: field(r)} },
	}
}

// encodeJSON returns a value as JSON. It leaves <, > and & as they are, so that what the value holds of JSON is read
// back with the same bytes.
func encodeJSON(value any) (string, error) {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return strings.TrimSuffix(text.String(), "\n"), err
}

// optionalColumn is a column of JSON that is empty where the field is nil.
func optionalColumn[R, V any](name string, field func(*R) **V) column[R] {
	c := jsonColumn(name, field)
	encode := c.value
	c.value = func(r *R) (any, error) {
		if *field(r) == nil {
			return "", nil
		}
		return encode(r)
	}
	return c
}

// from reads the column from an expression.
func (c column[R]) from(source string) column[R] {
	c.source = source
	return c
}

// counted adds the length of the JSON that a scan reads from a column to a field.
func (c column[R]) counted(size func(*R) *int) column[R] {
	target := c.target
	c.target = func(r *R) any {
		t := target(r).(*jsonTarget)
		t.size = size(r)
		return t
	}
	return c
}

type (
	timeTarget     time.Time
	durationTarget time.Duration
	wordsTarget    []string
	jsonTarget     struct {
		name string
		into any
		size *int // grows by what is read, in bytes; nil: nobody counts
	}
)

// Scan implements sql.Scanner.
func (t *timeTarget) Scan(src any) error {
	n, ok := src.(int64)
	if !ok {
		return fmt.Errorf("%T is not a time in microseconds", src)
	}
	*t = timeTarget(fromMicros(n))
	return nil
}

// Scan implements sql.Scanner.
func (d *durationTarget) Scan(src any) error {
	n, ok := src.(int64)
	if !ok {
		return fmt.Errorf("%T is not a duration in microseconds", src)
	}
	*d = durationTarget(time.Duration(n) * time.Microsecond)
	return nil
}

// Scan implements sql.Scanner.
func (w *wordsTarget) Scan(src any) error {
	raw, err := rawText(src)
	if err == nil && len(raw) > 0 {
		*w = strings.Fields(string(raw))
	}
	return err
}

// Scan implements sql.Scanner.
func (t *jsonTarget) Scan(src any) error {
	raw, err := rawText(src)
	if err != nil || len(raw) == 0 || string(raw) == "[]" {
		return err
	}
	if t.size != nil {
		*t.size += len(raw)
	}
	if err := json.Unmarshal(raw, t.into); err != nil {
		return fmt.Errorf("decoding %s: %w", t.name, err)
	}
	return nil
}

// rawText is a text as a driver returns it.
func rawText(src any) ([]byte, error) {
	switch text := src.(type) {
	case []byte:
		return text, nil
	case string:
		return []byte(text), nil
	}
	return nil, fmt.Errorf("%T is not a text", src)
}

// names lists the columns as inserts and selects name them.
func (c columns[R]) names() string {
	return c.join(func(_ int, c column[R]) string { return c.name })
}

// of lists the columns of a table's alias as a select reads them.
func (c columns[R]) of(alias string) string {
	return c.join(func(_ int, c column[R]) string {
		if c.source != "" {
			return c.source + " as " + c.name
		}
		return alias + "." + c.name
	})
}

// parameters lists as many parameters as there are columns, from $first on.
func (c columns[R]) parameters(first int) string {
	return c.join(func(i int, _ column[R]) string { return fmt.Sprint("$", first+i) })
}

// casts is parameters for where the database does not know of which type they are.
func (c columns[R]) casts(first int) string {
	return c.join(func(i int, c column[R]) string { return fmt.Sprintf("cast($%d as %s)", first+i, c.kind) })
}

// assignments sets the columns to the parameters from $first on.
func (c columns[R]) assignments(first int) string {
	return c.join(func(i int, c column[R]) string { return fmt.Sprint(c.name, " = $", first+i) })
}

// excluded sets the columns to what an insert with a conflict would have inserted.
func (c columns[R]) excluded() string {
	return c.join(func(_ int, c column[R]) string { return c.name + " = excluded." + c.name })
}

// rows is the table of rows that a parameter holds as JSON.
func (c columns[R]) rows(parameter string) string {
	return "rows(" + parameter + ": " + c.join(func(_ int, c column[R]) string { return c.name + " " + c.kind }) + ")"
}

func (c columns[R]) join(item func(int, column[R]) string) string {
	items := make([]string, len(c))
	for i := range c {
		items[i] = item(i, c[i])
	}
	return strings.Join(items, ", ")
}

// only selects columns by their names, in this order.
func (c columns[R]) only(names ...string) columns[R] {
	selected := make(columns[R], len(names))
	for i, name := range names {
		selected[i] = c[c.index(name)]
	}
	return selected
}

// without leaves columns out.
func (c columns[R]) without(names ...string) columns[R] {
	rest := slices.Clone(c)
	for _, name := range names {
		i := rest.index(name)
		rest = slices.Delete(rest, i, i+1)
	}
	return rest
}

// index finds a column. It panics if there is none: it is called only while the package is initialised, so that this
// is a bug.
func (c columns[R]) index(name string) int {
	i := slices.IndexFunc(c, func(c column[R]) bool { return c.name == name })
	if i < 0 {
		panic("store: there is no column " + name)
	}
	return i
}

// within are the columns of a part of a wider row.
func within[S, R any](c columns[R], part func(*S) *R) columns[S] {
	wide := make(columns[S], len(c))
	for i, c := range c {
		wide[i] = column[S]{
			name: c.name, kind: c.kind, source: c.source,
			value:  func(s *S) (any, error) { return c.value(part(s)) },
			target: func(s *S) any { return c.target(part(s)) },
		}
	}
	return wide
}

// values are a row's parameters, behind others.
func (c columns[R]) values(r *R, before ...any) ([]any, error) {
	values := make([]any, len(before), len(before)+len(c))
	copy(values, before)
	for i := range c {
		v, err := c[i].value(r)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, nil
}

// list returns the parameters of n rows, which fill fills in one by one. Their columns can't fail.
func (c columns[R]) list(n int, fill func(i int, r *R)) [][]any {
	rows := make([][]any, n)
	row := new(R)
	for i := range rows {
		fill(i, row)
		rows[i], _ = c.values(row) // only JSON can fail
	}
	return rows
}

// exec runs a statement whose last parameters are a row's values.
func (c columns[R]) exec(ctx context.Context, q querier, s *statement, r *R, before ...any) (int64, error) {
	values, err := c.values(r, before...)
	if err != nil {
		return 0, err
	}
	return q.exec(ctx, s, values...)
}

// query is exec for a statement that returns rows.
func (c columns[R]) query(ctx context.Context, q querier, s *statement, r *R, before ...any) (*sql.Rows, error) {
	values, err := c.values(r, before...)
	if err != nil {
		return nil, err
	}
	return q.query(ctx, s, values...)
}

// scan returns a function that reads the rows of one query.
func (c columns[R]) scan() func(*sql.Rows) (R, error) {
	next := c.next()
	return func(rows *sql.Rows) (R, error) {
		row, err := next(rows)
		return *row, err
	}
}

// next returns a function that reads the next row of one query. All rows are read into the same R, which saves
// allocations: a row is valid until the next one is read.
func (c columns[R]) next() func(*sql.Rows) (*R, error) {
	row := new(R)
	targets := c.targets(row)
	return func(rows *sql.Rows) (*R, error) {
		var zero R
		*row = zero
		return row, rows.Scan(targets...)
	}
}

// read reads one row's columns into a row that has others.
func (c columns[R]) read(rows *sql.Rows, row *R) error { return rows.Scan(c.targets(row)...) }

func (c columns[R]) targets(row *R) []any {
	targets := make([]any, len(c))
	for i := range c {
		targets[i] = c[i].target(row)
	}
	return targets
}

// mapped is a scan of rows that become something else.
func mapped[R, V any](c columns[R], become func(*R) (V, error)) func(*sql.Rows) (V, error) {
	next := c.next()
	return func(rows *sql.Rows) (v V, err error) {
		row, err := next(rows)
		if err != nil {
			return v, err
		}
		return become(row)
	}
}

// sized is mapped for pages, which end at a size: become also returns the size in bytes of the row's unbounded parts.
func sized[R, V any](c columns[R], become func(*R) (V, int, error)) func(*sql.Rows) (V, int, error) {
	next := c.next()
	return func(rows *sql.Rows) (v V, size int, err error) {
		row, err := next(rows)
		if err != nil {
			return v, 0, err
		}
		v, size, err = become(row)
		return v, rowBytes + size, err
	}
}
