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
	var alone []float64
	rounds, err := b.inRounds(s, func() (m measurement, err error) {
		if err := s.pause(ctx, neighbours, false); err != nil {
			return m, err
		}
		return b.submitTrial(ctx, s, want, submitLoad{Pace: p})
	}, func() error {
		if err := s.pause(ctx, neighbours, true); err != nil {
			return err
		}
		m, err := b.submitTrial(ctx, s, want, submitLoad{Pace: p})
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
