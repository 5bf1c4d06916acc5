package store

import (
	"cmp"
	"context"
	"time"

	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/observe"
)

// Change is one commit about a case's content, as a value: the case as it is saved, its journal entry, and the
// conditions under which it is saved. The caller encodes it, so that the writer only writes.
type Change struct {
	Case   cases.Case // with its new version
	Type   *casetype.Type
	Newest *casetype.Type // the definition that marks the indexed fields; nil: Type
	From   int64          // the version that it replaces; 0: the case is new
	Entry  event.Entry
	Answer *NewAnswer // nil: nobody asked to keep it
	Rights Rights     // by which it was permitted

	Documents []string      // of fields, which the case now names
	Questions []Question    // that callbacks were asked about it
	Owed      *OwedQuestion // that is to be asked once it is saved; nil: none
}

// Rights tell when the rights of a caller were looked up. The zero value is for callers whose rights never change.
type Rights struct {
	Moment int64 // from [Store.RightsMoment]
	Looked time.Time
}

// The conditions that a change fails on. Nothing of it is saved then, and the caller may make it anew.
var (
	// ErrCaseMoved means that the case has another version.
	ErrCaseMoved = fault.New(fault.Conflict, "case.version_conflict",
		"The case changed meanwhile; nothing was saved. Load it again and repeat the change.")
	// ErrRightsChanged means that rights in the tenant may have changed since they were looked up.
	ErrRightsChanged = fault.New(fault.Unavailable, "store.contention",
		"Too many requests changed the same data at once. Try again.")
	// ErrKeyAnswered means that another request with the idempotency key was committed first.
	ErrKeyAnswered = fault.New(fault.Conflict, "idempotency.in_progress",
		"Another request with the same idempotency key is under way. Send this one again shortly.")
)

// step is one statement of a change, with its parameters.
type step struct {
	statement *statement
	args      []any
	missed    error        // if the statement changes no row; nil: it need not change one
	entry     *event.Entry // that it appends to the journal; nil: none
}

var caseReplace = define(`update cases
		set ` + caseUpdated.assignments(4) + `,
			folding = ` + caseFolding + `, version = version + 1, revision = revision + 1
		where tenant = $1 and id = $2 and version = $3`)

// steps encodes the change.
func (c *Change) steps(ctx context.Context, r reader) ([]step, error) {
	saved, err := c.caseStep()
	if err != nil {
		return nil, err
	}
	all := append([]step{saved}, namesDocuments(c.Case.Tenant, c.Case.ID, c.Documents)...)
	if c.Answer != nil {
		args, err := c.Answer.args(r.seal)
		if err != nil {
			return nil, err
		}
		all = append(all, step{statement: onceInsert, args: args, missed: ErrKeyAnswered})
	}
	entry := entryRow{Entry: c.Entry}
	entry.Trace = observe.Traceparent(ctx)
	args, err := entryInserted.values(&entry)
	all = append(all, step{statement: journalAdd, args: args, entry: &entry.Entry})
	for i := range c.Questions {
		if err != nil {
			break
		}
		args, err = questionInserted.values(&c.Questions[i])
		all = append(all, step{statement: questionAdd, args: args})
	}
	if err == nil && c.Owed != nil {
		args, err = c.Owed.args()
		all = append(all, step{statement: owedAdd, args: args})
	}
	return all, err
}

func (c *Change) caseStep() (step, error) {
	row, err := newCaseRow(c.Case, c.Type, cmp.Or(c.Newest, c.Type))
	if err != nil {
		return step{}, err
	}
	if c.From == 0 {
		args, err := caseInserted.values(row)
		return step{statement: caseInsert, args: args, missed: ErrReferenceTaken}, err
	}
	args, err := caseUpdated.values(row, c.Case.Tenant, c.Case.ID, c.From)
	return step{statement: caseReplace, args: args, missed: ErrCaseMoved}, err
}

// Commit saves a change, on SQLite in one commit with others that wait. It returns ErrCaseMoved, ErrReferenceTaken,
// ErrKeyAnswered, ErrRightsChanged or ErrDocumentGone if a condition does not hold.
func (s *Store) Commit(ctx context.Context, c *Change) error {
	steps, err := c.steps(ctx, s.reader)
	if err != nil {
		return err
	}
	started := time.Now()
	if s.dialect == postgres && len(c.Questions) <= 1 && len(c.Documents) == 0 {
		err = s.commitWhole(ctx, c, steps)
	} else {
		err = s.engine.update(ctx, func(q querier) error {
			if !s.rightsHold(c) {
				return ErrRightsChanged
			}
			return carryOut(ctx, q, steps)
		})
	}
	s.ended(err, started)
	if err == nil {
		s.wake.broadcast()
		s.committed.broadcast()
	}
	return err
}

// Commit saves a change in a transaction. It does not check rights.
func (tx *Tx) Commit(ctx context.Context, c *Change) error {
	steps, err := c.steps(ctx, tx.reader)
	if err != nil {
		return err
	}
	if err := carryOut(ctx, tx.q, steps); err != nil {
		return err
	}
	tx.appended = true
	return nil
}

func (s *Store) rightsHold(c *Change) bool {
	return c.Rights.Looked.IsZero() || s.RightsUnchanged(c.Case.Tenant, c.Rights.Moment, c.Rights.Looked)
}

// carryOut runs the steps of a change.
func carryOut(ctx context.Context, q querier, steps []step) error {
	for _, one := range steps {
		n, err := q.exec(ctx, one.statement, one.args...)
		if err != nil {
			return err
		}
		if n == 0 && one.missed != nil {
			return one.missed
		}
		if one.entry != nil {
			record(q, *one.entry)
		}
	}
	return nil
}
