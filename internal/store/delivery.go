package store

import (
	"cmp"
	"context"
	"database/sql"
	"time"
)

// Cursor is how far an endpoint has been served, as it is saved.
type Cursor struct {
	ID       string
	Position int64 // everything at or below is settled
}

// Parked is the first owed message of a lane that waits.
type Parked struct {
	Lane     string
	Seq      int64 // of its entry
	Part     int   // which message of the entry
	Message  string
	Subject  string // of its entry; empty while Message is
	Trigger  string
	Tries    int // requests made
	Failures int // those that count for the retry schedule
	Due      time.Time
	Reason   string
}

// Place is where a message stands in the journal.
type Place struct {
	Seq     int64
	Part    int
	Message string
}

// Attempt is one HTTP try.
type Attempt struct {
	ID       int64
	Tenant   int64
	Endpoint string
	Cursor   string
	Place
	Subject    string
	Trigger    string
	Number     int // 1, 2, ... as in webhook-attempt
	At         time.Time
	Duration   time.Duration
	Address    string // that was dialled
	Status     int    // 0: there was no response
	Class      string // of the failure; "" for a response
	Delivered  bool
	Request    string // its headers as JSON, signatures and credentials redacted
	Response   string // its headers and the beginning of its body, as JSON
	BodySHA256 string // of the body that was sent, in hexadecimal
}

// Dead is a message that was given up.
type Dead struct {
	Place
	Subject string
	Trigger string
	At      time.Time
	Reason  string
	State   DeadState // when it is saved, the empty one is Given
}

// DeadState says what has become of a message that was given up.
type DeadState string

// The states of messages that were given up.
const (
	Given             DeadState = "dead"      // after its last retry, or because it can't be made
	Retrying          DeadState = "retrying"  // a replay tries it again
	Dropped           DeadState = "dropped"   // by a person: nobody tries it again
	DeliveredAfterAll DeadState = "delivered" // by a replay
)

// Settlement is what became of some messages of one endpoint. It is saved whole
// if the lease's epoch still holds; if not, only its attempts are: they happened.
type Settlement struct {
	Tenant   int64
	Endpoint string
	Cursor   string
	Epoch    int64
	Replay   bool  // the cursor is a replay's; once that was cancelled, only the attempts are saved
	Ended    bool  // the replay has told all that it was to tell
	Position int64 // the cursor's new low-watermark
	Revision int64 // of the endpoint, by which it was judged what is wanted: the cursor moves by no other; 0: by any
	Attempts []Attempt
	Park     []Parked // written over what the lane had
	Unpark   []string // lanes
	Dead     []Dead
	Granted  []Wish
	Health   []HealthChange // of the endpoint, in their order
	Again    bool           // it may be saved already: a commit failed, and nobody knows how it ended
}

const (
	leasesHeld = `select l.endpoint from leases l join rows($1: endpoint text, epoch bigint) as r
		on r.endpoint = l.endpoint and r.epoch = l.epoch `
	attemptsNew = `insert into attempts (tenant, endpoint, cursor, seq, part, message, subject, trigger_name, number, at,
		duration, address, status, class, delivered, request, response, body_sha256)
		select r.tenant, r.endpoint, r.cursor_id, r.seq, r.part, r.message, r.subject, r.trigger_name, r.number, r.at,
		r.duration, r.address, r.status, r.class, r.delivered, r.request, r.response, r.body_sha256
		from rows($1: tenant bigint, endpoint text, cursor_id text, seq bigint, part bigint, message text, subject text, trigger_name text, number bigint, at bigint, duration bigint, address text, status bigint, class text, delivered boolean, request text, response text, body_sha256 text) as r
		where true`
)

