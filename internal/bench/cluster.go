package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	clusterEndpoints = 8
	settlingTime     = 2 * time.Second // in which nodes share the endpoints
)

// cluster measures several nodes on one database, to which endpoints are leased evenly.
func (b *bench) cluster(ctx context.Context) error {
	r := &b.result
	var bares []float64
	for _, nodes := range b.options.Nodes {
		rate, bare, err := b.clusterOf(ctx, nodes)
		if err != nil {
			return err
		}
		bares = append(bares, bare)
		r.Parts = append(r.Parts, Part{Name: fmt.Sprintf("nodes: %d", nodes), Figure: rate, Limit: bare,
			Ratio: quotient(rate, bare), Unit: "deliveries/s"})
		r.Figure = rate
	}
	r.Limit = median(bares)
	r.Ratio, r.Unit = quotient(r.Figure, r.Limit), "deliveries/s"
	r.FigureIs = fmt.Sprintf("cases created by 32 clients, each with %d messages, on %d nodes", clusterEndpoints,
		b.options.Nodes[len(b.options.Nodes)-1])
	r.LimitIs = "a client that only signs and posts the same bodies to the same receiver"
	r.LatencyIs = "from the request to the arrival of each message"
	r.Concurrency, r.LimitConcurrency = mostConcurrency, mostConcurrency
	return nil
}

// clusterOf measures so many nodes, and in turn the bare client.
func (b *bench) clusterOf(ctx context.Context, nodes int) (rate, bare float64, err error) {
	b.progress("nodes: %d", nodes)
	s, err := b.startServer(ctx, nodes)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	var listeners []listener
	for range clusterEndpoints {
		want := subscription{triggers: onCreation, concurrency: mostConcurrency / clusterEndpoints}
		l, err := b.subscribe(ctx, s, want)
		if err != nil {
			return 0, 0, err
		}
		listeners = append(listeners, l)
	}
	select {
	case <-time.After(settlingTime):
	case <-ctx.Done():
		return 0, 0, ctx.Err()
	}
	var bares []float64
	rounds, err := b.inRounds(s, func() (measurement, error) {
		return b.measure(ctx, trial{server: s, listeners: listeners, settles: true,
			send: func(ctx context.Context) (int, error) {
				done, err := b.submit(ctx, s, submitLoad{Pace: pace{Clients: clients, Duration: b.options.Duration}})
				return done.Count, err
			}, sent: b.made})
	}, func() error {
		t, err := b.bareAt(ctx, pace{Clients: mostConcurrency, Duration: b.options.Duration})
		bares = append(bares, t.rate())
		return err
	})
	return medianOf(rounds, measurement.perSecond), median(bares), err
}
