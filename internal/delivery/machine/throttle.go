package machine

import "time"

// throttle keeps all of an endpoint's requests back, because it answered 429 and
// named a time. After that time one request finds out whether that is over.
type throttle struct {
	until time.Time // zero: nothing is kept back
}

// longestThrottle bounds what an endpoint may ask for, lest a slip of it silences it
// for a year.
const longestThrottle = time.Hour

// stops reports whether no request may be sent now, with so many under way.
func (t *throttle) stops(now time.Time, underWay int) bool {
	return !t.until.IsZero() && (now.Before(t.until) || underWay > 0)
}

// observe learns from how a request ended. One that was sent before the throttle
// says nothing about it.
func (t *throttle) observe(sent time.Time, o Outcome, now time.Time) {
	switch {
	case o.Throttled && o.RetryAfter > 0:
		t.until = later(t.until, now.Add(min(o.RetryAfter, longestThrottle)))
	case !sent.Before(t.until):
		t.until = time.Time{}
	}
}
