package machine

import (
	"maps"
	"slices"
	"time"

	"github.com/casehook/casehook/internal/wire"
)

// Ask notes what somebody wants of a parked message.
func (c *Cursor) Ask(w Wish) {
	if c.wishes == nil {
		c.wishes = map[string]bool{}
	}
	c.wishes[w.Message] = w.Drop
}

// Grant does what was asked of parked messages: they are dropped, or due now. A
// message under way is left until it has come back. A message that is not parked any
// more was delivered or given up meanwhile, and what was asked of it is moot.
func (c *Cursor) Grant(now time.Time) {
	if len(c.wishes) == 0 || c.stopped {
		return
	}
	heads := make(map[string]*row, c.lanes.rows+1)
	for _, l := range c.lanes.byKey {
		if l.row != nil {
			heads[l.row.Message] = l.row
		}
	}
	for _, message := range slices.Sorted(maps.Keys(c.wishes)) {
		r, drop := heads[message], c.wishes[message]
		switch {
		case r == nil:
		case r.index < 0: // under way, being looked for, or not read again yet
			continue
		case drop:
			c.drop(r, now)
		default:
			p := r.Parked
			p.Due = now
			c.lanes.park(r.lane, p)
		}
		delete(c.wishes, message)
		c.granted = append(c.granted, Wish{Message: message, Drop: drop})
	}
}

// drop ends the head of a parked lane as given up; the lane goes on.
func (c *Cursor) drop(r *row, now time.Time) {
	msg := &Message{Place: r.place(), ID: r.Message, Subject: r.Subject, Body: &wire.Message{Trigger: r.Trigger}}
	if len(r.loaded) > 0 {
		msg = r.loaded[0]
	} else {
		r.loadedTo = min(r.loadedTo, r.Seq-1) // what was found behind the head is forgotten
	}
	c.giveUp(msg, now, r.Reason)
	c.dead[len(c.dead)-1].Dropped = true
	c.lanes.finish(r.lane, msg)
}
