package store

import (
	"context"
	"database/sql"

	"github.com/casehook/casehook/internal/observe"
)

// maxCounted is the highest count in the metrics.
const maxCounted = 1_000_000

var (
	backlogEndpoints = define(`select status, count(*) from endpoints group by status`)
	backlogParked    = define(`select count(*) from (select 1 as one from parked limit $1) as counted`)
	backlogDead      = define(`select count(*)
		from (select 1 as one from dead where state in ('dead', 'retrying') limit $1) as counted`)
	backlogLag = define(`select coalesce(sum(h.seq - c.position), 0), coalesce(max(h.seq - c.position), 0)
		from cursors c
			join endpoints e on e.id = c.endpoint,
			(select coalesce(max(seq), 0) as seq from journal_seq) as h
		where e.status = 'active' and not c.replay and c.position < h.seq`)
)

// Backlog counts what all endpoints together are owed. No count is higher than maxCounted.
func (r reader) Backlog(ctx context.Context) (b observe.Backlog, err error) {
	b.Endpoints = map[string]int64{"active": 0, "paused": 0, "disabled": 0}
	rows, err := r.q.query(ctx, backlogEndpoints)
	_, err = collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		var status string
		var n int64
		err = rows.Scan(&status, &n)
		b.Endpoints[status] = n
		return none, err
	})
	if err != nil {
		return b, err
	}
	for statement, into := range map[*statement]*int64{backlogParked: &b.Parked, backlogDead: &b.Dead} {
		rows, err := r.q.query(ctx, statement, maxCounted)
		if *into, err = one(rows, err, scanValue[int64], unanswered("store.backlog")); err != nil {
			return b, err
		}
	}
	if b.Journal, err = r.Head(ctx); err != nil {
		return b, err
	}
	rows, err = r.q.query(ctx, backlogLag)
	_, err = one(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		return none, rows.Scan(&b.Lag, &b.FurthestBy)
	}, unanswered("store.backlog"))
	return b, err
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	_, err := s.Head(ctx)
	return err
}
