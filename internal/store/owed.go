package store

import (
	"context"
	"database/sql"
)

// Owed is what an endpoint is owed.
type Owed struct {
	Endpoint string
	Position int64 // of its cursor
	Parked   int64 // lanes that wait; at most mostCounted
	Dead     int64 // messages that were given up; at most mostCounted
}

var owedTo = define(`select c.endpoint, c.position,
		(select count(*) from (select 1 as one from parked p
			where p.tenant = c.tenant and p.cursor = c.id limit $3) as waiting),
		(select count(*) from (select 1 as one from dead d
			where d.tenant = c.tenant and d.endpoint = c.endpoint and d.state = 'dead' limit $3) as given)
	from cursors c
	where c.tenant = $1 and c.endpoint in (select r.id from rows($2: id text) as r) and not c.replay`)

// OwedTo returns what endpoints are owed, in no order.
func (r reader) OwedTo(ctx context.Context, tenant int64, endpoints []string) ([]Owed, error) {
	ids := make([][]any, len(endpoints))
	for i, id := range endpoints {
		ids[i] = []any{id}
	}
	list, err := encodeRows(ids)
	if err != nil {
		return nil, err
	}
	rows, err := r.q.query(ctx, owedTo, tenant, list, mostCounted)
	return collect(rows, err, func(rows *sql.Rows) (o Owed, err error) {
		err = rows.Scan(&o.Endpoint, &o.Position, &o.Parked, &o.Dead)
		return o, err
	})
}
