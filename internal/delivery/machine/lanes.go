package machine

import (
	"maps"
	"slices"

	"github.com/casehook/casehook/internal/endpoint"
)

// lanes keep the order of a cursor's messages: those that may be sent, and those
// that are parked.
type lanes struct {
	order   endpoint.Order
	byKey   map[string]*lane
	ready   []*lane // with a message to send, in order
	waiting waiting // parked and not under way
	dormant []*row  // parked before a restart; their heads have to be read again
	rows    int     // of parked lanes whose messages have left the window

	changed map[string]*ParkedMessage // rows changed since they were last saved; nil: no longer parked
}

// get returns the lane of a key, and adds it if there is none.
func (s *lanes) get(key string) *lane {
	l := s.byKey[key]
	if l == nil {
		l = &lane{key: key}
		s.byKey[key] = l
	}
	return l
}

// of returns the lane of a message under the current order; nil: there is none.
func (s *lanes) of(msg *Message) *lane { return s.byKey[laneKey(s.order, msg)] }

// sending returns the lane of a message under way. The lane may have been parked under
// an earlier order.
func (s *lanes) sending(msg *Message) *lane {
	for _, key := range []string{laneKey(s.order, msg), msg.Subject, msg.ID, ""} {
		if l := s.byKey[key]; l != nil && l.sending == msg {
			return l
		}
	}
	panic("machine: an outcome for a message that is not under way")
}

// update lists a lane as ready if it is, and removes one that is empty.
func (s *lanes) update(l *lane) {
	if !l.ready && l.sendable() {
		l.ready = true
		s.ready = append(s.ready, l)
	}
	if l.row == nil && l.sending == nil && len(l.queue) == 0 {
		delete(s.byKey, l.key)
	}
}

// enqueue puts a message in its lane.
func (s *lanes) enqueue(msg *Message) {
	l := s.get(laneKey(s.order, msg))
	if r := l.row; r != nil && r.Message == msg.ID { // strict, after a restart
		r.loaded = []*Message{msg}
	}
	msg.window.open++
	l.queue = append(l.queue, msg)
	s.update(l)
}

// next removes the first ready lane from the list; nil: there is none.
func (s *lanes) next() *lane {
	for len(s.ready) > 0 {
		l := s.ready[0]
		s.ready = s.ready[1:]
		l.ready = false
		if l.sendable() {
			return l
		}
	}
	return nil
}

// remove removes a lane from the list of those that are ready.
func (s *lanes) remove(l *lane) {
	s.ready = slices.DeleteFunc(s.ready, func(other *lane) bool { return other == l })
	l.ready = false
}

// leastProbed returns the lane that was probed longest ago, preferably one with a
// message that was never tried; nil: there is none to probe.
func (s *lanes) leastProbed() (least *lane) {
	for _, l := range s.ready {
		if l.sendable() && (least == nil || l.probed.Before(least.probed)) {
			least = l
		}
	}
	for _, r := range s.waiting {
		if least == nil || r.lane.probed.Before(least.probed) {
			least = r.lane
		}
	}
	return least
}

// unprobed reports whether a ready lane was never probed.
func (s *lanes) unprobed() bool {
	return slices.ContainsFunc(s.ready, func(l *lane) bool { return l.probed.IsZero() && l.sendable() })
}

// park adds a row to a lane, or overwrites the one it has.
func (s *lanes) park(l *lane, p ParkedMessage) *row {
	if l.row == nil {
		l.row = &row{lane: l, index: -1}
		s.rows += l.rows()
	}
	if p.Lane = l.key; p.Message != l.row.Message {
		l.row.away, l.row.hurried = false, false
	}
	l.row.ParkedMessage = p
	s.change(l.key, &p)
	if l.sending == nil {
		s.waiting.add(l.row)
	}
	return l.row
}

func (s *lanes) unpark(l *lane) {
	s.waiting.remove(l.row)
	l.row = nil
	s.rows -= l.rows()
	s.change(l.key, nil)
	s.update(l)
}

func (s *lanes) change(key string, p *ParkedMessage) {
	if s.changed == nil {
		s.changed = map[string]*ParkedMessage{}
	}
	s.changed[key] = p
}

// collect returns the rows that have changed since the previous call.
func (s *lanes) collect() (park []ParkedMessage, unpark []string) {
	if len(s.changed) == 0 {
		return nil, nil
	}
	for _, key := range slices.Sorted(maps.Keys(s.changed)) {
		if p := s.changed[key]; p == nil {
			unpark = append(unpark, key)
		} else {
			park = append(park, *p)
		}
	}
	s.changed = nil
	return park, unpark
}

