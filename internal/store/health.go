package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/event"
)

// HealthChange is a change of an endpoint's health with the entry about it. It is saved only if the health still has
// the version Base, so that repeating it changes nothing.
type HealthChange struct {
	Base int64
	endpoint.Health
	Disable  bool         // also disables the endpoint; saved only if it is active and has this Revision
	Revision int64        // of the endpoint
	Entry    *event.Entry // nil: there is none
}

var (
	healthMove = define(`update endpoints set health_version = r.version, failing_since = r.since,
		failing_counted = r.counted, failing_reason = r.reason, failing_told = r.told,
		failing_notable = r.notable, breaker = r.breaker
		from rows($1:
			endpoint text, base bigint, version bigint, since bigint, counted bigint, reason text,
			told boolean, notable boolean, breaker text
		) as r
		where endpoints.id = r.endpoint and endpoints.health_version = r.base returning id`)
	healthDisable = define(`update endpoints set status = 'disabled', revision = revision + 1, updated_at = {{now}},
		health_version = $2, failing_since = $3, failing_counted = $4, failing_reason = $5, failing_told = $6,
		failing_notable = $7, breaker = $8
		where id = $1 and health_version = $9 and status = 'active' and revision = $10 returning id`)
	healthRecount = define(`update endpoints set health_version = health_version + 1, failing_counted = 0,
		failing_notable = false, breaker = ''
		where tenant = $1 and id = $2 and failing_since > 0`)
)

// settleHealth saves changes of endpoints' health with their entries. Those of one endpoint are saved in order.
func (tx *Tx) settleHealth(ctx context.Context, all []Settlement) error {
	changes := map[string][]HealthChange{}
	for _, s := range all {
		if len(s.Health) > 0 {
			changes[s.Endpoint] = append(changes[s.Endpoint], s.Health...)
		}
	}
	for len(changes) > 0 {
		round := map[string]HealthChange{}
		for id, c := range changes {
			slices.SortFunc(c, func(a, b HealthChange) int { return cmp.Compare(a.Base, b.Base) })
			round[id] = c[0]
			if changes[id] = c[1:]; len(c) == 1 {
				delete(changes, id)
			}
		}
		if err := tx.moveHealth(ctx, round); err != nil {
			return err
		}
	}
	return nil
}

// moveHealth saves one change of each endpoint.
func (tx *Tx) moveHealth(ctx context.Context, changes map[string]HealthChange) error {
	var saved []string
	var rows [][]any
	for id, c := range changes {
		if !c.Disable {
			rows = append(rows,
				[]any{
					id, c.Base, c.Version, micros(c.Since), micros(c.Counted), c.Reason,
					c.Reported, c.Notable, string(c.Breaker),
				})
			continue
		}
		disabled, err := tx.disable(ctx, id, c)
		if err != nil {
			return err
		}
		saved = append(saved, disabled...)
	}
	if len(rows) > 0 {
		list, err := encodeRows(rows)
		if err != nil {
			return err
		}
		found, err := tx.q.query(ctx, healthMove, list)
		moved, err := collect(found, err, scanValue[string])
		if err != nil {
			return err
		}
		saved = append(saved, moved...)
	}
	for _, id := range slices.Sorted(slices.Values(saved)) {
		if e := changes[id].Entry; e != nil {
			if _, err := tx.Append(ctx, *e); err != nil {
				return err
			}
		}
	}
	return nil
}

// disable disables an active endpoint, and returns its id if it did.
func (tx *Tx) disable(ctx context.Context, id string, c HealthChange) ([]string, error) {
	rows, err := tx.q.query(ctx, healthDisable, id, c.Version, micros(c.Since), micros(c.Counted), c.Reason, c.Reported,
		c.Notable, string(c.Breaker), c.Base, c.Revision)
	disabled, err := collect(rows, err, scanValue[string])
	tx.endpoints = tx.endpoints || len(disabled) > 0
	return disabled, err
}

// Recount restarts the time after which a failing endpoint is disabled, and closes its breaker. It is called when a
// user may have repaired the endpoint.
func (tx *Tx) Recount(ctx context.Context, tenant int64, id string) error {
	_, err := tx.q.exec(ctx, healthRecount, tenant, id)
	return err
}

// LastContact is when an endpoint was last sent a message, and when it last accepted one; zero: never, as far as is
// recorded.
type LastContact struct {
	Attempt   time.Time
	Delivered time.Time
}

// newestDelivered is how many of the newest delivered messages are searched for the last delivery: retried messages
// are delivered later than their positions suggest.
const newestDelivered = 64

var lastContact = define(`select
	coalesce((select at from attempts where tenant = $1 and endpoint = $2 order by id desc limit 1), 0),
	coalesce((select max(d.at) from (select at from attempts
		where cursor = $3 and delivered
		order by seq desc limit $4) as d), 0)`)

// LastContact returns the last contact of an endpoint. Its cost does not depend on the number of attempts.
func (r reader) LastContact(ctx context.Context, tenant int64, endpoint string) (c LastContact, err error) {
	cursor, err := r.Cursor(ctx, tenant, endpoint)
	if err != nil {
		return c, err
	}
	rows, err := r.q.query(ctx, lastContact, tenant, endpoint, cursor.ID, newestDelivered)
	return one(rows, err, func(rows *sql.Rows) (c LastContact, err error) {
		var attempt, delivered int64
		err = rows.Scan(&attempt, &delivered)
		return LastContact{Attempt: fromMicros(attempt), Delivered: fromMicros(delivered)}, err
	}, notFound("endpoint.not_found", "There is no endpoint %q.", endpoint))
}
