package delivery

import (
	"log/slog"
	"time"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/store"
)

// endpointLog writes to the operator's log about one endpoint: why it can't be reached, that it accepts nothing, that
// it has recovered, and which messages were given up. It writes at most one line of each kind per minute.
type endpointLog struct {
	log     *slog.Logger
	url     string
	failing bool // as last logged

	reason string // why it can't be reached, as last logged
	dead   int    // messages that were given up and are not yet logged
	last   store.DeadMessage

	// The earliest times of the next lines.
	nextFailing, nextReason, nextDead time.Time
}

// The shortest times between two lines of a kind.
const (
	repeatEvery = time.Minute
	reasonEvery = 10 * time.Minute // while the reason stays the same
)

func newEndpointLog(log *slog.Logger, e endpoint.Endpoint) endpointLog {
	return endpointLog{log: log, url: e.ShownURL(), failing: acceptsNothing(e)}
}

// acceptsNothing reports whether an endpoint accepts no messages.
func acceptsNothing(e endpoint.Endpoint) bool {
	condition := e.Condition()
	return condition == endpoint.Failing || condition == endpoint.Refusing
}

// condition logs whether the endpoint accepts messages, when that has changed.
func (d *endpointLog) condition(e endpoint.Endpoint, now time.Time) {
	switch failing := acceptsNothing(e); {
	case failing && !d.failing && !now.Before(d.nextFailing):
		d.failing, d.nextFailing = true, now.Add(repeatEvery)
		consequence := "its messages wait, and it is probed until it is back"
		if e.Condition() == endpoint.Refusing {
			consequence = "it answers and refuses all, so that messages are given up after their last retry"
		}
		d.log.Warn("the endpoint takes nothing: "+consequence,
			"url", d.url, "reason", e.Health.Reason, "failing_since", e.Health.Since)
	case !failing && d.failing:
		d.failing = false
		d.log.Info("the endpoint takes messages again", "url", d.url)
	}
	d.flush(now)
}

// unreached logs why a message could not be sent, with addresses that only the operator may see.
func (d *endpointLog) unreached(o outcome, now time.Time) {
	if o.cause == "" ||
		now.Before(d.nextReason) && (o.Reason == d.reason || now.Before(d.nextReason.Add(repeatEvery-reasonEvery))) {
		return
	}
	d.reason, d.nextReason = o.Reason, now.Add(reasonEvery)
	d.log.Warn("the endpoint can't be reached",
		"url", d.url, "reason", o.Reason, "cause", o.cause, "address", o.address)
}

// gaveUp adds dead messages to those that flush logs.
func (d *endpointLog) gaveUp(dead []store.DeadMessage) {
	if d.dead += len(dead); len(dead) > 0 {
		d.last = dead[len(dead)-1]
	}
}

// flush logs the messages that were given up.
func (d *endpointLog) flush(now time.Time) {
	if d.dead == 0 || now.Before(d.nextDead) {
		return
	}
	d.log.Warn("messages were given up; "+
		"GET /v1/endpoints/{id}/dead lists them, and a POST to .../dead/retry tries them again",
		"url", d.url, "count", d.dead, "last", d.last.Message, "trigger", d.last.Trigger, "subject", d.last.Subject,
		"reason", d.last.Reason)
	d.dead, d.nextDead = 0, now.Add(repeatEvery)
}
