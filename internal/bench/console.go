package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// The goals of the console, which are the limits of its scenario.
const (
	listGoal = 200 * time.Millisecond // a list, filtered and searched
	caseGoal = 150 * time.Millisecond // a case, with its form and timeline
)

// console measures how soon pages of the console are answered, with many cases, and as many attempts to send or more.
// One person reads at a time.
func (b *bench) console(ctx context.Context) (err error) {
	s, err := b.startServer(ctx, 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	b.progress("making %d cases", b.options.Cases)
	since := time.Now().UTC().Format(time.RFC3339Nano)
	made, err := b.fill(ctx, s, submitLoad{Pace: pace{Clients: clients, Count: b.options.Cases}})
	if err != nil {
		return err
	}
	b.progress("sending %d messages", b.options.Cases)
	sent, err := b.drainTrial(ctx, s, made, subscription{
		triggers: onCreation, concurrency: mostConcurrency, start: since,
	})
	if err != nil {
		return err
	}
	b.summarize(s, []measurement{sent})
	if err := b.multiplyAttempts(ctx, s, len(made), b.options.Attempts); err != nil {
		return err
	}
	last := made[len(made)-1].Case
	for _, page := range []struct {
		name, path string
		goal       time.Duration
	}{
		{"cases", "/cases", listGoal},
		{"cases, filtered", "/cases?type=" + plainType + "&state=open&sort=-created", listGoal},
		{"cases, searched", "/cases?q=" + fmt.Sprint(len(made)/2), listGoal},
		{"cases, none", "/cases?state=nowhere", listGoal},
		{"messages", "/messages", listGoal},
		{"messages, failed", "/messages?outcome=failed", listGoal},
		{"messages, of a class", "/messages?class=timeout", listGoal},
		{"messages, searched", "/messages?contains=nowhere+to+be+found", listGoal},
		{"messages, of a case", fmt.Sprintf("/messages?subject=case/%d", last), listGoal},
		{"overview", "/", listGoal},
		{"a case", fmt.Sprintf("/cases/%d", last), caseGoal},
	} {
		b.progress("reading %s", page.name)
		if err := b.page(ctx, s, page.name, page.path, page.goal); err != nil {
			return err
		}
	}
	r := &b.result
	r.Unit = "ms"
	r.FigureIs = fmt.Sprintf("p99 of the page that is furthest from its goal, with %d cases and %d attempts",
		b.options.Cases, b.options.Attempts)
	r.LimitIs = "its goal: 200 ms for a list, 150 ms for a case"
	r.LatencyIs = "of that page"
	return nil
}

// page measures a page. The result is that of the page that is furthest from its goal.
func (b *bench) page(ctx context.Context, s *server, name, path string, goal time.Duration) error {
	var t latencies
	read := readLoad{API: s.api, Paths: []string{path}, Pace: pace{Clients: 1, Duration: b.options.Duration / 2}}
	if err := b.load.do(ctx, "read", read, &t); err != nil {
		return err
	}
	p := Part{Name: name, Figure: milliseconds(t.P99), Limit: milliseconds(goal), Unit: "ms"}
	p.Ratio = quotient(p.Limit, p.Figure)
	r := &b.result
	if r.Parts = append(r.Parts, p); len(r.Parts) == 1 || p.Ratio < r.Ratio {
		r.Figure, r.Limit, r.Ratio, r.P50, r.P99 = p.Figure, p.Limit, p.Ratio, milliseconds(t.P50), p.Figure
	}
	return nil
}
