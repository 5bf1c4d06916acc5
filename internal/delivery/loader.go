package delivery

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/credentials"
	"github.com/casehook/casehook/internal/delivery/machine"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/observe"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/store"
)

// loader makes workers from the saved state of their endpoints.
type loader struct {
	store   *store.Store
	client  *outbound.Client
	tail    *tail
	settler *settler
	ticks   ticks
	valid   *validity
	metrics *observe.Delivery
	tracer  *observe.Tracer
	lacks   *shortageLog
	log     *slog.Logger

	jitter       func() float64
	disableAfter time.Duration
	signals      *signals
}

// serve runs one worker after the other. Each change of the endpoint needs a new one, which starts once all messages
// of its predecessor are settled.
func (l *loader) serve(ctx, sending context.Context, h *holder) {
	var before *worker
	for ctx.Err() == nil {
		lease := *h.lease.Load()
		w, err := l.load(ctx, lease)
		if err != nil {
			if ctx.Err() == nil {
				l.log.Error("an endpoint can't be loaded; trying again", "endpoint", lease.Endpoint, "error", err)
			}
			sleep(ctx, readAgain)
			continue
		}
		h.worker.Store(w)
		if w.endpoint.Status != endpoint.Active { // the lease loop will end this holder
			sleep(ctx, readAgain)
			continue
		}
		now := h.lease.Load()
		if w.endpoint.Revision < now.Revision {
			continue // the endpoint changed while it was loaded
		}
		if before != nil {
			w.gate.Inherit(before.gate, w.endpoint.URL != before.endpoint.URL, time.Now())
		}
		before = w
		if lease.Requests < now.Requests {
			w.noteRequest() // it arrived while the worker was loaded
		}
		cause := w.run(ctx, sending)
		l.settler.barrier(sending)
		switch {
		case errors.Is(cause, errLeaseLost):
			return
		case errors.Is(cause, errGone):
			health := w.gate.Health()
			w.log.Warn("the endpoint is disabled", "reason", health.Reason, "failing_since", health.Since)
		}
	}
}

// load restores a worker from the saved state of its endpoint.
func (l *loader) load(ctx context.Context, lease store.Lease) (*worker, error) {
	ep, err := l.store.Endpoint(ctx, lease.Tenant, lease.Endpoint)
	if err != nil {
		return nil, err
	}
	reader, err := l.store.Reader(ctx, lease.Tenant, access.Owner(ep.Owner))
	if err != nil {
		return nil, err
	}
	ep.Clearance = casetype.Lower(ep.Clearance, reader.Clearance)
	policy := ep.Policy.WithDefaults()
	live, err := l.store.Cursor(ctx, lease.Tenant, lease.Endpoint)
	if err != nil {
		return nil, err
	}
	saved, err := readSaved(ctx, l.store, live, lease.Tenant, policy.LongestWait())
	if err != nil {
		return nil, err
	}
	asked, err := readRequests(ctx, l.store, lease, nil, policy.LongestWait())
	if err != nil {
		return nil, err
	}
	own, err := credentials.New(l.client, ep.Tenant, ep.Auth, ep.TLS)
	if err != nil {
		return nil, err
	}
	l.warn(ep, reader)
	w := l.worker(ep, reader, lease)
	w.policy, w.credentials = policy, own
	w.live = &cursor{worker: w, id: live.ID, flushed: time.Now(), machine: machine.New(w.gate, saved)}
	w.rotation = machine.NewRotation(w.live.machine)
	w.apply(asked)
	return w, nil
}

// worker returns a worker that has no cursors yet.
func (l *loader) worker(ep endpoint.Endpoint, owner access.Reader, lease store.Lease) *worker {
	log := l.log.With("endpoint", lease.Endpoint)
	gate := machine.NewGate(machine.GateConfig{
		Endpoint:     ep,
		Owner:        owner,
		Limits:       machine.DefaultLimits,
		Jitter:       l.jitter,
		DisableAfter: l.disableAfter,
		Now:          time.Now(),
	})
	return &worker{
		store:       l.store,
		tail:        l.tail,
		settler:     l.settler,
		ticks:       l.ticks,
		valid:       l.valid,
		metrics:     l.metrics,
		tracer:      l.tracer,
		lacks:       l.lacks,
		signals:     l.signals,
		log:         log,
		endpoint:    ep,
		sees:        owner.Clearance,
		lease:       lease,
		gate:        gate,
		endpointLog: newEndpointLog(log, ep),
		over:        map[string]bool{},
		inbox:       make(chan func(), gate.Policy().Concurrency+1), // room for all results, so that no sender blocks
		notice:      make(chan struct{}, 1),
	}
}

// warn logs reasons why an endpoint receives no messages, or soon won't.
func (l *loader) warn(ep endpoint.Endpoint, owner access.Reader) {
	log := l.log.With("endpoint", ep.ID)
	warnOfExpiry(log, ep.TLS, time.Now())
	if ep.Owner == "" && len(owner.Without) > 0 {
		log.Warn("the endpoint has no owner and receives nothing about case types that restrict who may read; "+
			"an administrator can take it over",
			"types", owner.Without)
	}
}

// expirySoon is how long before its expiry a client certificate is reported.
const expirySoon = 14 * 24 * time.Hour

// warnOfExpiry logs a certificate that has expired or expires soon.
func warnOfExpiry(log *slog.Logger, t endpoint.TLS, now time.Time) {
	if ends, there := t.CertificateEnds(); there && now.After(ends.Add(-expirySoon)) {
		log.Warn("the endpoint's client certificate expires soon, or has expired; set a new one", "expires_at", ends)
	}
}