var (
	cursorGet = define(`select id, position from cursors where tenant = $1 and endpoint = $2 and not replay`)
	parkedGet = define(`select lane, seq, part, message, subject, trigger_name, tries, failures, due, reason from parked where tenant = $1 and cursor = $2`)
	settledAt = define(`select seq, part, message from attempts where tenant = $1 and cursor = $2 and seq > $3 and delivered
		union select seq, part, message from dead where tenant = $1 and cursor = $2 and seq > $3
		union select seq, part, message from dead where tenant = $1 and replay = $2 and replay <> '' and seq > $3 and state <> 'retrying'`)

	epochsHeld  = define(leasesHeld + `{{share}}`)
	epochsAgain = define(leasesHeld + `{{alone}}`) // waits until the transaction of before has ended
	cursorsMove = define(`update cursors set position = r.position, updated_at = {{now}}
		from rows($1: id text, position bigint, endpoint text, revision bigint) as r where cursors.id = r.id and cursors.position < r.position
		and (r.revision = 0 or exists (select 1 from endpoints e where e.id = r.endpoint and e.revision = r.revision))`)
	parkedPut = define(`insert into parked (tenant, cursor, lane, seq, part, message, subject, trigger_name, tries, failures, due, reason)
		select r.tenant, r.cursor_id, r.lane, r.seq, r.part, r.message, r.subject, r.trigger_name, r.tries, r.failures, r.due, r.reason
		from rows($1: tenant bigint, cursor_id text, lane text, seq bigint, part bigint, message text, subject text, trigger_name text, tries bigint, failures bigint, due bigint, reason text) as r
		where true on conflict (cursor, lane) do update set seq = excluded.seq, part = excluded.part, message = excluded.message, subject = excluded.subject, trigger_name = excluded.trigger_name,
		tries = excluded.tries, failures = excluded.failures, due = excluded.due, reason = excluded.reason`)
	parkedDrop = define(`delete from parked where (cursor, lane) in
		(select r.cursor_id, r.lane from rows($1: cursor_id text, lane text) as r)`)
	deadPut = define(`insert into dead (endpoint, message, tenant, cursor, seq, part, subject, trigger_name, at, reason, state)
		select r.endpoint, r.message, r.tenant, r.cursor_id, r.seq, r.part, r.subject, r.trigger_name, r.at, r.reason, r.state
		from rows($1: endpoint text, message text, tenant bigint, cursor_id text, seq bigint, part bigint, subject text, trigger_name text, at bigint, reason text, state text) as r
		where true on conflict (endpoint, message) do update set state = excluded.state, replay = excluded.cursor, at = excluded.at, reason = excluded.reason
		where dead.cursor <> excluded.cursor`)
	deadTold = define(`update dead set state = 'delivered' where (endpoint, message) in
		(select r.endpoint, r.message from rows($1: endpoint text, message text) as r)`)
	deadBack    = define(`update dead set state = 'dead', replay = '' where state = 'retrying' and replay in (select r.id from rows($1: id text) as r)`)
	attemptsPut = defineBulk("attempts", "tenant bigint", "endpoint text", "cursor text", "seq bigint", "part bigint", "message text",
		"subject text", "trigger_name text", "number bigint", "at bigint", "duration bigint", "address text", "status bigint",
		"class text", "delivered boolean", "request text", "response text", "body_sha256 text")
	attemptsAgain = define(attemptsNew + ` and not exists (select 1 from attempts a where a.tenant = r.tenant and a.subject = r.subject
		and a.message = r.message and a.endpoint = r.endpoint and a.number = r.number and a.at = r.at)`)
	attemptList = define(`select id, tenant, endpoint, cursor, seq, part, message, subject, trigger_name, number, at, duration,
		address, status, class, delivered, request, response, body_sha256 from attempts
		where tenant = $1 and endpoint = $2 and id < $3 order by id desc limit $4`)
	deadList = define(`select seq, part, message, subject, trigger_name, at, reason from dead
		where tenant = $1 and endpoint = $2 and state = 'dead' order by seq, part limit $3`)
)

// Cursor loads an endpoint's live cursor.
func (r reader) Cursor(ctx context.Context, tenant int64, endpoint string) (Cursor, error) {
	rows, err := r.q.query(ctx, cursorGet, tenant, endpoint)
	return one(rows, err, func(rows *sql.Rows) (c Cursor, err error) {
		err = rows.Scan(&c.ID, &c.Position)
		return c, err
	}, notFound("endpoint.not_found", "The endpoint %s has no cursor.", endpoint))
}

