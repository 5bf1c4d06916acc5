package store

import (
	"context"
	"database/sql"
	"time"
)

// Problem sums up the failures of one kind at an endpoint.
type Problem struct {
	Class   string // of failures without an answer; empty: there was an answer
	Status  int    // of the answer; 0: there was none
	Count   int64
	FirstAt time.Time
	LastAt  time.Time
	Last    int64 // the newest attempt that failed so
}

var problemsOf = define(`select class, status, count(*), min(at), max(at), max(id)
	from (select id, class, status, delivered, at from attempts
		where tenant = $1 and endpoint = $2
		order by id desc limit $3) as newest
	where not delivered
	group by class, status
	order by max(id) desc`)

// Problems sums up the failures among the newest attempts at an endpoint, the latest first.
func (r reader) Problems(ctx context.Context, tenant int64, endpoint string, newest int) ([]Problem, error) {
	rows, err := r.q.query(ctx, problemsOf, tenant, endpoint, newest)
	return collect(rows, err, func(rows *sql.Rows) (p Problem, err error) {
		var first, last int64
		err = rows.Scan(&p.Class, &p.Status, &p.Count, &first, &last, &p.Last)
		p.FirstAt, p.LastAt = fromMicros(first), fromMicros(last)
		return p, err
	})
}
