package delivery

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/store"
)

// lease keeps our leases, takes free ones, and runs a holder for each, until ctx
// ends.
func (e *Engine) lease(ctx, sending context.Context) {
	for ctx.Err() == nil {
		changed := e.store.EndpointsChanged()
		next, err := e.claim(ctx, sending)
		if err != nil && ctx.Err() == nil {
			e.Log.Error("leases can't be renewed; trying again", "error", err)
			sleep(ctx, e.LeaseTTL/10)
			continue
		}
		timer := time.NewTimer(next)
		select {
		case <-ctx.Done():
		case <-changed:
		case <-timer.C:
		}
		timer.Stop()
	}
	for _, h := range e.holders {
		h.cancel()
	}
}

// afterExpiry is how long after another node's last sign of life has run out we look
// for what it held.
const afterExpiry = 100 * time.Millisecond

// claim renews and takes leases, and says when to do so next: in a third of their
// time, or when another node's leases run out. They are good from before we asked, by
// our own clock, so that we stop before anybody else can begin.
func (e *Engine) claim(ctx, sending context.Context) (next time.Duration, err error) {
	before := time.Since(e.started)
	limited, cancel := context.WithTimeout(ctx, e.LeaseTTL) // a dead connection may hang for long
	defer cancel()
	var leases []store.Lease
	var expiry time.Duration
	err = e.store.Update(limited, func(tx *store.Tx) (err error) {
		if leases, err = tx.Claim(limited, e.Node, e.LeaseTTL); err == nil {
			expiry, err = tx.NextExpiry(limited, e.Node)
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	if next = e.LeaseTTL / 3; expiry >= 0 {
		next = min(next, expiry+afterExpiry)
	}
	e.until.Store(int64(before + e.LeaseTTL*9/10))
	e.logTakeovers(leases)
	surplus := e.reconcile(ctx, sending, leases)
	if len(surplus) == 0 {
		return next, nil
	}
	return next, e.store.Update(limited, func(tx *store.Tx) error { return tx.Release(limited, e.Node, surplus) })
}

// logTakeovers says for whom we deliver now, since another node does not any more.
func (e *Engine) logTakeovers(leases []store.Lease) {
	taken := map[string]int{}
	for _, l := range leases {
		if l.From != "" {
			taken[l.From]++
		}
	}
	for node, count := range taken {
		e.Log.Warn("a node gives no sign of life; its endpoints are taken over", "from", node, "endpoints", count)
	}
}

// reconcile makes the holders those of our leases on active endpoints. It returns
// the leases that are more than our share and whose holders have ended.
func (e *Engine) reconcile(ctx, sending context.Context, leases []store.Lease) (surplus []string) {
	mine := make(map[string]store.Lease, len(leases))
	for _, l := range leases {
		if l.Status == string(endpoint.Active) && !l.Surplus {
			mine[l.Endpoint] = l
		}
	}
	for id, h := range e.holders {
		if l, still := mine[id]; !still || l.Epoch != h.lease.Load().Epoch {
			h.cancel()
		} else {
			h.renew(&l)
		}
		if h.ended() {
			delete(e.holders, id)
		}
	}
	for _, l := range leases {
		if l.Surplus && e.holders[l.Endpoint] == nil {
			surplus = append(surplus, l.Endpoint)
		}
	}
	for id, l := range mine {
		if h := e.holders[id]; h == nil || h.ctx.Err() != nil {
			e.hold(ctx, sending, l, h)
		}
	}
	return surplus
}

// leased reports whether our leases are still good.
func (e *Engine) leased() bool { return int64(time.Since(e.started)) < e.until.Load() }

// holder keeps a worker going for one endpoint, for as long as we hold its lease.
type holder struct {
	lease  atomic.Pointer[store.Lease]
	worker atomic.Pointer[worker]
	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{} // closed when all it sent is settled
}

// renew tells the worker what has changed since the lease was looked at last.
func (h *holder) renew(l *store.Lease) {
	before, w := h.lease.Swap(l), h.worker.Load()
	switch {
	case w == nil:
	case l.Revision != before.Revision:
		w.stop(errReload)
	case l.Wishes != before.Wishes:
		w.ask()
	}
}

func (h *holder) ended() bool {
	select {
	case <-h.done:
		return true
	default:
		return false
	}
}

// hold starts delivering for an endpoint, once the holder before has ended.
func (e *Engine) hold(ctx, sending context.Context, l store.Lease, before *holder) {
	h := &holder{done: make(chan struct{})}
	h.lease.Store(&l)
	h.ctx, h.cancel = context.WithCancel(ctx)
	e.holders[l.Endpoint] = h
	e.running.Go(func() {
		defer close(h.done)
		defer h.cancel()
		if before != nil {
			<-before.done
		}
		e.serve(h.ctx, sending, h)
	})
}

// serve runs one worker after the other: each change of the endpoint is a new
// one, which begins once all that its predecessor sent is settled.
func (e *Engine) serve(ctx, sending context.Context, h *holder) {
	var before *worker
	for ctx.Err() == nil {
		l := *h.lease.Load()
		w, err := e.load(ctx, l)
		if err != nil {
			if ctx.Err() == nil {
				e.Log.Error("an endpoint can't be loaded; trying again", "endpoint", l.Endpoint, "error", err)
			}
			sleep(ctx, readAgain)
			continue
		}
		h.worker.Store(w)
		if w.endpoint.Status != endpoint.Active { // the lease loop will see it and end us
			sleep(ctx, readAgain)
			continue
		}
		now := h.lease.Load()
		if w.endpoint.Revision < now.Revision {
			continue // it changed while it was loaded
		}
		if before != nil {
			w.gate.inherit(before.gate, w.endpoint.URL == before.endpoint.URL, time.Now())
		}
		before = w
		if l.Wishes < now.Wishes {
			w.ask() // meanwhile
		}
		cause := w.run(ctx, sending)
		e.settler.barrier(sending)
		switch {
		case errors.Is(cause, errLeaseLost):
			return
		case errors.Is(cause, errGone):
			w.log.Warn("the endpoint is disabled", "reason", w.gate.watch.Reason, "failing_since", w.gate.watch.Since)
		}
	}
}

// load restores a worker from what is saved.
func (e *Engine) load(ctx context.Context, l store.Lease) (*worker, error) {
	ep, err := e.store.Endpoint(ctx, l.Tenant, l.Endpoint)
	if err != nil {
		return nil, err
	}
	reader, err := e.store.Reader(ctx, l.Tenant, access.Owner(ep.Owner))
	if err != nil {
		return nil, err
	}
	ep.Clearance = casetype.Lower(ep.Clearance, reader.Clearance)
	live, err := e.store.Cursor(ctx, l.Tenant, l.Endpoint)
	if err != nil {
		return nil, err
	}
	longest := ep.Policy.WithDefaults().LongestWait()
	s, err := e.remains(ctx, live, l.Tenant, longest)
	if err != nil {
		return nil, err
	}
	asked, err := e.errands(ctx, l, nil, longest)
	if err != nil {
		return nil, err
	}
	credentials, err := newCredentials(e.client, ep)
	if err != nil {
		return nil, err
	}
	warnOfExpiry(e.Log.With("endpoint", ep.ID), ep.TLS, time.Now())
	if ep.Owner == "" && len(reader.Without) > 0 {
		e.Log.Warn("the endpoint has no owner and hears nothing of case types that name who may read; an administrator can take it over",
			"endpoint", ep.ID, "types", reader.Without)
	}
	g := newGate(ep, reader, defaultLimits, e.Jitter)
	g.restore(ep, e.DisableAfter, time.Now())
	log := e.Log.With("endpoint", l.Endpoint)
	w := &worker{
		Engine: e, endpoint: ep, sees: reader.Clearance, lease: l, credentials: credentials, gate: g, over: map[string]bool{},
		log:    log,
		diary:  newDiary(log, ep),
		inbox:  make(chan func(), g.policy.Concurrency+1), // all that can be under way: nobody blocks
		notice: make(chan struct{}, 1),
	}
	w.live = &cursor{worker: w, id: live.ID, flushed: time.Now(), m: newMachine(g, live, s.parked, s.settled)}
	w.crew = &crew{live: w.live.m}
	w.attend(asked)
	return w, nil
}
