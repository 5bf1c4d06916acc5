package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/casehook/casehook/internal/event"
)

// Pair is a message for an endpoint.
type Pair struct{ Endpoint, Message string }

// Tries sums up the attempts to send a message to an endpoint.
type Tries struct {
	Count     int
	Delivered bool // an attempt was accepted
	LastAt    time.Time
	Status    int    // of the last attempt; 0: there was no answer
	Class     string // of its failure
}

// Progress is how far an endpoint has been served, and which of its lanes are parked.
type Progress struct {
	Position int64
	Lanes    map[string]ParkedMessage
}

// DeadStatus is the state of a dead message.
type DeadStatus struct {
	State  string // dead, retrying, dropped or delivered
	Reason string
}

var (
	journalOf = defineListing(PageBytes, entriesOf(`coalesce(s.seq, 0)`,
		`journal j left join journal_seq s on s.entry = j.id
		where j.tenant = $1 and j.subject = $2 and j.id < $3`, `$4`))
	// SQLite reads cross joins in their order. Else it would read all attempts, or dead messages, of the tenant.
	triesOf = define(`select g.endpoint, g.message, g.n, g.taken, l.at, l.status, l.class from (
			select a.endpoint, a.message, count(*) as n, max(case when a.delivered then 1 else 0 end) as taken,
				max(a.id) as last
			from (select distinct r.id from rows($2: id text) as r) as wanted
				cross join attempts a
			where a.tenant = $1 and a.message = wanted.id
			group by a.endpoint, a.message
		) as g join attempts l on l.id = g.last`)
	givenUpOf = define(`select d.endpoint, d.message, d.state, d.reason
		from rows($2: id text) as e cross join rows($3: id text) as m cross join dead d
		where d.endpoint = e.id and d.message = m.id and d.tenant = $1`)
	progressOf = define(`select c.endpoint, c.position, coalesce(p.lane, ''), coalesce(p.seq, 0), coalesce(p.part, 0),
			coalesce(p.message, ''), coalesce(p.tries, 0), coalesce(p.due, 0), coalesce(p.reason, '')
		from cursors c left join parked p on p.cursor = c.id and p.lane in (select r.id from rows($3: id text) as r)
		where c.tenant = $1 and not c.replay and c.endpoint in (select r.id from rows($2: id text) as r)`)
)

// Entries reads a subject's entries with ids below before, newest first. An entry without a position has Seq 0.
func (r reader) Entries(
	ctx context.Context, tenant int64, subject string, before int64, limit int,
) (Page[*event.Entry], error) {
	rows, err := r.q.query(ctx, journalOf, tenant, subject, before, limit+1)
	return collectPage(rows, err, limit, scanEntry())
}

// Tries returns the summaries of the attempts to send messages, by endpoint and message.
func (r reader) Tries(ctx context.Context, tenant int64, messages []string) (map[Pair]Tries, error) {
	list, err := encodeTexts(messages)
	if err != nil {
		return nil, err
	}
	all := map[Pair]Tries{}
	rows, err := r.q.query(ctx, triesOf, tenant, list)
	_, err = collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		var p Pair
		var t Tries
		var taken int
		var at int64
		err = rows.Scan(&p.Endpoint, &p.Message, &t.Count, &taken, &at, &t.Status, &t.Class)
		t.Delivered, t.LastAt = taken == 1, fromMicros(at)
		all[p] = t
		return none, err
	})
	return all, err
}

// DeadStatuses returns the states of the dead ones among some messages, by endpoint and message.
func (r reader) DeadStatuses(
	ctx context.Context, tenant int64, endpoints, messages []string,
) (map[Pair]DeadStatus, error) {
	of, err := encodeTexts(endpoints)
	if err != nil {
		return nil, err
	}
	among, err := encodeTexts(messages)
	if err != nil {
		return nil, err
	}
	all := map[Pair]DeadStatus{}
	rows, err := r.q.query(ctx, givenUpOf, tenant, of, among)
	_, err = collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		var p Pair
		var b DeadStatus
		err = rows.Scan(&p.Endpoint, &p.Message, &b.State, &b.Reason)
		all[p] = b
		return none, err
	})
	return all, err
}

// Progress returns the progress of endpoints by their ids. Of the lanes, it includes those that are parked.
func (r reader) Progress(ctx context.Context, tenant int64, endpoints, lanes []string) (map[string]Progress, error) {
	of, err := encodeTexts(endpoints)
	if err != nil {
		return nil, err
	}
	in, err := encodeTexts(lanes)
	if err != nil {
		return nil, err
	}
	all := map[string]Progress{}
	rows, err := r.q.query(ctx, progressOf, tenant, of, in)
	_, err = collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		var endpoint string
		var position, due int64
		var p ParkedMessage
		err = rows.Scan(&endpoint, &position, &p.Lane, &p.Seq, &p.Part, &p.Message, &p.Tries, &due, &p.Reason)
		p.Due = fromMicros(due)
		s, ok := all[endpoint]
		if !ok {
			s = Progress{Position: position, Lanes: map[string]ParkedMessage{}}
			all[endpoint] = s
		}
		if p.Seq > 0 {
			s.Lanes[p.Lane] = p
		}
		return none, err
	})
	return all, err
}

func encodeTexts(texts []string) (string, error) {
	rows := make([][]any, len(texts))
	for i, text := range texts {
		rows[i] = []any{text}
	}
	return encodeRows(rows)
}
