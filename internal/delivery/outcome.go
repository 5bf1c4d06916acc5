package delivery

import (
	"time"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/store"
)

// verdict says what an attempt means for its message and its endpoint.
type verdict int

const (
	delivered    verdict = iota // a 2xx answer
	refused                     // the endpoint answered, and did not take this message
	unreachable                 // the endpoint's own failure: no answer, 429 or 5xx
	gone                        // 410: it never wants anything again
	notAttempted                // it was not sent: we gave up ourselves, shutting down, or could not send
)

// String is the verdict in a word.
func (v verdict) String() string {
	return [...]string{"delivered", "refused", "unreachable", "gone", "not attempted"}[v]
}

// outcome is what became of an attempt.
type outcome struct {
	verdict    verdict
	lacking    bool          // this machine could not send it
	connected  bool          // the request may have reached the endpoint
	throttled  bool          // 429: what is said of a retry is meant for all messages
	retryAfter time.Duration // that a 429 or 503 asked for; 0: it named none
	reason     string        // for people: "503 Service Unavailable"
	cause      string        // for the operator alone: all that is known of why there was no answer
	address    string        // that was dialled, for the operator alone
	attempt    store.Attempt // as it is recorded
}

// back takes a message back that next gave.
func (m *machine) back(msg *message) *lane {
	l := m.lanes[m.laneOf(msg)]
	l.sending = nil
	m.sending--
	m.underway--
	if msg.retry {
		m.retrying--
		msg.retry = false
	}
	return l
}

// unsent takes a message back for which no request was made.
func (m *machine) unsent(msg *message) *lane {
	m.owed--
	m.breaker.probing = m.breaker.probing && !msg.probe
	return m.back(msg)
}

// withhold ends a message that the endpoint's owner may not read any more: it is as
// one that the endpoint does not want.
func (m *machine) withhold(msg *message) { m.settle(m.unsent(msg), msg) }

// done takes in the outcome of a message that next gave.
func (m *machine) done(msg *message, o outcome, now time.Time) {
	if o.verdict == notAttempted {
		if o.lacking {
			m.rest.lacking(now, m.jitter())
		}
		m.putBack(m.unsent(msg), msg, msg.tries-1)
		return
	}
	m.rest = rest{}
	l := m.back(msg)
	m.out.attempts = append(m.out.attempts, o.attempt)
	down := m.judge(msg, o, now)
	switch {
	case o.verdict == delivered:
		m.settle(l, msg)
	case down:
		m.putBack(l, msg, msg.tries)
	default:
		m.fail(l, msg, o, now)
	}
}

// laneOf finds the lane that a message under way belongs to; the order may have
// been another when its lane was parked.
func (m *machine) laneOf(msg *message) string {
	for _, key := range []string{laneKey(m.policy.Order, msg), msg.subject, msg.Message, ""} {
		if l := m.lanes[key]; l != nil && l.sending == msg {
			return key
		}
	}
	panic("delivery: an outcome for a message that is not under way")
}

// judge lets the gate see the outcome, and reports whether the endpoint as a
// whole is down, so that the message is not to blame.
func (m *machine) judge(msg *message, o outcome, now time.Time) (down bool) {
	m.hold.judge(msg, o, now)
	switch {
	case o.verdict == gone && !m.gone:
		m.gone = true
		m.watch.gone(msg.subject, now)
	case o.verdict == unreachable && !m.gone:
		down = m.breaker.failed(msg.subject, o.connected, now, m.jitter())
		if msg.probe && down {
			m.breaker.probed(now, m.jitter())
		}
		m.breaker.notBefore(now.Add(min(o.retryAfter, longestHold)))
		m.gone = m.watch.failed(msg.subject, o.reason, m.breaker, now)
	case !m.gone:
		if m.breaker.answered() {
			m.waiting.hurry(now)
		}
		if o.verdict == refused {
			m.watch.refused(msg.subject, o.reason, now)
		} else {
			m.watch.delivered(now)
		}
	}
	msg.probe = false
	return down || m.gone && o.verdict != delivered && o.verdict != refused
}

