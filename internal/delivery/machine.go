package delivery

import (
	"cmp"
	"slices"
	"time"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/filter"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/wire"
)

// machine is the state of one cursor of an endpoint. Like its gate it is pure and
// not safe for concurrent use.
type machine struct {
	*gate
	scope scope
	held  int // entries that the window may have

	readTo   int64               // the journal has been read up to here
	window   []*windowEntry      // entries above the position that are owed, in order
	skip     map[string]struct{} // messages that were settled before a restart, or given up among others of a lane
	lanes    map[string]*lane
	ready    []*lane         // with a message to send, in order
	waiting  waiting         // parked lanes that are not under way
	dormant  []*row          // parked before a restart, with heads that are to be read again
	rows     int             // parked lanes whose messages have left the window
	retrying int             // requests under way that are of parked lanes
	underway int             // requests, and parked lanes that are being looked for
	stopped  bool            // nothing more is begun
	wishes   map[string]bool // what is asked of parked messages: to drop them, or to try them at once
	ended    bool            // that all is told has been handed over

	out   outbox
	saved int64 // the position that was handed over last
}

// windowEntry is an entry of which some messages are owed.
type windowEntry struct {
	seq   int64
	open  int        // messages neither settled nor left to a parked lane
	begun []*message // those that were sent at least once
}

// outbox collects what is to be saved.
type outbox struct {
	attempts []store.Attempt
	dead     []store.Dead
	lanes    map[string]*store.Parked // nil: unpark
	granted  []store.Wish
}

// newMachine restores a machine from what was saved.
func newMachine(g *gate, c store.Cursor, parked []store.Parked, settled []store.Place) *machine {
	m := &machine{
		gate: g, held: g.limits.window, skip: make(map[string]struct{}, len(settled)),
		lanes: map[string]*lane{}, readTo: c.Position, saved: c.Position,
	}
	for _, p := range settled {
		m.skip[p.Message] = struct{}{}
	}
	for _, p := range parked {
		r := m.park(m.lane(p.Lane), p)
		r.absorbedTo = c.Position
		if p.Seq > c.Position {
			m.waiting.remove(r)
			m.dormant = append(m.dormant, r)
		}
		m.out = outbox{} // it is saved already
	}
	return m
}

// position is the low-watermark: everything at or below is settled or parked.
func (m *machine) position() int64 {
	for len(m.window) > 0 && m.window[0].open == 0 {
		m.window[0] = nil
		m.window = m.window[1:]
	}
	if len(m.window) > 0 {
		return m.window[0].seq - 1
	}
	return m.readTo
}

// wantsMore reports whether more of the journal should be read. While the
// breaker is open that is only to find a lane that has not been probed yet.
func (m *machine) wantsMore() bool {
	m.position()
	room := m.rows < m.limits.parked || len(m.dormant) > 0
	if !room || len(m.window) >= m.held || m.gone || m.stopped || m.scope.bounded && m.readTo >= m.scope.until {
		return false
	}
	untried := func(l *lane) bool { return l.probed.IsZero() && l.sendable() }
	return !m.breaker.open || !slices.ContainsFunc(m.ready, untried)
}

// read takes in the messages of entries that follow readTo, and that the journal
// holds nothing else for this endpoint up to upTo.
func (m *machine) read(entries []*tailEntry, upTo int64) {
	for _, e := range entries {
		m.admit(e)
	}
	m.readTo = max(m.readTo, upTo)
	m.rouse()
}

// wants reports whether the endpoint, as it is set up now, subscribes to a message, and
// the cursor is to send it.
func (m *machine) wants(e *tailEntry, body *wire.Message) bool {
	return m.audience.Subscribes(e.Entry, body) && m.scope.has(e, body)
}

// passes reports whether a message that the endpoint listens to may be sent. It
// may not if the filter says so, nor if it can't be: then it is given up at once.
func (m *machine) passes(e *tailEntry, msg *message) bool {
	var seen *filter.Message
	if m.audience.Filters() {
		seen = e.judged(m.audience.Clearance, msg.Part)
	}
	passes, err := m.audience.Passes(seen)
	switch {
	case err != nil:
		m.bury(msg, e.At, "the filter could not be computed: "+err.Error())
	case passes && msg.body.Err != nil:
		m.bury(msg, e.At, "the body could not be made: "+msg.body.Err.Error())
	default:
		return passes
	}
	return false
}

func (m *machine) admit(e *tailEntry) {
	entry := &windowEntry{seq: e.Seq}
	for part, body := range e.messages(m.audience.Clearance) {
		if !m.wants(e, body) {
			continue
		}
		msg := &message{Place: store.Place{Seq: e.Seq, Part: part, Message: body.ID}, subject: e.Subject, entry: e.Entry, body: body, window: entry}
		if _, settled := m.skip[body.ID]; settled {
			continue
		}
		if !m.leftToRow(msg) && m.passes(e, msg) { // what is left to a row is judged when it is its turn
			m.enqueue(msg)
		}
	}
	m.readTo = e.Seq
	m.rouse()
	if entry.open > 0 {
		m.window = append(m.window, entry)
	}
}

// enqueue puts a message in its lane.
func (m *machine) enqueue(msg *message) {
	l := m.lane(laneKey(m.policy.Order, msg))
	if r := l.row; r != nil && r.Message == msg.Message { // strict, after a restart
		r.loaded = []*message{msg}
	}
	msg.window.open++
	l.queue = append(l.queue, msg)
	m.makeReady(l)
}

