package dev

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/casehook/casehook/internal/client"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/outbound"
)

// ListenOptions selects the messages to listen to, and configures forwarding.
type ListenOptions struct {
	Output
	Notes io.Writer // receives remarks about the stream; nil: they are dropped

	Triggers []string // * stands for any characters; none: all
	Sources  []string // ui, api; none: both
	Endpoint string   // id or name: its messages; empty: all that the token may see
	After    string   // now (the default), beginning, or a time

	Forward string // the URL to forward messages to; empty: they are only printed
	Key     []byte // signs forwarded messages
	// Callbacks is the URL of callbacks on this machine; empty: none. They are asked the questions that the token's own
	// submissions cause.
	Callbacks string
	Retry     bool          // try a message again until the receiver accepts it
	Timeout   time.Duration // for one try; zero: 15 s
	Version   string        // of Casehook, for the User-Agent
}

const (
	retried = 8                // subjects that are being retried at the same time
	waiting = 512              // messages that may wait for the receiver, and as many behind retried ones
	silence = 45 * time.Second // the server sends a heartbeat every 15 s
)

// Listen prints or forwards messages until ctx ends, which is no error. When the stream breaks off,
// it resumes after the last message it received. It handles messages one after the other, in the
// order of the journal. While a message is being retried, later ones about the same subject wait
// for it, and the others go on.
func Listen(ctx context.Context, c *client.Client, l ListenOptions) error {
	query := url.Values{"after": {cmp.Or(l.After, "now")}}
	if len(l.Triggers) > 0 {
		query.Set("triggers", strings.Join(l.Triggers, ","))
	}
	if len(l.Sources) > 0 {
		query.Set("sources", strings.Join(l.Sources, ","))
	}
	if l.Endpoint != "" {
		id, err := endpointID(ctx, c, l.Endpoint)
		if err != nil {
			return err
		}
		query.Set("endpoint", id)
	}
	e := &listener{ListenOptions: l, client: c, path: "/v1/stream?" + query.Encode()}
	if l.Forward != "" {
		var err error
		if e.to, err = newForwarder(l.Forward, l.Key, l.Timeout, l.Version); err != nil {
			return err
		}
		defer e.to.client.Close()
	}
	e.day = time.Now().Format(time.DateOnly) // today's times have no date
	return e.run(ctx)
}

// run follows the stream, and answers questions meanwhile.
func (e *listener) run(ctx context.Context) error {
	e.open(ctx)
	defer e.close()
	listening, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	if e.Callbacks != "" {
		asks, err := newQuestions(e)
		if err == nil {
			err = asks.claim(listening, 0) // from here on this machine is asked
		}
		if err != nil {
			return err
		}
		e.working.Go(func() { stop(asks.run(listening)) })
	}
	err := e.follow(listening)
	if err == nil && ctx.Err() == nil {
		err = context.Cause(listening)
	}
	return err
}

// listener is the state of a running Listen.
type listener struct {
	ListenOptions
	client *client.Client
	path   string
	last   string // the id of the last event received
	there  bool   // false: a note said that the server is away
	to     *forwarder

	queue   chan message // messages to forward
	working sync.WaitGroup
	turns   chan struct{} // one token for each subject that is being retried
	room    chan struct{} // one token for each message that waits for one of those

	mu                 sync.Mutex           // guards the fields below, and the output
	behind             map[string][]message // waiting messages, by the subject that is being retried
	day                string               // the day of the message that was printed last
	received, notTaken int
}

func (e *listener) note(format string, args ...any) {
	if e.Notes != nil {
		e.mu.Lock()
		defer e.mu.Unlock()
		fmt.Fprintf(e.Notes, format+"\n", args...)
	}
}

// open starts the goroutines that forward messages.
func (e *listener) open(ctx context.Context) {
	e.queue, e.behind = make(chan message, waiting), map[string][]message{}
	e.turns, e.room = make(chan struct{}, retried), make(chan struct{}, waiting)
	e.working.Go(func() {
		for m := range e.queue {
			if ctx.Err() == nil {
				e.forward(ctx, m)
			}
		}
	})
}

// close waits for tries under way.
func (e *listener) close() {
	close(e.queue)
	e.working.Wait()
	switch {
	case e.to == nil:
	case e.received == 0:
		e.note("No message arrived.")
	default:
		e.note("%d messages arrived; the receiver did not accept %d of them.", e.received, e.notTaken)
	}
}

// follow reopens the stream until ctx ends, or the server refuses it.
func (e *listener) follow(ctx context.Context) error {
	const shortest, longest = 500 * time.Millisecond, 30 * time.Second
	wait := shortest
	for first := true; ; first = false {
		begun := e.last
		err := e.client.Stream(ctx, e.path, e.last, silence,
			func(event client.Event) error { return e.receive(ctx, event) })
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && (first && e.last == "" || !passing(err)):
			return err
		case e.last != begun:
			wait = shortest
		}
		if err != nil {
			e.note("%s Trying again in %s.", fault.As(err).Detail, wait)
			e.there = false
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
		wait = min(2*wait, longest)
	}
}

