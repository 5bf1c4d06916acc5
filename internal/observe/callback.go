package observe

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Callback counts the questions that are asked before commits.
type Callback struct {
	outcomes *prometheus.CounterVec
	duration *prometheus.HistogramVec
	attempts prometheus.Counter
	resting  prometheus.Gauge
	rested   prometheus.Counter
	shadows  *prometheus.CounterVec
}

// The outcomes of questions to shadows.
const (
	ShadowAgrees  = "agrees"
	ShadowDiffers = "differs"
	ShadowFailed  = "failed"
	ShadowDropped = "dropped"
)

var shadowOutcomes = []string{ShadowAgrees, ShadowDiffers, ShadowFailed, ShadowDropped}

// verdicts are the outcomes of a question.
var verdicts = []string{"accepted", "warnings", "errors", "failed", "timeout", "cancelled"}

func newCallback(r prometheus.Registerer) *Callback {
	c := &Callback{
		outcomes: counter(r, "callback_outcomes_total",
			"Questions to callbacks, by outcome: accepted, warnings or errors in the answer, failed (no usable "+
				"answer), timeout, cancelled (the caller gave up).", "outcome"),
		duration: histogram(r, "callback_duration_seconds", "How long callbacks took, retries included, by outcome.",
			calls, "outcome"),
		attempts: counter(r, "callback_attempts_total", "Requests to callbacks.").WithLabelValues(),
		resting: gauge(r, "callback_hosts_resting",
			"Hosts of callbacks, by tenant, that are dead: they are only probed.").WithLabelValues(),
		rested: counter(r, "callback_rested_total",
			"Questions that failed at once because the host of their callback was dead.").WithLabelValues(),
		shadows: counter(r, "callback_shadows_total",
			"Questions to the shadows of callbacks, by outcome: agrees or differs from the callback, failed (no usable "+
				"answer), dropped (too many waited, so that it was not asked).", "outcome"),
	}
	known(c.outcomes, verdicts)
	known(c.shadows, shadowOutcomes)
	return c
}

// Asked records the outcome of a question.
func (c *Callback) Asked(outcome string, attempts int, took time.Duration) {
	if c == nil {
		return
	}
	outcome = oneOf(outcome, verdicts)
	c.outcomes.WithLabelValues(outcome).Inc()
	c.duration.WithLabelValues(outcome).Observe(took.Seconds())
	c.attempts.Add(float64(attempts))
}

// Shadowed counts a question to a shadow.
func (c *Callback) Shadowed(outcome string) {
	if c != nil {
		c.shadows.WithLabelValues(oneOf(outcome, shadowOutcomes)).Inc()
	}
}

// Resting adds to the number of hosts that are dead.
func (c *Callback) Resting(more int) {
	if c != nil {
		c.resting.Add(float64(more))
	}
}

// Rested counts a question that was not asked because its host was dead.
func (c *Callback) Rested() {
	if c != nil {
		c.rested.Inc()
	}
}
