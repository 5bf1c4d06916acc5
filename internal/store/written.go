package store

import (
	"context"
	"database/sql"
	"sync"

	"github.com/casehook/casehook/internal/event"
)

// writtenEntries are the newest entries that this process has committed on PostgreSQL, where entries get their
// positions later. A reader that follows the journal reads the positions, and takes the entries from here. It is safe
// for concurrent use.
type writtenEntries struct {
	mu    sync.Mutex
	byID  map[int64]*event.Entry
	order []*event.Entry // as they were added
	bytes int
}

// add adds entries that were committed.
func (w *writtenEntries) add(entries ...*event.Entry) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.byID == nil {
		w.byID = map[int64]*event.Entry{}
	}
	for _, e := range entries {
		w.byID[e.ID] = e
		w.order = append(w.order, e)
		w.bytes += e.Size()
	}
	for len(w.order) > maxRecent || w.bytes > maxRecentBytes && len(w.order) > 0 {
		oldest := w.order[0]
		w.order[0], w.order = nil, w.order[1:]
		w.bytes -= oldest.Size()
		delete(w.byID, oldest.ID)
	}
}

// position is the position of an entry.
type position struct{ seq, entry int64 }

// at returns the entries at positions; false: they are not all here.
func (w *writtenEntries) at(all []position) ([]*event.Entry, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	found := make([]*event.Entry, 0, len(all))
	for _, p := range all {
		written := w.byID[p.entry]
		if written == nil {
			return nil, false
		}
		placed := *written
		placed.Seq = p.seq
		found = append(found, &placed)
	}
	return found, true
}

func (e *postgresEngine) forget(int64) {} // they have no position any more

var positionsRead = postgresOnly(`select seq, entry from journal_seq where seq > $1 order by seq limit $2`)

func (e *postgresEngine) follow(ctx context.Context, after int64, limit int) (Range, bool, error) {
	rows, err := e.query(ctx, positionsRead, after, limit)
	all, err := collect(rows, err, func(rows *sql.Rows) (p position, err error) { return p, rows.Scan(&p.seq, &p.entry) })
	if err != nil {
		return Range{}, false, err
	}
	found, ok := e.kept.at(all)
	return Range{Entries: found, More: len(found) == limit}, ok, nil
}
