package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"
)

// Cursor is the saved position of an endpoint in the journal.
type Cursor struct {
	ID       string
	Position int64 // everything at or below is settled
}

// ParkedMessage is the first owed message of a parked lane.
type ParkedMessage struct {
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

// DeadMessage is a message that was given up.
type DeadMessage struct {
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

// Settlement is the outcome of some messages of one endpoint. It is saved as a whole if the lease still has this
// epoch. Otherwise only its attempts are saved, because they were made.
type Settlement struct {
	Tenant   int64
	Endpoint string
	Cursor   string
	Epoch    int64
	Replay   bool  // the cursor is a replay's; if the replay was cancelled, only the attempts are saved
	Ended    bool  // the replay is complete
	Position int64 // the cursor's new low-watermark
	Revision int64 // of the endpoint that selected the messages; the cursor moves only if it is current; 0: always
	Attempts []Attempt
	Park     []ParkedMessage // replace the rows of their lanes
	Unpark   []string        // lanes
	Dead     []DeadMessage
	Repaired []RepairRequest
	Health   []HealthChange // of the endpoint, in their order
	Again    bool           // it may be saved already: the outcome of an earlier commit is unknown
}

var attemptColumns = columns[Attempt]{
	intColumn("id", func(a *Attempt) *int64 { return &a.ID }),
	intColumn("tenant", func(a *Attempt) *int64 { return &a.Tenant }),
	textColumn("endpoint", func(a *Attempt) *string { return &a.Endpoint }),
	textColumn("cursor", func(a *Attempt) *string { return &a.Cursor }),
	intColumn("seq", func(a *Attempt) *int64 { return &a.Seq }),
	intColumn("part", func(a *Attempt) *int { return &a.Part }),
	textColumn("message", func(a *Attempt) *string { return &a.Message }),
	textColumn("subject", func(a *Attempt) *string { return &a.Subject }),
	textColumn("trigger_name", func(a *Attempt) *string { return &a.Trigger }),
	intColumn("number", func(a *Attempt) *int { return &a.Number }),
	timeColumn("at", func(a *Attempt) *time.Time { return &a.At }),
	durationColumn("duration", func(a *Attempt) *time.Duration { return &a.Duration }),
	textColumn("address", func(a *Attempt) *string { return &a.Address }),
	intColumn("status", func(a *Attempt) *int { return &a.Status }),
	textColumn("class", func(a *Attempt) *string { return &a.Class }),
	boolColumn("delivered", func(a *Attempt) *bool { return &a.Delivered }),
	textColumn("request", func(a *Attempt) *string { return &a.Request }),
	textColumn("response", func(a *Attempt) *string { return &a.Response }),
	textColumn("body_sha256", func(a *Attempt) *string { return &a.BodySHA256 }),
}

// attemptInserted are the columns of a new attempt. The database counts its id.
var attemptInserted = attemptColumns.without("id")

// attemptCounted are the columns of an attempt that decide how it is counted.
var attemptCounted = attemptColumns.only("tenant", "endpoint", "at", "duration", "delivered")

// parkedRow is a parked lane with the cursor that it belongs to.
type parkedRow struct {
	ParkedMessage
	tenant int64
	cursor string
}

var parkedColumns = columns[parkedRow]{
	textColumn("lane", func(r *parkedRow) *string { return &r.Lane }),
	intColumn("seq", func(r *parkedRow) *int64 { return &r.Seq }),
	intColumn("part", func(r *parkedRow) *int { return &r.Part }),
	textColumn("message", func(r *parkedRow) *string { return &r.Message }),
	textColumn("subject", func(r *parkedRow) *string { return &r.Subject }),
	textColumn("trigger_name", func(r *parkedRow) *string { return &r.Trigger }),
	intColumn("tries", func(r *parkedRow) *int { return &r.Tries }),
	intColumn("failures", func(r *parkedRow) *int { return &r.Failures }),
	timeColumn("due", func(r *parkedRow) *time.Time { return &r.Due }),
	textColumn("reason", func(r *parkedRow) *string { return &r.Reason }),
}

var parkedInserted = slices.Concat(columns[parkedRow]{
	intColumn("tenant", func(r *parkedRow) *int64 { return &r.tenant }),
	textColumn("cursor", func(r *parkedRow) *string { return &r.cursor }),
}, parkedColumns)

// deadRow is a dead message with the cursor that it belongs to.
type deadRow struct {
	DeadMessage
	tenant           int64
	endpoint, cursor string
}

var deadColumns = columns[deadRow]{
	intColumn("seq", func(r *deadRow) *int64 { return &r.Seq }),
	intColumn("part", func(r *deadRow) *int { return &r.Part }),
	textColumn("message", func(r *deadRow) *string { return &r.Message }),
	textColumn("subject", func(r *deadRow) *string { return &r.Subject }),
	textColumn("trigger_name", func(r *deadRow) *string { return &r.Trigger }),
	timeColumn("at", func(r *deadRow) *time.Time { return &r.At }),
	textColumn("reason", func(r *deadRow) *string { return &r.Reason }),
	textColumn("state", func(r *deadRow) *DeadState { return &r.State }),
}

// deadInserted begins with the two columns that identify a row, which firstOfEach compares.
var deadInserted = slices.Concat(columns[deadRow]{
	textColumn("endpoint", func(r *deadRow) *string { return &r.endpoint }),
	deadColumns[deadColumns.index("message")],
	intColumn("tenant", func(r *deadRow) *int64 { return &r.tenant }),
	textColumn("cursor", func(r *deadRow) *string { return &r.cursor }),
}, deadColumns.without("message"))

const leasesHeld = `select l.endpoint
	from leases l join rows($1: endpoint text, epoch bigint) as r on r.endpoint = l.endpoint and r.epoch = l.epoch `

var (
	cursorGet = define(`select id, position from cursors where tenant = $1 and endpoint = $2 and not replay`)
	parkedGet = define(`select ` + parkedColumns.names() + ` from parked where tenant = $1 and cursor = $2`)
	settledAt = define(`select seq, part, message from attempts
		where tenant = $1 and cursor = $2 and seq > $3 and delivered
		union select seq, part, message from dead
		where tenant = $1 and cursor = $2 and seq > $3
		union select seq, part, message from dead
		where tenant = $1 and replay = $2 and replay <> '' and seq > $3 and state <> 'retrying'`)

	epochsHeld  = define(leasesHeld + `{{share}}`)
	epochsAgain = define(leasesHeld + `{{alone}}`) // waits until the earlier transaction has ended
	cursorsMove = define(`update cursors set position = r.position, updated_at = {{now}}
		from rows($1: id text, position bigint, endpoint text, revision bigint) as r
		where cursors.id = r.id and cursors.position < r.position
			and (r.revision = 0
				or exists (select 1 from endpoints e where e.id = r.endpoint and e.revision = r.revision))`)
	parkedPut = define(`insert into parked (` + parkedInserted.names() + `)
		select ` + parkedInserted.of("r") + ` from ` + parkedInserted.rows("$1") + ` as r where true
		on conflict (cursor, lane)
		do update set ` + parkedColumns.without("lane").excluded())
	parkedDrop = define(`delete from parked where (cursor, lane) in
		(select r.cursor_id, r.lane from rows($1: cursor_id text, lane text) as r)`)
	deadPut = define(`insert into dead (` + deadInserted.names() + `)
		select ` + deadInserted.of("r") + ` from ` + deadInserted.rows("$1") + ` as r where true
		on conflict (endpoint, message)
		do update set replay = excluded.cursor, ` + deadColumns.only("state", "at", "reason").excluded() + `
		where dead.cursor <> excluded.cursor`)
	deadDelivered = define(`update dead set state = 'delivered' where (endpoint, message) in
		(select r.endpoint, r.message from rows($1: endpoint text, message text) as r)`)
	deadBack = define(`update dead set state = 'dead', replay = ''
		where state = 'retrying' and replay <> '' and replay in (select r.id from rows($1: id text) as r)`)
	attemptsPut   = defineBulk("attempts", attemptInserted)
	attemptsAgain = define(`insert into attempts (` + attemptInserted.names() + `)
		select ` + attemptInserted.of("r") + ` from ` + attemptInserted.rows("$1") + ` as r
		where not exists (select 1 from attempts a
			where a.tenant = r.tenant and a.subject = r.subject and a.message = r.message
				and a.endpoint = r.endpoint and a.number = r.number and a.at = r.at)
		returning ` + attemptCounted.names())
	attemptList = define(`select ` + attemptColumns.names() + ` from attempts
		where tenant = $1 and endpoint = $2 and id < $3
		order by id desc limit $4`)
	deadList = define(`select ` + deadColumns.without("state").names() + ` from dead
		where tenant = $1 and endpoint = $2 and state = 'dead'
		order by seq, part limit $3`)
)

// Cursor returns an endpoint's live cursor.
func (r reader) Cursor(ctx context.Context, tenant int64, endpoint string) (Cursor, error) {
	rows, err := r.q.query(ctx, cursorGet, tenant, endpoint)
	return one(rows, err, func(rows *sql.Rows) (c Cursor, err error) {
		err = rows.Scan(&c.ID, &c.Position)
		return c, err
	}, notFound("endpoint.not_found", "The endpoint %s has no cursor.", endpoint))
}

// Parked returns the parked lanes of a cursor.
func (r reader) Parked(ctx context.Context, tenant int64, cursor string) ([]ParkedMessage, error) {
	rows, err := r.q.query(ctx, parkedGet, tenant, cursor)
	message := func(r *parkedRow) (ParkedMessage, error) { return r.ParkedMessage, nil }
	return collect(rows, err, mapped(parkedColumns, message))
}

// Settled lists the messages above a cursor's position that are delivered or dead.
func (r reader) Settled(ctx context.Context, tenant int64, c Cursor) ([]Place, error) {
	rows, err := r.q.query(ctx, settledAt, tenant, c.ID, c.Position)
	return collect(rows, err, placeColumns.scan())
}

// Settle saves settlements. The number of statements does not depend on how many there are. It returns the endpoints
// whose lease has passed to another node.
func (tx *Tx) Settle(ctx context.Context, all []Settlement) (lost []string, err error) {
	held, err := tx.heldLeases(ctx, all)
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
	if err := tx.addAttempts(ctx, all); err != nil {
		return nil, err
	}
	writes := []struct {
		statement *statement
		rows      [][]any
	}{
		{parkedPut, flatten(valid, parkRows)},
		{parkedDrop, flatten(valid, unparkRows)},
		{repairsRemove, flatten(valid, repairedRows)},
		{cursorsMove, flatten(valid, func(s Settlement) [][]any {
			return [][]any{{s.Cursor, s.Position, s.Endpoint, s.Revision}}
		})},
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

// addAttempts saves and counts the attempts of settlements.
func (tx *Tx) addAttempts(ctx context.Context, all []Settlement) error {
	fresh, again := split(all)
	if err := tx.insert(ctx, attemptsPut, flatten(fresh, attemptRows)); err != nil {
		return err
	}
	added := tally{counts: map[countKey]*countRow{}}
	for _, s := range fresh {
		for i := range s.Attempts {
			added.add(s.Tenant, s.Endpoint, &s.Attempts[i])
		}
	}
	for _, portion := range portions(flatten(again, attemptRows), maxList) {
		list, err := encodeRows(portion)
		if err != nil {
			return err
		}
		rows, err := tx.q.query(ctx, attemptsAgain, list)
		missing, err := collect(rows, err, attemptCounted.scan())
		if err != nil {
			return err
		}
		for i := range missing {
			added.add(missing[i].Tenant, missing[i].Endpoint, &missing[i])
		}
	}
	return tx.addCounts(ctx, &added)
}

// maxList is the limit of the text in one list of rows, in bytes. PostgreSQL accepts 256 MB, including escapes, and
// the outcomes that wait after an outage of the database may be larger.
const maxList = 8 << 20

// writeRows runs a statement on a list of rows, in portions of maxList bytes.
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

// portions splits a list of rows into lists of about most bytes of text.
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

// heldLeases returns the endpoints whose leases still have the settlement's epoch. It
// locks these leases until the transaction ends.
func (tx *Tx) heldLeases(ctx context.Context, all []Settlement) (map[string]bool, error) {
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

// split separates settlements that are new from those that may be saved already.
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

// firstOfEach separates rows whose first two columns equal those of an earlier row. The live cursor and a replay may
// give up the same message in one batch, and PostgreSQL can't upsert a row twice in one statement.
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
	return attemptInserted.list(len(s.Attempts), func(i int, a *Attempt) {
		*a = s.Attempts[i]
		a.Tenant, a.Endpoint, a.Cursor = s.Tenant, s.Endpoint, s.Cursor
	})
}

func deadRows(s Settlement) [][]any {
	return deadInserted.list(len(s.Dead), func(i int, r *deadRow) {
		*r = deadRow{DeadMessage: s.Dead[i], tenant: s.Tenant, endpoint: s.Endpoint, cursor: s.Cursor}
		r.State = cmp.Or(r.State, Given)
	})
}

func parkRows(s Settlement) [][]any {
	return parkedInserted.list(len(s.Park), func(i int, r *parkedRow) {
		*r = parkedRow{ParkedMessage: s.Park[i], tenant: s.Tenant, cursor: s.Cursor}
	})
}

func unparkRows(s Settlement) [][]any {
	rows := make([][]any, len(s.Unpark))
	for i, lane := range s.Unpark {
		rows[i] = []any{s.Cursor, lane}
	}
	return rows
}

// Attempts lists an endpoint's attempts with ids below before, newest first.
func (r reader) Attempts(
	ctx context.Context, tenant int64, endpoint string, before int64, limit int,
) ([]Attempt, error) {
	rows, err := r.q.query(ctx, attemptList, tenant, endpoint, before, limit)
	return collect(rows, err, attemptColumns.scan())
}

// DeadMessages lists the messages of an endpoint that were given up, in the journal's order.
func (r reader) DeadMessages(ctx context.Context, tenant int64, endpoint string, limit int) ([]DeadMessage, error) {
	rows, err := r.q.query(ctx, deadList, tenant, endpoint, limit)
	return collect(rows, err, scanDead(deadColumns.without("state")))
}

func scanDead(c columns[deadRow]) func(*sql.Rows) (DeadMessage, error) {
	return mapped(c, func(r *deadRow) (DeadMessage, error) { return r.DeadMessage, nil })
}
