package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// editsOfEach is how often a case of a drain is edited. So it has ten messages, whose order may have to be kept.
const editsOfEach = 9

// drain measures how fast messages are sent that wait. They are made once, while there is no endpoint. Each trial has
// endpoints of its own that begin at the beginning; its clock starts before the first of them is made.
func (b *bench) drain(ctx context.Context) (err error) {
	s, err := b.startServer(ctx, 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	o := b.options
	entries := max(o.Messages/o.Fanout, clients)
	b.progress("making %d messages", entries*o.Fanout)
	made, err := b.fill(ctx, s, submitLoad{Pace: pace{Clients: clients, Count: entries}, Edits: editsOfEach})
	if err != nil {
		return err
	}
	b.result.FigureIs = fmt.Sprintf("%d messages that waited, to %d endpoints, order %s", entries*o.Fanout, o.Fanout,
		orderOf(o.Order))
	b.result.LatencyIs = "from the start of sending to the arrival"
	return b.compare(ctx, s, func(ctx context.Context, concurrency int, _ time.Duration) (measurement, error) {
		each := (concurrency + o.Fanout - 1) / o.Fanout
		return b.drainTrial(ctx, s, made, subscription{
			triggers: onBoth, concurrency: each, order: o.Order, start: "beginning",
		})
	})
}

func orderOf(order string) string {
	if order == "" {
		return "per-case"
	}
	return order
}

// drainTrial measures how fast new endpoints get the messages of the past.
func (b *bench) drainTrial(ctx context.Context, s *server, made []submission, want subscription) (measurement, error) {
	listeners := make([]listener, b.options.Fanout)
	t := trial{server: s, listeners: listeners, settles: true}
	owed := make([]submission, len(made))
	t.send = func(ctx context.Context) (int, error) {
		begun := time.Now().UnixNano()
		var subscribing sync.WaitGroup
		errs := make([]error, len(listeners))
		for i := range listeners {
			number := b.listeners + 1 + i
			subscribing.Go(func() { listeners[i], errs[i] = b.subscribeAs(ctx, s, want, number) })
		}
		subscribing.Wait()
		b.listeners += len(listeners)
		for i, m := range made {
			owed[i] = submission{m.Case, m.Version, begun}
		}
		return len(owed), errors.Join(errs...)
	}
	t.sent = func(context.Context) ([]submission, error) { return owed, nil }
	m, err := b.measure(ctx, t)
	if err != nil {
		return m, err
	}
	return m, s.unsubscribe(ctx, listeners)
}
