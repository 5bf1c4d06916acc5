package delivery

import (
	"time"

	"github.com/casehook/casehook/internal/delivery/machine"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/observe"
)

// observe counts how an attempt ended, and ends its span.
func (w *worker) observe(span observe.Span, c *cursor, msg *machine.Message, o outcome) {
	defer span.End()
	a := o.attempt
	if o.Verdict == machine.NotAttempted {
		w.metrics.NotSent(o.Lacking)
		span.Failed("abandoned")
		return
	}
	since := time.Since(msg.Body.At)
	if c.machine.Bounded() {
		since = -1 // the age of a replayed message is not a delay
	}
	w.metrics.Sent(o.Verdict.String(), msg.Body.Format, a.Duration, since)
	span.Text("casehook.endpoint", w.endpoint.ID)
	span.Text("casehook.message", msg.ID)
	span.Number("casehook.attempt", a.Number)
	span.Text("casehook.outcome", o.Verdict.String())
	span.Number("http.response.status_code", a.Status)
	if o.Verdict != machine.Delivered {
		span.Failed(o.Verdict.String())
	}
}

// observeEndpoint updates the metrics of failing endpoints, and the log.
func (w *worker) observeEndpoint() {
	now := w.endpoint
	now.Health = w.gate.Health()
	w.endpointLog.condition(now, time.Now())
	w.metrics.Breaker(counting(&w.broken, w.gate.Open()))
	w.metrics.Refusing(counting(&w.refusing, now.Condition() == endpoint.Refusing))
}

func (w *worker) endObserving() {
	w.metrics.Serving(-1)
	w.metrics.Breaker(counting(&w.broken, false))
	w.metrics.Refusing(counting(&w.refusing, false))
	w.endpointLog.flush(w.endpointLog.nextDead)
}

// counting records whether a worker is counted in a gauge, and returns the change of the gauge.
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

// Ready returns an error if the engine can't deliver: its leases have expired because the database did not renew them,
// or outcomes can't be saved.
func (e *Engine) Ready() error {
	if !e.config.Hold && !e.valid.now() {
		return fault.New(fault.Unavailable, "server.not_ready",
			"Delivery has not begun, or its leases could not be renewed.")
	}
	if e.settler.stuck() {
		return fault.New(fault.Unavailable, "server.not_ready", "The outcomes of deliveries can't be saved.")
	}
	return nil
}
