package store

import (
	"context"
	"slices"
	"sync"

	"github.com/casehook/casehook/internal/event"
)

// recentEntries holds the newest entries that SQLite's writer has committed, so that a reader that follows the journal
// need not read and decode them. It is safe for concurrent use.
type recentEntries struct {
	mu    sync.Mutex
	all   []*event.Entry // at successive positions
	bytes int
}

// The bounds of recentEntries. A reader that is further behind reads the database.
const (
	maxRecent      = 1024    // entries
	maxRecentBytes = 4 << 20 // by their size
)

// add adds entries that were committed. If entries before them are missing, it drops those it had.
func (r *recentEntries) add(entries []*event.Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range entries {
		if n := len(r.all); n > 0 && r.all[n-1].Seq+1 != e.Seq {
			r.all, r.bytes = nil, 0
		}
		r.all = append(r.all, e)
		r.bytes += e.Size()
	}
	first := 0
	for n := len(r.all); n-first > maxRecent || r.bytes > maxRecentBytes && first < n; first++ {
		r.bytes -= r.all[first].Size()
		r.all[first] = nil
	}
	r.all = r.all[first:]
}

// after returns up to limit entries above a position; ok is false if they are not held, or there are none.
func (r *recentEntries) after(position int64, limit int) (found Range, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.all) == 0 || position < r.all[0].Seq-1 || position >= r.all[len(r.all)-1].Seq {
		return Range{}, false
	}
	rest := r.all[position-r.all[0].Seq+1:]
	n := min(limit, len(rest))
	return Range{Entries: slices.Clone(rest[:n]), More: n == limit}, true
}

// forget drops entries up to a position, which were removed from the journal.
func (r *recentEntries) forget(upTo int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.all) > 0 && r.all[0].Seq <= upTo {
		r.bytes -= r.all[0].Size()
		r.all = r.all[1:]
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

// Journal reads entries of all tenants above a position. They are shared, and must not be changed.
func (s *Store) Journal(ctx context.Context, after int64, limit int) (Range, error) {
	if found, ok, err := s.engine.follow(ctx, after, limit); ok || err != nil {
		return found, err
	}
	return s.reader.Journal(ctx, after, limit)
}
