package machine

import "time"

// rest delays all requests for a moment after this machine could not send one, for
// example for lack of file descriptors. This is not the endpoint's fault, so it counts
// neither for the endpoint nor for the message.
type rest struct {
	until time.Time
	wait  time.Duration
}

// The waits until the next try.
const (
	shortestRest = 250 * time.Millisecond
	longestRest  = 5 * time.Second
)

// lacking starts a rest after a request that could not be sent. Requests that fail
// during a rest do not extend it.
func (r *rest) lacking(now time.Time, jitter float64) {
	if now.Before(r.until) {
		return
	}
	r.wait = min(max(2*r.wait, shortestRest), longestRest)
	r.until = now.Add(spread(r.wait, jitter))
}
