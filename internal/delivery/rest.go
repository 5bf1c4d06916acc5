package delivery

import (
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/casehook/casehook/internal/outbound"
)

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

// lackEvery is how often it is logged that this machine can't send.
const lackEvery = time.Minute

// lackLog says once in a while what this machine lacks, for all endpoints together.
type lackLog struct{ next atomic.Int64 } // nanoseconds since the engine started

func (l *lackLog) note(log *slog.Logger, since time.Duration, r outbound.Result) {
	next := l.next.Load()
	if int64(since) < next || !l.next.CompareAndSwap(next, int64(since+lackEvery)) {
		return
	}
	log.Error("this machine can't send; messages wait, and no endpoint is blamed. "+
		"Look at its limit of open files (ulimit -n), its memory, ports, network, resolver and root certificates", "error", outbound.Cause(r.Err))
}
