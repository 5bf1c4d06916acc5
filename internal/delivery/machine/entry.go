package machine

import (
	"sync"
	"sync/atomic"

	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/filter"
	"github.com/casehook/casehook/internal/wire"
)

// Derive returns the messages of an entry in a view.
type Derive func(*event.Entry, wire.View) []wire.Message

// Entry is a journal entry with its messages. They are derived when the first
// endpoint of a view asks for them, and kept for all others. It is safe for
// concurrent use, and must not be copied.
type Entry struct {
	Journal *event.Entry
	Derive  Derive
	views   [wire.Views]atomic.Pointer[view] // by the index of the view; nil: nobody has asked for it
}

// view is an entry's messages in one view.
type view struct {
	once     sync.Once
	messages []*wire.Message

	filtering sync.Once
	filtered  []*filter.Message // of each message, as filters see it
}

// view returns what is kept of a view.
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
			v.messages = append(v.messages, &m) // each by itself, or one would keep them all
		}
	})
	return v.messages
}

// Passes reports whether one of the entry's messages passes the audience's filter.
// The filter looks at full messages, which are decoded once for all endpoints of a clearance.
func (e *Entry) Passes(a *filter.Audience, part int) (bool, error) {
	if !a.Filters() {
		return a.Passes(nil)
	}
	full := wire.View{Clearance: a.Clearance}
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
