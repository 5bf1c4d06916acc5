package delivery

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/store"
)

// leases are the leases of this node, each with a holder that delivers.
type leases struct {
	store   *store.Store
	loader  *loader
	valid   *validity
	node    string
	ttl     time.Duration
	log     *slog.Logger
	holders map[string]*holder
	running sync.WaitGroup // holders
	signals *signals
}

// keep renews this node's leases, claims free ones, and runs a holder for each, until ctx ends.
func (s *leases) keep(ctx, sending context.Context) {
	for ctx.Err() == nil {
		changed := s.store.EndpointsChanged()
		next, err := s.claim(ctx, sending)
		if err != nil && ctx.Err() == nil {
			s.log.Error("leases can't be renewed; trying again", "error", err)
			sleep(ctx, s.ttl/10)
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
	for _, h := range s.holders {
		h.cancel()
	}
}

// afterExpiry is how long after the expiry of another node's leases the engine tries to claim them.
const afterExpiry = 100 * time.Millisecond

// claim renews and claims leases, and returns when to do so next: after a third of their time to live, or when another
// node's leases expire. Their time counts from before the claim, by this node's clock, so that this node stops before
// another can begin.
func (s *leases) claim(ctx, sending context.Context) (next time.Duration, err error) {
	before := time.Now()
	limited, cancel := context.WithTimeout(ctx, s.ttl) // a dead connection may hang for long
	defer cancel()
	var leases []store.Lease
	var expiry time.Duration
	err = s.store.Update(limited, func(tx *store.Tx) (err error) {
		if leases, err = tx.Claim(limited, s.node, s.ttl); err == nil {
			expiry, err = tx.NextExpiry(limited, s.node)
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	if next = s.ttl / 3; expiry >= 0 {
		next = min(next, expiry+afterExpiry)
	}
	s.valid.extend(before, s.ttl*9/10)
	s.logTakeovers(leases)
	defer func() { signal(s.signals.leased) }()
	surplus := s.reconcile(ctx, sending, leases)
	if len(surplus) == 0 {
		return next, nil
	}
	return next, s.store.Update(limited, func(tx *store.Tx) error { return tx.Release(limited, s.node, surplus) })
}

// logTakeovers logs the endpoints that this node has taken over from another.
func (s *leases) logTakeovers(leases []store.Lease) {
	lost := map[string]int{}
	for _, l := range leases {
		if l.From != "" {
			lost[l.From]++
		}
	}
	for node, count := range lost {
		s.log.Warn("a node does not respond; its endpoints are taken over", "from", node, "endpoints", count)
	}
}

// reconcile starts and stops holders, so that each lease on an active endpoint has one. It returns the leases beyond
// this node's share whose holders have ended.
func (s *leases) reconcile(ctx, sending context.Context, leases []store.Lease) (surplus []string) {
	mine := make(map[string]store.Lease, len(leases))
	for _, l := range leases {
		if l.Status == string(endpoint.Active) && !l.Surplus {
			mine[l.Endpoint] = l
		}
	}
	for id, h := range s.holders {
		if l, still := mine[id]; !still || l.Epoch != h.lease.Load().Epoch {
			h.cancel()
		} else {
			h.renew(&l)
		}
		if h.ended() {
			delete(s.holders, id)
		}
	}
	for _, l := range leases {
		if l.Surplus && s.holders[l.Endpoint] == nil {
			surplus = append(surplus, l.Endpoint)
		}
	}
	for id, l := range mine {
		if h := s.holders[id]; h == nil || h.ctx.Err() != nil {
			s.start(ctx, sending, l, h)
		}
	}
	return surplus
}

// holder keeps a worker running for one endpoint, as long as this node holds its lease.
type holder struct {
	lease  atomic.Pointer[store.Lease]
	worker atomic.Pointer[worker]
	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{} // closed when all messages that it sent are settled
}

// renew tells the worker what has changed in the lease since it was last read.
func (h *holder) renew(l *store.Lease) {
	before, w := h.lease.Swap(l), h.worker.Load()
	switch {
	case w == nil:
	case l.Revision != before.Revision:
		w.stop(errReload)
	case l.Requests != before.Requests:
		w.noteRequest()
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

// start starts delivering for an endpoint, once its previous holder has ended.
func (s *leases) start(ctx, sending context.Context, l store.Lease, before *holder) {
	h := &holder{done: make(chan struct{})}
	h.lease.Store(&l)
	h.ctx, h.cancel = context.WithCancel(ctx)
	s.holders[l.Endpoint] = h
	s.running.Go(func() {
		defer close(h.done)
		defer h.cancel()
		if before != nil {
			<-before.done
		}
		s.loader.serve(h.ctx, sending, h)
	})
}
