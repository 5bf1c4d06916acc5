package machine

import (
	"time"

	"github.com/casehook/casehook/internal/endpoint"
)

// breaker stops a whole endpoint that is down, so that an outage uses up no
// message's retries. It opens after several failures in a row that are the
// endpoint's own fault, on several lanes: one poisonous message must not open
// it. No message is to blame where there was not even a connection, so that two
// failures to connect open it whatever the lanes: a quiet endpoint, too, is served soon
// after an outage. While it is open, one probe at a time finds out whether the
// endpoint is back.
type breaker struct {
	failures    int // in a row
	unconnected int // in a row, without a connection
	lanes       map[string]struct{}
	open        bool
	fewLanes    bool // only failures to connect opened it
	since       time.Time
	probeAt     time.Time
	wait        time.Duration // before the next probe
	probing     bool
}

// The breaker's bounds.
const (
	breakerFailures    = 5
	breakerLanes       = 3
	breakerUnconnected = 2
	firstProbe         = time.Second
	slowestProbe       = 8 * time.Second // spread, still within 10 s of the end of an outage
)

// failed counts a failure that is the endpoint's fault, and reports whether the
// breaker is open because of it or was already. Where only failures to connect
// had opened it, a connection closes it: the message may be to blame from then on.
func (b *breaker) failed(lane string, connected bool, now time.Time, jitter float64) bool {
	if b.open && b.fewLanes && connected {
		*b = breaker{}
	}
	b.failures++
	if b.lanes == nil {
		b.lanes = map[string]struct{}{}
	}
	if len(b.lanes) < breakerLanes {
		b.lanes[lane] = struct{}{}
	}
	b.fewLanes = len(b.lanes) < breakerLanes && (b.fewLanes || !b.open)
	if b.open {
		return true
	}
	if b.unconnected++; connected {
		b.unconnected = 0
	}
	if b.unconnected < breakerUnconnected && (b.failures < breakerFailures || b.fewLanes) {
		return false
	}
	b.open, b.since, b.wait = true, now, firstProbe
	b.probeAt = now.Add(spread(b.wait, jitter))
	return true
}

// outage reports whether the breaker is open because of more than a moment's
// failure to connect, such as a restart of the endpoint.
func (b *breaker) outage() bool { return b.open && b.failures >= breakerFailures }

// answered notes that the endpoint is there, and reports whether it was away before:
// the breaker was open, or several lanes had failed in a row.
func (b *breaker) answered() (wasAway bool) {
	wasAway = b.open || len(b.lanes) > 1
	*b = breaker{}
	return wasAway
}

// probed notes that a probe failed; the next one waits twice as long.
func (b *breaker) probed(now time.Time, jitter float64) {
	b.probing = false
	b.wait = min(2*b.wait, slowestProbe)
	b.probeAt = now.Add(spread(b.wait, jitter))
}

// notBefore puts the next probe off.
func (b *breaker) notBefore(t time.Time) {
	if b.open {
		b.probeAt = later(b.probeAt, t)
	}
}

func (b *breaker) mayProbe(now time.Time) bool {
	return b.open && !b.probing && !now.Before(b.probeAt)
}

// spread returns a duration that is up to a fifth shorter or longer.
func spread(d time.Duration, jitter float64) time.Duration {
	return time.Duration(float64(d) * (0.8 + 0.4*jitter))
}

// state is the breaker as it is saved.
func (b breaker) state() endpoint.Breaker {
	switch {
	case !b.open:
		return endpoint.Closed
	case b.fewLanes:
		return endpoint.Unconnected
	}
	return endpoint.Open
}

// restore goes on from what was saved: an outage does not begin anew because we
// do.
func (b *breaker) restore(s endpoint.Breaker, now time.Time, jitter float64) {
	if s != endpoint.Open && s != endpoint.Unconnected {
		return
	}
	*b = breaker{
		open: true, failures: breakerFailures, fewLanes: s == endpoint.Unconnected,
		since: now, wait: firstProbe, probeAt: now.Add(spread(firstProbe, jitter)),
	}
}
