package delivery

import (
	"sync/atomic"
	"time"
)

// ticks are the times at which positions that moved only past unwanted entries are saved. They are the same for all
// endpoints, so that one statement saves the positions of ten thousand idle ones.
type ticks struct {
	started time.Time
	every   time.Duration
}

// count returns how many ticks there were up to a time.
func (t ticks) count(now time.Time) int64 { return int64(now.Sub(t.started) / t.every) }

// next returns the time until the next tick.
func (t ticks) next(now time.Time) time.Duration { return t.every - now.Sub(t.started)%t.every }

// validity is how long this node's leases are valid, by the monotonic clock.
type validity struct {
	started time.Time
	until   atomic.Int64 // nanoseconds from started
}

func (v *validity) now() bool { return int64(time.Since(v.started)) < v.until.Load() }

// extend makes the leases valid for a duration from a time on.
func (v *validity) extend(from time.Time, d time.Duration) {
	v.until.Store(int64(from.Sub(v.started) + d))
}
