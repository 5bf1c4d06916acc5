package delivery

import (
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/casehook/casehook/internal/outbound"
)

// lackEvery is the shortest time between two log lines about lacking resources.
const lackEvery = time.Minute

// shortageLog logs which resources this machine lacks, at most every lackEvery for all endpoints together.
type shortageLog struct {
	log     *slog.Logger
	started time.Time
	next    atomic.Int64 // nanoseconds from started
}

func (l *shortageLog) note(r outbound.Result) {
	next, since := l.next.Load(), time.Since(l.started)
	if int64(since) < next || !l.next.CompareAndSwap(next, int64(since+lackEvery)) {
		return
	}
	l.log.Error("this machine can't send; messages wait, and no endpoint is blamed. "+
		"Look at its limit of open files (ulimit -n), its memory, ports, network, resolver and root certificates",
		"error", outbound.Cause(r.Err))
}
