package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/casehook/casehook/internal/event"
)

// wholeKind tells the statements of whole changes apart.
type wholeKind struct{ creates, answered, asked, owes bool }

// wholeChanges has the statements of whole changes. PostgreSQL carries out a change as one statement, which is a
// transaction by itself: one round trip. Its parameters are those of the change's steps, one behind the other.
var wholeChanges = func() map[wholeKind]*statement {
	all := map[wholeKind]*statement{}
	for bits := range 1 << 4 {
		kind := wholeKind{creates: bits&1 != 0, answered: bits&2 != 0, asked: bits&4 != 0, owes: bits&8 != 0}
		all[kind] = wholeChange(kind)
	}
	return all
}()

// wholeChange defines the statement of a change that creates a case or replaces one, with or without an answer, a
// question and an owed question. It returns how many rows there are of the case that is replaced and of the answer,
// and the id of the entry; 0: the case was not saved.
func wholeChange(kind wholeKind) *statement {
	var used int
	parameters := func(n int) (first int) {
		first, used = used+1, used+n
		return first
	}
	parts := []string{"present as (select 1)"}
	write := "insert into cases (folding, " + caseInserted.names() + ") select " + caseFolding + ", "
	if kind.creates {
		write += caseInserted.casts(parameters(len(caseInserted))) + " where true"
	} else {
		const which = " where tenant = $1 and id = $2 and version = $3"
		parts[0] = "present as (select id from cases" + which + " for update)"
		parameters(3)
		write = "update cases set " + caseUpdated.assignments(parameters(len(caseUpdated))) +
			", folding = " + caseFolding + ", version = version + 1, revision = revision + 1" + which
	}
	answers := "1"
	if kind.answered {
		first := parameters(onceParameters)
		parts = append(parts, "answered as (insert into idempotency ("+onceInserted.names()+
			") select "+onceInserted.casts(first)+" from present "+onceConflict(first)+" returning 1)")
		write += " and exists (select 1 from answered)"
		answers = "(select count(*) from answered)"
	}
	entry := "insert into journal (" + entryInserted.names() + ") select " +
		entryInserted.casts(parameters(len(entryInserted))) + " from saved returning id"
	parts = append(parts,
		"saved as ("+write+" returning id)",
		"entry as ("+entry+")",
		"pending as (insert into journal_pending (entry) select id from entry)")
	if kind.asked {
		parts = append(parts, "asked as (insert into questions ("+questionInserted.names()+
			") select "+questionInserted.casts(parameters(len(questionInserted)))+" from saved)")
	}
	if kind.owes {
		first := parameters(owedParameters)
		parts = append(parts, fmt.Sprintf("owed as (insert into owed_questions (taken_until, %s) "+
			"select {{now}} + cast($%d as bigint), %s from saved)",
			owedColumns.names(), first, owedColumns.casts(first+1)))
	}
	return postgresOnly("with " + strings.Join(parts, ", ") +
		" select (select count(*) from present), " + answers + ", coalesce((select id from entry), 0)")
}

// commitWhole carries out a change in one round trip.
func (s *Store) commitWhole(ctx context.Context, c *Change, steps []step) error {
	if !s.rightsHold(c) {
		return ErrRightsChanged
	}
	kind := wholeChanges[wholeKind{c.From == 0, c.Answer != nil, len(c.Questions) > 0, c.Owed != nil}]
	args := make([][]any, len(steps))
	var written event.Entry
	for i, one := range steps {
		if args[i] = one.args; one.entry != nil {
			written = *one.entry
		}
	}
	var present, answered int
	var entry int64
	err := s.engine.whole(ctx, kind, slices.Concat(args...), &present, &answered, &entry)
	switch {
	case isDuplicateReference(err):
		return ErrReferenceTaken
	case err != nil:
		return err
	case present == 0:
		return ErrCaseMoved
	case answered == 0:
		return ErrKeyAnswered
	case entry == 0:
		return ErrCaseMoved
	}
	written.ID = entry
	s.engine.wrote(written)
	return nil
}

// isDuplicateReference reports whether a case was not saved because another of its type has the reference.
func isDuplicateReference(err error) bool {
	var pg *pgconn.PgError
	return isDuplicate(err) && errors.As(err, &pg) && pg.ConstraintName == "cases_tenant_type_reference_key"
}

// whole runs a statement that is a transaction by itself, and scans the row that it returns. It is sent once: where
// the connection breaks, nobody knows whether it was carried out.
func (e *postgresEngine) whole(ctx context.Context, s *statement, args []any, row ...any) error {
	ctx, ended := patient(ctx)
	conn, err := e.pool.Acquire(ctx)
	if err != nil {
		ended(err)
		return translate(err)
	}
	defer conn.Release()
	err = conn.QueryRow(ctx, s.text[postgres], args...).Scan(row...)
	ended(err)
	return outcomeUnknown(translate(err))
}

func (e *postgresEngine) wrote(entry event.Entry) { e.kept.add(asRead(entry)) }

func (e *sqliteEngine) wrote(event.Entry) {} // the writer keeps them

func (e *sqliteEngine) whole(context.Context, *statement, []any, ...any) error {
	return fmt.Errorf("store: SQLite carries out a change by its steps")
}
