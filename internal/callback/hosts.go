package callback

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/observe"
	"github.com/casehook/casehook/internal/weburl"
)

// The breaker's bounds. They are those of endpoints, with questions in place of messages.
const (
	breakerFailures    = 5 // in a row, about breakerCases cases: one poisonous case must not stop the others
	breakerCases       = 3
	breakerUnconnected = 2 // in a row, without a connection, about any cases: no case can be their cause
	firstProbe         = time.Second
	slowestProbe       = 8 * time.Second
	maxHosts           = 10_000 // with failures, of all tenants; further ones are not counted
)

// hosts has a breaker for each host of callbacks. A host that answers has none. It is safe for concurrent use.
type hosts struct {
	metrics *observe.Callback
	log     *slog.Logger

	mu       sync.Mutex
	breakers map[hostKey]*breaker
}

// hostKey identifies a host of callbacks.
type hostKey struct {
	tenant int64
	origin string // scheme, host and port
}

// host returns the key of the host that a question goes to. A queue counts as one. A question to the submitter's
// machine has none.
func (q Question) host() (hostKey, bool) {
	if q.Pull != nil && q.Pull.Listener != "" {
		return hostKey{}, false
	}
	if _, ok := casetype.PullQueue(q.URL); ok {
		return hostKey{q.Tenant, q.URL}, true
	}
	u, err := weburl.Parse(q.URL)
	if err != nil {
		return hostKey{}, false
	}
	return hostKey{q.Tenant, u.Scheme + "://" + u.Host}, true
}

// breaker stops questions to a host that is dead, so that callers don't wait for it. While it is open, one question at
// a time probes the host.
type breaker struct {
	failures    int // in a row
	unconnected int // in a row, without a connection
	cases       map[int64]struct{}
	what        string // the last failure
	open        bool
	since       time.Time // when it was opened
	probing     bool
	probeAt     time.Time
	wait        time.Duration // before the next probe
}

// passage is what a breaker lets a question do.
type passage struct {
	probe   bool
	resting time.Duration // until the next probe; 0: the question may be asked
	what    string        // the last failure of the host that rests
}

// enter returns whether a question may be asked now.
func (h *hosts) enter(q Question, now time.Time) passage {
	key, ok := q.host()
	if !ok || q.Elsewhere || q.Shadow {
		return passage{}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	b := h.breakers[key]
	switch {
	case b == nil || !b.open:
		return passage{}
	case q.DryRun || b.probing || now.Before(b.probeAt):
		return passage{resting: max(b.probeAt.Sub(now), firstProbe), what: b.what}
	}
	b.probing = true
	return passage{probe: true}
}

// leave counts the end of a question that was asked. A failed dry run is not counted: nobody depends on it.
func (h *hosts) leave(ctx context.Context, q Question, p passage, failed *failure, now time.Time) {
	key, ok := q.host()
	if !ok || q.Elsewhere || q.Shadow || q.DryRun && failed != nil {
		return
	}
	h.mu.Lock()
	b := h.breakers[key]
	var opened, closed time.Duration
	switch {
	case failed != nil && failed.mute: // it says nothing about the host
		if p.probe && b != nil {
			b.probing = false
		}
	case failed == nil || !failed.dead:
		if b != nil && b.open {
			closed = max(now.Sub(b.since), 1)
		}
		delete(h.breakers, key)
	case b != nil || len(h.breakers) < maxHosts:
		if b == nil {
			b = &breaker{cases: map[int64]struct{}{}}
			h.breakers[key] = b
		}
		if b.failed(q, p, failed, now) {
			opened = b.wait
		}
	}
	h.mu.Unlock()
	switch {
	case opened > 0:
		h.metrics.Resting(1)
		h.log.WarnContext(ctx, "a host of callbacks is dead: until it answers, questions to it fail at once",
			append(q.attributes(), "failure", failed.what)...)
	case closed > 0:
		h.metrics.Resting(-1)
		h.log.InfoContext(ctx, "a host of callbacks answers again", append(q.attributes(), "after", closed.String())...)
	}
}

// attributes describe a question's callback to the log. The URL is that of the definition, without its query: variables
// and queries may hold secrets.
func (q Question) attributes() []any {
	return []any{"tenant", q.Tenant, "callback", q.Name, "url", weburl.WithoutQuery(q.Settings.URL)}
}

// failed counts a failure that is the host's, and reports whether it opens the breaker.
func (b *breaker) failed(q Question, p passage, failed *failure, now time.Time) (opens bool) {
	b.failures++
	b.what = failed.what
	if b.unconnected++; failed.connected {
		b.unconnected = 0
	}
	if len(b.cases) < breakerCases {
		b.cases[q.Case] = struct{}{}
	}
	switch {
	case p.probe && b.open:
		b.probing = false
		b.wait = min(2*b.wait, slowestProbe)
		b.probeAt = now.Add(b.wait)
	case !b.open && b.dead():
		b.open, b.since, b.wait, b.probeAt = true, now, firstProbe, now.Add(firstProbe)
		return true
	}
	return false
}

// dead reports whether the failures so far are the host's.
func (b *breaker) dead() bool {
	return b.unconnected >= breakerUnconnected || b.failures >= breakerFailures && len(b.cases) >= breakerCases
}

// restingFault is the error of a question that is not asked because its host is dead.
func restingFault(q Question, p passage) *fault.Error {
	e := fault.New(fault.Upstream, CodeResting,
		"The callback of %s was not asked, since its host has failed several times in a row: it %s; %s. It is asked "+
			"again within %d seconds. If it stays away, repair the service or the URL in the case type.",
		q.Name, p.what, q.outcome(), int(slowestProbe.Seconds()))
	e.RetryAfter = p.resting
	return e
}
