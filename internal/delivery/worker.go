package delivery

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/casehook/casehook/internal/endpoint"
)

// worker delivers for one endpoint, under one lease: it gives a machine what it
// asks for.
type worker struct {
	*Engine
	endpoint endpoint.Endpoint
	tenant   int64
	cursor   string
	epoch    int64
	gate     *gate
	m        *machine // the live cursor's
	log      *slog.Logger

	inbox   chan func()   // what came back: run on the worker's own goroutine
	reading bool          // the journal is being read
	notice  chan struct{} // holds one when durable or cause changed

	mu      sync.Mutex
	durable int   // outcomes saved and not yet told to the machine
	cause   error // why it stops; nil: it does not

	abandon context.CancelFunc // breaks off what is under way

	sent    int       // outcomes handed over in the next settlement
	flushed time.Time // when the position was last handed over
}

// Why a worker stops.
var (
	errReload    = errors.New("delivery: the endpoint changed")
	errLeaseLost = errors.New("delivery: another node holds the lease")
	errGone      = errors.New("delivery: the endpoint answered 410")
)

// The worker's clocks.
const (
	flushEvery = 10 * time.Second // a position that passed only unwanted entries
	idleTick   = 30 * time.Second // looks at the journal even if nobody woke it
	readAgain  = time.Second      // after the database failed
)

// stop makes the worker end once what is under way has ended.
func (w *worker) stop(cause error) {
	w.mu.Lock()
	if w.cause == nil {
		w.cause = cause
	}
	w.mu.Unlock()
	w.nudge()
}

// saved notes that n outcomes are durable.
func (w *worker) saved(n int) {
	w.mu.Lock()
	w.durable += n
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

// run delivers until it is stopped or ctx ends, and returns why. Requests live
// as long as sending; it ends later than ctx, so that they can finish. Whatever
// takes time has a goroutine of its own and comes back through the inbox.
func (w *worker) run(ctx, sending context.Context) error {
	sending, w.abandon = context.WithCancel(sending)
	defer w.abandon()
	w.flushed = time.Now()
	for {
		woken := w.tail.wait(w.tenant)
		w.fill(ctx)
		if w.leased() {
			w.pump(ctx, sending)
		}
		w.handOver()
		if err := w.ending(ctx); err != nil {
			return w.drain(err)
		}
		w.wait(ctx, woken)
	}
}

func (w *worker) ending(ctx context.Context) error {
	if err := w.stopping(); err != nil {
		return err
	}
	return ctx.Err()
}

// fill reads the journal until the window is full or there is no more. The end
// of it is at hand; ranges further back are read beside the sending.
func (w *worker) fill(ctx context.Context) {
	for !w.reading && w.m.wantsMore() {
		after := w.m.readTo
		if entries, upTo, ok := w.tail.recent(w.tenant, after); ok {
			w.m.read(entries, upTo)
			if len(entries) == 0 {
				return
			}
			continue
		}
		w.reading = true
		go func() {
			entries, upTo, err := w.tail.older(ctx, w.tenant, after, w.endpoint.Clearance)
			if err != nil {
				w.log.Error("the journal can't be read; trying again", "error", err)
				sleep(ctx, readAgain)
			}
			w.inbox <- func() { w.reading = false; w.m.read(entries, upTo) }
		}()
	}
}

// pump does all that the machine wants done now.
func (w *worker) pump(ctx, sending context.Context) {
	for w.ending(ctx) == nil {
		s, ok := w.m.next(time.Now())
		switch {
		case !ok:
			return
		case s.send != nil:
			go w.send(sending, s.send)
		default:
			go w.load(ctx, *s.load)
		}
	}
}

// load reads what a parked lane waits for.
func (w *worker) load(ctx context.Context, q load) {
	entries, full, err := w.tail.lane(ctx, w.tenant, q)
	if err != nil {
		w.log.Error("a parked lane can't be read; trying again", "error", err)
		w.inbox <- func() { w.m.unloaded(q, time.Now().Add(readAgain)) }
		return
	}
	w.inbox <- func() { w.m.loaded(q, entries, full) }
}

// send makes one request. A message belongs to it until its result is in.
func (w *worker) send(ctx context.Context, msg *message) {
	r := w.request(msg, time.Now())
	o := judge(msg, r, w.client.Post(ctx, r))
	w.inbox <- func() { w.take(msg, o) }
}

// handOver gives the settler what is to be saved.
func (w *worker) handOver() {
	flush := time.Since(w.flushed) >= flushEvery
	s, ok := w.m.take(flush)
	if !ok {
		return
	}
	w.flushed = time.Now()
	w.settler.put(w, s, w.sent)
	w.sent = 0
}

// wait blocks until there may be something to do.
func (w *worker) wait(ctx context.Context, woken <-chan struct{}) {
	if w.reading || !w.m.wantsMore() {
		woken = nil // what is new has to wait
	}
	timer := time.NewTimer(w.pause())
	defer timer.Stop()
	select {
	case back := <-w.inbox:
		back()
	case <-w.notice:
		w.takeNotice()
	case <-woken:
	case <-timer.C:
	case <-ctx.Done():
	}
	w.takeAll()
}

// pause is how long to wait at most.
func (w *worker) pause() time.Duration {
	now := time.Now()
	pause := idleTick
	if !w.leased() {
		pause = readAgain
	}
	if at := w.m.wakeAt(); at.After(now) {
		pause = min(pause, at.Sub(now))
	}
	if w.m.position() != w.m.saved {
		pause = min(pause, max(0, flushEvery-now.Sub(w.flushed)))
	}
	return pause
}

func (w *worker) take(msg *message, o outcome) {
	w.m.done(msg, o, time.Now())
	if o.verdict != notAttempted {
		w.sent++
	}
	if w.gate.gone {
		w.stop(errGone)
	}
}

func (w *worker) takeNotice() {
	w.mu.Lock()
	n := w.durable
	w.durable = 0
	w.mu.Unlock()
	w.gate.durable(n)
}

// takeAll takes what else has come in, so that it is settled together.
func (w *worker) takeAll() {
	for {
		select {
		case back := <-w.inbox:
			back()
		case <-w.notice:
			w.takeNotice()
		default:
			return
		}
	}
}

// drain waits for what is under way, and hands the last outcomes over. Without
// the lease nothing can be settled any more, so that it is broken off.
func (w *worker) drain(cause error) error {
	if errors.Is(cause, errLeaseLost) {
		w.abandon()
	}
	for w.gate.sending > 0 || w.gate.loading > 0 || w.reading {
		(<-w.inbox)()
	}
	w.flushed = time.Time{}
	w.handOver()
	return cause
}
