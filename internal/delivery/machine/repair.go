package machine

import (
	"maps"
	"slices"
	"time"

	"github.com/casehook/casehook/internal/wire"
)

// RequestRepair adds a request, which Repair carries out.
func (c *Cursor) RequestRepair(r RepairRequest) {
	if c.requested == nil {
		c.requested = map[string]bool{}
	}
	c.requested[r.Message] = r.Drop
}

// Repair carries out the requests: it drops parked messages, or makes them due now. A
// request for a message under way waits for its outcome. A message that is no longer
// parked was delivered or given up meanwhile; its request is done.
func (c *Cursor) Repair(now time.Time) {
	if len(c.requested) == 0 || c.stopped {
		return
	}
	heads := make(map[string]*row, c.lanes.rows+1)
	for _, l := range c.lanes.byKey {
		if l.row != nil {
			heads[l.row.Message] = l.row
		}
	}
	for _, message := range slices.Sorted(maps.Keys(c.requested)) {
		r, drop := heads[message], c.requested[message]
		switch {
		case r == nil:
		case r.index < 0: // under way, being loaded, or not read again yet
			continue
		case drop:
			c.drop(r, now)
		default:
			p := r.ParkedMessage
			p.Due = now
			c.lanes.park(r.lane, p)
		}
		delete(c.requested, message)
		c.repaired = append(c.repaired, RepairRequest{Message: message, Drop: drop})
	}
}

// drop drops the head of a parked lane, which goes on.
func (c *Cursor) drop(r *row, now time.Time) {
	msg := &Message{Place: r.place(), ID: r.Message, Subject: r.Subject, Body: &wire.Message{Trigger: r.Trigger}}
	if len(r.loaded) > 0 {
		msg = r.loaded[0]
	} else {
		r.loadedTo = min(r.loadedTo, r.Seq-1) // the messages after the head are no longer loaded
	}
	c.giveUp(msg, now, r.Reason)
	c.dead[len(c.dead)-1].Dropped = true
	c.lanes.finish(r.lane, msg)
}
