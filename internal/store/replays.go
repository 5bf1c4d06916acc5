package store

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/casehook/casehook/internal/fault"
)

// Replay sends an endpoint messages from the journal again: those of a range, or some by their ids. While it runs it
// has a cursor of its own with the same id.
type Replay struct {
	ID, Endpoint string
	Tenant       int64
	Kind         ReplayKind
	State        ReplayState
	After, Until int64    // positions: it begins above one and ends at the other
	Position     int64    // all messages at or below it are settled
	Triggers     []string // that it sends; nil: all that the endpoint subscribes to
	Subject      string   // whose messages it sends; empty: all
	Messages     int64    // number of messages that it names; 0: it sends a range
	Delivered    int64    // messages
	Dead         int64    // messages that were given up
	RequestedBy  string   // the requester's name
	CreatedAt    time.Time
	EndedAt      time.Time // zero: it runs
}

// ReplayKind is the purpose of a replay.
type ReplayKind string

// The kinds of replays.
const (
	ReplayRange  ReplayKind = "replay" // a range
	ReplayResend ReplayKind = "resend" // one message
	ReplayRetry  ReplayKind = "retry"  // messages that were given up
)

// ReplayState is the state of a replay.
type ReplayState string

// The states of replays.
const (
	ReplayRunning   ReplayState = "running"
	ReplayDone      ReplayState = "done"
	ReplayCancelled ReplayState = "cancelled"
)

var replayColumns = columns[Replay]{
	textColumn("id", func(r *Replay) *string { return &r.ID }),
	intColumn("tenant", func(r *Replay) *int64 { return &r.Tenant }),
	textColumn("endpoint", func(r *Replay) *string { return &r.Endpoint }),
	textColumn("kind", func(r *Replay) *ReplayKind { return &r.Kind }),
	textColumn("state", func(r *Replay) *ReplayState { return &r.State }),
	intColumn("after_seq", func(r *Replay) *int64 { return &r.After }),
	intColumn("until_seq", func(r *Replay) *int64 { return &r.Until }),
	intColumn("position", func(r *Replay) *int64 { return &r.Position }).from(`coalesce(c.position, r.position)`),
	wordsColumn("triggers", func(r *Replay) *[]string { return &r.Triggers }),
	textColumn("subject", func(r *Replay) *string { return &r.Subject }),
	intColumn("messages", func(r *Replay) *int64 { return &r.Messages }),
	intColumn("delivered", func(r *Replay) *int64 { return &r.Delivered }),
	intColumn("dead", func(r *Replay) *int64 { return &r.Dead }),
	textColumn("asked_by", func(r *Replay) *string { return &r.RequestedBy }),
	timeColumn("created_at", func(r *Replay) *time.Time { return &r.CreatedAt }),
	timeColumn("ended_at", func(r *Replay) *time.Time { return &r.EndedAt }),
}

var placeColumns = columns[Place]{
	intColumn("seq", func(p *Place) *int64 { return &p.Seq }),
	intColumn("part", func(p *Place) *int { return &p.Part }),
	textColumn("message", func(p *Place) *string { return &p.Message }),
}

