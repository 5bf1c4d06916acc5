package delivery

import (
	"time"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/observe"
)

// watch counts how an attempt ended, and ends its span.
func (w *worker) watch(span observe.Span, m *machine, msg *message, o outcome) {
	defer span.End()
	a := o.attempt
	if o.verdict == notAttempted {
		w.Metrics.NotSent(o.lacking)
		span.Failed("abandoned")
		return
	}
	since := time.Since(msg.body.At)
	if m.scope.bounded {
		since = -1 // a replay is late on purpose
	}
	w.Metrics.Sent(o.verdict.String(), msg.body.Format, a.Duration, since)
	span.Text("casehook.endpoint", w.endpoint.ID)
	span.Text("casehook.message", msg.Message)
	span.Number("casehook.attempt", a.Number)
	span.Text("casehook.outcome", o.verdict.String())
	span.Number("http.response.status_code", a.Status)
	if o.verdict != delivered {
		span.Failed(o.verdict.String())
	}
}

// watchEndpoint notes how the endpoint fares.
func (w *worker) watchEndpoint() {
	now := w.endpoint
	now.Health = w.gate.watch.Health
	w.diary.fares(now, time.Now())
	w.Metrics.Breaker(counting(&w.broken, w.gate.breaker.open))
	w.Metrics.Refusing(counting(&w.refusing, now.Condition() == endpoint.Refusing))
}

func (w *worker) endWatch() {
	w.Metrics.Serving(-1)
	w.Metrics.Breaker(counting(&w.broken, false))
	w.Metrics.Refusing(counting(&w.refusing, false))
	w.diary.flush(w.diary.nextDead)
}

// counting notes whether a worker counts for one in a gauge, and returns by how much the
// gauge changes.
func counting(counted *bool, is bool) int {
	was := *counted
	switch *counted = is; {
	case is && !was:
		return 1
	case was && !is:
		return -1
	}
	return 0
}

// slowSettle is how long outcomes may wait to be saved before something is wrong.
const slowSettle = 20 * time.Second

// Ready says what keeps the engine from delivering: it has no leases, since the
// database has not renewed them, or outcomes can't be saved. It is nil when there
// is nothing.
func (e *Engine) Ready() error {
	if !e.Hold && !e.leased() {
		return fault.New(fault.Unavailable, "server.not_ready", "Delivery has not begun, or its leases could not be renewed.")
	}
	if since := e.settler.writing.Load(); since != 0 && time.Since(e.started)-time.Duration(since) > slowSettle {
		return fault.New(fault.Unavailable, "server.not_ready", "The outcomes of deliveries can't be saved.")
	}
	return nil
}
