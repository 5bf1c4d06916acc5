package bench

import (
	"context"
	"fmt"
	"time"
)

// measurement is the result of one measurement of the server.
type measurement struct {
	tally
	rate float64       // deliveries a second
	cpu  time.Duration // of the server, for all
	took time.Duration
}

func (m measurement) cpuPerDelivery() float64 {
	return quotient(float64(m.cpu)/float64(time.Microsecond), float64(m.Delivered))
}

func (m measurement) perSecond() float64 { return m.rate }

func (m measurement) p50() float64 { return milliseconds(percentile(m.Latencies, 0.50)) }
func (m measurement) p99() float64 { return milliseconds(percentile(m.Latencies, 0.99)) }

// trial is one measurement: messages are sent to endpoints until all have arrived and are settled.
type trial struct {
	server    *server
	listeners []listener
	// send starts it, and returns how many messages each listener is owed.
	send func(ctx context.Context) (int, error)
	// sent returns the submissions that they are about. It is called when the clock has stopped.
	sent func(ctx context.Context) ([]submission, error)
	// settles reports whether the time ends when the server has saved that the last message was delivered, and not
	// already at its arrival.
	settles bool
}

// measure carries out a trial.
func (b *bench) measure(ctx context.Context, t trial) (m measurement, err error) {
	before, err := t.server.usage(ctx)
	if err != nil {
		return m, err
	}
	begun := time.Now()
	count, err := t.send(ctx)
	if err != nil {
		return m, err
	}
	err = b.receiver.do(ctx, "wait", expectation{Count: count * len(t.listeners), Quiet: quiet}, nil)
	if err != nil {
		return m, err
	}
	m.took = time.Since(begun)
	if err := t.server.settled(ctx, t.listeners); err != nil {
		return m, err
	}
	if t.settles {
		m.took = time.Since(begun)
	}
	after, err := t.server.usage(ctx)
	if err != nil {
		return m, err
	}
	var arrived arrivals
	if err := b.receiver.do(ctx, "take", struct{}{}, &arrived); err != nil {
		return m, err
	}
	owed, err := t.sent(ctx)
	if err != nil {
		return m, err
	}
	names := make([]string, len(t.listeners))
	for i, l := range t.listeners {
		names[i] = l.name
	}
	m.tally = account(owed, names, arrived.Arrivals)
	m.cpu, m.rate = after.cpu-before.cpu, quotient(float64(m.Delivered), m.took.Seconds())
	b.count(m.tally)
	return m, nil
}

// count adds the messages of a trial to the result.
func (b *bench) count(t tally) {
	b.result.Deliveries += t.Delivered
	b.result.Lost += t.Lost
	b.result.Repeated += t.Repeated
}

// summarize takes the medians of some rounds into the result.
func (b *bench) summarize(s *server, rounds []measurement) {
	r := &b.result
	r.Rounds = len(rounds)
	r.CPU = medianOf(rounds, measurement.cpuPerDelivery)
	r.P50, r.P99 = medianOf(rounds, measurement.p50), medianOf(rounds, measurement.p99)
	r.RSS = max(r.RSS, s.peak/1e6)
}

// bareAt measures the bare client.
func (b *bench) bareAt(ctx context.Context, p pace) (latencies, error) {
	return b.bareTo(ctx, pathHook+"bare", pathHook, p)
}

// bareTo measures the bare client at a path of the receiver, with what has arrived there before.
func (b *bench) bareTo(ctx context.Context, path, kind string, p pace) (t latencies, err error) {
	var samples []sample
	if err := b.receiver.do(ctx, "samples", kind, &samples); err != nil {
		return t, err
	}
	err = b.load.do(ctx, "bare", bareLoad{Pace: p, URL: b.receiverURL + path, Secret: bareSecret, Samples: samples}, &t)
	if err != nil {
		return t, err
	}
	var arrived arrivals
	if err := b.receiver.do(ctx, "take", struct{}{}, &arrived); err != nil {
		return t, err
	}
	if got := len(arrived.Arrivals) + arrived.Questions; got != t.Count {
		return t, fmt.Errorf("the bare client made %d requests, and %d arrived", t.Count, got)
	}
	return t, nil
}

// bareSecret is what the bare client signs with. Nobody verifies it, just as nobody verifies the server's: the receiver
// is to cost little.
const bareSecret = "whsec_Y2FzZWhvb2stYmVuY2gtY2FzZWhvb2stYmVuY2g="

// inRounds measures the server and its limit in turn, and in each round the other one first, so that what the first
// leaves behind burdens both alike. It returns what the server came to, after adding the medians to the result.
func (b *bench) inRounds(s *server, figure func() (measurement, error), limit func() error) ([]measurement, error) {
	var all []measurement
	measure := func() error {
		m, err := figure()
		all = append(all, m)
		return err
	}
	for n := range b.options.Rounds {
		first, second := measure, limit
		if n%2 == 1 {
			first, second = limit, measure
		}
		if err := first(); err != nil {
			return nil, err
		}
		if err := second(); err != nil {
			return nil, err
		}
		b.progress("round %d of %d: %.0f a second, p50 %.2f ms, p99 %.2f ms", n+1, b.options.Rounds, all[n].rate,
			all[n].p50(), all[n].p99())
	}
	b.summarize(s, all)
	return all, nil
}

// compare measures the server and the bare client in turn, each at its best concurrency, and takes the medians into the
// result.
func (b *bench) compare(ctx context.Context, s *server,
	figure func(ctx context.Context, concurrency int, lasting time.Duration) (measurement, error),
) error {
	lasting := b.options.Duration
	bare := func(concurrency int, lasting time.Duration) (float64, error) {
		t, err := b.bareAt(ctx, pace{Clients: concurrency, Duration: lasting})
		return t.rate(), err
	}
	figures, limits := map[int]float64{}, map[int]float64{}
	for _, concurrency := range b.options.Concurrency {
		own := min(concurrency, mostConcurrency*b.options.Fanout)
		if _, known := figures[own]; !known {
			m, err := figure(ctx, own, lasting/2)
			if err != nil {
				return err
			}
			figures[own] = m.rate
		}
		var err error
		if limits[concurrency], err = bare(concurrency, lasting/2); err != nil {
			return err
		}
		b.progress("%d at a time: %.0f a second; the bare client, %d at a time: %.0f", own, figures[own], concurrency,
			limits[concurrency])
	}
	r := &b.result
	r.Concurrency, r.LimitConcurrency = bestBy(figures), bestBy(limits)
	var bares []float64
	rounds, err := b.inRounds(s, func() (measurement, error) {
		return figure(ctx, r.Concurrency, lasting)
	}, func() error {
		rate, err := bare(r.LimitConcurrency, lasting)
		bares = append(bares, rate)
		return err
	})
	if err != nil {
		return err
	}
	r.Figure, r.Limit = medianOf(rounds, measurement.perSecond), median(bares)
	r.Ratio, r.Unit = quotient(r.Figure, r.Limit), "deliveries/s"
	r.LimitIs = "a client that only signs and posts the same bodies to the same receiver"
	return nil
}
