package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
)

// caseRow is a row of the cases.
type caseRow struct {
	CaseRow
	search   [3]string // written, and never read
	indexed  string    // likewise
	contacts int       // bytes
}

// caseContent are the columns that a submission writes.
var caseContent = columns[caseRow]{
	intColumn("id", func(r *caseRow) *int64 { return &r.row.ID }),
	intColumn("tenant", func(r *caseRow) *int64 { return &r.row.Tenant }),
	textColumn("type", func(r *caseRow) *string { return &r.row.Type }),
	intColumn("type_version", func(r *caseRow) *int64 { return &r.row.TypeVersion }),
	textColumn("reference", func(r *caseRow) *string { return &r.row.Reference }),
	textColumn("name", func(r *caseRow) *string { return &r.row.Name }),
	boolColumn("name_set", func(r *caseRow) *bool { return &r.row.NameSet }),
	textColumn("color", func(r *caseRow) *string { return &r.row.Color }),
	textColumn("state", func(r *caseRow) *string { return &r.row.State }),
	textColumn("classification", func(r *caseRow) *casetype.Classification { return &r.row.Classification }),
	rawColumn("data", func(r *caseRow) *[]byte { return &r.data }),
	intColumn("version", func(r *caseRow) *int64 { return &r.row.Version }),
	intColumn("revision", func(r *caseRow) *int64 { return &r.row.Revision }),
	intColumn("outcome_instance", func(r *caseRow) *int64 { return &r.row.OutcomeInstance }),
	timeColumn("created_at", func(r *caseRow) *time.Time { return &r.row.CreatedAt }),
	timeColumn("modified_at", func(r *caseRow) *time.Time { return &r.row.ModifiedAt }),
	timeColumn("closed_at", func(r *caseRow) *time.Time { return &r.row.ClosedAt }),
	intColumn("status_changed_by", func(r *caseRow) *int64 { return &r.row.StatusChangedBy }),
	timeColumn("last_activity_at", func(r *caseRow) *time.Time { return &r.row.LastActivity.At }),
	timeColumn("opened_at", func(r *caseRow) *time.Time { return &r.row.OpenedAt }),
	intColumn("last_activity_by", func(r *caseRow) *int64 { return &r.row.LastActivity.By }),
	timeColumn("state_since", func(r *caseRow) *time.Time { return &r.row.StateSince }),
}

// caseBeside are the columns beside the content, which have statements of their own to
// write them.
var caseBeside = columns[caseRow]{
	wordsColumn("labels", func(r *caseRow) *[]string { return &r.row.Labels }),
	intColumn("assignee", func(r *caseRow) *int64 { return &r.row.Assignee.UserID }),
	textColumn("assignee_name", func(r *caseRow) *string { return &r.row.Assignee.Name }),
	timeColumn("assigned_at", func(r *caseRow) *time.Time { return &r.row.AssignedAt }),
	jsonColumn("contacts", func(r *caseRow) *[]event.CaseContact { return &r.row.Contacts }).
		counted(func(r *caseRow) *int { return &r.contacts }),
}

// caseFolding is the folding of rows whose caseSearch are words.
const caseFolding = "2"

var caseSearch = columns[caseRow]{
	textColumn("search", func(r *caseRow) *string { return &r.search[0] }),
	textColumn("search_private", func(r *caseRow) *string { return &r.search[1] }),
	textColumn("search_restricted", func(r *caseRow) *string { return &r.search[2] }),
	textColumn("indexed", func(r *caseRow) *string { return &r.indexed }),
}

var (
	caseColumns  = slices.Concat(caseContent, caseBeside)
	caseInserted = slices.Concat(caseContent, caseSearch)
	caseUpdated  = slices.Concat(
		caseContent.without("id", "tenant", "version", "revision", "created_at"), caseSearch)
	caseReturned = slices.Concat(caseContent.only("version", "revision"), caseBeside)
)

var (
	caseGet    = define(`select ` + caseColumns.names() + ` from cases where tenant = $1 and id = $2`)
	caseInsert = define(`insert into cases (folding, ` + caseInserted.names() + `)
		values (` + caseFolding + `, ` + caseInserted.parameters(1) + `)
		on conflict (tenant, type, reference) do nothing`)
	caseUpdate = define(`update cases
		set ` + caseUpdated.assignments(4) + `,
			folding = ` + caseFolding + `, version = version + 1, revision = revision + 1
		where tenant = $1 and id = $2 and revision = $3
		returning ` + caseReturned.names())
	caseTouch = define(`update cases
		set last_activity_at = $3, last_activity_by = $4, version = version + 1
		where tenant = $1 and id = $2
		returning ` + caseColumns.names())
	caseLock   = postgresOnly(`select id from cases where tenant = $1 and id = $2 for update`)
	caseAssign = define(`update cases
		set assignee = $3, assignee_name = $4, assigned_at = $7,
			last_activity_at = $5, last_activity_by = $6, version = version + 1
		where tenant = $1 and id = $2 and assignee <> $3
		returning ` + caseColumns.names())
	caseDrop = define(`delete from cases
		where tenant = $1 and id = $2 and revision = $3
		returning ` + caseColumns.names())
	caseReference = define(`select exists (
		select 1 from cases where tenant = $1 and type = $2 and reference = $3)`)
)

