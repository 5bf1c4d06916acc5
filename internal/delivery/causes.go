package delivery

import (
	"log/slog"
	"sync"
	"time"

	"github.com/casehook/casehook/internal/outbound"
)

// causeEvery is how often it is logged that an endpoint can't be reached, while the
// reason stays the same.
const causeEvery = 10 * time.Minute

// causeLog tells the operator why an endpoint can't be reached, with the addresses that
// nobody else may see. The zero value is ready.
type causeLog struct {
	mu     sync.Mutex
	reason string
	next   time.Time
}

func (l *causeLog) note(log *slog.Logger, now time.Time, r outbound.Result) {
	if r.Err == nil || r.Class == outbound.Cancelled {
		return
	}
	reason := reasonOf(r)
	l.mu.Lock()
	same := reason == l.reason && now.Before(l.next)
	if !same {
		l.reason, l.next = reason, now.Add(causeEvery)
	}
	l.mu.Unlock()
	if !same {
		log.Warn("the endpoint can't be reached", "reason", reason, "cause", outbound.Cause(r.Err), "address", r.Address)
	}
}
