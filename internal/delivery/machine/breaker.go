package machine

import (
	"time"

	"github.com/casehook/casehook/internal/endpoint"
)

// breaker stops all requests to an endpoint that is down, so that an outage does not
// use up the retries of messages. It opens after several consecutive failures that are
// the endpoint's own fault, on several lanes: one poisonous message must not open it. No
// message can be the cause of a failure to connect, so two of these open it on any
// lanes; then an endpoint with few messages is also served soon after an outage. While
// it is open, one probe at a time shows whether the endpoint is back.
type breaker struct {
	failures    int // in a row
	unconnected int // in a row, without a connection
	lanes       map[string]struct{}
	open        bool
	fewLanes    bool // it was opened by failures to connect alone
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
	slowestProbe       = 8 * time.Second // with its spread still within 10 s of the end of an outage
)

// failed counts a failure that is the endpoint's fault, and reports whether the
// breaker is open. If failures to connect alone had opened it, a failure after a
// connection closes it, because its cause may be the message.
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

// outage reports whether the breaker is open, and not only because of a short failure
// to connect, such as a restart of the endpoint.
func (b *breaker) outage() bool { return b.open && b.failures >= breakerFailures }

// answered closes the breaker after an answer, and reports whether the endpoint was
// down before: the breaker was open, or several lanes had failed in a row.
func (b *breaker) answered() (wasAway bool) {
	wasAway = b.open || len(b.lanes) > 1
	*b = breaker{}
	return wasAway
}

// probed doubles the wait after a failed probe.
func (b *breaker) probed(now time.Time, jitter float64) {
	b.probing = false
	b.wait = min(2*b.wait, slowestProbe)
	b.probeAt = now.Add(spread(b.wait, jitter))
}

// notBefore delays the next probe until a time.
func (b *breaker) notBefore(t time.Time) {
	if b.open {
		b.probeAt = later(b.probeAt, t)
	}
}

func (b *breaker) mayProbe(now time.Time) bool {
	return b.open && !b.probing && !now.Before(b.probeAt)
}

// spread returns the duration, made up to a fifth shorter or longer by jitter.
func spread(d time.Duration, jitter float64) time.Duration {
	return time.Duration(float64(d) * (0.8 + 0.4*jitter))
}

// state returns the breaker's state to be saved.
func (b breaker) state() endpoint.Breaker {
	switch {
	case !b.open:
		return endpoint.Closed
	case b.fewLanes:
		return endpoint.Unconnected
	}
	return endpoint.Open
}

// restore restores a saved state, so that a restart of this process does not restart
// an outage.
func (b *breaker) restore(s endpoint.Breaker, now time.Time, jitter float64) {
	if s != endpoint.Open && s != endpoint.Unconnected {
		return
	}
	*b = breaker{
		open: true, failures: breakerFailures, fewLanes: s == endpoint.Unconnected,
		since: now, wait: firstProbe, probeAt: now.Add(spread(firstProbe, jitter)),
	}
}
