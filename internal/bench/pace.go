package bench

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// pace says how often a thing is done, and how long. Without a rate, each client does it again as soon as it has done
// it. With one, it is due at fixed times whether the one before is done or not, and is late by what it has to wait.
type pace struct {
	Clients  int           `json:"clients"`
	Rate     float64       `json:"rate,omitempty"`     // a second, of all clients; 0: as often as they can
	Count    int           `json:"count,omitempty"`    // how often it is done at most; 0: any number
	Duration time.Duration `json:"duration,omitempty"` // nothing is begun after it; 0: no limit
}

var errEndless = errors.New("bench: a pace needs clients, and a count or a duration")

// run calls do by its clients. It ends early at the first error, which it returns with the time that all took.
func (p pace) run(ctx context.Context, do func(ctx context.Context, client int, due time.Time) error) (
	time.Duration, error,
) {
	if p.Clients < 1 || p.Count <= 0 && p.Duration <= 0 {
		return 0, errEndless
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	begun := time.Now()
	var working sync.WaitGroup
	for client := range p.Clients {
		working.Go(func() {
			for ctx.Err() == nil {
				n := int(next.Add(1)) - 1
				due, ok := p.due(ctx, begun, n)
				if !ok {
					return
				}
				if err := do(ctx, client, due); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	working.Wait()
	return time.Since(begun), context.Cause(ctx)
}

// due waits until the nth time is due, and returns when that is. It returns false when nothing is due any more.
func (p pace) due(ctx context.Context, begun time.Time, n int) (time.Time, bool) {
	if p.Count > 0 && n >= p.Count {
		return time.Time{}, false
	}
	due := time.Now()
	if p.Rate > 0 {
		due = begun.Add(time.Duration(float64(n) / p.Rate * float64(time.Second)))
	}
	if p.Duration > 0 && due.Sub(begun) >= p.Duration {
		return time.Time{}, false
	}
	if wait := time.Until(due); wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return time.Time{}, false
		}
	}
	return due, true
}
