package machine

import (
	"sync"
	"sync/atomic"

	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/filter"
	"github.com/casehook/casehook/internal/wire"
)

// Derive is a function that returns the messages of an entry in a view.
type Derive func(*event.Entry, wire.View) []wire.Message

// Entry is a journal entry with its messages. The messages of a view are derived at the
// first use, and kept for all endpoints. It is safe for concurrent use, and must not be
// copied.
type Entry struct {
	Journal *event.Entry
	Derive  Derive
	views   [wire.Views]atomic.Pointer[view] // by the index of the view; nil: not yet used
}

// view is an entry's messages in one view.
type view struct {
	once     sync.Once
	messages []*wire.Message

	filtering sync.Once
	filtered  []*filter.Message // each message in the form that filters read
}

// view returns the messages of a view.
func (e *Entry) view(of wire.View) *view {
	kept := &e.views[of.Index()]
	if v := kept.Load(); v != nil {
		return v
	}
	kept.CompareAndSwap(nil, new(view))
	return kept.Load()
}

// Messages returns the entry's messages in a view.
func (e *Entry) Messages(of wire.View) []*wire.Message {
	v := e.view(of)
	v.once.Do(func() {
		derived := e.Derive(e.Journal, of)
		v.messages = make([]*wire.Message, 0, len(derived))
		for _, m := range derived {
			v.messages = append(v.messages, &m) // each allocated by itself, or one would keep all in memory
		}
	})
	return v.messages
}

// Passes reports whether the entry's message part passes the audience's filter. The
// filter reads the full message, which is decoded once for all endpoints of a clearance.
func (e *Entry) Passes(a *filter.Audience, part int) (bool, error) {
	if !a.Filters() {
		return a.Passes(nil)
	}
	full := a.View()
	full.Thin = false
	messages := e.Messages(full)
	v := e.view(full)
	v.filtering.Do(func() {
		seen := filter.NewEntry(e.Journal, a.Clearance)
		for _, m := range messages {
			v.filtered = append(v.filtered, seen.Message(m))
		}
	})
	return a.Passes(v.filtered[part])
}
