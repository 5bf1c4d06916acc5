package store

import (
	"context"
	"database/sql"
	"time"
)

// Lease is the right to deliver for an endpoint, as long as its owner renews it.
type Lease struct {
	Endpoint string
	Tenant   int64
	Epoch    int64  // grows with every change of owner
	Revision int64  // the endpoint's, so that its owner sees changes
	Status   string // the endpoint's
	Requests int64  // grows with each replay and repair request, which its owner then reads
	Surplus  bool   // beyond its owner's fair share: to be released once nothing is in flight
	From     string // the dead node that this claim took it from; empty: none
}

// session is the connection that shows the database that this process is alive.
type session struct {
	backend int64 // 0: there is none
	at      int64 // microseconds, by the database's clock
}

// MaxLease is the longest time to live of a lease.
const MaxLease = 5 * time.Minute

// alive is the condition for live nodes. An expiry further ahead than MaxLease was written before the database's clock
// was set back, and waiting for it might take days. A node without a connection was killed, or it will reconnect and
// renew; only a restart of the database ends the connections of live nodes.
const alive = `until >= {{now}} and until <= {{now}} + 300000000 and {{present}}`

var (
	nodeBeat = define(`insert into nodes (id, until, session, session_at) values ($1, {{now}} + $2, {{backend}}, $4)
		on conflict (id) do update
		set until = excluded.until, session = excluded.session, session_at = excluded.session_at`)
	nodeDrop  = define(`delete from nodes where id = $1 or until < {{now}} - 3600000000`)
	nodeCount = define(`select count(*) from nodes where ` + alive)

	// The time until the next of the other nodes that hold leases expires.
	nodeNext = define(`select coalesce(min(until) - {{now}}, -1) from nodes
		where id <> $1 and ` + alive + ` and id in (select owner from leases)`)

	leaseCount = define(`select count(*) from leases`)
	leaseHeld  = define(`select count(*) from leases where owner = $1`)
	leaseMine  = define(`select l.endpoint, l.tenant, l.epoch, e.revision, e.status, l.wishes
		from leases l join endpoints e on e.id = l.endpoint
		where l.owner = $1 order by l.endpoint`)
	leaseDead = define(`select endpoint, owner from leases
		where owner not in ('', $1) and ($3 or owner not in (select id from nodes where ` + alive + `))
		order by endpoint limit $2`)
	leaseClaim = define(`with free as materialized
			(select endpoint from leases where owner <> $1 and ($3 or owner not in (select id from nodes where ` +
		alive + `))
			order by endpoint limit $2 {{lock}})
		update leases set owner = $1, epoch = epoch + 1 where endpoint in (select endpoint from free)`)
	leaseRelease = define(`update leases set owner = '' where owner = $1 and endpoint in
		(select r.endpoint from rows($2: endpoint text) as r)`)
	leaseReleaseAll = define(`update leases set owner = '' where owner = $1`)
)

// Claim renews the owner's leases for another ttl and acquires free ones, up to its fair share among the live nodes.
// It returns all leases that the owner then holds, in the endpoints' order. Where there can be no other node, it
// acquires all at once. An owner is one process; a restarted one has another name. Renewing writes only the owner's
// own row, so that it does not wait for settling.
func (tx *Tx) Claim(ctx context.Context, owner string, ttl time.Duration) ([]Lease, error) {
	if _, err := tx.q.exec(ctx, nodeBeat, owner, ttl.Microseconds(), tx.session.backend, tx.session.at); err != nil {
		return nil, err
	}
	rows, err := tx.q.query(ctx, leaseHeld, owner)
	held, err := one(rows, err, scanValue[int64], unanswered("store.leases"))
	if err != nil {
		return nil, err
	}
	share, alone, err := tx.share(ctx)
	if err != nil {
		return nil, err
	}
	from := map[string]string{}
	if room := share - held; room > 0 {
		if from, err = tx.left(ctx, owner, room, alone); err != nil {
			return nil, err
		}
		if _, err := tx.q.exec(ctx, leaseClaim, owner, room, alone); err != nil {
			return nil, err
		}
	}
	rows, err = tx.q.query(ctx, leaseMine, owner)
	mine, err := collect(rows, err, func(rows *sql.Rows) (l Lease, err error) {
		err = rows.Scan(&l.Endpoint, &l.Tenant, &l.Epoch, &l.Revision, &l.Status, &l.Requests)
		return l, err
	})
	for i := range mine {
		mine[i].Surplus = i >= int(share)
		mine[i].From = from[mine[i].Endpoint]
	}
	return mine, err
}

// left returns the dead nodes whose leases can be claimed, by endpoint.
func (tx *Tx) left(ctx context.Context, owner string, most int64, alone bool) (map[string]string, error) {
	rows, err := tx.q.query(ctx, leaseDead, owner, most, alone)
	pairs, err := collect(rows, err, func(rows *sql.Rows) (pair [2]string, err error) {
		err = rows.Scan(&pair[0], &pair[1])
		return pair, err
	})
	from := make(map[string]string, len(pairs))
	for _, pair := range pairs {
		from[pair[0]] = pair[1]
	}
	return from, err
}

// NextExpiry returns the time until the leases of another node expire, unless it renews them; negative: no other node
// has leases.
func (tx *Tx) NextExpiry(ctx context.Context, owner string) (time.Duration, error) {
	rows, err := tx.q.query(ctx, nodeNext, owner)
	left, err := one(rows, err, scanValue[int64], unanswered("store.leases"))
	return time.Duration(left) * time.Microsecond, err
}

// share returns how many leases each live node should hold, and whether this is the only possible node.
func (tx *Tx) share(ctx context.Context) (share int64, alone bool, err error) {
	rows, err := tx.q.query(ctx, leaseCount)
	leases, err := one(rows, err, scanValue[int64], unanswered("store.leases"))
	if err != nil {
		return 0, false, err
	}
	if tx.dialect == sqlite {
		return leases, true, nil
	}
	rows, err = tx.q.query(ctx, nodeCount)
	nodes, err := one(rows, err, scanValue[int64], unanswered("store.leases"))
	if err != nil {
		return 0, false, err
	}
	nodes = max(nodes, 1)
	return (leases + nodes - 1) / nodes, false, nil
}

// Release ends leases, so that another node can claim them at once.
func (tx *Tx) Release(ctx context.Context, owner string, endpoints []string) error {
	names := make([][]any, len(endpoints))
	for i, endpoint := range endpoints {
		names[i] = []any{endpoint}
	}
	list, err := encodeRows(names)
	if err != nil {
		return err
	}
	_, err = tx.q.exec(ctx, leaseRelease, owner, list)
	return err
}

// Leave ends all leases of a node.
func (tx *Tx) Leave(ctx context.Context, owner string) error {
	if _, err := tx.q.exec(ctx, leaseReleaseAll, owner); err != nil {
		return err
	}
	_, err := tx.q.exec(ctx, nodeDrop, owner)
	return err
}
