package machine

import (
	"time"

	"github.com/casehook/casehook/internal/wire"
)

// Cursor is the state of one cursor of an endpoint. It is not safe for concurrent
// use, and neither is its gate.
type Cursor struct {
	gate   *Gate
	scope  scope
	window window
	lanes  lanes

	skip      map[string]struct{} // messages that were settled before a restart, or given up among others of a lane
	retrying  int                 // requests under way for parked lanes
	underWay  int                 // requests under way, and parked lanes being loaded
	requested map[string]bool     // repair requests by message id: drop it (true), or try it at once
	stopped   bool                // nothing more is sent
	ended     bool                // its end has been handed over

	outcomes int // of attempts; this and the fields below are not yet handed over
	dead     []DeadMessage
	repaired []RepairRequest
	saved    int64 // the position that was handed over last
}

// New restores the live cursor of an endpoint.
func New(g *Gate, s CursorState) *Cursor {
	c := &Cursor{
		gate:   g,
		window: window{most: g.limits.Window, readTo: s.Position},
		lanes:  lanes{order: g.policy.Order, byKey: map[string]*lane{}},
		skip:   make(map[string]struct{}, len(s.Settled)),
		saved:  s.Position,
	}
	for _, id := range s.Settled {
		c.skip[id] = struct{}{}
	}
	c.lanes.restore(s.Parked, s.Position)
	return c
}

// Position returns the low-watermark: everything at or below it is settled or parked.
func (c *Cursor) Position() int64 { return c.window.position() }

// ReadTo returns the position up to which the journal has been read.
func (c *Cursor) ReadTo() int64 { return c.window.readTo }

// Bounded reports whether the cursor is a replay's.
func (c *Cursor) Bounded() bool { return c.scope.bounded }

// WantsMore reports whether more of the journal should be read. While the breaker is
// open, more is read only to find a lane that has not been probed yet.
func (c *Cursor) WantsMore() bool {
	room := c.lanes.rows < c.gate.limits.Parked || len(c.lanes.dormant) > 0
	if !room || c.window.full() || c.gate.gone || c.stopped || c.scope.bounded && c.window.readTo >= c.scope.until {
		return false
	}
	return !c.gate.breaker.open || !c.lanes.unprobed()
}

// Read admits the entries that follow ReadTo. Up to upTo, the journal has no others for
// this endpoint.
func (c *Cursor) Read(entries []*Entry, upTo int64) {
	for _, e := range entries {
		c.admit(e)
	}
	c.window.readTo = max(c.window.readTo, upTo)
	c.lanes.wake(c.window.readTo)
}

// admit puts the messages of an entry into their lanes.
func (c *Cursor) admit(e *Entry) {
	entry := &windowEntry{seq: e.Journal.Seq}
	for part, body := range e.Messages(c.gate.audience.View()) {
		if !c.subscribes(e, body) {
			continue
		}
		msg := newMessage(e, part, body)
		msg.window = entry
		if _, settled := c.skip[body.ID]; settled {
			continue
		}
		// The filter is applied to a message of a parked lane when its turn comes.
		if !c.lanes.covers(msg) && c.passes(e, msg) {
			c.lanes.enqueue(msg)
		}
	}
	c.window.add(entry)
	c.lanes.wake(c.window.readTo)
}

func newMessage(e *Entry, part int, body *wire.Message) *Message {
	return &Message{
		Place: Place{e.Journal.Seq, part}, ID: body.ID, Subject: e.Journal.Subject, Entry: e.Journal, Body: body,
	}
}

// subscribes reports whether the endpoint currently subscribes to a message, and the
// message is within the cursor's scope.
func (c *Cursor) subscribes(e *Entry, body *wire.Message) bool {
	return c.gate.audience.Subscribes(e.Journal, body) && c.scope.has(e, body)
}

