package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/casehook/casehook/internal/fault"
)

// Stretch is the number of a tenant's entries in a part of the journal.
type Stretch struct {
	Entries   int64
	Estimated bool      // Entries is an estimate, because there are many
	Oldest    time.Time // when the first entry was committed; zero: there is none, or it is unknown
}

// Lag is how far an endpoint's cursor is behind the journal, counting entries that it does not want. Oldest includes
// parked lanes.
type Lag struct {
	Stretch
	Parked int64 // lanes that wait
	Dead   int64 // messages that were given up; at most mostCounted
}

// mostCounted is the limit of counts that are only displayed.
const mostCounted = 1000

var (
	journalOldest = define(`select s.seq, j.at from journal_seq s join {{entry}}
		order by s.seq limit 1`)
	journalAt = define(`select s.seq, j.at from journal_seq s join {{entry}}
		where s.seq >= $1
		order by s.seq limit 1`)
	journalSince = define(`select coalesce(min(seq), $1) from (select s.seq, j.at
			from journal_seq s join {{entry}}
			where s.seq < $1
			order by s.seq desc limit $3) as before
		where at >= $2`)
	cursorStart = define(`update cursors set position = $3 where tenant = $1 and endpoint = $2 and not replay`)

	leaseRenew  = define(`update leases set epoch = epoch + 1 where tenant = $1 and endpoint = $2`)
	parkedLeave = define(`delete from parked where tenant = $1 and cursor = $2`)

	stretchSample = define(`select count(*), coalesce(sum(case when tenant = $1 then 1 else 0 end), 0),
		coalesce(min(case when tenant = $1 then at end), 0), coalesce(max(seq), 0)
		from (select j.tenant, j.at, s.seq
			from journal_seq s join {{entry}}
			where s.seq > $2 and s.seq <= $3
			order by s.seq limit $4) as sample`)
	lagParked = define(`select (select count(*) from parked where tenant = $1 and cursor = $2),
		coalesce((select min(j.at)
			from parked p join journal_seq s on s.seq = p.seq join journal j on j.id = s.entry
			where p.tenant = $1 and p.cursor = $2), 0)`)
	lagDead = define(`select count(*) from (select 1 as one from dead
		where tenant = $1 and endpoint = $2 and state = 'dead'
		limit $3) as counted`)
)

// moment is the position of an entry and the time of its commit.
type moment struct {
	seq int64
	at  time.Time
}

func scanMoment(rows *sql.Rows) (m moment, err error) {
	var at int64
	err = rows.Scan(&m.seq, &at)
	m.at = fromMicros(at)
	return m, err
}

// Floor returns the position below which entries have been removed, or 0 if none have, and the time when the oldest
// remaining entry was committed.
func (r reader) Floor(ctx context.Context) (position int64, oldest time.Time, err error) {
	rows, err := r.q.query(ctx, journalOldest)
	all, err := collect(rows, err, scanMoment)
	if err != nil || len(all) == 0 {
		return 0, time.Time{}, err
	}
	return all[0].seq - 1, all[0].at, nil
}

// clockSkew is how many entries before the first recent one are also checked, because the clocks of nodes differ.
const clockSkew = 1000

// Before returns the position below all entries that were committed at or after a time. Times grow with positions,
// except for the differences between clocks.
func (r reader) Before(ctx context.Context, at time.Time) (int64, error) {
	head, err := r.Head(ctx)
	if err != nil {
		return 0, err
	}
	low, high := int64(1), head+1 // the first such entry is at or between these
	for low < high {
		middle := low + (high-low)/2
		rows, err := r.q.query(ctx, journalAt, middle)
		found, err := collect(rows, err, scanMoment)
		switch {
		case err != nil:
			return 0, err
		case len(found) == 0 || !found[0].at.Before(at):
			high = middle
		default:
			low = found[0].seq + 1
		}
	}
	rows, err := r.q.query(ctx, journalSince, low, micros(at), clockSkew)
	first, err := one(rows, err, scanValue[int64], notFound("store.journal", "The journal has no such position."))
	return first - 1, err
}

// StartAt moves the cursor of a new endpoint to another position than the head.
func (tx *Tx) StartAt(ctx context.Context, tenant int64, endpoint string, position int64) error {
	tx.endpoints = true
	n, err := tx.q.exec(ctx, cursorStart, tenant, endpoint, position)
	if err == nil && n == 0 {
		err = fault.New(fault.NotFound, "endpoint.not_found", "There is no endpoint %q.", endpoint)
	}
	return err
}

// Skip moves an endpoint's cursor to the head of the journal. It skips all messages that the endpoint is owed, except
// dead ones and those of replays. The node that delivers for the endpoint can no longer settle the messages in flight,
// and starts again from the new position.
func (tx *Tx) Skip(ctx context.Context, tenant int64, endpoint string) error {
	tx.endpoints = true
	if _, err := tx.q.exec(ctx, leaseRenew, tenant, endpoint); err != nil {
		return err
	}
	cursor, err := tx.Cursor(ctx, tenant, endpoint)
	if err != nil {
		return err
	}
	if err := tx.CatchUp(ctx); err != nil {
		return err
	}
	head, err := tx.Head(ctx)
	if err != nil {
		return err
	}
	if _, err := tx.q.exec(ctx, parkedLeave, tenant, cursor.ID); err != nil {
		return err
	}
	_, err = tx.q.exec(ctx, cursorStart, tenant, endpoint, head)
	return err
}

// Stretch counts a tenant's entries above a position and up to another. Its cost is bounded, however far apart they
// are.
func (r reader) Stretch(ctx context.Context, tenant, after, until int64) (l Stretch, err error) {
	var all, highest, oldest int64
	rows, err := r.q.query(ctx, stretchSample, tenant, after, until, mostCounted)
	_, err = one(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		return none, rows.Scan(&all, &l.Entries, &oldest, &highest)
	}, unanswered("store.count"))
	if err != nil {
		return l, err
	}
	l.Oldest = fromMicros(oldest)
	if rest := until - highest; all == mostCounted && rest > 0 {
		l.Entries, l.Estimated = l.Entries+rest*l.Entries/all, true
	}
	return l, nil
}

// Lag returns how far an endpoint is behind.
func (r reader) Lag(ctx context.Context, tenant int64, endpoint string) (l Lag, err error) {
	cursor, err := r.Cursor(ctx, tenant, endpoint)
	if err != nil {
		return l, err
	}
	head, err := r.Head(ctx)
	if err != nil {
		return l, err
	}
	if l.Stretch, err = r.Stretch(ctx, tenant, cursor.Position, head); err != nil {
		return l, err
	}
	var parked int64
	rows, err := r.q.query(ctx, lagParked, tenant, cursor.ID)
	_, err = one(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		return none, rows.Scan(&l.Parked,
			&parked)
	}, unanswered("store.count"))
	if err != nil {
		return l, err
	}
	if oldest := fromMicros(parked); parked != 0 && (l.Oldest.IsZero() || oldest.Before(l.Oldest)) {
		l.Oldest = oldest
	}
	rows, err = r.q.query(ctx, lagDead, tenant, endpoint, mostCounted)
	l.Dead, err = one(rows, err, scanValue[int64], unanswered("store.count"))
	return l, err
}
