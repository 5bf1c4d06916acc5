package machine

import (
	"sync"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/filter"
	"github.com/casehook/casehook/internal/wire"
)

// Derive returns the messages of an entry as a clearance sees them.
type Derive func(e *event.Entry, clearance casetype.Classification) []wire.Message

// Entry is a journal entry with its messages. They are derived when the first
// endpoint of a clearance asks for them, and kept for all others. It is safe for
// concurrent use, and must not be copied.
type Entry struct {
	Journal *event.Entry
	Derive  Derive
	views   [4]view // by the level of the clearance
}

// view is an entry's messages as one clearance sees them.
type view struct {
	once     sync.Once
	messages []*wire.Message

	filtering sync.Once
	filtered  []*filter.Message // of each message, as filters see it
}

// Messages returns the entry's messages as a clearance sees them.
func (e *Entry) Messages(clearance casetype.Classification) []*wire.Message {
	v := &e.views[clearance.Level()]
	v.once.Do(func() {
		for _, m := range e.Derive(e.Journal, clearance) {
			v.messages = append(v.messages, &m) // each by itself, or one would keep them all
		}
	})
	return v.messages
}

// Passes reports whether one of the entry's messages passes the audience's filter.
// What the filter looks at is decoded once for all endpoints of a clearance.
func (e *Entry) Passes(a *filter.Audience, part int) (bool, error) {
	if !a.Filters() {
		return a.Passes(nil)
	}
	messages := e.Messages(a.Clearance)
	v := &e.views[a.Clearance.Level()]
	v.filtering.Do(func() {
		seen := filter.NewEntry(e.Journal, a.Clearance)
		for _, m := range messages {
			v.filtered = append(v.filtered, seen.Message(m))
		}
	})
	return a.Passes(v.filtered[part])
}
