package bench

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// fewCases is the number of cases that growth compares with.
const fewCases = 500

// growthServer is a server with a number of cases, and the last of them.
type growthServer struct {
	server *server
	last   []submission
	since  string // when the last were begun to be made
}

// growth does the same work on a server with few cases and on one with many.
func (b *bench) growth(ctx context.Context) (err error) {
	var both [2]growthServer
	for i, cases := range []int{fewCases, b.options.Cases} {
		b.progress("making %d cases", cases)
		s, err := b.startServer(ctx, 1)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.stop()) }()
		if both[i], err = b.grow(ctx, s, cases); err != nil {
			return err
		}
	}
	work := []struct {
		name, unit string
		rate       func(ctx context.Context, g growthServer) (measurement, error)
	}{
		{"live", "deliveries/s", b.grownLive},
		{"drain", "deliveries/s", b.grownDrain},
		{"list", "requests/s", func(ctx context.Context, g growthServer) (measurement, error) {
			return b.reads(ctx, g, "/v1/cases?limit=50", "/v1/cases?limit=50&state=open&type="+plainType)
		}},
		{"search", "requests/s", func(ctx context.Context, g growthServer) (measurement, error) {
			return b.reads(ctx, g, "/v1/cases?limit=50&q="+strconv.Itoa(fewCases/2))
		}},
	}
	r := &b.result
	cpu := 0.0
	for i, w := range work {
		var few []float64
		large := func() (measurement, error) { return w.rate(ctx, both[1]) }
		many, err := b.inRounds(both[1].server, large, func() error {
			m, err := w.rate(ctx, both[0])
			few = append(few, m.rate)
			return err
		})
		if err != nil {
			return err
		}
		p := Part{Name: w.name, Figure: medianOf(many, measurement.perSecond), Limit: median(few),
			Unit: w.unit}
		p.Ratio = quotient(p.Figure, p.Limit)
		if i == 0 {
			cpu = r.CPU // of live: reads deliver nothing
		}
		if r.Parts = append(r.Parts, p); i == 0 || p.Ratio < r.Ratio {
			r.Figure, r.Limit, r.Ratio, r.Unit = p.Figure, p.Limit, p.Ratio, p.Unit
		}
	}
	r.CPU = cpu
	r.FigureIs = fmt.Sprintf("with %d cases, of the work that suffers most", b.options.Cases)
	r.LimitIs = fmt.Sprintf("the same with %d cases", fewCases)
	r.LatencyIs = "of a search with many cases"
	return nil
}

// grow makes cases. The last of them are those that are drained.
func (b *bench) grow(ctx context.Context, s *server, cases int) (growthServer, error) {
	if more := cases - fewCases; more > 0 {
		if _, err := b.submit(ctx, s, submitLoad{Pace: pace{Clients: clients, Count: more}}); err != nil {
			return growthServer{}, err
		}
	}
	since := time.Now().UTC().Format(time.RFC3339Nano)
	made, err := b.fill(ctx, s, submitLoad{Pace: pace{Clients: clients, Count: fewCases}})
	return growthServer{server: s, last: made, since: since}, err
}

func (b *bench) grownLive(ctx context.Context, g growthServer) (measurement, error) {
	const each = 4
	cases := casesOf(g.last)[:each*clients] // the number of cases is to stay, so they are edited
	return b.submitTrial(ctx, g.server, subscription{triggers: onChange, concurrency: mostConcurrency},
		submitLoad{Pace: pace{Clients: clients, Duration: b.options.Duration / 2}, Cases: cases})
}

// grownDrain sends the messages of the last creations to an endpoint that begins there.
func (b *bench) grownDrain(ctx context.Context, g growthServer) (measurement, error) {
	return b.drainTrial(ctx, g.server, g.last, subscription{
		triggers: onCreation, concurrency: mostConcurrency, start: g.since,
	})
}

// reads measures reads of the API by a few clients.
func (b *bench) reads(ctx context.Context, g growthServer, paths ...string) (m measurement, err error) {
	const readers = 8
	var t latencies
	err = b.load.do(ctx, "read", readLoad{API: g.server.api, Paths: paths,
		Pace: pace{Clients: readers, Duration: b.options.Duration / 2}}, &t)
	m.rate, m.took, m.Latencies = t.rate(), t.Took, []time.Duration{t.P50, t.P99}
	return m, err
}
