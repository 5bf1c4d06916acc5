package store

import (
	"context"
	"database/sql"
	"slices"

	"github.com/casehook/casehook/internal/fault"
)

// RepairRequest asks to drop a parked message, or to try it at once. The node that
// delivers for the endpoint carries it out.
type RepairRequest struct {
	Cursor  string
	Message string
	Drop    bool // drop it; otherwise try it again at once
}

// ParkedLane is a parked lane with its first message.
type ParkedLane struct {
	ParkedMessage
	Cursor    string
	Replay    bool   // the lane is a replay's
	Requested string // the pending request: retry, drop or nothing
	Behind    int64  // later entries of the same subject; at most mostBehind
}

// LanePlace is a position in the list of parked lanes.
type LanePlace struct {
	Cursor string
	Seq    int64
	Lane   string
}

// Place returns the position of the lane in the list.
func (w ParkedLane) Place() LanePlace { return LanePlace{w.Cursor, w.Seq, w.Lane} }

// mostBehind is the limit of ParkedLane.Behind.
const mostBehind = 100

// laneRow is the row of a ParkedLane.
type laneRow struct {
	parkedRow
	replay    bool
	requested string
	behind    int64
}

func (r *laneRow) lane() ParkedLane {
	return ParkedLane{
		ParkedMessage: r.ParkedMessage, Cursor: r.cursor, Replay: r.replay, Requested: r.requested, Behind: r.behind,
	}
}

var waitingColumns = slices.Concat(
	within(parkedColumns, func(r *laneRow) *parkedRow { return &r.parkedRow }),
	columns[laneRow]{
		textColumn("cursor", func(r *laneRow) *string { return &r.cursor }),
		boolColumn("replay", func(r *laneRow) *bool { return &r.replay }).from(`c.replay`),
		textColumn("wish", func(r *laneRow) *string { return &r.requested }).from(`coalesce(w.wish, '')`),
		intColumn("behind", func(r *laneRow) *int64 { return &r.behind }).
			from(`case when p.lane <> p.subject then 0 else (
			select count(*) from (select 1 as one from journal j
				where j.tenant = p.tenant and j.subject = p.subject
					and j.id > (select s.entry from journal_seq s where s.seq = p.seq)
				limit $7) as later) end`),
	},
)

var (
	waitingList = define(`select ` + waitingColumns.of("p") + `
		from parked p join cursors c on c.id = p.cursor
			left join wishes w on w.cursor = p.cursor and w.message = p.message
		where c.tenant = $1 and c.endpoint = $2 and p.message <> '' and (p.cursor, p.seq, p.lane) > ($3, $4, $5)
		order by p.cursor, p.seq, p.lane limit $6`)
	repairsGet = define(`select w.cursor, w.message, w.wish = 'drop'
		from wishes w join cursors c on c.id = w.cursor
		where c.tenant = $1 and c.endpoint = $2`)
	repairsNamed = define(`insert into wishes (cursor, message, wish)
		select p.cursor, p.message, $3
		from parked p join cursors c on c.id = p.cursor join rows($4: message text) as r on r.message = p.message
		where c.tenant = $1 and c.endpoint = $2 and p.message <> ''
		on conflict (cursor, message) do update set wish = excluded.wish`)
	repairsAll = define(`insert into wishes (cursor, message, wish)
		select p.cursor, p.message, $3
		from parked p join cursors c on c.id = p.cursor
		where c.tenant = $1 and c.endpoint = $2 and p.message <> ''
		on conflict (cursor, message) do update set wish = excluded.wish`)
	repairsRemove = define(`delete from wishes where (cursor, message, wish) in
		(select r.cursor_id, r.message, r.wish from rows($1: cursor_id text, message text, wish text) as r)`)

	deadPage = define(`select ` + deadColumns.names() + ` from dead
		where tenant = $1 and endpoint = $2 and state = $3 and (seq, part, message) > ($4, $5, $6)
		order by seq, part, message limit $7`)
	subjectsOf = define(`select message, subject from dead
		where tenant = $1 and endpoint = $2 and message in (select r.message from rows($3: message text) as r)
		union select p.message, p.subject
		from parked p join cursors c on c.id = p.cursor
		where c.tenant = $1 and c.endpoint = $2 and p.message in (select r.message from rows($3: message text) as r)`)
	// A message that has been removed from the journal can't be made again.
	deadRetryNamed = define(`update dead set state = 'retrying', replay = $3
		where tenant = $1 and endpoint = $2 and state = 'dead'
			and message in (select r.message from rows($4: message text) as r)
			and exists (select 1 from journal_seq s where s.seq = dead.seq)`)
	deadRetryAll = define(`update dead set state = 'retrying', replay = $3
		where tenant = $1 and endpoint = $2 and message in (
			select d.message from dead d
			where d.tenant = $1 and d.endpoint = $2 and d.state = 'dead'
				and exists (select 1 from journal_seq s where s.seq = d.seq)
			order by d.seq, d.part limit $4)`)
	deadRetried = define(`select count(*), coalesce(min(seq), 0), coalesce(max(seq), 0) from dead
		where replay = $1 and replay <> '' and state = 'retrying'`)
	deadNames = define(`insert into replay_messages (replay, seq, part, message)
		select replay, seq, part, message from dead
		where replay = $1 and replay <> '' and state = 'retrying'`)
	deadDropNamed = define(`update dead set state = 'dropped'
		where tenant = $1 and endpoint = $2 and state = 'dead'
			and message in (select r.message from rows($3: message text) as r)`)
	deadDropAll = define(`update dead set state = 'dropped' where tenant = $1 and endpoint = $2 and state = 'dead'`)
)

