package machine

import "time"

// rest keeps requests back for a moment when this machine could not send one: it
// lacks descriptors, say. That is no fault of the endpoint's, so that nothing is
// counted against it or the message.
type rest struct {
	until time.Time
	wait  time.Duration
}

// The waits until it is tried again.
const (
	shortestRest = 250 * time.Millisecond
	longestRest  = 5 * time.Second
)

// lacking notes that a request could not be sent. Those that were under way together
// make one rest.
func (r *rest) lacking(now time.Time, jitter float64) {
	if now.Before(r.until) {
		return
	}
	r.wait = min(max(2*r.wait, shortestRest), longestRest)
	r.until = now.Add(spread(r.wait, jitter))
}
