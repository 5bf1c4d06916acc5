package store

import (
	"context"
	"database/sql"
	"sync"

	"github.com/casehook/casehook/internal/event"
)

// recentEntries holds the newest entries that this process has committed, by id, so that a reader that follows the
// journal need not read and decode them. It is safe for concurrent use.
type recentEntries struct {
	mu    sync.Mutex
	byID  map[int64]*event.Entry
	order []*event.Entry // as they were added
	bytes int
}

// The bounds of recentEntries. A reader that is further behind reads the database.
const (
	maxRecent      = 1024    // entries
	maxRecentBytes = 4 << 20 // by their size
)

// add adds entries that were committed.
func (r *recentEntries) add(entries ...*event.Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byID == nil {
		r.byID = map[int64]*event.Entry{}
	}
	for _, e := range entries {
		r.byID[e.ID] = e
		r.order = append(r.order, e)
		r.bytes += e.Size()
	}
	for len(r.order) > maxRecent || r.bytes > maxRecentBytes && len(r.order) > 0 {
		r.dropOldest()
	}
}

func (r *recentEntries) dropOldest() {
	oldest := r.order[0]
	r.order[0], r.order = nil, r.order[1:]
	r.bytes -= oldest.Size()
	delete(r.byID, oldest.ID)
}

// position is the position of an entry.
type position struct{ seq, entry int64 }

// at returns the entries at positions; ok is false unless it holds all of them.
func (r *recentEntries) at(all []position) (found []*event.Entry, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	found = make([]*event.Entry, len(all))
	for i, p := range all {
		e := r.byID[p.entry]
		if e == nil {
			return nil, false
		}
		if found[i] = e; e.Seq != p.seq {
			placed := *e
			placed.Seq, found[i] = p.seq, &placed
		}
	}
	return found, true
}

// newest returns the id of the entry that was added last, or 0.
func (r *recentEntries) newest() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.order) == 0 {
		return 0
	}
	return r.order[len(r.order)-1].ID
}

// forget drops entries up to an id, which were removed from the journal.
func (r *recentEntries) forget(upTo int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.order) > 0 && r.order[0].ID <= upTo {
		r.dropOldest()
	}
}

// recorder is a querier that keeps the entries that its transaction appends, until they are committed.
type recorder interface {
	// record keeps an entry. If it has no id, its id is that of the last inserted row.
	record(e event.Entry)
}

// record keeps an entry that q has inserted, if q keeps entries.
func record(q querier, e event.Entry) {
	if r, ok := q.(recorder); ok {
		r.record(e)
	}
}

// record keeps an entry as it will be read. On SQLite its id is its position.
func (w *writer) record(e event.Entry) {
	if e.ID == 0 {
		e.ID = w.inserted
	}
	e.Seq = e.ID
	w.appended = append(w.appended, asRead(e))
}

// asRead returns an entry as it will be read from the database.
func asRead(e event.Entry) *event.Entry {
	e.At = fromMicros(micros(e.At))
	return &e
}

// follow returns entries that this process has written. The id of an entry is its position.
func (e *sqliteEngine) follow(_ context.Context, after int64, limit int) (Range, bool, error) {
	var all []position
	last := min(e.kept.newest(), after+int64(limit))
	for seq := after + 1; seq <= last; seq++ {
		all = append(all, position{seq, seq})
	}
	found, ok := e.kept.at(all)
	return Range{Entries: found, More: len(found) == limit}, ok && len(found) > 0, nil
}

var positionsRead = postgresOnly(`select seq, entry from journal_seq where seq > $1 order by seq limit $2`)

// follow reads the positions, which entries get after their commit, and returns the entries if this process has written
// all of them.
func (e *postgresEngine) follow(ctx context.Context, after int64, limit int) (Range, bool, error) {
	rows, err := e.query(ctx, positionsRead, after, limit)
	all, err := collect(rows, err, func(rows *sql.Rows) (p position, err error) {
		return p, rows.Scan(&p.seq, &p.entry)
	})
	if err != nil {
		return Range{}, false, err
	}
	found, ok := e.kept.at(all)
	return Range{Entries: found, More: len(found) == limit}, ok, nil
}

// Journal reads entries of all tenants above a position. They are shared, and must not be changed.
func (s *Store) Journal(ctx context.Context, after int64, limit int) (Range, error) {
	if found, ok, err := s.engine.follow(ctx, after, limit); ok || err != nil {
		return found, err
	}
	return s.reader.Journal(ctx, after, limit)
}
