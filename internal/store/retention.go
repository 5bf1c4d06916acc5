package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/casehook/casehook/internal/fault"
)

// purgeBatch is how many rows one transaction removes, so that other transactions do not wait for long.
const purgeBatch = 500

var (
	// Cursors, including those of replays, and parked lanes still need their entries, except those of endpoints that
	// have been stopped for too long.
	purgeFloor = define(`select min(position) from (
			select c.position from cursors c left join endpoints e on e.id = c.endpoint
				where e.id is null or e.status = 'active' or e.updated_at >= $1
			union all select p.seq - 1
				from parked p join cursors c on c.id = p.cursor left join endpoints e on e.id = c.endpoint
				where e.id is null or e.status = 'active' or e.updated_at >= $1
			union all select max(seq) - 1 from journal_seq
		) as needed`)
	purgeUpTo = define(`select coalesce(max(seq), 0), coalesce(max(at), 0) from (select s.seq, j.at from journal_seq s
		join journal j on j.id = s.entry where s.seq <= $1 order by s.seq limit $2) as oldest`)
	purgeNeeded = sqliteOnly(`select min(position) from (select position from cursors
		union all select seq - 1 from parked
		union all select max(seq) - 1 from journal_seq) as needed`)
	journalPurge = sqliteOnly(`delete from journal where id in (select entry from journal_seq where seq <= $1)`)
	portionPurge = postgresOnly(`select journal_purge($1)`)

	expiring = define(`select behind.tenant, behind.id, coalesce((select j.at
			from journal_seq s join {{entry}}
			where s.seq > behind.position order by s.seq limit 1), 0)
		from (select e.tenant, e.id, min(c.position) as position from cursors c join endpoints e on e.id = c.endpoint
			where e.status <> 'active' and e.updated_at < $1 and (c.position < $2
				or exists (select 1 from parked p where p.cursor = c.id and p.seq <= $2))
			group by e.tenant, e.id) as behind`)
	expireEndpoint = define(`update endpoints set
		expired_from = case when expired_from = 0 then $3 else expired_from end,
		expired_to = $4
		where tenant = $1 and id = $2 and status <> 'active' and updated_at < $5`)
	expireParked = define(`delete from parked
		where seq <= $2 and cursor in (select id from cursors where endpoint = $1)`)
	expireCursors = define(`update cursors set position = $2 where endpoint = $1 and position < $2`)

	attemptsOldest = define(`select id, at, case when delivered and exists (select 1 from cursors c
			where c.id = attempts.cursor and c.position < attempts.seq) then 1 else 0 end
		from attempts
		where id > $1 order by id limit $2`)
	attemptsPurge = define(`delete from attempts where id in (select r.id from rows($1: id bigint) as r)`)
)

// JournalLoss is a loss of messages by an endpoint that was stopped for too long: the first and the last time of the
// removed entries that had not been delivered to it.
type JournalLoss struct {
	Tenant   int64
	Endpoint string
	From, To time.Time
}

// Removal is a portion of the journal that may be removed.
type Removal struct {
	UpTo int64 // its last position; 0: there is none
	More bool  // more may follow
}

// ExpireJournal finds a portion of the entries that were committed before a time and that no cursor needs. Endpoints
// that are paused or disabled, and unchanged since heldSince, do not keep entries: their cursors move to the end of
// the portion, and their losses are saved and returned.
func (tx *Tx) ExpireJournal(
	ctx context.Context, before, heldSince time.Time,
) (expired []JournalLoss, r Removal, err error) {
	old, err := tx.Before(ctx, before)
	if err != nil {
		return nil, r, err
	}
	rows, err := tx.q.query(ctx, purgeFloor, micros(heldSince))
	needed, err := one(rows, err, scanValue[sql.NullInt64], unanswered("store.retention"))
	if err != nil || !needed.Valid {
		return nil, r, err
	}
	rows, err = tx.q.query(ctx, purgeUpTo, min(old, needed.Int64), purgeBatch)
	last, err := one(rows, err, scanMoment, unanswered("store.retention"))
	if err != nil || last.seq == 0 {
		return nil, r, err
	}
	expired, err = tx.expire(ctx, last, heldSince)
	return expired, Removal{UpTo: last.seq, More: last.seq < min(old, needed.Int64)}, err
}

// PurgeJournal removes a portion, except for entries that a new cursor needs. On PostgreSQL it is one statement, so
// that new cursors never wait for a process that hangs. While a cursor is being created, it removes nothing, and
// leaves the portion to the next call.
func (s *Store) PurgeJournal(ctx context.Context, upTo int64) error {
	if s.dialect == postgres {
		rows, err := s.engine.apart(ctx, portionPurge, upTo)
		_, err = collect(rows, err, scanValue[int64])
		return err
	}
	var removed int64
	err := s.Update(ctx, func(tx *Tx) error {
		rows, err := tx.q.query(ctx, purgeNeeded)
		needed, err := one(rows, err, scanValue[sql.NullInt64], unanswered("store.retention"))
		if err != nil || !needed.Valid {
			return err
		}
		removed = min(upTo, needed.Int64)
		_, err = tx.q.exec(ctx, journalPurge, removed)
		return err
	})
	if err == nil {
		s.engine.forget(removed)
	}
	return err
}

// expire moves the cursors of endpoints that were stopped for too long to last, and saves their losses.
func (tx *Tx) expire(ctx context.Context, last moment, heldSince time.Time) ([]JournalLoss, error) {
	rows, err := tx.q.query(ctx, expiring, micros(heldSince), last.seq)
	all, err := collect(rows, err, func(rows *sql.Rows) (e JournalLoss, err error) {
		var from int64
		err = rows.Scan(&e.Tenant, &e.Endpoint, &from)
		e.From, e.To = fromMicros(from), last.at
		if e.From.After(e.To) || from == 0 { // it loses only parked messages
			e.From = e.To
		}
		return e, err
	})
	if err != nil {
		return nil, err
	}
	for _, e := range all {
		n, err := tx.q.exec(ctx, expireEndpoint, e.Tenant, e.Endpoint, micros(e.From), micros(e.To), micros(heldSince))
		if err == nil && n == 0 {
			err = fault.New(fault.Conflict, "store.retention",
				"The endpoint %s changed meanwhile; nothing was removed.", e.Endpoint)
		}
		if err != nil {
			return nil, err
		}
		for _, s := range []*statement{expireParked, expireCursors} {
			if _, err := tx.q.exec(ctx, s, e.Endpoint, last.seq); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// PurgeAttempts removes a portion of the attempts with ids above after that began before a time. It returns the id
// after which to continue, or 0 if nothing is left to remove. It keeps the attempts that a restart needs: those of
// delivered messages above their cursor's position.
func (tx *Tx) PurgeAttempts(ctx context.Context, after int64, before time.Time) (next int64, err error) {
	rows, err := tx.q.query(ctx, attemptsOldest, after, purgeBatch)
	var old [][]any
	oldest := 0
	looked, err := collect(rows, err, func(rows *sql.Rows) (id int64, err error) {
		var at int64
		var needed int
		if err = rows.Scan(&id, &at, &needed); err == nil && at < micros(before) {
			if oldest++; needed == 0 {
				old = append(old, []any{id})
			}
		}
		return id, err
	})
	if err != nil || len(looked) == 0 {
		return 0, err
	}
	list, err := encodeRows(old)
	if err != nil {
		return 0, err
	}
	if _, err := tx.q.exec(ctx, attemptsPurge, list); err != nil {
		return 0, err
	}
	if len(looked) < purgeBatch || oldest == 0 {
		return 0, nil
	}
	return looked[len(looked)-1], nil
}