// restore restores the parked lanes of a cursor that was saved at a position.
func (s *lanes) restore(parked []ParkedMessage, position int64) {
	for _, p := range parked {
		r := s.park(s.get(p.Lane), p)
		r.absorbedTo = position
		if p.Seq > position {
			s.waiting.remove(r)
			s.dormant = append(s.dormant, r)
		}
	}
	s.changed = nil // it is saved already
}

// wake moves lanes that were parked before a restart from dormant to waiting, once the
// journal has been read to their heads.
func (s *lanes) wake(readTo int64) {
	s.dormant = slices.DeleteFunc(s.dormant, func(r *row) bool {
		if r.Seq > readTo {
			return false
		}
		switch {
		case r.lane.row != r: // it was replaced under another order
		case kindOf(r.lane.key) == ofAll && len(r.loaded) == 0: // its head is no longer wanted
			s.unpark(r.lane)
		default:
			s.waiting.add(r)
		}
		return true
	})
}

// covers reports whether the row of a parked lane already stands for the message.
func (s *lanes) covers(msg *Message) bool {
	if l := s.byKey[msg.ID]; l != nil && l.row != nil {
		return true
	}
	if l := s.byKey[msg.Subject]; l != nil && l.row != nil {
		l.row.absorbedTo = max(l.row.absorbedTo, msg.Seq)
		return true
	}
	strict := s.byKey[""]
	if s.order == endpoint.Strict || strict == nil || strict.row == nil || strict.row.Message != msg.ID {
		return false
	}
	// The order was strict when the message failed. It keeps waiting under the current order.
	p := strict.row.ParkedMessage
	s.unpark(strict)
	p.Lane = laneKey(s.order, msg)
	s.park(s.get(p.Lane), p).absorbedTo = msg.Seq
	return true
}

// finish removes a message that was delivered or given up from its lane, which goes on.
func (s *lanes) finish(l *lane, msg *Message) {
	if msg.window != nil {
		msg.window.open--
	}
	if l.row == nil {
		s.update(l)
		return
	}
	if kindOf(l.key) == ofAll {
		l.row.loaded = nil
		if len(l.queue) > 0 && l.queue[0] == msg {
			l.queue = l.queue[1:]
		}
		s.unpark(l)
		return
	}
	if len(l.row.loaded) > 0 { // empty if the lane was parked while the message was under way
		l.row.loaded = l.row.loaded[1:]
	}
	s.advance(l)
}

// advance goes on to a parked lane's next message, or unparks the lane if the journal
// holds no more of its messages.
func (s *lanes) advance(l *lane) {
	r := l.row
	switch {
	case len(r.loaded) > 0:
		s.setHead(r, r.loaded[0])
	case kindOf(l.key) == ofSubject && r.loadedTo < r.absorbedTo:
		// The next head is not known yet: it is the first message after this one.
		next := ParkedMessage{Seq: r.Seq, Part: r.Part + 1}
		if r.loadedTo >= r.Seq {
			next = ParkedMessage{Seq: r.loadedTo + 1}
		}
		s.park(l, next)
	default:
		s.unpark(l)
	}
}

// setHead makes a message the head of its parked lane, where it waits for its turn. If
// it was the head before, it keeps its tries and its due time.
func (s *lanes) setHead(r *row, msg *Message) {
	if msg.ID == r.Message {
		s.waiting.add(r)
		return
	}
	s.park(r.lane,
		ParkedMessage{Seq: msg.Seq, Part: msg.Part, Message: msg.ID, Subject: msg.Subject, Trigger: msg.Body.Trigger})
}

// requeue returns a message to its place in its lane, with tries as its count.
func (s *lanes) requeue(l *lane, msg *Message, tries int) {
	msg.Tries, msg.probe = tries, false
	if l.row == nil {
		l.queue = append([]*Message{msg}, l.queue...)
		s.update(l)
		return
	}
	p := l.row.ParkedMessage
	p.Tries = tries
	s.repark(l, p)
}

// repark overwrites the row of a lane whose head is no longer under way. The messages of
// a subject's lane are read from the journal again.
func (s *lanes) repark(l *lane, p ParkedMessage) {
	if kindOf(l.key) != ofAll {
		l.row.loaded = nil
	}
	s.park(l, p)
}

// absorb parks a lane that was not parked: its messages leave the window and wait in the
// journal. The lane of a whole endpoint keeps them in the window.
func (s *lanes) absorb(l *lane, head *Message, p ParkedMessage) {
	if kindOf(l.key) == ofAll {
		l.queue = append([]*Message{head}, l.queue...)
		s.park(l, p).loaded = []*Message{head}
		return
	}
	r := s.park(l, p)
	r.loadedTo = head.Seq - 1
	r.absorbedTo = max(r.absorbedTo, head.Seq)
	for _, msg := range append([]*Message{head}, l.queue...) {
		msg.window.open--
		msg.window = nil
		r.absorbedTo = max(r.absorbedTo, msg.Seq)
	}
	l.queue = nil
}