// passing reports whether an error may be temporary.
func passing(err error) bool {
	for _, kind := range []fault.Kind{fault.Upstream, fault.UpstreamTimeout, fault.Unavailable, fault.TooMany} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// receive prints a message, or queues it for forwarding.
func (e *listener) receive(ctx context.Context, event client.Event) error {
	if !e.there {
		e.note("%s", e.greeting())
		if e.last == "" && !e.JSON {
			e.head()
		}
		e.there = true
	}
	if len(event.Data) > 0 {
		var m message
		if err := json.Unmarshal(event.Data, &m); err != nil {
			return fault.Wrap(err, fault.Invalid, "dev.message",
				"The server's stream has an event that is not a message. The server may be newer than this program: "+
					"update casehook.")
		}
		if e.to == nil {
			e.print(m, nil)
		} else if err := put(ctx, e.queue, m); err != nil {
			return err
		}
	}
	if event.ID != "" {
		e.last = event.ID
	}
	return nil
}

// greeting describes the messages that are listened to.
func (e *listener) greeting() string {
	what := cmp.Or(strings.Join(e.Triggers, ","), "everything")
	if e.Endpoint != "" {
		what += " that " + e.Endpoint + " is sent"
	}
	text := fmt.Sprintf("Listening to %s of %s.", what, e.client.Server)
	if e.to != nil {
		text += fmt.Sprintf(" Messages go to %s.", e.Forward)
	}
	if e.Callbacks != "" {
		text += fmt.Sprintf(" Questions that your submissions cause go to %s.", e.Callbacks)
	}
	return text
}

// put sends to a channel, unless ctx ends first.
func put[T any](ctx context.Context, to chan<- T, v T) error {
	select {
	case to <- v:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// forward sends a message to the receiver, or queues it behind the message of its subject that is
// being retried.
func (e *listener) forward(ctx context.Context, m message) {
	if put(ctx, e.room, struct{}{}) != nil {
		return
	}
	if e.wait(m) {
		return
	}
	<-e.room
	if e.try(ctx, m, 1) || put(ctx, e.turns, struct{}{}) != nil {
		return
	}
	e.mu.Lock()
	e.behind[m.Subject] = nil
	e.mu.Unlock()
	e.working.Go(func() {
		defer func() { <-e.turns }()
		for more, attempt := true, 2; more; attempt = 1 {
			e.insist(ctx, m, attempt)
			m, more = e.next(m.Subject)
		}
	})
}

// wait queues a message behind the one of its subject that is being retried, and reports whether
// there is one.
func (e *listener) wait(m message) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	line, found := e.behind[m.Subject]
	if found {
		e.behind[m.Subject] = append(line, m)
	}
	return found
}

// next returns the messages that wait behind a message that is done. If there are none, the subject is no longer
// retried.
func (e *listener) next(subject string) (m message, found bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	line := e.behind[subject]
	if len(line) == 0 {
		delete(e.behind, subject)
		return message{}, false
	}
	<-e.room
	e.behind[subject] = line[1:]
	return line[0], true
}

// try makes one attempt to send a message, prints it, and reports whether it is the last attempt.
func (e *listener) try(ctx context.Context, m message, attempt int) bool {
	if m.Error != nil {
		e.print(m, nil)
		return true
	}
	f := e.to.send(context.WithoutCancel(ctx), m, attempt) // a try that has started is finished
	e.print(m, &f)
	return f.delivered() || !e.Retry || !f.again()
}

// insist retries a message until the receiver accepts it. It waits before each attempt but the first, longer each
// time.
func (e *listener) insist(ctx context.Context, m message, attempt int) {
	for pause := time.Second; ctx.Err() == nil; attempt++ {
		if attempt > 1 {
			timer := time.NewTimer(pause)
			select {
			case <-timer.C:
			case <-ctx.Done():
				timer.Stop()
				return
			}
			pause = min(2*pause, 30*time.Second)
		}
		if e.try(ctx, m, attempt) {
			return
		}
	}
}

// printJob is a message and its outcome.
type printJob struct {
	message
	Forwarded *forwardResult `json:"forwarded"` // null: it was not forwarded
}

// print prints a message and its outcome.
func (e *listener) print(m message, f *forwardResult) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if f == nil || f.Attempt == 1 {
		e.received++
		if f != nil && !f.delivered() {
			e.notTaken++
		}
	} else if f.delivered() {
		e.notTaken--
	}
	if e.JSON {
		e.object(printJob{m, f})
		return
	}
	outcome, duration, more := "", "", ""
	switch {
	case m.Error != nil:
		more = *m.Error
	case f != nil:
		outcome, duration = f.outcome(), formatDuration(f.duration)
		if f.Attempt > 1 {
			more = fmt.Sprintf("attempt %d", f.Attempt)
		}
	}
	if day := time.Time(m.Timestamp).Local().Format(time.DateOnly); day != e.day {
		e.day = day
		e.line("%s", day)
	}
	e.row([messageColumns]any{
		clock(time.Time(m.Timestamp)), m.Trigger, m.Subject, fmt.Sprintf("v%d", m.Sequence), outcome, duration, more,
	})
}

// head prints the names of the columns.
func (e *listener) head() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.to == nil {
		e.row([messageColumns]any{"TIME", "TRIGGER", "SUBJECT", "VERSION", "", "", ""})
		return
	}
	e.row([messageColumns]any{"TIME", "TRIGGER", "SUBJECT", "VERSION", "STATUS", "TOOK", ""})
}

// messageColumns is the number of columns that row prints: time, trigger, subject, version, outcome, duration,
// remark.
const messageColumns = 7

// row prints one row of the table of messages. The columns have fixed widths, as the later rows are unknown.
func (e *listener) row(cells [messageColumns]any) {
	text := fmt.Sprintf("%-8s  %-22s  %-25s  %-7s  %-7s  %-6s  %s", cells[:]...)
	e.line("%s", strings.TrimRight(text, " "))
}

// ParseKey reads a signing secret.
func ParseKey(secret string) ([]byte, error) {
	key, err := outbound.ParseKey(secret)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "dev.secret", "--secret is not one: %s.", err)
	}
	return key, nil
}
