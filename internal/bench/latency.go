package bench

import (
	"context"
	"errors"
)

// submitsPerSecond is the rate of the scenario latency.
const submitsPerSecond = 100

// latency measures how long after its request a message arrives, on a server that has time. The limit is what a
// client's request and a receiver's cost at least: a bare read of the API and a bare post.
func (b *bench) latency(ctx context.Context) (err error) {
	s, err := b.startServer(ctx, 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	want := subscription{triggers: onCreation, concurrency: mostConcurrency}
	p := pace{Clients: clients, Rate: submitsPerSecond, Duration: b.options.Duration * 3 / 2}
	var rounds []measurement
	var reads, posts []latencies
	for round := range b.options.Rounds {
		m, err := b.submitTrial(ctx, s, want, submitLoad{Pace: p})
		if err != nil {
			return err
		}
		made, err := b.fill(ctx, s, submitLoad{Pace: pace{Clients: 1, Count: 1}})
		if err != nil {
			return err
		}
		var read latencies
		paths := []string{casePath(made[0].Case)}
		if err := b.load.do(ctx, "read", readLoad{API: s.api, Pace: p, Paths: paths}, &read); err != nil {
			return err
		}
		post, err := b.bareAt(ctx, p)
		if err != nil {
			return err
		}
		rounds, reads, posts = append(rounds, m), append(reads, read), append(posts, post)
		b.progress("round %d of %d: p50 %.2f ms, p99 %.2f ms; a bare read and a bare post: %.2f ms", round+1,
			b.options.Rounds, m.p50(), m.p99(), milliseconds(read.P50+post.P50))
	}
	b.summarize(s, rounds)
	p50 := func(t latencies) float64 { return milliseconds(t.P50) }
	p99 := func(t latencies) float64 { return milliseconds(t.P99) }
	r := &b.result
	r.Figure, r.Limit, r.Unit = r.P50, medianOf(reads, p50)+medianOf(posts, p50), "ms"
	r.Ratio = quotient(r.Limit, r.Figure)
	limit99 := medianOf(reads, p99) + medianOf(posts, p99)
	r.Parts = []Part{{Name: "p99", Figure: r.P99, Limit: limit99, Ratio: quotient(limit99, r.P99), Unit: "ms"}}
	r.FigureIs = "from a request to the arrival of its message, at 100 submissions a second (p50)"
	r.LimitIs = "a read of the API and a bare post at the same rate (p50 of each, added)"
	r.LatencyIs = "from the request to the arrival of its message"
	return nil
}