// passes reports whether a message that the endpoint subscribes to passes the filter.
// If the filter or the body can't be computed, it gives the message up and returns
// false.
func (c *Cursor) passes(e *Entry, msg *Message) bool {
	passes, err := e.Passes(&c.gate.audience, msg.Part)
	switch {
	case err != nil:
		c.giveUp(msg, e.Journal.At, "the filter could not be computed: "+err.Error())
	case passes && msg.Body.Err != nil:
		c.giveUp(msg, e.Journal.At, "the body could not be made: "+msg.Body.Err.Error())
	default:
		return passes
	}
	return false
}

// giveUp makes a message dead.
func (c *Cursor) giveUp(msg *Message, now time.Time, reason string) {
	c.dead = append(c.dead, DeadMessage{
		Place:   msg.Place,
		Message: msg.ID,
		Subject: msg.Subject,
		Trigger: msg.Body.Trigger,
		At:      now,
		Reason:  reason,
	})
	if c.lanes.byKey[msg.Subject] != nil { // its lane may be loaded again, with this message
		c.skip[msg.ID] = struct{}{}
	}
}

// Collect returns the changes to save since the previous call, and false if there are
// none. A position that moved only past entries without messages is included only if
// flush is true.
func (c *Cursor) Collect(flush bool) (s Settlement, ok bool) {
	position := c.Position()
	end := c.finished() && !c.ended
	pending := c.outcomes > 0 || len(c.dead) > 0 || len(c.lanes.changed) > 0 || len(c.repaired) > 0 || end
	if !pending && (!flush || position == c.saved) {
		return s, false
	}
	s = Settlement{
		Position: position,
		Outcomes: c.outcomes,
		Dead:     c.dead,
		Repaired: c.repaired,
		Health:   c.gate.health.collect(),
		Replay:   c.scope.bounded,
		Ended:    end,
	}
	s.Park, s.Unpark = c.lanes.collect()
	c.saved, c.ended = position, c.ended || end
	c.outcomes, c.dead, c.repaired = 0, nil, nil
	return s, true
}

// Stop stops a cursor. It sends nothing more.
func (c *Cursor) Stop() { c.stopped = true }

// Stopped reports whether the cursor was stopped and has nothing under way.
func (c *Cursor) Stopped() bool { return c.stopped && c.underWay == 0 }

// WakeAt returns the time at which Next may return a step without any further event, or
// zero if there is none.
func (c *Cursor) WakeAt() time.Time {
	g := c.gate
	if c.stopped || g.breaker.open && g.breaker.probing {
		return time.Time{}
	}
	opens := g.opensAt()
	if g.breaker.open {
		return later(opens, g.breaker.probeAt)
	}
	if len(c.lanes.ready) > 0 && !opens.IsZero() {
		return opens
	}
	hung := c.hungAt()
	if len(c.lanes.waiting) == 0 {
		return hung
	}
	due := later(opens, c.lanes.waiting[0].Due)
	if !hung.IsZero() && hung.Before(due) {
		return hung
	}
	return due
}

// State has the counts of a cursor's state.
type State struct {
	Position int64
	ReadTo   int64
	Lanes    int // with messages, or parked
	Waiting  int // parked lanes that wait for their due time
	Dormant  int // parked lanes whose heads are to be read again
	Rows     int // of parked lanes that stand for messages outside of the window
	Retrying int // requests under way for parked lanes
	UnderWay int // requests under way, and parked lanes being loaded
	Outcomes int // of attempts; these and the dead are not yet handed over
	Dead     []string
}

// State returns the counts of the cursor's state, for tests and debugging.
func (c *Cursor) State() State {
	var dead []string
	for _, d := range c.dead {
		dead = append(dead, d.Message)
	}
	return State{
		Position: c.Position(),
		ReadTo:   c.ReadTo(),
		Lanes:    len(c.lanes.byKey),
		Waiting:  len(c.lanes.waiting),
		Dormant:  len(c.lanes.dormant),
		Rows:     c.lanes.rows,
		Retrying: c.retrying,
		UnderWay: c.underWay,
		Outcomes: c.outcomes,
		Dead:     dead,
	}
}
