package store

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/observe"
)

// entryRow is a row of the journal.
type entryRow struct {
	event.Entry
	size int // of the columns without a bound, in bytes
}

var entryColumns = columns[entryRow]{
	intColumn("id", func(r *entryRow) *int64 { return &r.ID }),
	intColumn("seq", func(r *entryRow) *int64 { return &r.Seq }).from(`s.seq`),
	intColumn("tenant", func(r *entryRow) *int64 { return &r.Tenant }),
	textColumn("subject", func(r *entryRow) *string { return &r.Subject }),
	intColumn("version", func(r *entryRow) *int64 { return &r.Version }),
	timeColumn("at", func(r *entryRow) *time.Time { return &r.At }),
	jsonColumn("actor", func(r *entryRow) *event.Actor { return &r.Actor }),
	jsonColumn("facts", func(r *entryRow) *[]event.Fact { return &r.Facts }).counted(entrySize),
	jsonColumn("snapshot", func(r *entryRow) *event.Snapshot { return &r.Snapshot }).counted(entrySize),
	optionalColumn("callback", func(r *entryRow) **event.Callback { return &r.Callback }).counted(entrySize),
	textColumn("trace", func(r *entryRow) *string { return &r.Trace }),
}

func entrySize(r *entryRow) *int { return &r.size }

// entryInserted are the columns of a new entry. The database assigns its id, and later its position.
var entryInserted = entryColumns.without("id", "seq")

// A read is bounded by the size of its entries in bytes, too.
const (
	rangeBytes  = 8 << 20
	recentBytes = 16 << 20
	feedBytes   = 1 << 20 // for feeds, of which many read at once
)

// entries is a listing of journal entries.
func entries(from, order, limit string) listing {
	return listing{
		columns: entryColumns.of("j"), names: entryColumns.names(),
		size: lengths("j.facts", "j.snapshot", "j.callback"),
		from: from, order: order, limit: limit,
	}
}

// entriesOf is a listing of a subject's entries, whose positions are read from an expression.
func entriesOf(position, from, limit string) listing {
	l := entries(from, `j.id desc`, limit)
	l.columns = slices.Concat(entryColumns.only("id"), columns[entryRow]{
		entryColumns[entryColumns.index("seq")].from(position),
	}, entryInserted).of("j")
	return l
}

var tenantRange = entries(
	`journal_seq s join {{entry}} where s.seq > $2 and s.seq <= $3 and +j.tenant = $1`, `s.seq`, `$4`)

var (
	journalValues = `insert into journal (` + entryInserted.names() + `)
		values (` + entryInserted.parameters(1) + `)`
	journalInsert = journalAppend(journalValues+` returning id`, journalValues)
	journalAdd    = journalAppend(journalValues, journalValues) // without its id
	journalRead   = defineListing(rangeBytes, entries(
		`journal_seq s join {{entry}} where s.seq > $1`, `s.seq`, `$2`))
	// The plus makes SQLite use the index of positions; with that of tenants it would sort the whole journal.
	journalTenant = defineListing(rangeBytes, entries(
		`journal_seq s join {{entry}} where s.seq > $2 and +j.tenant = $1`, `s.seq`, `$3`))
	journalRange = defineListing(rangeBytes, tenantRange)
	journalFeed  = defineListing(feedBytes, tenantRange)
	journalLane  = defineListing(rangeBytes, entries(`journal j join journal_seq s on s.entry = j.id
		where j.tenant = $1 and j.subject = $2 and s.seq > $3 and s.seq <= $4`, `j.id`, `$5`))
	journalSome = defineListing(rangeBytes, entries(`journal_seq s join {{entry}}
		where s.seq in (select r.seq from rows($2: seq bigint) as r) and +j.tenant = $1`, `s.seq desc`, `$3`))
	// The bound limits the cost where the tenant has few entries in a long journal.
	journalRecent = defineListing(recentBytes, entries(`journal_seq s join {{entry}}
		where s.seq > (select coalesce(max(seq), 0) - 20000 from journal_seq) and +j.tenant = $1`, `s.seq desc`, `$2`))
	journalHead    = define(`select coalesce(max(seq), 0) from journal_seq`)
	journalSubject = defineListing(PageBytes, entriesOf(`0`,
		`journal j where j.tenant = $1 and j.subject = $2 and j.id < $3`, `$4`))
	journalVersion = defineListing(PageBytes, entriesOf(`0`,
		`journal j where j.tenant = $1 and j.subject = $2 and j.version = $3`, `1`))
	// The pattern may also match the data, so the caller has to check each entry.
	journalOfType = defineListing(PageBytes, entriesOf(`0`,
		`journal j where j.tenant = $1 and j.subject = $2 and j.id < $3 and j.snapshot like $4`, `$5`))
)

// Append adds an entry to the journal. The subject's row must be locked by an
// earlier statement of this transaction, so that its entries have growing ids.
// The entry is saved with the span in ctx.
func (tx *Tx) Append(ctx context.Context, e event.Entry) (int64, error) {
	row := entryRow{Entry: e}
	row.Trace = observe.Traceparent(ctx)
	rows, err := entryInserted.query(ctx, tx.q, journalInsert, &row)
	id, err := one(rows, err, scanValue[int64], notFound("store.journal", "The entry was not saved."))
	if err != nil {
		return 0, err
	}
	row.ID = id
	record(tx.q, row.Entry)
	tx.appended = true
	return id, nil
}

// Head returns the highest position in the journal, or 0 if it is empty.
func (r reader) Head(ctx context.Context) (int64, error) {
	rows, err := r.q.query(ctx, journalHead)
	return one(rows, err, scanValue[int64], notFound("store.journal",
		"The database lacks the head of the journal. Restore it from your backup."))
}

