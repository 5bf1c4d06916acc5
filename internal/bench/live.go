package bench

import (
	"context"
	"errors"
	"time"
)

// The triggers that are subscribed to.
var (
	onCreation = []string{"case_created"}
	onChange   = []string{"case_changed"}
	onBoth     = []string{"case_created", "case_changed"}
)

// live measures creations and their messages.
func (b *bench) live(ctx context.Context) (err error) {
	s, err := b.startServer(ctx, 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	b.result.FigureIs = "cases created by 32 clients, each with one message"
	b.result.LatencyIs = "from the request to the arrival of its message"
	return b.compare(ctx, s, func(ctx context.Context, concurrency int, lasting time.Duration) (measurement, error) {
		return b.submitTrial(ctx, s, subscription{triggers: onCreation, concurrency: concurrency},
			submitLoad{Pace: pace{Clients: clients, Duration: lasting}})
	})
}

// edit measures edits and their messages.
func (b *bench) edit(ctx context.Context) (err error) {
	s, err := b.startServer(ctx, 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	const each = 8
	made, err := b.fill(ctx, s, submitLoad{Pace: pace{Clients: clients, Count: each * clients}})
	if err != nil {
		return err
	}
	b.result.FigureIs = "edits by 32 clients, each with one message"
	b.result.LatencyIs = "from the request to the arrival of its message"
	return b.compare(ctx, s, func(ctx context.Context, concurrency int, lasting time.Duration) (measurement, error) {
		return b.submitTrial(ctx, s, subscription{triggers: onChange, concurrency: concurrency},
			submitLoad{Pace: pace{Clients: clients, Duration: lasting}, Cases: casesOf(made)})
	})
}

// made returns the last submissions of the load generator.
func (b *bench) made(ctx context.Context) (all []submission, err error) {
	err = b.load.do(ctx, "made", struct{}{}, &all)
	return all, err
}

// fill lets the load generator submit, and returns the submissions.
func (b *bench) fill(ctx context.Context, s *server, l submitLoad) ([]submission, error) {
	if _, err := b.submit(ctx, s, l); err != nil {
		return nil, err
	}
	return b.made(ctx)
}

// submit lets the load generator submit.
func (b *bench) submit(ctx context.Context, s *server, l submitLoad) (done latencies, err error) {
	l.API = s.api
	if l.Type == "" {
		l.Type = plainType
	}
	err = b.load.do(ctx, "submit", l, &done)
	return done, err
}

// submitTrial measures submissions, and their messages to an endpoint that is there for them alone.
func (b *bench) submitTrial(
	ctx context.Context, s *server, want subscription, l submitLoad,
) (m measurement, err error) {
	to, err := b.subscribe(ctx, s, want)
	if err != nil {
		return m, err
	}
	m, err = b.measure(ctx, trial{server: s, listeners: []listener{to}, settles: true,
		send: func(ctx context.Context) (int, error) {
			done, err := b.submit(ctx, s, l)
			return done.Count, err
		}, sent: b.made})
	if err != nil {
		return m, err
	}
	return m, s.unsubscribe(ctx, []listener{to})
}

// casesOf returns the cases of some submissions, each once.
func casesOf(all []submission) (cases []int64) {
	seen := map[int64]bool{}
	for _, s := range all {
		if !seen[s.Case] {
			seen[s.Case] = true
			cases = append(cases, s.Case)
		}
	}
	return cases
}
