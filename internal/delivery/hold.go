package delivery

import "time"

// hold keeps all of an endpoint's requests back, because it answered 429 and
// named a time. After that time one request finds out whether that is over.
type hold struct {
	until time.Time // zero: nothing is held back
}

// longestHold bounds what an endpoint may ask for, lest a slip of it silences it
// for a year.
const longestHold = time.Hour

// stops reports whether no request may be sent now, with so many under way.
func (h *hold) stops(now time.Time, underWay int) bool {
	return !h.until.IsZero() && (now.Before(h.until) || underWay > 0)
}

// judge takes in how a request ended. What was sent before the hold says nothing
// about it.
func (h *hold) judge(msg *message, o outcome, now time.Time) {
	switch {
	case o.throttled && o.retryAfter > 0:
		h.until = later(h.until, now.Add(min(o.retryAfter, longestHold)))
	case !msg.sentAt.Before(h.until):
		h.until = time.Time{}
	}
}
