package machine

import (
	"time"

	"github.com/casehook/casehook/internal/endpoint"
)

// Done handles the outcome of a message that Next returned.
func (c *Cursor) Done(msg *Message, o Outcome, now time.Time) {
	if o.Verdict == NotAttempted {
		if o.Lacking {
			c.gate.rest.lacking(now, c.gate.jitter())
		}
		c.lanes.requeue(c.unsent(msg), msg, msg.Tries-1)
		return
	}
	l := c.returned(msg)
	c.outcomes++
	down := c.gate.observe(msg, o, now, c.lanes.waiting.hurry)
	switch {
	case o.Verdict == Delivered:
		c.lanes.finish(l, msg)
	case down:
		c.lanes.requeue(l, msg, msg.Tries)
	default:
		c.fail(l, msg, o, now)
	}
}

// Withhold ends a message that Next returned and that the endpoint's owner may no longer
// read. It counts as unwanted.
func (c *Cursor) Withhold(msg *Message) { c.lanes.finish(c.unsent(msg), msg) }

// returned counts a message as no longer under way, and returns its lane.
func (c *Cursor) returned(msg *Message) *lane {
	l := c.lanes.sending(msg)
	l.sending = nil
	c.gate.sending--
	c.underWay--
	if msg.retry {
		c.retrying--
		msg.retry = false
	}
	return l
}

// unsent is like returned, for a message for which no request was made.
func (c *Cursor) unsent(msg *Message) *lane {
	c.gate.owed--
	c.gate.breaker.probing = c.gate.breaker.probing && !msg.probe
	return c.returned(msg)
}

// fail counts a failure of a message. The message is parked until its next try, or given
// up after its last. The next try is on schedule, or later if the endpoint asks for it;
// after a failure to connect it is no later than a probe.
func (c *Cursor) fail(l *lane, msg *Message, o Outcome, now time.Time) {
	msg.failures++
	wait, again := c.gate.policy.Retry(msg.failures, c.gate.jitter())
	if !again {
		c.giveUp(msg, now, o.Reason)
		c.lanes.finish(l, msg)
		return
	}
	wait = max(wait, min(o.RetryAfter, endpoint.MaxRetryWait))
	if o.Verdict == Unreachable && !o.Connected {
		wait = min(wait, spread(slowestProbe, c.gate.jitter()))
	}
	p := msg.parked(now.Add(wait), o.Reason)
	if l.row == nil {
		c.lanes.absorb(l, msg, p)
	} else {
		c.lanes.repark(l, p)
	}
	l.row.away = o.Verdict == Unreachable && o.RetryAfter == 0
}

// parked returns the row of a lane with the message as its head.
func (m *Message) parked(due time.Time, reason string) ParkedMessage {
	return ParkedMessage{
		Seq:      m.Seq,
		Part:     m.Part,
		Message:  m.ID,
		Subject:  m.Subject,
		Trigger:  m.Body.Trigger,
		Tries:    m.Tries,
		Failures: m.failures,
		Due:      due,
		Reason:   reason,
	}
}
