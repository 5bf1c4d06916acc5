package machine

import "time"

// Step is the next step of a cursor: to send a message, or to load a parked lane from
// the journal. One of the two is set.
type Step struct {
	Send *Message
	Load *LoadRequest
}

// LoadRequest asks for a lane's entries with positions above After and up to UpTo.
type LoadRequest struct {
	Lane  string
	After int64
	UpTo  int64
}

// Subject returns the subject whose entries are requested. If it returns false, the
// first entry after After is requested, of any subject.
func (l LoadRequest) Subject() (string, bool) { return l.Lane, kindOf(l.Lane) == ofSubject }

// Next returns the next step, or false if there is none now. Each message must be
// returned by Done or Withhold, and each load by Loaded or Unloaded.
func (c *Cursor) Next(now time.Time) (Step, bool) {
	if c.stopped || c.gate.shut(now) {
		return Step{}, false
	}
	if c.gate.breaker.open {
		return c.probe(now)
	}
	c.freeWindow(now)
	if r := c.due(now); r != nil {
		return c.retry(r, now), true
	}
	if l := c.lanes.next(); l != nil {
		return Step{Send: c.sendFirst(l, now)}, true
	}
	return Step{}, false
}

// probe sends one message while the breaker is open. It takes the lane that was probed
// longest ago: a lane that always fails must not keep the others from showing that the
// endpoint is back.
func (c *Cursor) probe(now time.Time) (s Step, ok bool) {
	l := c.lanes.leastProbed()
	if l == nil || c.gate.loading > 0 || !c.gate.breaker.mayProbe(now) {
		return s, false
	}
	if l.row != nil {
		if s = c.retry(l.row, now); s.Send == nil {
			return s, true
		}
	} else {
		c.lanes.remove(l)
		s.Send = c.sendFirst(l, now)
	}
	l.probed, s.Send.probe, c.gate.breaker.probing = now, true, true
	return s, true
}

// due returns a parked lane that is due; nil: there is none. While new messages wait,
// parked lanes have at most half of the requests that may be under way.
func (c *Cursor) due(now time.Time) *row {
	if len(c.lanes.waiting) == 0 || c.lanes.waiting[0].Due.After(now) {
		return nil
	}
	if len(c.lanes.ready) > 0 && c.retrying >= max(1, c.gate.policy.Concurrency/2) {
		return nil
	}
	return c.lanes.waiting[0]
}

// retry sends a parked lane's head, or requests to load it if it is not in memory.
func (c *Cursor) retry(r *row, now time.Time) Step {
	c.lanes.waiting.remove(r)
	if len(r.loaded) == 0 {
		c.gate.loading++
		c.underWay++
		return Step{Load: &LoadRequest{Lane: r.lane.key, After: r.Seq - 1, UpTo: c.window.readTo}}
	}
	msg := r.loaded[0]
	msg.Tries, msg.failures = r.Tries, r.Failures
	msg.retry = true
	r.lane.sending = msg
	c.retrying++
	c.send(msg, now)
	return Step{Send: msg}
}

// Loaded handles the entries of a parked lane. After a full batch, more may follow.
func (c *Cursor) Loaded(q LoadRequest, entries []*Entry, full bool) {
	c.gate.loading--
	c.underWay--
	l := c.lanes.byKey[q.Lane]
	r := l.row
	r.loadedTo = q.UpTo
	if full {
		r.loadedTo = entries[len(entries)-1].Journal.Seq
	}
	for _, e := range entries {
		r.loaded = append(r.loaded, c.owedOf(r, e)...)
	}
	if len(r.loaded) > 0 {
		c.lanes.setHead(r, r.loaded[0])
		return
	}
	c.lanes.advance(l)
}

// Unloaded returns a lane that could not be loaded. It is loaded again at a time.
func (c *Cursor) Unloaded(q LoadRequest, again time.Time) {
	c.gate.loading--
	c.underWay--
	r := c.lanes.byKey[q.Lane].row
	r.Due = again
	c.lanes.waiting.add(r)
}

// owedOf returns the messages of an entry that a parked lane owes.
func (c *Cursor) owedOf(r *row, e *Entry) (owed []*Message) {
	for part, body := range e.Messages(c.gate.audience.View()) {
		if _, settled := c.skip[body.ID]; settled || !c.subscribes(e, body) {
			continue
		}
		msg := newMessage(e, part, body)
		if own := c.lanes.byKey[body.ID] != nil; r.owes(msg.Place, msg.ID, own) && c.passes(e, msg) {
			owed = append(owed, msg)
		}
	}
	return owed
}

// sendFirst sends the first message of a lane.
func (c *Cursor) sendFirst(l *lane, now time.Time) *Message {
	l.sending = l.queue[0]
	l.queue = l.queue[1:]
	c.send(l.sending, now)
	return l.sending
}

// send counts a message as under way.
func (c *Cursor) send(msg *Message, now time.Time) {
	msg.Tries++
	msg.sentAt = now
	if msg.window != nil && msg.Tries == 1 {
		msg.window.sent = append(msg.window.sent, msg)
	}
	c.underWay++
	c.gate.sending++
	c.gate.owed++
	c.gate.pace.spend(now)
}

// hungAfter is how long a message may hold up a full window.
const hungAfter = time.Second

// lowest returns the message under way that holds the position of a cursor whose window
// is full; nil: there is none.
func (c *Cursor) lowest() *Message {
	if !c.window.full() {
		return nil
	}
	for _, msg := range c.window.entries[0].sent {
		l := c.lanes.of(msg)
		if l != nil && l.sending == msg && msg.window != nil && kindOf(l.key) != ofAll {
			return msg
		}
	}
	return nil
}

// hungAt returns the time at which the lowest message will have held up a full window
// for hungAfter; zero: there is no such message.
func (c *Cursor) hungAt() time.Time {
	if msg := c.lowest(); msg != nil {
		return msg.sentAt.Add(hungAfter)
	}
	return time.Time{}
}

// freeWindow parks a message that has held up a full window for too long, so that the
// cursor moves. The message stays under way.
func (c *Cursor) freeWindow(now time.Time) {
	msg := c.lowest()
	if msg == nil || now.Before(msg.sentAt.Add(hungAfter)) {
		return
	}
	c.lanes.absorb(c.lanes.of(msg), msg, msg.parked(now.Add(c.gate.policy.Timeout), "it has been under way for long"))
}
