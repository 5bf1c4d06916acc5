package delivery

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/credentials"
	"github.com/casehook/casehook/internal/delivery/machine"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/observe"
	"github.com/casehook/casehook/internal/store"
)

// worker delivers for one endpoint, under one lease. It does the I/O for the machines of its cursors.
type worker struct {
	store   *store.Store
	tail    *tail
	settler *settler
	ticks   ticks
	valid   *validity // of the node's leases
	metrics *observe.Delivery
	tracer  *observe.Tracer
	lacks   *shortageLog
	signals *signals
	log     *slog.Logger // about the endpoint

	endpoint    endpoint.Endpoint
	policy      endpoint.Policy         // of the endpoint, with its defaults
	sees        casetype.Classification // the owner's clearance, which bounds the endpoint's
	lease       store.Lease
	gate        *machine.Gate
	rotation    *machine.Rotation
	credentials *credentials.Credentials
	live        *cursor
	replays     []*cursor
	waiter      *waiter
	endpointLog endpointLog

	inbox    chan func()   // results of other goroutines, to be run on the worker's own
	reading  int           // reads of the journal or of requests that are under way
	checking bool          // requests are being read
	notice   chan struct{} // holds a value when durable, requested, over or cause has changed

	mu        sync.Mutex
	durable   int             // saved outcomes that the gate does not know of yet
	requested bool            // there may be new replays or repair requests
	over      map[string]bool // replays whose end is saved
	cause     error           // why it stops; nil: it does not

	timer    *time.Timer        // ends a wait
	broken   bool               // the breaker was open when it was last looked at
	refusing bool               // the endpoint refused everything when it was last looked at
	abandon  context.CancelFunc // cancels the requests under way
}

// The reasons why a worker stops.
var (
	errReload    = errors.New("delivery: the endpoint changed")
	errLeaseLost = errors.New("delivery: another node holds the lease")
	errGone      = errors.New("delivery: the endpoint is disabled")
)

// readAgain is the wait before reading again after an error of the database.
const readAgain = time.Second

// stop makes the worker stop once all requests under way have ended.
func (w *worker) stop(cause error) {
	w.mu.Lock()
	if w.cause == nil {
		w.cause = cause
	}
	w.mu.Unlock()
	w.nudge()
}

// saved tells the worker that a settlement is durable.
func (w *worker) saved(p *settlement) {
	if p.sent == 0 && !p.row.Ended {
		return // the worker need not know
	}
	w.mu.Lock()
	w.durable += p.sent
	if p.row.Ended {
		w.over[p.row.Cursor] = true
	}
	w.mu.Unlock()
	w.nudge()
}

// noteRequest records that its endpoint has a new replay or repair request, which the worker reads next.
func (w *worker) noteRequest() {
	w.mu.Lock()
	w.requested = true
	w.mu.Unlock()
	w.nudge()
}

func (w *worker) nudge() {
	select {
	case w.notice <- struct{}{}:
	default:
	}
}

func (w *worker) stopping() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cause
}

// run delivers until it is stopped or ctx ends, and returns why. Requests use the context sending, which ends later
// than ctx, so that they can finish. Slow work has its own goroutine, whose result arrives in the inbox.
func (w *worker) run(ctx, sending context.Context) error {
	sending, w.abandon = context.WithCancel(sending)
	defer w.abandon()
	w.timer = time.NewTimer(0)
	defer w.timer.Stop()
	w.metrics.Serving(1)
	defer w.endObserving()
	defer w.credentials.Close()
	defer func() { w.tail.letGo(w.waiter) }()
	for {
		w.waiter = w.tail.follow(w.waiter, w.lease.Tenant, w.endpoint.Triggers)
		w.checkRequests(ctx)
		for c := range w.cursors {
			c.fill(ctx)
			c.machine.Repair(time.Now())
		}
		if w.valid.now() {
			w.sendAll(ctx, sending)
		}
		for c := range w.cursors {
			c.handOver(false)
		}
		w.observeEndpoint()
		if err := w.ending(ctx); err != nil {
			return w.drain(err)
		}
		w.wait(ctx)
	}
}

// cursors iterates over the live cursor and the replays.
func (w *worker) cursors(yield func(*cursor) bool) {
	if !yield(w.live) {
		return
	}
	for _, c := range w.replays {
		if !yield(c) {
			return
		}
	}
}