// Position is a place in a list of cases or contacts. The zero value is its beginning.
type Position struct {
	CreatedAt time.Time // or the other time that the list is sorted by
	ID        int64
	Sort      CaseSort `json:",omitempty"` // of the list
	Value     string   `json:",omitempty"` // of the field that the list is sorted by
}

// before returns the position's time as an upper bound, in microseconds.
func (p Position) before() int64 {
	if p.CreatedAt.IsZero() {
		return 1 << 62
	}
	return micros(p.CreatedAt)
}

// Case finds a case.
func (r reader) Case(ctx context.Context, tenant, id int64) (cases.Case, error) {
	rows, err := r.q.query(ctx, caseGet, tenant, id)
	return one(rows, err, scanCase(), caseMissing(id))
}

// CaseRow is a case in a list. Its data stays encoded, as it is in the database: decoded, it may take many times as
// much memory.
type CaseRow struct {
	row      cases.Case
	data     []byte
	sortedBy string
}

// Position returns the position of the case in a list that is sorted like this. It may not be called after Case.
func (r *CaseRow) Position(s CaseSort) Position {
	p := s.Position(r.row)
	p.Value = r.sortedBy
	return p
}

// ID returns the case's id. It may not be called after Case.
func (r *CaseRow) ID() int64 { return r.row.ID }

// Classification returns the case's classification. It may not be called after Case.
func (r *CaseRow) Classification() casetype.Classification { return r.row.Classification }

// Size returns the size of the case's data, in bytes. It may not be called after Case.
func (r *CaseRow) Size() int { return len(r.data) }

// Case decodes the row. It may be called once: the row keeps nothing.
func (r *CaseRow) Case() (c cases.Case, err error) {
	c, data := r.row, r.data
	*r = CaseRow{}
	c.Data, err = decodeData(data)
	return c, err
}

// keyRows makes the parameter of rows with one column.
func keyRows(keys []string) (string, error) {
	rows := make([][]any, len(keys))
	for i, key := range keys {
		rows[i] = []any{key}
	}
	return encodeRows(rows)
}

// ReferenceTaken reports whether a case of the type has the reference.
func (r reader) ReferenceTaken(ctx context.Context, tenant int64, caseType, reference string) (bool, error) {
	rows, err := r.q.query(ctx, caseReference, tenant, caseType, reference)
	return one(rows, err, scanValue[bool], unanswered("store.case"))
}

// ErrReferenceTaken is the error of InsertCase if another case of the type has the reference. The transaction may
// continue.
var ErrReferenceTaken = fault.New(fault.Conflict, "case.reference_taken",
	"A case with this reference exists already. Submit again to get another reference.")

// InsertCase saves a new case. Its type decides which clearance finds it by which text.
func (tx *Tx) InsertCase(ctx context.Context, c cases.Case, t *casetype.Type) error {
	row, err := newCaseRow(c, t, t)
	if err != nil {
		return err
	}
	n, err := caseInserted.exec(ctx, tx.q, caseInsert, row)
	if err == nil && n == 0 {
		err = ErrReferenceTaken
	}
	return err
}

// UpdateCase saves a case's content and status if its revision is still c.Revision, and returns the case with its new
// version and revision and its present labels and assignee. Otherwise it returns a conflict.
func (tx *Tx) UpdateCase(ctx context.Context, c cases.Case, t *casetype.Type) (cases.Case, error) {
	return tx.UpdateIndexedCase(ctx, c, t, t)
}

// UpdateIndexedCase is UpdateCase for a type that may not be the newest, which marks the indexed fields.
func (tx *Tx) UpdateIndexedCase(
	ctx context.Context, c cases.Case, t, newest *casetype.Type,
) (cases.Case, error) {
	row, err := newCaseRow(c, t, newest)
	if err != nil {
		return c, err
	}
	rows, err := caseUpdated.query(ctx, tx.q, caseUpdate, row, c.Tenant, c.ID, c.Revision)
	saved, err := one(rows, err, func(rows *sql.Rows) (cases.Case, error) {
		row.row.Labels, row.row.Contacts = nil, nil
		err := caseReturned.read(rows, row)
		return row.row, err
	}, tx.moved(ctx, c.Tenant, c.ID))
	if isDuplicate(err) {
		err = ErrReferenceTaken
	}
	return saved, err
}

