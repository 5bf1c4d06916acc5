package delivery

import (
	"slices"
	"time"

	"github.com/casehook/casehook/internal/store"
)

// step is what a machine wants done next: send a message, or load a parked
// lane's messages from the journal.
type step struct {
	send *message
	load *load
}

// load asks for a lane's entries with positions above After and up to UpTo.
type load struct {
	Lane  string
	After int64
	UpTo  int64
}

// next picks what to do now. Each message that it returns must come back by done, each
// load by loaded.
func (m *machine) next(now time.Time) (step, bool) {
	if m.stopped || m.shut(now) {
		return step{}, false
	}
	if m.breaker.open {
		return m.probe(now)
	}
	m.freeWindow(now)
	if r := m.due(now); r != nil {
		return m.retry(r, now), true
	}
	if l := m.firstReady(); l != nil {
		return step{send: m.launch(l, now)}, true
	}
	return step{}, false
}

// probe tries one message while the breaker is open: that of the lane which was
// probed longest ago, so that no lane which fails for ever keeps the others from
// showing that the endpoint is back.
func (m *machine) probe(now time.Time) (s step, ok bool) {
	l := m.leastProbed()
	if l == nil || m.loading > 0 || !m.breaker.mayProbe(now) {
		return s, false
	}
	if l.row != nil {
		if s = m.retry(l.row, now); s.send == nil {
			return s, true
		}
	} else {
		m.ready = slices.DeleteFunc(m.ready, func(other *lane) bool { return other == l })
		l.ready = false
		s.send = m.launch(l, now)
	}
	l.probed, s.send.probe, m.breaker.probing = now, true, true
	return s, true
}

// leastProbed prefers messages that were never tried.
func (m *machine) leastProbed() (least *lane) {
	for _, l := range m.ready {
		if l.sendable() && (least == nil || l.probed.Before(least.probed)) {
			least = l
		}
	}
	for _, r := range m.waiting {
		if least == nil || r.lane.probed.Before(least.probed) {
			least = r.lane
		}
	}
	return least
}

// due is the parked lane whose turn it is. While new messages wait, parked lanes
// take at most half of what may be under way.
func (m *machine) due(now time.Time) *row {
	if len(m.waiting) == 0 || m.waiting[0].Due.After(now) {
		return nil
	}
	if len(m.ready) > 0 && m.retrying >= max(1, m.policy.Concurrency/2) {
		return nil
	}
	return m.waiting[0]
}

// retry sends a parked lane's head, or asks for it when it is not at hand.
func (m *machine) retry(r *row, now time.Time) step {
	m.waiting.remove(r)
	if len(r.loaded) == 0 {
		m.loading++
		m.underway++
		return step{load: &load{Lane: r.lane.key, After: r.Seq - 1, UpTo: m.readTo}}
	}
	msg := r.loaded[0]
	msg.tries, msg.failures = r.Tries, r.Failures
	msg.retry = true
	r.lane.sending = msg
	m.retrying++
	return step{send: m.begin(msg, now)}
}

// loaded takes in what the journal holds of a parked lane. A full batch may
// leave more behind it.
func (m *machine) loaded(q load, entries []*tailEntry, full bool) {
	m.loading--
	m.underway--
	l := m.lanes[q.Lane]
	r := l.row
	r.loadedTo = q.UpTo
	if full {
		r.loadedTo = entries[len(entries)-1].Seq
	}
	for _, e := range entries {
		r.loaded = append(r.loaded, m.owedOf(r, e)...)
	}
	if len(r.loaded) > 0 {
		m.setHead(r, r.loaded[0])
		return
	}
	m.advance(l)
}

// unloaded puts a lane back that could not be loaded; it is tried again later.
func (m *machine) unloaded(q load, later time.Time) {
	m.loading--
	m.underway--
	r := m.lanes[q.Lane].row
	r.Due = later
	m.waiting.add(r)
}

// owedOf lists the messages of an entry that a parked lane owes.
func (m *machine) owedOf(r *row, e *tailEntry) (owed []*message) {
	for part, body := range e.messages(m.audience.Clearance) {
		msg := &message{Place: store.Place{Seq: e.Seq, Part: part, Message: body.ID}, subject: e.Subject, entry: e.Entry, body: body}
		if _, settled := m.skip[body.ID]; settled || !m.wants(e, body) || before(msg.Place, r.Place()) {
			continue
		}
		alone := m.lanes[body.ID] != nil // it has a row of its own
		if alone != (kindOf(r.lane.key) == ofMessage) || alone && body.ID != r.Message {
			continue
		}
		if m.passes(e, msg) {
			owed = append(owed, msg)
		}
	}
	return owed
}

// Place is where the head of a parked lane stands.
func (r *row) Place() store.Place { return store.Place{Seq: r.Seq, Part: r.Part, Message: r.Message} }

// setHead makes a message the head of its parked lane; it waits for its turn.
// A head that was there before keeps its tries and its due time.
func (m *machine) setHead(r *row, msg *message) {
	if msg.Message == r.Message {
		m.waiting.add(r)
		return
	}
	m.park(r.lane, store.Parked{Seq: msg.Seq, Part: msg.Part, Message: msg.Message, Subject: msg.subject, Trigger: msg.body.Trigger})
}

func (m *machine) firstReady() *lane {
	for len(m.ready) > 0 {
		l := m.ready[0]
		m.ready = m.ready[1:]
		l.ready = false
		if l.sendable() {
			return l
		}
	}
	return nil
}

func (m *machine) launch(l *lane, now time.Time) *message {
	l.sending = l.queue[0]
	l.queue = l.queue[1:]
	return m.begin(l.sending, now)
}

func (m *machine) begin(msg *message, now time.Time) *message {
	msg.tries++
	msg.sentAt = now
	if msg.window != nil && msg.tries == 1 {
		msg.window.begun = append(msg.window.begun, msg)
	}
	m.sending++
	m.underway++
	m.owed++
	m.pace.took(now)
	return msg
}

// hungAfter is how long the lowest message may hold up a full window.
const hungAfter = time.Second

// lowest is the message that holds the cursor, if the window is full and it is
// under way.
func (m *machine) lowest() *message {
	if m.position(); len(m.window) < m.held {
		return nil
	}
	for _, msg := range m.window[0].begun {
		l := m.lanes[laneKey(m.policy.Order, msg)]
		if l != nil && l.sending == msg && msg.window != nil && kindOf(l.key) != ofAll {
			return msg
		}
	}
	return nil
}

func (m *machine) hungAt() time.Time {
	if msg := m.lowest(); msg != nil {
		return msg.sentAt.Add(hungAfter)
	}
	return time.Time{}
}

// freeWindow parks a message that holds up a full window, so that the cursor
// moves. It stays under way.
func (m *machine) freeWindow(now time.Time) {
	msg := m.lowest()
	if msg == nil || now.Before(msg.sentAt.Add(hungAfter)) {
		return
	}
	m.absorb(m.lanes[laneKey(m.policy.Order, msg)], msg, store.Parked{
		Seq: msg.Seq, Part: msg.Part, Message: msg.Message, Subject: msg.subject, Trigger: msg.body.Trigger, Tries: msg.tries, Failures: msg.failures,
		Due: now.Add(m.policy.Timeout), Reason: "it has been under way for long",
	})
}