var (
	replaySelect = `select ` + replayColumns.of("r") + `
		from replays r left join cursors c on c.id = r.id `
	replayGet  = define(replaySelect + `where r.tenant = $1 and r.endpoint = $2 and r.id = $3`)
	replayList = define(replaySelect + `where r.tenant = $1 and r.endpoint = $2 and r.id < $3
		order by r.id desc limit $4`)  // the newest first
	replayRunning = define(replaySelect + `where r.tenant = $1 and c.endpoint = $2 and c.replay order by r.id`)
	replayInsert  = define(`insert into replays (` + replayColumns.names() + `)
		values (` + replayColumns.parameters(1) + `)`)
	replayCursor = define(`insert into cursors (id, tenant, endpoint, position, created_at, updated_at, replay)
		values ($1, $2, $3, $4, $5, $5, true)`)
	replayNames = define(`insert into replay_messages (replay, ` + placeColumns.names() + `)
		select $1, ` + placeColumns.of("r") + ` from ` + placeColumns.rows("$2") + ` as r where true`)
	replayCancel = define(`update replays set state = 'cancelled', ended_at = $4,
		position = (select c.position from cursors c where c.id = replays.id)
		where tenant = $1 and endpoint = $2 and id = $3 and state = 'running'`)
	replayDrop = define(`delete from cursors where id = $1 and replay`)
	replaysEnd = define(`update replays set state = 'done', position = until_seq, ended_at = {{now}}
		where id in (select r.id from rows($1: id text) as r)`)
	replaysDrop  = define(`delete from cursors where replay and id in (select r.id from rows($1: id text) as r)`)
	replaysCount = define(`update replays set delivered = replays.delivered + r.delivered, dead = replays.dead + r.dead
		from rows($1: id text, delivered bigint, dead bigint) as r where replays.id = r.id`)
	replaysRecount = define(`update replays set
		delivered = (select count(*) from attempts a where a.cursor = replays.id and a.delivered),
		dead = (select count(*) from dead d where d.cursor = replays.id)
			+ (select count(*) from dead d
				where d.replay = replays.id and d.replay <> '' and d.cursor <> replays.id
					and d.state in ('dead', 'dropped'))
		where id in (select r.id from rows($1: id text) as r)`)
	replaysRunning = define(`select c.id from cursors c join rows($1: id text) as r on r.id = c.id`)
	replaysForget  = define(`delete from replays where tenant = $1 and endpoint = $2`)

	replayNamed   = define(`select ` + placeColumns.names() + ` from replay_messages where replay = $1`)
	replayEntries = defineListing(rangeBytes, entries(`journal_seq s join {{entry}}
		where s.seq in (
			select distinct m.seq
			from replay_messages m join journal_seq n on n.seq = m.seq join journal k on k.id = n.entry
			where m.replay = $2 and m.seq > $3 and k.tenant = $1
			order by m.seq limit $4)`, `s.seq`, `$4`))
	// An attempt is preferred to a dead message, because it is the latest try.
	messageSent = define(`select seq, part, message, subject, trigger_name from (
			select seq, part, message, subject, trigger_name, 1 as source from attempts
			where tenant = $1 and endpoint = $2 and message = $3
			union all select seq, part, message, subject, trigger_name, 0 from dead
			where tenant = $1 and endpoint = $2 and message = $3
		) as sent order by source desc limit 1`)

	leaseNotify = define(`update leases set wishes = wishes + 1 where endpoint = $1`)
)

// Replay returns a replay.
func (r reader) Replay(ctx context.Context, tenant int64, endpoint, id string) (Replay, error) {
	rows, err := r.q.query(ctx, replayGet, tenant, endpoint, id)
	return one(rows, err, replayColumns.scan(), notFound("replay.not_found", "The endpoint has no replay %q.", id))
}

// Replays lists an endpoint's replays with ids below before, newest first.
func (r reader) Replays(ctx context.Context, tenant int64, endpoint, before string, limit int) ([]Replay, error) {
	rows, err := r.q.query(ctx, replayList, tenant, endpoint, before, limit)
	return collect(rows, err, replayColumns.scan())
}

// RunningReplays lists an endpoint's replays that have not ended, oldest first.
func (r reader) RunningReplays(ctx context.Context, tenant int64, endpoint string) ([]Replay, error) {
	rows, err := r.q.query(ctx, replayRunning, tenant, endpoint)
	return collect(rows, err, replayColumns.scan())
}

// ReplayMessages lists the messages that a replay names.
func (r reader) ReplayMessages(ctx context.Context, replay string) ([]Place, error) {
	rows, err := r.q.query(ctx, replayNamed, replay)
	return collect(rows, err, placeColumns.scan())
}

// ReplayEntries reads the entries above a position whose messages a replay names.
func (r reader) ReplayEntries(ctx context.Context, tenant int64, replay string, after int64, limit int) (Range, error) {
	rows, err := r.q.query(ctx, replayEntries, tenant, replay, after, limit)
	return collectRange(rows, err, limit, rangeBytes)
}

// CreateReplay adds a running replay of the named messages, or of a range if there are none. The node that delivers
// for its endpoint is notified.
func (tx *Tx) CreateReplay(ctx context.Context, r Replay, messages []Place) error {
	if err := tx.NotifyDelivery(ctx, r.Endpoint); err != nil {
		return err
	}
	r.State, r.Position, r.Delivered, r.Dead, r.EndedAt = ReplayRunning, r.After, 0, 0, time.Time{}
	if _, err := replayColumns.exec(ctx, tx.q, replayInsert, &r); err != nil {
		return err
	}
	if _, err := tx.q.exec(ctx, replayCursor, r.ID, r.Tenant, r.Endpoint, r.After, micros(r.CreatedAt)); err != nil {
		return err
	}
	rows := placeColumns.list(len(messages), func(i int, p *Place) { *p = messages[i] })
	for portion := range slices.Chunk(rows, 10_000) {
		list, err := encodeRows(portion)
		if err != nil {
			return err
		}
		if _, err := tx.q.exec(ctx, replayNames, r.ID, list); err != nil {
			return err
		}
	}
	return nil
}

