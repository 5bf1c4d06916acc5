package delivery

import (
	"maps"
	"slices"
	"time"

	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/wire"
)

// ask notes what somebody wants of parked messages.
func (m *machine) ask(wishes []store.Wish) {
	for _, w := range wishes {
		if m.wishes == nil {
			m.wishes = map[string]bool{}
		}
		m.wishes[w.Message] = w.Drop
	}
}

// grant does what is asked of parked messages: they are dropped, or due now. What
// is under way is left until it has come back. A message that is not parked any
// more was delivered or given up meanwhile, and what was asked of it is moot.
func (m *machine) grant(now time.Time) {
	if len(m.wishes) == 0 || m.stopped {
		return
	}
	heads := make(map[string]*row, m.rows+1)
	for _, l := range m.lanes {
		if l.row != nil {
			heads[l.row.Message] = l.row
		}
	}
	for _, message := range slices.Sorted(maps.Keys(m.wishes)) {
		r, drop := heads[message], m.wishes[message]
		switch {
		case r == nil:
		case r.index < 0: // under way, being looked for, or not read again yet
			continue
		case drop:
			m.drop(r, now)
		default:
			p := r.Parked
			p.Due = now
			m.park(r.lane, p)
		}
		delete(m.wishes, message)
		m.out.granted = append(m.out.granted, store.Wish{Message: message, Drop: drop})
	}
}

// drop gives up the head of a parked lane; the lane goes on.
func (m *machine) drop(r *row, now time.Time) {
	msg := &message{Place: r.Place(), subject: r.Subject, body: &wire.Message{Trigger: r.Trigger}}
	if len(r.loaded) > 0 {
		msg = r.loaded[0]
	} else {
		r.loadedTo = min(r.loadedTo, r.Seq-1) // what was found behind the head is forgotten
	}
	m.bury(msg, now, r.Reason)
	m.out.dead[len(m.out.dead)-1].State = store.Dropped
	m.settle(r.lane, msg)
}