// cursorOf returns the cursor that has a machine.
func (w *worker) cursorOf(m *machine.Cursor) *cursor {
	for c := range w.cursors {
		if c.machine == m {
			return c
		}
	}
	panic("delivery: a machine without a cursor")
}

func (w *worker) ending(ctx context.Context) error {
	if err := w.stopping(); err != nil {
		return err
	}
	return ctx.Err()
}

// sendAll carries out all steps that the machines return now.
func (w *worker) sendAll(ctx, sending context.Context) {
	for w.ending(ctx) == nil {
		m, step, ok := w.rotation.Next(time.Now())
		switch {
		case !ok:
			return
		case step.Send != nil:
			go w.send(sending, w.cursorOf(m), step.Send)
		default:
			go w.load(ctx, m, *step.Load)
		}
	}
}

// load reads the entries that a parked lane has requested.
func (w *worker) load(ctx context.Context, m *machine.Cursor, q machine.LoadRequest) {
	entries, full, err := w.tail.lane(ctx, w.lease.Tenant, q)
	if err != nil {
		w.log.Error("a parked lane can't be read; trying again", "error", err)
		w.inbox <- func() { m.Unloaded(q, time.Now().Add(readAgain)) }
		return
	}
	w.inbox <- func() { m.Loaded(q, entries, full) }
}

// send makes one request, if the endpoint's owner may still read the message. It owns the message until the result has
// arrived.
func (w *worker) send(ctx context.Context, c *cursor, msg *machine.Message) {
	if reader, ok := w.owner(ctx); !ok || reader.Clearance != w.sees || !reader.Reads(msg.Entry) {
		w.inbox <- func() { w.withdraw(c, msg, reader, ok) }
		return
	}
	ctx, span := w.tracer.Delivery(ctx, msg.Body.Trace, msg.Body.Trigger)
	w.metrics.Sending()
	r := requestOf(w.endpoint, w.policy, msg, time.Now())
	r.Trace = observe.Traceparent(ctx)
	r, result := w.credentials.Post(ctx, r)
	o := classify(msg, r, result, w.endpoint.KeepAnswers)
	if o.Lacking {
		w.lacks.note(result)
	}
	w.observe(span, c, msg, o)
	signal(w.signals.sent)
	w.inbox <- func() { w.receive(c, msg, o) }
}

// wait blocks until there may be something to do.
func (w *worker) wait(ctx context.Context) {
	woken := w.waiter.woken
	if w.live.reading || !w.live.machine.WantsMore() {
		woken = nil // no new entries can be read now
	}
	w.timer.Reset(w.pause())
	select {
	case back := <-w.inbox:
		back()
	case <-w.notice:
		w.receiveNotice()
	case <-woken:
	case <-w.timer.C:
	case <-ctx.Done():
	}
	w.receiveAll()
}

// pause returns the longest time to wait. Each tick saves positions, also those of cursors without wanted entries.
func (w *worker) pause() time.Duration {
	now := time.Now()
	pause := w.ticks.next(now)
	if !w.valid.now() {
		pause = readAgain
	}
	for c := range w.cursors {
		if wake := c.machine.WakeAt(); wake.After(now) {
			pause = min(pause, wake.Sub(now))
		}
	}
	return pause
}

// receive hands a message's outcome to its cursor.
func (w *worker) receive(c *cursor, msg *machine.Message, o outcome) {
	now := time.Now()
	w.endpointLog.unreached(o, now)
	if o.Verdict != machine.NotAttempted {
		c.attempts = append(c.attempts, o.attempt)
	}
	c.machine.Done(msg, o.Outcome, now)
	if w.gate.Gone() {
		w.stop(errGone)
	}
}

func (w *worker) receiveNotice() {
	w.mu.Lock()
	n := w.durable
	w.durable = 0
	w.mu.Unlock()
	w.gate.Durable(n)
}

// receiveAll handles all results that have arrived, so that they are settled together.
func (w *worker) receiveAll() {
	for {
		select {
		case back := <-w.inbox:
			back()
		case <-w.notice:
			w.receiveNotice()
		default:
			return
		}
	}
}

// drain waits for the requests under way, and passes on the last outcomes. If the lease is lost, nothing can be settled
// any more, so it cancels the requests.
func (w *worker) drain(cause error) error {
	if errors.Is(cause, errLeaseLost) {
		w.abandon()
	}
	for w.gate.Busy() || w.reading > 0 {
		(<-w.inbox)()
	}
	for c := range w.cursors {
		c.handOver(true)
	}
	return cause
}
