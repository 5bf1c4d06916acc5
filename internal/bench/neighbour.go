package bench

import (
	"context"
	"errors"
)

const (
	healthyRate = 200 // messages a second
	dead        = 100 // endpoints that are down
)

// neighbour measures what an endpoint notices of others that are slow or down.
func (b *bench) neighbour(ctx context.Context) (err error) {
	s, err := b.startServer(ctx, 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	var neighbours []listener
	for n := range dead + 1 {
		want := subscription{path: pathDead, triggers: onCreation}
		if n == 0 {
			want.path = pathSlow
		}
		l, err := b.subscribe(ctx, s, want)
		if err != nil {
			return err
		}
		neighbours = append(neighbours, l)
	}
	want := subscription{triggers: onCreation}
	p := pace{Clients: clients, Rate: healthyRate, Duration: b.options.Duration * 3 / 2}
	warm := pace{Clients: clients, Rate: healthyRate, Duration: b.options.Duration}
	measure := func(held bool) (m measurement, err error) {
		if err := s.pause(ctx, neighbours, held); err != nil {
			return m, err
		}
		// The engine first finds out which endpoints are down. A hundred rarely go down at once.
		if _, err := b.submitTrial(ctx, s, want, submitLoad{Pace: warm}); err != nil {
			return m, err
		}
		return b.submitTrial(ctx, s, want, submitLoad{Pace: p})
	}
	var alone []float64
	rounds, err := b.inRounds(s, func() (measurement, error) { return measure(false) }, func() error {
		m, err := measure(true)
		alone = append(alone, m.p99())
		return err
	})
	if err != nil {
		return err
	}
	r := &b.result
	r.Figure, r.Limit, r.Unit = medianOf(rounds, measurement.p99), median(alone), "ms"
	r.Ratio = quotient(r.Limit, r.Figure)
	r.FigureIs = "p99 of an endpoint with 200 messages a second, beside one that takes 5 s and 100 that are down"
	r.LimitIs = "its p99 alone"
	r.LatencyIs = "from the request to the arrival of its message, beside the others"
	return nil
}

// pause holds endpoints back, or lets them go on at the end of the journal.
func (s *server) pause(ctx context.Context, all []listener, held bool) error {
	change := map[string]any{"status": "active", "resume": "head"}
	if held {
		change = map[string]any{"status": "paused"}
	}
	for _, l := range all {
		if err := s.admin.Patch(ctx, "/v1/endpoints/"+l.ID, change, nil); err != nil {
			return err
		}
	}
	return nil
}