// TouchCase saves a case's next version and its last activity, and returns the case. It does not change the content.
func (tx *Tx) TouchCase(ctx context.Context, tenant, id int64, by cases.Activity) (cases.Case, error) {
	rows, err := tx.q.query(ctx, caseTouch, tenant, id, micros(by.At), by.By)
	return one(rows, err, scanCase(), caseMissing(id))
}

// LockCase makes others who change the case wait for the end of this transaction,
// so that what it reads of the case stays true. SQLite has one writer anyway.
func (tx *Tx) LockCase(ctx context.Context, tenant, id int64) error {
	if tx.dialect != postgres {
		return nil
	}
	_, err := tx.q.exec(ctx, caseLock, tenant, id)
	return err
}

// Assign assigns a case to a user, or with the zero Person to nobody, and saves its next
// version. Assigning a case to its present assignee changes nothing.
func (tx *Tx) Assign(
	ctx context.Context, tenant, id int64, to event.Person, by cases.Activity,
) (c cases.Case, changed bool, err error) {
	var since time.Time
	if to.UserID != 0 {
		since = by.At
	}
	rows, err := tx.q.query(ctx, caseAssign, tenant, id, to.UserID, to.Name, micros(by.At), by.By, micros(since))
	all, err := collect(rows, err, scanCase())
	if err != nil || len(all) == 0 {
		if err == nil {
			c, err = tx.Case(ctx, tenant, id)
		}
		return c, false, err
	}
	return all[0], true, nil
}

// DeleteCase removes a case, its comments, labels, links to contacts and the rows of its attachments, if its revision
// is still c.Revision. It returns the case with its last version.
func (tx *Tx) DeleteCase(ctx context.Context, c cases.Case) (cases.Case, error) {
	rows, err := tx.q.query(ctx, caseDrop, c.Tenant, c.ID, c.Revision)
	last, err := one(rows, err, scanCase(), tx.moved(ctx, c.Tenant, c.ID))
	if err != nil {
		return last, err
	}
	last.Version++
	for _, belongings := range []*statement{
		commentsDrop, attachmentsDrop, caseLabelsDrop, linksDropCase, aroundDrop, caseRolesGone,
	} {
		if _, err := tx.q.exec(ctx, belongings, c.Tenant, c.ID); err != nil {
			return last, err
		}
	}
	return last, tx.dropKept(ctx, c.Tenant, last.Contacts...)
}

// moved explains why a conditional write found no row.
func (tx *Tx) moved(ctx context.Context, tenant, id int64) func() error {
	return func() error {
		if _, err := tx.Case(ctx, tenant, id); err != nil {
			return err
		}
		return fault.New(fault.Conflict, "case.version_conflict",
			"The case changed meanwhile; nothing was saved. Load it again and repeat the change.")
	}
}

func caseMissing(id int64) func() error {
	return notFound("case.not_found", "There is no case %d.", id)
}

// newCaseRow returns the row of a case. Its type decides which clearance finds it by which text, and the newest
// definition of the type by which fields it is listed.
func newCaseRow(c cases.Case, t, newest *casetype.Type) (*caseRow, error) {
	data, err := casetype.Encode(c.Data)
	if err != nil {
		return nil, fmt.Errorf("encoding a case's data: %w", err)
	}
	indexed, err := encodeIndexed(newest.IndexedValues(c.Data, t))
	return &caseRow{CaseRow: CaseRow{row: c, data: data}, search: searchTexts(c, t), indexed: indexed}, err
}

// listed is the row as lists return it.
func (r *caseRow) listed() CaseRow {
	if r.row.OpenedAt.IsZero() { // an older server wrote it
		r.row.OpenedAt = r.row.CreatedAt
	}
	return r.CaseRow
}

func scanCase() func(*sql.Rows) (cases.Case, error) {
	return mapped(caseColumns, func(r *caseRow) (cases.Case, error) {
		row := r.listed()
		return row.Case()
	})
}

// scanCaseRow returns a case and the size of its row, in bytes.
func scanCaseRow() func(*sql.Rows) (CaseRow, int, error) {
	return sized(caseColumns, func(r *caseRow) (CaseRow, int, error) {
		return r.listed(), len(r.data) + r.contacts, nil
	})
}

// decodeData decodes the data of a case. Stored data is always returned, so this is less strict
// than casetype.Decode.
func decodeData(raw []byte) (data map[string]any, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return data, d.Decode(&data)
}