// putBack lets a message wait where it was: nothing is counted against it.
func (m *machine) putBack(l *lane, msg *message, tries int) {
	msg.tries, msg.probe = tries, false
	if l.row == nil {
		l.queue = append([]*message{msg}, l.queue...)
		m.makeReady(l)
		return
	}
	p := l.row.Parked
	p.Tries = tries
	if kindOf(l.key) != ofAll {
		l.row.loaded = nil
	}
	m.park(l, p)
}

// settle ends a message that was delivered or given up; its lane goes on.
func (m *machine) settle(l *lane, msg *message) {
	if msg.window != nil {
		msg.window.open--
	}
	if l.row == nil {
		m.makeReady(l)
		return
	}
	if kindOf(l.key) == ofAll {
		l.row.loaded = nil
		if len(l.queue) > 0 && l.queue[0] == msg {
			l.queue = l.queue[1:]
		}
		m.unpark(l)
		m.makeReady(l)
		return
	}
	if len(l.row.loaded) > 0 { // empty when it was parked while under way
		l.row.loaded = l.row.loaded[1:]
	}
	m.advance(l)
}

// advance goes on to a parked lane's next message, or ends the parking when the
// journal holds no more of it.
func (m *machine) advance(l *lane) {
	r := l.row
	switch {
	case len(r.loaded) > 0:
		m.setHead(r, r.loaded[0])
	case kindOf(l.key) == ofSubject && r.loadedTo < r.absorbedTo:
		// What comes next is not known yet: whatever is behind the present head.
		next := store.Parked{Seq: r.Seq, Part: r.Part + 1}
		if r.loadedTo >= r.Seq {
			next = store.Parked{Seq: r.loadedTo + 1}
		}
		m.park(l, next)
	default:
		m.unpark(l)
		m.makeReady(l)
	}
}

// fail counts a failure against a message: it is parked until its next try, or
// given up after its last. The next try is on schedule, or when the endpoint asks
// for it if that is later; without a connection it is no later than a probe.
func (m *machine) fail(l *lane, msg *message, o outcome, now time.Time) {
	msg.failures++
	wait, again := m.policy.Retry(msg.failures, m.jitter())
	if !again {
		m.bury(msg, now, o.reason)
		m.settle(l, msg)
		return
	}
	wait = max(wait, min(o.retryAfter, endpoint.MaxRetryWait))
	if o.verdict == unreachable && !o.connected {
		wait = min(wait, spread(slowestProbe, m.jitter()))
	}
	p := store.Parked{
		Seq: msg.Seq, Part: msg.Part, Message: msg.Message, Subject: msg.subject, Trigger: msg.body.Trigger, Tries: msg.tries, Failures: msg.failures,
		Due: now.Add(wait), Reason: o.reason,
	}
	if l.row == nil && kindOf(l.key) == ofAll {
		l.queue = append([]*message{msg}, l.queue...)
		m.park(l, p).loaded = []*message{msg}
	} else if l.row == nil {
		m.absorb(l, msg, p)
	} else {
		if kindOf(l.key) != ofAll {
			l.row.loaded = nil
		}
		m.park(l, p)
	}
	l.row.away = o.verdict == unreachable && o.retryAfter == 0
}

// absorb parks a live lane: its messages leave the window and wait in the journal.
func (m *machine) absorb(l *lane, head *message, p store.Parked) {
	r := m.park(l, p)
	r.loadedTo = head.Seq - 1
	r.absorbedTo = max(r.absorbedTo, head.Seq)
	for _, msg := range append([]*message{head}, l.queue...) {
		msg.window.open--
		msg.window = nil
		r.absorbedTo = max(r.absorbedTo, msg.Seq)
	}
	l.queue = nil
}
