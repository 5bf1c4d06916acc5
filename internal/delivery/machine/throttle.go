package machine

import "time"

// throttle stops all requests to an endpoint that answered 429 with a Retry-After. After
// that time, one request shows whether the others may follow.
type throttle struct {
	until time.Time // zero: there is no throttle
}

// longestThrottle is the limit of the time that an endpoint may ask for: a mistake of its
// own must not stop its messages for a year.
const longestThrottle = time.Hour

// stops reports whether no request may be sent now, if underWay are under way.
func (t *throttle) stops(now time.Time, underWay int) bool {
	return !t.until.IsZero() && (now.Before(t.until) || underWay > 0)
}

// observe updates the throttle after an outcome. The outcome of a request that was sent
// before the throttle began does not end it.
func (t *throttle) observe(sent time.Time, o Outcome, now time.Time) {
	switch {
	case o.Throttled && o.RetryAfter > 0:
		t.until = later(t.until, now.Add(min(o.RetryAfter, longestThrottle)))
	case !sent.Before(t.until):
		t.until = time.Time{}
	}
}
