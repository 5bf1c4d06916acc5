package bench

import (
	"context"
	"errors"
	"fmt"
)

// The endpoints that want none of the messages.
const (
	idleEndpoints      = 10_000
	quickIdleEndpoints = 2_000
)

// idle measures live beside endpoints that subscribe to another trigger, against live without them.
func (b *bench) idle(ctx context.Context) (err error) {
	count := idleEndpoints
	if b.options.Quick {
		count = quickIdleEndpoints
	}
	var both [2]*server
	for i := range both {
		if both[i], err = b.startServer(ctx, 1); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, both[i].stop()) }()
	}
	b.progress("making %d endpoints", count)
	err = b.load.do(ctx, "subscribe", subscribeLoad{API: both[1].api, URL: b.receiverURL + pathHook + "idle",
		Trigger: "case_finished", Pace: pace{Clients: clients, Count: count}}, nil)
	if err != nil {
		return err
	}
	live := func(s *server) (measurement, error) {
		return b.submitTrial(ctx, s, subscription{triggers: onCreation, concurrency: mostConcurrency},
			submitLoad{Pace: pace{Clients: clients, Duration: b.options.Duration}})
	}
	var alone []float64
	rounds, err := b.inRounds(both[1], func() (measurement, error) { return live(both[1]) }, func() error {
		m, err := live(both[0])
		alone = append(alone, m.rate)
		return err
	})
	if err != nil {
		return err
	}
	r := &b.result
	r.Figure, r.Limit = medianOf(rounds, measurement.perSecond), median(alone)
	r.Ratio, r.Unit = quotient(r.Figure, r.Limit), "deliveries/s"
	r.FigureIs = fmt.Sprintf("cases created by 32 clients, one message each, beside %d idle endpoints", count)
	r.LimitIs = "the same without them"
	r.LatencyIs = "from the request to the arrival of its message, beside the others"
	return nil
}