// CancelReplay ends a running replay. Messages in flight may still arrive; their attempts are recorded, but their
// outcomes are not.
func (tx *Tx) CancelReplay(ctx context.Context, tenant int64, endpoint, id string, now time.Time) error {
	if _, err := tx.Replay(ctx, tenant, endpoint, id); err != nil {
		return err
	}
	if err := tx.NotifyDelivery(ctx, endpoint); err != nil {
		return err
	}
	n, err := tx.q.exec(ctx, replayCancel, tenant, endpoint, id, micros(now))
	if err != nil {
		return err
	}
	if n == 0 {
		return fault.New(fault.Conflict, "replay.ended",
			"The replay has ended already; there is nothing left to cancel.")
	}
	if _, err = tx.q.exec(ctx, replayDrop, id); err != nil {
		return err
	}
	return tx.writeRows(ctx, deadBack, [][]any{{id}})
}

// SentMessage is a message that was sent to an endpoint, or given up before that.
type SentMessage struct {
	Place
	Subject string
	Trigger string
}

// SentMessage returns a message by its id, from the endpoint's attempts and dead messages.
func (r reader) SentMessage(ctx context.Context, tenant int64, endpoint, message string) (SentMessage, error) {
	rows, err := r.q.query(ctx, messageSent, tenant, endpoint, message)
	return one(rows, err, func(rows *sql.Rows) (t SentMessage, err error) {
		err = rows.Scan(&t.Seq, &t.Part, &t.Message, &t.Subject, &t.Trigger)
		return t, err
	}, notFound("message.not_found",
		"The endpoint was never sent a message with this id. GET /v1/attempts lists those that it was sent."))
}

// NotifyDelivery makes the node that delivers for an endpoint read its replays and repair requests. It must be the
// first write of its transaction, so that a concurrent settlement either waits for it or has been committed before.
func (tx *Tx) NotifyDelivery(ctx context.Context, endpoint string) error {
	tx.endpoints = true
	_, err := tx.q.exec(ctx, leaseNotify, endpoint)
	return err
}

// replaying returns the replays of the settlements that are still running. The transaction has locked their leases, so
// they keep running until it ends.
func (tx *Tx) replaying(ctx context.Context, all []Settlement) (map[string]bool, error) {
	var ids [][]any
	for _, s := range all {
		if s.Replay {
			ids = append(ids, []any{s.Cursor})
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	list, err := encodeRows(ids)
	if err != nil {
		return nil, err
	}
	rows, err := tx.q.query(ctx, replaysRunning, list)
	held, err := collect(rows, err, scanValue[string])
	running := make(map[string]bool, len(held))
	for _, id := range held {
		running[id] = true
	}
	return running, err
}

// settleReplays saves the progress of replays. Messages that they delivered are no longer dead.
func (tx *Tx) settleReplays(ctx context.Context, all []Settlement) error {
	var counts, recount, ended, revived [][]any
	for _, s := range all {
		if !s.Replay {
			continue
		}
		delivered := 0
		for _, a := range s.Attempts {
			if a.Delivered {
				delivered++
				revived = append(revived, []any{s.Endpoint, a.Message})
			}
		}
		switch {
		case s.Again: // its messages may have been counted already
			recount = append(recount, []any{s.Cursor})
		case delivered+len(s.Dead) > 0:
			counts = append(counts, []any{s.Cursor, delivered, len(s.Dead)})
		}
		if s.Ended {
			ended = append(ended, []any{s.Cursor})
		}
	}
	for _, w := range []struct {
		statement *statement
		rows      [][]any
	}{
		{replaysCount, counts}, {replaysRecount, recount}, {deadDelivered, revived}, {replaysEnd, ended},
		{replaysDrop, ended}, {deadBack, ended},
	} {
		if err := tx.writeRows(ctx, w.statement, w.rows); err != nil {
			return err
		}
	}
	return nil
}