// leftToRow reports whether a parked lane covers the message already.
func (m *machine) leftToRow(msg *message) bool {
	if l := m.lanes[msg.Message]; l != nil && l.row != nil {
		return true
	}
	if l := m.lanes[msg.subject]; l != nil && l.row != nil {
		l.row.absorbedTo = max(l.row.absorbedTo, msg.Seq)
		return true
	}
	strict := m.lanes[""]
	if m.policy.Order == endpoint.Strict || strict == nil || strict.row == nil || strict.row.Message != msg.Message {
		return false
	}
	// The order was strict when it failed; it waits on under the order of today.
	p := strict.row.Parked
	m.unpark(strict)
	m.makeReady(strict)
	p.Lane = laneKey(m.policy.Order, msg)
	m.park(m.lane(p.Lane), p).absorbedTo = msg.Seq
	return true
}

// rouse lets lanes that were parked before a restart wait for their due time,
// once the journal has been read to their heads.
func (m *machine) rouse() {
	m.dormant = slices.DeleteFunc(m.dormant, func(r *row) bool {
		if r.Seq > m.readTo {
			return false
		}
		switch {
		case r.lane.row != r: // it has gone on under another order
		case kindOf(r.lane.key) == ofAll && len(r.loaded) == 0: // its head is wanted no more
			m.unpark(r.lane)
			m.makeReady(r.lane)
		default:
			m.waiting.add(r)
		}
		return true
	})
}

func (m *machine) lane(key string) *lane {
	l := m.lanes[key]
	if l == nil {
		l = &lane{key: key}
		m.lanes[key] = l
	}
	return l
}

func (m *machine) makeReady(l *lane) {
	if !l.ready && l.sendable() {
		l.ready = true
		m.ready = append(m.ready, l)
	}
	if l.row == nil && l.sending == nil && len(l.queue) == 0 {
		delete(m.lanes, l.key)
	}
}

// park gives a lane a row, or writes over the one it has.
func (m *machine) park(l *lane, p store.Parked) *row {
	if l.row == nil {
		l.row = &row{lane: l, index: -1}
		m.rows += counts(l)
	}
	if p.Lane = l.key; p.Message != l.row.Message {
		l.row.away, l.row.hurried = false, false
	}
	l.row.Parked = p
	m.save(l.key, &p)
	if l.sending == nil {
		m.waiting.add(l.row)
	}
	return l.row
}

// counts is 1 for a lane whose row stands for messages outside of the window.
func counts(l *lane) int {
	if kindOf(l.key) == ofAll {
		return 0
	}
	return 1
}

func (m *machine) unpark(l *lane) {
	m.waiting.remove(l.row)
	l.row = nil
	m.rows -= counts(l)
	m.save(l.key, nil)
}

func (m *machine) save(lane string, p *store.Parked) {
	if m.out.lanes == nil {
		m.out.lanes = map[string]*store.Parked{}
	}
	m.out.lanes[lane] = p
}

// bury gives a message up.
func (m *machine) bury(msg *message, now time.Time, reason string) {
	m.out.dead = append(m.out.dead, store.Dead{
		Place: msg.Place, Subject: msg.subject, Trigger: msg.body.Trigger, At: now, Reason: reason,
	})
	if m.lanes[msg.subject] != nil { // it may be loaded again, with what is before and behind it
		m.skip[msg.Message] = struct{}{}
	}
}

// take hands over what is to be saved. With flush it includes a position that
// moved only past entries that nobody here wanted, which otherwise waits.
func (m *machine) take(flush bool) (s store.Settlement, ok bool) {
	position := m.position()
	end := m.finished() && !m.ended
	pending := len(m.out.attempts) > 0 || len(m.out.dead) > 0 || len(m.out.lanes) > 0 || len(m.out.granted) > 0 || end
	if !pending && (!flush || position == m.saved) {
		return s, false
	}
	s = store.Settlement{Position: position, Attempts: m.out.attempts, Dead: m.out.dead, Granted: m.out.granted, Health: m.watch.take(), Replay: m.scope.bounded, Ended: end}
	for key, p := range m.out.lanes {
		if p == nil {
			s.Unpark = append(s.Unpark, key)
		} else {
			s.Park = append(s.Park, *p)
		}
	}
	slices.Sort(s.Unpark)
	slices.SortFunc(s.Park, func(a, b store.Parked) int { return cmp.Compare(a.Lane, b.Lane) })
	m.saved, m.out, m.ended = position, outbox{}, m.ended || end
	return s, true
}

// wakeAt is when next has something new to give without any event; zero: never.
func (m *machine) wakeAt() time.Time {
	if m.stopped {
		return time.Time{}
	}
	if m.breaker.open && m.breaker.probing {
		return time.Time{}
	}
	at := m.opensAt()
	if m.breaker.open {
		return later(at, m.breaker.probeAt)
	}
	if len(m.ready) > 0 && !at.IsZero() {
		return at
	}
	if len(m.waiting) == 0 {
		return m.hungAt()
	}
	at = later(at, m.waiting[0].Due)
	if hung := m.hungAt(); !hung.IsZero() && hung.Before(at) {
		return hung
	}
	return at
}
