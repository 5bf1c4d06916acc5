package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
)

// A case is saved with the values of its indexed fields, from which triggers make the rows of case_fields. When another
// definition becomes the newest of a type, the type's older cases are indexed anew in portions (FieldTask).

// encodeIndexed returns the values as JSON, or nothing if there are none.
func encodeIndexed(all []casetype.IndexedValue) (string, error) {
	if len(all) == 0 {
		return "", nil
	}
	rows := make([][]any, len(all))
	for i, v := range all {
		rows[i] = []any{v.Field, v.Value, v.Level}
	}
	return encodeRows(rows)
}

// FieldTask is a case type whose older cases are yet to be indexed.
type FieldTask struct {
	Tenant int64
	Type   string
	Fields []string  // by which no list is complete yet
	Began  time.Time // when the definition was put
	Again  bool      // all have been indexed, and are checked once more
	After  Position  // the case that was indexed last
}

var fieldTaskColumns = columns[FieldTask]{
	intColumn("tenant", func(t *FieldTask) *int64 { return &t.Tenant }),
	textColumn("type", func(t *FieldTask) *string { return &t.Type }),
	wordsColumn("fields", func(t *FieldTask) *[]string { return &t.Fields }),
	timeColumn("began_at", func(t *FieldTask) *time.Time { return &t.Began }),
	boolColumn("again", func(t *FieldTask) *bool { return &t.Again }),
	timeColumn("created_at", func(t *FieldTask) *time.Time { return &t.After.CreatedAt }),
	intColumn("case_id", func(t *FieldTask) *int64 { return &t.After.ID }),
}

var fieldTaskState = fieldTaskColumns.without("tenant", "type")

var (
	fieldTask = define(`select ` + fieldTaskColumns.names() + ` from case_field_tasks
		where tenant = $1 and type = $2`)
	fieldTaskNext = define(`select ` + fieldTaskColumns.names() + ` from case_field_tasks
		where not again or began_at < $1 order by tenant, type limit 1`)
	fieldTaskPut = define(`insert into case_field_tasks (` + fieldTaskColumns.names() + `)
		values (` + fieldTaskColumns.parameters(1) + `)
		on conflict (tenant, type) do update set ` + fieldTaskState.excluded())
	fieldTaskSave = define(`update case_field_tasks set ` + fieldTaskState.assignments(4) + `
		where tenant = $1 and type = $2 and began_at = $3`)
	fieldTaskDrop = define(`delete from case_field_tasks where tenant = $1 and type = $2 and began_at = $3`)

	// fieldCases lists cases of a type in the order of their creation.
	fieldCases = defineListing(PageBytes, listing{
		columns: caseColumns.of("c"), names: caseColumns.names(), size: lengths("data", "contacts"),
		from:  `cases c where c.tenant = $1 and c.type = $2 and (c.created_at, c.id) > ($3, $4)`,
		order: `c.created_at, c.id`, limit: `$5`,
	})
	fieldsSave = define(`update cases set indexed = r.values_of
		from rows($1: owner bigint, item bigint, seen bigint, values_of text) as r
		where tenant = r.owner and id = r.item and revision = r.seen and indexed <> r.values_of returning id`)
)

// IndexAgain makes the cases of a type be indexed by its newest definition. No list is by one of the fields until then.
func (tx *Tx) IndexAgain(ctx context.Context, tenant int64, key string, fields []string, now time.Time) error {
	pending, err := tx.fieldsPending(ctx, tenant, key)
	if err != nil {
		return err
	}
	fields = slices.Compact(slices.Sorted(slices.Values(slices.Concat(fields, pending))))
	task := FieldTask{Tenant: tenant, Type: key, Fields: fields, Began: now}
	_, err = fieldTaskColumns.exec(ctx, tx.q, fieldTaskPut, &task)
	return err
}

// fieldsPending returns the fields of a type by which no list is complete yet.
func (r reader) fieldsPending(ctx context.Context, tenant int64, key string) ([]string, error) {
	rows, err := r.q.query(ctx, fieldTask, tenant, key)
	found, err := collect(rows, err, fieldTaskColumns.scan())
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0].Fields, nil
}