// Parked loads the lanes of a cursor that wait.
func (r reader) Parked(ctx context.Context, tenant int64, cursor string) ([]Parked, error) {
	rows, err := r.q.query(ctx, parkedGet, tenant, cursor)
	return collect(rows, err, func(rows *sql.Rows) (p Parked, err error) {
		var due int64
		err = rows.Scan(&p.Lane, &p.Seq, &p.Part, &p.Message, &p.Subject, &p.Trigger, &p.Tries, &p.Failures, &due, &p.Reason)
		p.Due = fromMicros(due)
		return p, err
	})
}

// Settled lists the messages above a cursor's position that are delivered or dead.
func (r reader) Settled(ctx context.Context, tenant int64, c Cursor) ([]Place, error) {
	rows, err := r.q.query(ctx, settledAt, tenant, c.ID, c.Position)
	return collect(rows, err, scanPlace)
}

// Settle saves settlements in a handful of statements, however many there are.
// It returns the endpoints whose lease has passed to another node.
func (tx *Tx) Settle(ctx context.Context, all []Settlement) (lost []string, err error) {
	held, err := tx.held(ctx, all)
	if err != nil {
		return nil, err
	}
	running, err := tx.replaying(ctx, all)
	if err != nil {
		return nil, err
	}
	var ours, valid []Settlement
	for _, s := range all {
		if !held[s.Endpoint] {
			lost = append(lost, s.Endpoint)
			continue
		}
		ours = append(ours, s)
		if !s.Replay || running[s.Cursor] {
			valid = append(valid, s)
		}
	}
	fresh, again := split(all)
	if err := tx.insert(ctx, attemptsPut, flatten(fresh, attemptRows)); err != nil {
		return nil, err
	}
	writes := []struct {
		statement *statement
		rows      [][]any
	}{
		{attemptsAgain, flatten(again, attemptRows)},
		{parkedPut, flatten(valid, parkRows)},
		{parkedDrop, flatten(valid, unparkRows)},
		{wishesGrant, flatten(valid, grantRows)},
		{cursorsMove, flatten(valid, func(s Settlement) [][]any { return [][]any{{s.Cursor, s.Position, s.Endpoint, s.Revision}} })},
	}
	for _, w := range writes {
		if err := tx.writeRows(ctx, w.statement, w.rows); err != nil {
			return nil, err
		}
	}
	for now, rest := firstOfEach(flatten(valid, deadRows)); len(now) > 0; now, rest = firstOfEach(rest) {
		if err := tx.writeRows(ctx, deadPut, now); err != nil {
			return nil, err
		}
	}
	if err := tx.settleHealth(ctx, ours); err != nil {
		return nil, err
	}
	return lost, tx.settleReplays(ctx, valid)
}

// maxList bounds the text in one list of rows, in bytes. PostgreSQL takes 256 MB,
// escapes included; after an outage of the database the outcomes may be more.
const maxList = 8 << 20

// writeRows runs a statement over a list of rows, in as many turns as it takes.
func (tx *Tx) writeRows(ctx context.Context, st *statement, rows [][]any) error {
	for _, portion := range portions(rows, maxList) {
		list, err := encodeRows(portion)
		if err != nil {
			return err
		}
		if _, err := tx.q.exec(ctx, st, list); err != nil {
			return err
		}
	}
	return nil
}

// portions cuts a list of rows where it has most bytes of text.
func portions(rows [][]any, most int) (cut [][][]any) {
	from, size := 0, 0
	for i, row := range rows {
		for _, v := range row {
			if text, ok := v.(string); ok {
				size += len(text)
			}
		}
		if size >= most || i == len(rows)-1 {
			cut = append(cut, rows[from:i+1])
			from, size = i+1, 0
		}
	}
	return cut
}

