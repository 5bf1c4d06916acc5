package observe

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Backlog has counts over all endpoints, from the database.
type Backlog struct {
	Endpoints  map[string]int64 // by status
	Parked     int64            // lanes whose first message failed and waits for its retry
	Dead       int64            // messages that were given up
	Lag        int64            // entries of the journal that cursors of active endpoints have not passed, in total
	FurthestBy int64            // the same for the cursor that is furthest behind
	Journal    int64            // the highest position
}

// The bounds on the cost of the counts.
const (
	sampleEvery   = 5 * time.Second // at most, however often metrics are collected
	sampleTimeout = 3 * time.Second
)

// Sample adds gauges whose values come from look. When metrics are collected, it calls look at most
// every five seconds, and waits for at most three. If look fails, the gauges are missing, and the
// log has a line.
func (m *Metrics) Sample(ctx context.Context, log *slog.Logger, look func(context.Context) (Backlog, error)) {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(prefix+name, help, labels, nil)
	}
	m.registry.MustRegister(&sampler{
		ctx: ctx, log: log, look: look,
		endpoints: desc("endpoints", "Endpoints of all tenants, by status.", "status"),
		parked: desc("lanes_parked",
			"Lanes whose first message failed and waits for its next try; the rest of each waits behind it."),
		dead: desc("messages_dead", "Messages that were given up, and neither sent again nor dropped since."),
		lag: desc("lag_entries",
			"Entries of the journal that active endpoints have not been served, added up. What is parked is "+
				"not in it."),
		furthest: desc("lag_entries_max", "The same, of the endpoint that is furthest behind."),
		journal:  desc("journal_position", "The highest position in the journal: how many entries there have been."),
	})
}

// sampler is a collector that reads a Backlog.
type sampler struct {
	ctx  context.Context
	log  *slog.Logger
	look func(context.Context) (Backlog, error)

	endpoints, parked, dead, lag, furthest, journal *prometheus.Desc

	mu    sync.Mutex
	last  Backlog
	err   error
	asked time.Time
}

func (s *sampler) Describe(all chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{s.endpoints, s.parked, s.dead, s.lag, s.furthest, s.journal} {
		all <- d
	}
}

func (s *sampler) Collect(all chan<- prometheus.Metric) {
	b, err := s.sample()
	if err != nil {
		return
	}
	emit := func(d *prometheus.Desc, value int64, labels ...string) {
		all <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(value), labels...)
	}
	for status, n := range b.Endpoints {
		emit(s.endpoints, n, status)
	}
	emit(s.parked, b.Parked)
	emit(s.dead, b.Dead)
	emit(s.lag, b.Lag)
	emit(s.furthest, b.FurthestBy)
	emit(s.journal, b.Journal)
}

// sample calls look, unless it did so less than sampleEvery ago.
func (s *sampler) sample() (Backlog, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.asked.IsZero() && time.Since(s.asked) < sampleEvery {
		return s.last, s.err
	}
	ctx, cancel := context.WithTimeout(s.ctx, sampleTimeout)
	defer cancel()
	s.last, s.err = s.look(ctx)
	s.asked = time.Now()
	if s.err != nil {
		s.log.Warn("metrics of the database are missing: it was asked and did not answer", "error", s.err)
	}
	return s.last, s.err
}