// Range is a part of the journal that was read, in order.
type Range struct {
	Entries []*event.Entry
	More    bool // it reached its limit, and more entries may follow
}

// Last returns the position of the range's last entry, or 0 if it is empty.
func (r Range) Last() int64 {
	if len(r.Entries) == 0 {
		return 0
	}
	return r.Entries[len(r.Entries)-1].Seq
}

// Journal reads entries of all tenants above a position from the database.
func (r reader) Journal(ctx context.Context, after int64, limit int) (Range, error) {
	rows, err := r.q.query(ctx, journalRead, after, limit)
	return collectRange(rows, err, limit, rangeBytes)
}

// TenantJournal reads one tenant's entries above a position.
func (r reader) TenantJournal(ctx context.Context, tenant, after int64, limit int) (Range, error) {
	rows, err := r.q.query(ctx, journalTenant, tenant, after, limit)
	return collectRange(rows, err, limit, rangeBytes)
}

// TenantRange is TenantJournal up to a position, so that its cost is bounded even if the tenant has few entries.
func (r reader) TenantRange(ctx context.Context, tenant, after, upTo int64, limit int) (Range, error) {
	rows, err := r.q.query(ctx, journalRange, tenant, after, upTo, limit)
	return collectRange(rows, err, limit, rangeBytes)
}

// EntriesAt reads a tenant's entries at positions, the newest first, without those that are removed. The range has more
// if it ends before the oldest position, since its entries are large.
func (r reader) EntriesAt(ctx context.Context, tenant int64, positions []int64) (Range, error) {
	rows := make([][]any, len(positions))
	for i, seq := range positions {
		rows[i] = []any{seq}
	}
	list, err := encodeRows(rows)
	if err != nil || len(rows) == 0 {
		return Range{}, err
	}
	limit := len(positions) + 1
	found, err := r.q.query(ctx, journalSome, tenant, list, limit)
	return collectRange(found, err, limit, rangeBytes)
}

// FeedRange is TenantRange in smaller parts, for many concurrent readers.
func (r reader) FeedRange(ctx context.Context, tenant, after, upTo int64, limit int) (Range, error) {
	rows, err := r.q.query(ctx, journalFeed, tenant, after, upTo, limit)
	return collectRange(rows, err, limit, feedBytes)
}

// Recent reads a tenant's newest entries, the newest first: up to limit, or fewer if they are large or far back among
// those of other tenants.
func (r reader) Recent(ctx context.Context, tenant int64, limit int) ([]*event.Entry, error) {
	rows, err := r.q.query(ctx, journalRecent, tenant, limit)
	recent, err := collectUpTo(rows, err, limit, recentBytes, scanEntry())
	return recent.Items, err
}

// Lane selects entries of one subject.
type Lane struct {
	Subject     string
	After, UpTo int64 // positions
	Limit       int
}

// Lane reads one subject's entries.
func (r reader) Lane(ctx context.Context, tenant int64, l Lane) (Range, error) {
	rows, err := r.q.query(ctx, journalLane, tenant, l.Subject, l.After, l.UpTo, l.Limit)
	return collectRange(rows, err, l.Limit, rangeBytes)
}

// History reads a subject's entries with ids below before, newest first. It includes entries that have no position
// yet, and leaves Seq 0.
func (r reader) History(ctx context.Context, tenant int64, subject string, before int64,
	limit int) (Page[*event.Entry], error) {
	rows, err := r.q.query(ctx, journalSubject, tenant, subject, before, limit+1)
	return collectPage(rows, err, limit, scanEntry())
}

// ErrVersionGone means that the journal has no entry of a version any more.
var ErrVersionGone = errors.New("the journal has no entry of this version")

// VersionEntry returns the entry that made a version of a subject, or ErrVersionGone.
func (r reader) VersionEntry(ctx context.Context, tenant int64, subject string, version int64) (*event.Entry, error) {
	rows, err := r.q.query(ctx, journalVersion, tenant, subject, version)
	found, err := collectPage(rows, err, 1, scanEntry())
	if err == nil && len(found.Items) == 0 {
		err = ErrVersionGone
	}
	if err != nil {
		return nil, err
	}
	return found.Items[0], nil
}

// LastAs returns the newest entry of a case that shows it with the type, or nil if the journal has none.
func (r reader) LastAs(ctx context.Context, tenant, id int64, caseType string) (*event.Entry, error) {
	like := `%"type":"` + caseType + `"%` // an underscore in a key stands for any character, which does no harm
	for before := int64(math.MaxInt64); ; {
		rows, err := r.q.query(ctx, journalOfType, tenant, event.CaseSubject(id), before, like, 10)
		found, err := collectPage(rows, err, 9, scanEntry())
		if err != nil {
			return nil, err
		}
		for _, e := range found.Items {
			if before = e.ID; e.Snapshot.Case != nil && e.Snapshot.Case.Type == caseType {
				return e, nil
			}
		}
		if !found.More {
			return nil, nil
		}
	}
}

// collectRange reads up to limit entries of about most bytes in all.
func collectRange(rows *sql.Rows, err error, limit, most int) (Range, error) {
	found, err := collectUpTo(rows, err, limit, most, scanEntry())
	return Range{Entries: found.Items, More: found.More || len(found.Items) == limit}, err
}

// scanEntry returns an entry and the size of its row, in bytes.
func scanEntry() func(*sql.Rows) (*event.Entry, int, error) {
	return sized(entryColumns, func(r *entryRow) (*event.Entry, int, error) {
		e := r.Entry
		return &e, r.size, nil
	})
}