// held says for which endpoints the epoch still holds, and keeps it so until the
// transaction ends.
func (tx *Tx) held(ctx context.Context, all []Settlement) (map[string]bool, error) {
	list, err := encodeRows(flatten(all, func(s Settlement) [][]any { return [][]any{{s.Endpoint, s.Epoch}} }))
	if err != nil {
		return nil, err
	}
	statement := epochsHeld
	if _, again := split(all); len(again) > 0 {
		statement = epochsAgain
	}
	rows, err := tx.q.query(ctx, statement, list)
	names, err := collect(rows, err, scanValue[string])
	held := make(map[string]bool, len(names))
	for _, name := range names {
		held[name] = true
	}
	return held, err
}

// split sets those apart that may be saved already.
func split(all []Settlement) (fresh, again []Settlement) {
	for _, s := range all {
		if s.Again {
			again = append(again, s)
		} else {
			fresh = append(fresh, s)
		}
	}
	return fresh, again
}

func flatten(all []Settlement, rows func(Settlement) [][]any) (flat [][]any) {
	for _, s := range all {
		flat = append(flat, rows(s)...)
	}
	return flat
}

// firstOfEach sets the rows apart whose first two columns came before: the live
// cursor and replays may give up the same message at once, and PostgreSQL writes
// no row twice in one statement.
func firstOfEach(rows [][]any) (first, rest [][]any) {
	seen := make(map[[2]any]bool, len(rows))
	for _, row := range rows {
		if key := [2]any(row[:2]); seen[key] {
			rest = append(rest, row)
		} else {
			seen[key] = true
			first = append(first, row)
		}
	}
	return first, rest
}

func attemptRows(s Settlement) [][]any {
	rows := make([][]any, len(s.Attempts))
	for i, a := range s.Attempts {
		rows[i] = []any{s.Tenant, s.Endpoint, s.Cursor, a.Seq, a.Part, a.Message, a.Subject, a.Trigger, a.Number, micros(a.At),
			a.Duration.Microseconds(), a.Address, a.Status, a.Class, a.Delivered, a.Request, a.Response, a.BodySHA256}
	}
	return rows
}

func deadRows(s Settlement) [][]any {
	rows := make([][]any, len(s.Dead))
	for i, d := range s.Dead {
		rows[i] = []any{s.Endpoint, d.Message, s.Tenant, s.Cursor, d.Seq, d.Part, d.Subject, d.Trigger, micros(d.At), d.Reason, string(cmp.Or(d.State, Given))}
	}
	return rows
}

func parkRows(s Settlement) [][]any {
	rows := make([][]any, len(s.Park))
	for i, p := range s.Park {
		rows[i] = []any{s.Tenant, s.Cursor, p.Lane, p.Seq, p.Part, p.Message, p.Subject, p.Trigger, p.Tries, p.Failures, micros(p.Due), p.Reason}
	}
	return rows
}

func unparkRows(s Settlement) [][]any {
	rows := make([][]any, len(s.Unpark))
	for i, lane := range s.Unpark {
		rows[i] = []any{s.Cursor, lane}
	}
	return rows
}

// Attempts lists an endpoint's attempts with ids below before, newest first.
func (r reader) Attempts(ctx context.Context, tenant int64, endpoint string, before int64, limit int) ([]Attempt, error) {
	rows, err := r.q.query(ctx, attemptList, tenant, endpoint, before, limit)
	return collect(rows, err, scanAttempt)
}

// DeadMessages lists what was given up for an endpoint, in the journal's order.
func (r reader) DeadMessages(ctx context.Context, tenant int64, endpoint string, limit int) ([]Dead, error) {
	rows, err := r.q.query(ctx, deadList, tenant, endpoint, limit)
	return collect(rows, err, func(rows *sql.Rows) (d Dead, err error) {
		var at int64
		err = rows.Scan(&d.Seq, &d.Part, &d.Message, &d.Subject, &d.Trigger, &at, &d.Reason)
		d.At = fromMicros(at)
		return d, err
	})
}