// checkFields refuses a list by fields that are not indexed yet.
func (r reader) checkFields(ctx context.Context, tenant int64, f CaseFilter) error {
	fields := f.fieldNames()
	if len(fields) == 0 {
		return nil
	}
	pending, err := r.fieldsPending(ctx, tenant, f.Type)
	for _, field := range fields {
		if err == nil && slices.Contains(pending, field) {
			return fault.New(fault.Unavailable, "case.field_being_indexed",
				"The cases of %s are still being indexed by data.%s. Try again later.", f.Type, field)
		}
	}
	return err
}

// NextFieldTask returns a task whose cases are not indexed yet, or that began before a time and is to be checked;
// false: there is none.
func (r reader) NextFieldTask(ctx context.Context, before time.Time) (FieldTask, bool, error) {
	rows, err := r.q.query(ctx, fieldTaskNext, micros(before))
	found, err := collect(rows, err, fieldTaskColumns.scan())
	if err != nil || len(found) == 0 {
		return FieldTask{}, false, err
	}
	return found[0], true, nil
}

// fieldPortion bounds the cases that are indexed together.
const fieldPortion = 500

// IndexPortion indexes the next cases of a task, by the values that a function returns for each, and saves how far the
// task has come. Cases that change meanwhile are left: they are indexed by that change.
func (s *Store) IndexPortion(
	ctx context.Context, task FieldTask, values func(cases.Case) ([]casetype.IndexedValue, error),
) error {
	after := max(micros(task.After.CreatedAt), 0)
	rows, err := s.q.query(ctx, fieldCases, task.Tenant, task.Type, after, task.After.ID, fieldPortion+1)
	found, err := collectPage(rows, err, fieldPortion, scanCaseRow())
	if err != nil {
		return err
	}
	var changed [][]any
	for i := range found.Items {
		c, err := found.Items[i].Case()
		if err != nil {
			return err
		}
		all, err := values(c)
		if err != nil {
			return err
		}
		indexed, err := encodeIndexed(all)
		if err != nil {
			return err
		}
		changed = append(changed, []any{c.Tenant, c.ID, c.Revision, indexed})
		task.After = Position{CreatedAt: c.CreatedAt, ID: c.ID}
	}
	if err := s.saveIndexed(ctx, changed); err != nil {
		return err
	}
	return s.saveFieldTask(ctx, task, found.More)
}

// saveIndexed saves the values of cases.
func (s *Store) saveIndexed(ctx context.Context, changed [][]any) error {
	list, err := encodeRows(changed)
	if err != nil || len(changed) == 0 {
		return err
	}
	if s.Nodes() { // without a transaction, whose locks a stopped node would keep
		rows, err := s.engine.apart(ctx, fieldsSave, list)
		_, err = collect(rows, err, scanValue[int64])
		return err
	}
	return s.Update(ctx, func(tx *Tx) error {
		rows, err := tx.q.query(ctx, fieldsSave, list)
		_, err = collect(rows, err, scanValue[int64])
		return err
	})
}

// saveFieldTask saves how far a task has come. Behind the last case lists may be by its fields. It is done after the
// second time: other nodes may have saved cases by the definition before.
func (s *Store) saveFieldTask(ctx context.Context, task FieldTask, more bool) error {
	return s.Update(ctx, func(tx *Tx) (err error) {
		key := []any{task.Tenant, task.Type, micros(task.Began)}
		if !more && task.Again {
			_, err = tx.q.exec(ctx, fieldTaskDrop, key...)
			return err
		}
		if !more {
			task.Fields, task.Again, task.After = nil, true, Position{}
		}
		_, err = fieldTaskState.exec(ctx, tx.q, fieldTaskSave, &task, key...)
		return err
	})
}

var errUnresolved = errors.New("store: the filter has conditions that nobody has resolved")

// sortedColumns are the columns of a list that is sorted by a field.
var sortedColumns = slices.Concat(caseColumns, columns[caseRow]{
	textColumn("sorted_by", func(r *caseRow) *string { return &r.CaseRow.sortedBy }).from("f.value"),
})

// scanSortedRow is scanCaseRow for such a list.
func scanSortedRow() func(*sql.Rows) (CaseRow, int, error) {
	return sized(sortedColumns, func(r *caseRow) (CaseRow, int, error) {
		return r.listed(), len(r.data) + r.contacts, nil
	})
}