// ParkedLanes lists an endpoint's parked lanes after a place, including those of replays, oldest first.
func (r reader) ParkedLanes(
	ctx context.Context, tenant int64, endpoint string, after LanePlace, limit int,
) ([]ParkedLane, error) {
	rows, err := r.q.query(ctx, waitingList, tenant, endpoint, after.Cursor, after.Seq, after.Lane, limit, mostBehind)
	return collect(rows, err, mapped(waitingColumns, func(r *laneRow) (ParkedLane, error) { return r.lane(), nil }))
}

// RepairRequests lists the requests for an endpoint's parked messages.
func (r reader) RepairRequests(ctx context.Context, tenant int64, endpoint string) ([]RepairRequest, error) {
	rows, err := r.q.query(ctx, repairsGet, tenant, endpoint)
	return collect(rows, err, func(rows *sql.Rows) (w RepairRequest, err error) {
		err = rows.Scan(&w.Cursor, &w.Message, &w.Drop)
		return w, err
	})
}

func repairName(drop bool) string {
	if drop {
		return "drop"
	}
	return "retry"
}

func repairedRows(s Settlement) [][]any {
	rows := make([][]any, len(s.Repaired))
	for i, w := range s.Repaired {
		rows[i] = []any{s.Cursor, w.Message, repairName(w.Drop)}
	}
	return rows
}

// RequestRepairs requests that the node which delivers for an endpoint tries parked
// messages at once, or drops them: the named ones, or all when messages is nil. It
// returns how many are parked.
func (tx *Tx) RequestRepairs(
	ctx context.Context, tenant int64, endpoint string, messages []string, drop bool,
) (int64, error) {
	if err := tx.NotifyDelivery(ctx, endpoint); err != nil {
		return 0, err
	}
	if messages == nil {
		return tx.q.exec(ctx, repairsAll, tenant, endpoint, repairName(drop))
	}
	list, err := encodeNames(messages)
	if err != nil {
		return 0, err
	}
	return tx.q.exec(ctx, repairsNamed, tenant, endpoint, repairName(drop), list)
}

// DeadFilter selects messages that were given up for an endpoint.
type DeadFilter struct {
	Endpoint string
	State    DeadState
	After    Place // of the last message of the previous page
	Limit    int
}

// Dead lists messages that were given up, in the journal's order.
func (r reader) Dead(ctx context.Context, tenant int64, f DeadFilter) ([]DeadMessage, error) {
	rows, err := r.q.query(ctx, deadPage, tenant, f.Endpoint, string(f.State), f.After.Seq, f.After.Part,
		f.After.Message, f.Limit)
	return collect(rows, err, scanDead(deadColumns))
}

// DeadOrParked returns the subjects of those messages of an endpoint that are dead or parked, by message id.
func (r reader) DeadOrParked(
	ctx context.Context, tenant int64, endpoint string, messages []string,
) (map[string]string, error) {
	list, err := encodeNames(messages)
	if err != nil {
		return nil, err
	}
	subjects := map[string]string{}
	rows, err := r.q.query(ctx, subjectsOf, tenant, endpoint, list)
	_, err = collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		var message, subject string
		err = rows.Scan(&message, &subject)
		subjects[message] = subject
		return none, err
	})
	return subjects, err
}

// maxRetried is how many dead messages one replay tries again.
const maxRetried = 100_000

// RetryDead adds a replay of dead messages: those that are named, or all when
// messages is nil. Those that have been removed from the journal stay dead. It
// returns the replay with its range.
func (tx *Tx) RetryDead(ctx context.Context, r Replay, messages []string) (Replay, error) {
	if err := tx.NotifyDelivery(ctx, r.Endpoint); err != nil {
		return r, err
	}
	var err error
	if messages == nil {
		_, err = tx.q.exec(ctx, deadRetryAll, r.Tenant, r.Endpoint, r.ID, maxRetried)
	} else {
		var list string
		if list, err = encodeNames(messages); err == nil {
			_, err = tx.q.exec(ctx, deadRetryNamed, r.Tenant, r.Endpoint, r.ID, list)
		}
	}
	if err != nil {
		return r, err
	}
	rows, err := tx.q.query(ctx, deadRetried, r.ID)
	_, err = one(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		return none, rows.Scan(&r.Messages, &r.After, &r.Until)
	}, unanswered("store.count"))
	if err != nil {
		return r, err
	}
	if r.Messages == 0 {
		return r, fault.New(fault.NotFound, "message.not_dead",
			"None of these messages is dead and still in the journal. GET .../dead lists those that are dead.")
	}
	r.After--
	r.Position = r.After
	if err := tx.CreateReplay(ctx, r, nil); err != nil {
		return r, err
	}
	_, err = tx.q.exec(ctx, deadNames, r.ID)
	return r, err
}

// DropDead drops dead messages for good: those that are named, or all when
// messages is nil. It returns how many. They stay listed as dropped.
func (tx *Tx) DropDead(ctx context.Context, tenant int64, endpoint string, messages []string) (int64, error) {
	if messages == nil {
		return tx.q.exec(ctx, deadDropAll, tenant, endpoint)
	}
	list, err := encodeNames(messages)
	if err != nil {
		return 0, err
	}
	return tx.q.exec(ctx, deadDropNamed, tenant, endpoint, list)
}

func encodeNames(names []string) (string, error) {
	rows := make([][]any, len(names))
	for i, name := range names {
		rows[i] = []any{name}
	}
	return encodeRows(rows)
}
