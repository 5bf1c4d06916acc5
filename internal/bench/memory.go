package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// memory measures how much memory a server uses, and how long it takes to start, while many messages wait for an
// endpoint that is down. The endpoint gets them at the end, so that each is accounted for.
func (b *bench) memory(ctx context.Context) (err error) {
	s, err := b.startServer(ctx, 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	want := subscription{path: pathDead, triggers: onBoth, concurrency: mostConcurrency, timeout: "60s"}
	down, err := b.subscribe(ctx, s, want)
	if err != nil {
		return err
	}
	empty, err := b.rested(ctx, s)
	if err != nil {
		return err
	}
	b.progress("making %d messages", b.options.Messages)
	p := pace{Clients: clients, Count: b.options.Messages}
	made, err := b.fill(ctx, s, submitLoad{Pace: p, Edits: editsOfEach})
	if err != nil {
		return err
	}
	making, err := s.usage(ctx)
	if err != nil {
		return err
	}
	b.progress("starting it again, several times")
	full, err := b.rested(ctx, s)
	if err != nil {
		return err
	}
	b.progress("sending all")
	m, err := b.revive(ctx, s, down, made)
	if err != nil {
		return err
	}
	b.summarize(s, []measurement{m})
	r := &b.result
	r.Rounds = b.options.Rounds
	r.Figure, r.Limit, r.Unit = full.memory/1e6, empty.memory/1e6, "MB"
	r.Ratio = quotient(r.Limit, r.Figure)
	r.FigureIs = fmt.Sprintf("of memory at most after a start, while %d messages wait", b.options.Messages)
	r.LimitIs = "the same while none waits"
	r.LatencyIs = "from the repair of the endpoint to the arrival"
	r.Parts = []Part{
		{Name: "from the start to /readyz", Unit: "ms", Figure: full.ready, Limit: empty.ready,
			Ratio: quotient(empty.ready, full.ready)},
		{Name: "while the messages were made", Unit: "MB", Figure: making.memory / 1e6, Limit: empty.memory / 1e6,
			Ratio: quotient(empty.memory, making.memory)},
	}
	return nil
}

// restart is how a server starts on its data.
type restart struct {
	memory float64 // bytes at most
	ready  float64 // ms until it is ready
}

// rested starts a server again, as often as there are rounds, and looks at it a little later. It returns the medians.
func (b *bench) rested(ctx context.Context, s *server) (restart, error) {
	var all []restart
	for range b.options.Rounds {
		if err := b.restart(ctx, s); err != nil {
			return restart{}, err
		}
		select {
		case <-time.After(min(b.options.Duration/2, time.Second)): // it looks at what waits
		case <-ctx.Done():
			return restart{}, ctx.Err()
		}
		used, err := s.usage(ctx)
		if err != nil {
			return restart{}, err
		}
		all = append(all, restart{used.memory, milliseconds(s.started)})
	}
	return restart{
		memory: medianOf(all, func(r restart) float64 { return r.memory }),
		ready:  medianOf(all, func(r restart) float64 { return r.ready }),
	}, nil
}

// revive lets the endpoint that was down take its messages.
func (b *bench) revive(ctx context.Context, s *server, down listener, made []submission) (measurement, error) {
	return b.measure(ctx, trial{server: s, listeners: []listener{down}, settles: true,
		send: func(ctx context.Context) (int, error) {
			begun := time.Now().UnixNano()
			for i := range made {
				made[i].At = begun
			}
			change := map[string]any{"url": b.receiverURL + pathHook + down.name}
			return len(made), s.admin.Patch(ctx, "/v1/endpoints/"+down.ID, change, nil)
		}, sent: func(context.Context) ([]submission, error) { return made, nil }})
}
