package observe

import (
	"net/http"
	"runtime"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics has all metrics of one server, in a registry of its own.
type Metrics struct {
	Delivery *Delivery
	Store    *Store
	Callback *Callback
	HTTP     *HTTP

	registry *prometheus.Registry
	held     prometheus.Gauge
	backups  *prometheus.CounterVec
	backedUp prometheus.Gauge
}

// New returns the metrics of a server.
func New(version string) *Metrics {
	r := prometheus.NewRegistry()
	m := &Metrics{Delivery: newDelivery(r), Store: newStore(r), Callback: newCallback(r), HTTP: newHTTP(r), registry: r}
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.held = gauge(r, "held", "1: this process was started with --hold, and sends nothing; else 0.").WithLabelValues()
	m.backups = counter(r, "backups_total", "Scheduled backups that this process made, by result: made or failed.",
		"result")
	known(m.backups, []string{"made", "failed"})
	m.backedUp = gauge(r, "backup_last_success_timestamp_seconds",
		"When this process last made a scheduled backup, in seconds since 1970; 0: it has made none. "+
			"With several nodes, look at the highest.").WithLabelValues()
	build := gauge(r, "build_info", "Always 1; its labels say which Casehook this is.", "version", "go_version")
	build.WithLabelValues(version, runtime.Version()).Set(1)
	return m
}

// SetHeld records that the process was started with --hold.
func (m *Metrics) SetHeld() { m.held.Set(1) }

// Backup records the end of a scheduled backup.
func (m *Metrics) Backup(made bool, at time.Time) {
	if !made {
		m.backups.WithLabelValues("failed").Inc()
		return
	}
	m.backups.WithLabelValues("made").Inc()
	m.backedUp.Set(float64(at.Unix()))
}

// Handler serves the current metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}

// prefix is the prefix of the names of our metrics.
const prefix = "casehook_"

func counter(r prometheus.Registerer, name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + name, Help: help}, labels)
	r.MustRegister(c)
	return c
}

func gauge(r prometheus.Registerer, name, help string, labels ...string) *prometheus.GaugeVec {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: prefix + name, Help: help}, labels)
	r.MustRegister(g)
	return g
}

func histogram(
	r prometheus.Registerer, name, help string, buckets []float64, labels ...string,
) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: prefix + name, Help: help, Buckets: buckets}, labels)
	r.MustRegister(h)
	return h
}

// The bounds of histograms, in seconds and in pieces.
var (
	short = []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}
	calls = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30}
	long  = []float64{
		0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600, 6 * 3600, 24 * 3600,
	}
	pieces = []float64{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096, 16384}
)

// known creates series in advance, so that their rates start at zero.
func known(c *prometheus.CounterVec, values []string, rest ...string) {
	for _, v := range values {
		c.WithLabelValues(append([]string{v}, rest...)...)
	}
}

// oneOf limits a label to the known values; any other becomes "other".
func oneOf(value string, known []string) string {
	if slices.Contains(known, value) {
		return value
	}
	return "other"
}
