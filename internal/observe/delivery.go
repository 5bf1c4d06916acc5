package observe

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Delivery counts the work of the delivery road.
type Delivery struct {
	attempts     *prometheus.CounterVec
	duration     *prometheus.HistogramVec
	latency      *prometheus.HistogramVec
	dead         prometheus.Counter
	inFlight     prometheus.Gauge
	endpoints    prometheus.Gauge
	refusing     prometheus.Gauge
	breakers     prometheus.Gauge
	batch        prometheus.Observer
	settling     prometheus.Observer
	settleFailed prometheus.Counter
	unable       prometheus.Counter
}

// outcomes are the verdicts on attempts.
var outcomes = []string{"delivered", "refused", "unreachable", "gone"}

func newDelivery(r prometheus.Registerer) *Delivery {
	d := &Delivery{
		attempts: counter(r, "delivery_attempts_total",
			"Requests to endpoints, by outcome (delivered: 2xx; refused: answered, and not taken; unreachable: no "+
				"answer, 429 or 5xx; gone: 410) and format.", "outcome", "format"),
		duration: histogram(r, "delivery_attempt_duration_seconds",
			"How long requests to endpoints took, by outcome.", calls, "outcome"),
		latency: histogram(r, "delivery_latency_seconds",
			"From a commit until an endpoint has taken its message, retries included and replays not, by format.",
			long, "format"),
		dead:     counter(r, "delivery_dead_total", "Messages that were given up.").WithLabelValues(),
		inFlight: gauge(r, "delivery_in_flight", "Requests to endpoints that are under way.").WithLabelValues(),
		endpoints: gauge(r, "delivery_endpoints",
			"Endpoints that this process delivers to: active, and leased to it.").WithLabelValues(),
		refusing: gauge(r, "delivery_endpoints_refusing",
			"Endpoints of this process that answer, and for a while have taken nothing.").WithLabelValues(),
		breakers: gauge(r, "delivery_breakers_open",
			"Endpoints of this process that are down as a whole: they are only probed.").WithLabelValues(),
		batch: histogram(r, "settle_batch_size", "Attempts whose outcomes were saved in one transaction.",
			pieces).WithLabelValues(),
		settling: histogram(r, "settle_duration_seconds", "How long saving such a batch took.",
			short).WithLabelValues(),
		settleFailed: counter(r, "settle_failures_total",
			"Tries to save such a batch that failed; it is tried again.").WithLabelValues(),
		unable: counter(r, "delivery_unable_total",
			"Requests to endpoints that this process could not send for want of its own (open files, ports, "+
				"network). They are tried again and counted against nobody.").WithLabelValues(),
	}
	return d
}

// Sending counts a request that starts.
func (d *Delivery) Sending() {
	if d != nil {
		d.inFlight.Inc()
	}
}

// NotSent counts a request that we cancelled, or were unable to send.
func (d *Delivery) NotSent(unable bool) {
	if d == nil {
		return
	}
	d.inFlight.Dec()
	if unable {
		d.unable.Inc()
	}
}

// Sent records the end of a request, with the time since the commit; a negative time is not
// recorded.
func (d *Delivery) Sent(outcome, format string, took, sinceCommit time.Duration) {
	if d == nil {
		return
	}
	d.inFlight.Dec()
	outcome = oneOf(outcome, outcomes)
	d.attempts.WithLabelValues(outcome, format).Inc()
	d.duration.WithLabelValues(outcome).Observe(took.Seconds())
	if outcome == "delivered" && sinceCommit >= 0 {
		d.latency.WithLabelValues(format).Observe(sinceCommit.Seconds())
	}
}

// Serving counts endpoints that this process starts (1) or stops (-1) delivering to.
func (d *Delivery) Serving(change int) {
	if d != nil {
		d.endpoints.Add(float64(change))
	}
}

// Breaker counts a breaker that opened (1) or closed (-1).
func (d *Delivery) Breaker(change int) {
	if d != nil {
		d.breakers.Add(float64(change))
	}
}

// Refusing counts an endpoint that began (1) or ceased (-1) to refuse everything.
func (d *Delivery) Refusing(change int) {
	if d != nil {
		d.refusing.Add(float64(change))
	}
}

// Settled records a saved batch of attempts and given-up messages.
func (d *Delivery) Settled(attempts, dead int, took time.Duration) {
	if d == nil {
		return
	}
	d.batch.Observe(float64(attempts))
	d.dead.Add(float64(dead))
	d.settling.Observe(took.Seconds())
}

// SettleFailed counts a batch that could not be saved.
func (d *Delivery) SettleFailed() {
	if d != nil {
		d.settleFailed.Inc()
	}
}
