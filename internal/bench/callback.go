package bench

import (
	"context"
	"errors"
	"time"
)

// callback measures submissions that ask a callback before they are saved. At best they cost what the same submissions
// cost without one, and what a bare client needs to ask.
func (b *bench) callback(ctx context.Context) (err error) {
	s, err := b.startServer(ctx, 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	p := pace{Clients: clients, Duration: b.options.Duration}
	var limits []float64
	rounds, err := b.inRounds(s, func() (measurement, error) { return b.askedTrial(ctx, s, p) }, func() error {
		plain, err := b.submit(ctx, s, submitLoad{Pace: p})
		if err != nil {
			return err
		}
		bare, err := b.bareTo(ctx, pathCallback, pathCallback, p)
		limits = append(limits, quotient(1, quotient(1, plain.rate())+quotient(1, bare.rate())))
		return err
	})
	if err != nil {
		return err
	}
	r := &b.result
	r.Figure, r.Limit = medianOf(rounds, measurement.perSecond), median(limits)
	r.Ratio, r.Unit = quotient(r.Figure, r.Limit), "submissions/s"
	r.FigureIs = "submissions by 32 clients, each of which asks a callback"
	r.LimitIs = "1 / (1/submissions without a callback + 1/questions of a bare client)"
	r.LatencyIs = "from the request to its answer"
	r.Concurrency, r.LimitConcurrency = clients, clients
	return nil
}

// askedTrial measures submissions that ask a callback. A question that nobody asked is lost, and one too many is
// repeated.
func (b *bench) askedTrial(ctx context.Context, s *server, p pace) (m measurement, err error) {
	before, err := s.usage(ctx)
	if err != nil {
		return m, err
	}
	done, err := b.submit(ctx, s, submitLoad{Pace: p, Type: askedType})
	if err != nil {
		return m, err
	}
	after, err := s.usage(ctx)
	if err != nil {
		return m, err
	}
	var arrived arrivals
	if err := b.receiver.do(ctx, "take", struct{}{}, &arrived); err != nil {
		return m, err
	}
	count := done.Count
	// of two values the median is the first, and the 99th percentile the second
	m.tally = tally{Delivered: min(count, arrived.Questions), Lost: max(count-arrived.Questions, 0),
		Repeated: max(arrived.Questions-count, 0), Latencies: []time.Duration{done.P50, done.P99}}
	m.cpu, m.took, m.rate = after.cpu-before.cpu, done.Took, done.rate()
	b.count(m.tally)
	return m, nil
}
