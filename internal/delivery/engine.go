package delivery

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/casehook/casehook/internal/observe"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/store"
)

// Config configures an Engine. Zero values mean the defaults.
type Config struct {
	Node     string         // a name that no other process has or had; required
	Version  string         // in headers, if the endpoint has none of its own; required
	LeaseTTL time.Duration  // time after a node's death until another takes over; default 15 s
	Poll     time.Duration  // how often the engine looks for new entries without being woken; default 1 s
	Drain    time.Duration  // time for requests under way when the engine stops; default 10 s
	Jitter   func() float64 // in [0,1); required
	Log      *slog.Logger   // required
	Hold     bool           // claim no leases and send nothing; clients can still follow the journal

	Metrics *observe.Delivery // nil: nothing is counted
	Tracer  *observe.Tracer   // nil: nothing is traced

	// How often positions that passed only unwanted entries are saved, all at once; default 10 s.
	Flush        time.Duration
	DisableAfter time.Duration // time of failures after which an endpoint is disabled; default 5 days

	// Progress is called after each step, so that tests can wait for it: leases are claimed, a request has ended,
	// outcomes are durable. It must not block. It may be nil.
	Progress func()
}

// Engine delivers for all endpoints whose lease this node holds.
type Engine struct {
	config  Config
	store   *store.Store
	client  *outbound.Client
	settler *settler
	tail    *tail
	valid   *validity
	leases  *leases
	signals *signals
}

// New returns an Engine.
func New(st *store.Store, client *outbound.Client, c Config) *Engine {
	c.LeaseTTL = orDefault(c.LeaseTTL, 15*time.Second)
	c.Poll = orDefault(c.Poll, time.Second)
	c.Drain = orDefault(c.Drain, 10*time.Second)
	c.Flush = orDefault(c.Flush, 10*time.Second)
	c.DisableAfter = orDefault(c.DisableAfter, 5*24*time.Hour)
	started, signals := time.Now(), &signals{leased: c.Progress, sent: c.Progress, settled: c.Progress}
	e := &Engine{
		config:  c,
		store:   st,
		client:  client,
		settler: newSettler(st, c.Log),
		tail:    newTail(st, c.Version),
		valid:   &validity{started: started},
		signals: signals,
	}
	e.settler.metrics, e.settler.started, e.settler.signals = c.Metrics, started, signals
	loader := &loader{
		store:        st,
		client:       client,
		tail:         e.tail,
		settler:      e.settler,
		ticks:        ticks{started: started, every: c.Flush},
		valid:        e.valid,
		metrics:      c.Metrics,
		tracer:       c.Tracer,
		lacks:        &shortageLog{log: c.Log, started: started},
		log:          c.Log,
		jitter:       c.Jitter,
		disableAfter: c.DisableAfter,
		signals:      signals,
	}
	e.leases = &leases{
		store:   st,
		loader:  loader,
		valid:   e.valid,
		node:    c.Node,
		ttl:     c.LeaseTTL,
		log:     c.Log,
		holders: map[string]*holder{},
		signals: signals,
	}
	return e
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

// Run delivers until ctx ends. Then it waits for the requests under way, saves all outcomes, and releases its leases.
func (e *Engine) Run(ctx context.Context) error {
	if !e.start(ctx) {
		return nil
	}
	sending, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()
	saving, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	stopSettling, settled := make(chan struct{}), make(chan struct{})
	go func() { defer close(settled); e.settler.run(saving, stopSettling) }()

	// The connection that listens shows other nodes that this one is alive. It stays open until the leases are released:
	// without it they would take over, and repeat the requests under way.
	present, leave := context.WithCancel(context.WithoutCancel(ctx))
	var listening sync.WaitGroup
	listening.Go(func() { e.listen(present) })
	defer listening.Wait()
	defer leave()

	var loops sync.WaitGroup
	loops.Go(func() { e.follow(ctx) })
	loops.Go(func() { e.notify(ctx) })
	if e.config.Hold {
		<-ctx.Done()
	} else {
		e.leases.keep(ctx, sending)
	}
	loops.Wait()

	late := time.AfterFunc(e.config.Drain, abandon)
	defer late.Stop()
	e.leases.running.Wait()
	last := time.AfterFunc(e.config.Drain, giveUp)
	defer last.Stop()
	close(stopSettling)
	<-settled
	return e.store.Update(saving, func(tx *store.Tx) error { return tx.Leave(saving, e.config.Node) })
}

// start finds the end of the journal. It returns false if ctx ended first.
func (e *Engine) start(ctx context.Context) bool {
	for ctx.Err() == nil {
		err := e.tail.advance(ctx)
		if err == nil {
			return true
		}
		if ctx.Err() == nil {
			e.config.Log.Error("the journal can't be read; trying again", "error", err)
		}
		sleep(ctx, e.config.Poll)
	}
	return false
}

// follow reads the end of the journal whenever it may have grown.
func (e *Engine) follow(ctx context.Context) {
	ticker := time.NewTicker(e.config.Poll)
	defer ticker.Stop()
	for ctx.Err() == nil {
		woken := e.store.Wake()
		if err := e.tail.advance(ctx); err != nil && ctx.Err() == nil {
			e.config.Log.Error("the journal can't be read; trying again", "error", err)
			woken = nil
		}
		select {
		case <-ctx.Done():
		case <-woken:
		case <-ticker.C:
		}
	}
}

// listen receives the notifications of other nodes that the journal has grown.
func (e *Engine) listen(ctx context.Context) {
	for ctx.Err() == nil {
		if err := e.store.Listen(ctx); err != nil && ctx.Err() == nil {
			e.config.Log.Warn("notifications are interrupted; polling meanwhile", "error", err)
			sleep(ctx, e.config.Poll)
		}
	}
}

// notifyEvery is the shortest time between two notifications of other nodes.
const notifyEvery = 50 * time.Millisecond

// notify notifies other nodes of commits of this process, outside of any transaction, and at most every notifyEvery.
func (e *Engine) notify(ctx context.Context) {
	if !e.store.Nodes() {
		return
	}
	for ctx.Err() == nil {
		committed := e.store.Committed() // before notifying, so that no later commit is missed
		if err := e.store.Notify(ctx); err != nil && ctx.Err() == nil {
			e.config.Log.Warn("other nodes can't be notified; they poll meanwhile", "error", err)
		}
		sleep(ctx, notifyEvery)
		select {
		case <-ctx.Done():
		case <-committed:
		}
	}
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
