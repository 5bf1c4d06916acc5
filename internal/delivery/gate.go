package delivery

import (
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/filter"
)

// gate is what all cursors of one endpoint share: how much may be under way, and
// whether the endpoint is there at all.
type gate struct {
	limits
	audience filter.Audience // the endpoint; its messages
	policy   endpoint.Policy
	jitter   func() float64
	sending  int // requests under way
	loading  int // parked lanes that are being looked for in the journal
	owed     int // sent and not durably settled
	breaker  breaker
	hold     hold
	rest     rest
	pace     pace
	watch    watch
	gone     bool // the endpoint answered 410, or has failed for too long: it is disabled
}

// limits bound what is held of an endpoint.
type limits struct {
	window    int // entries above each cursor's position
	unsettled int // messages sent and not durably settled, of all cursors
	parked    int // rows of each cursor; beyond, it stops
}

var defaultLimits = limits{window: 1024, unsettled: 512, parked: 10_000}

// newGate makes the gate of an endpoint, with what its owner may read.
func newGate(e endpoint.Endpoint, owner access.Reader, l limits, jitter func() float64) *gate {
	return &gate{
		limits: l, audience: filter.ForEndpoint(e, owner), policy: e.Policy.WithDefaults(), jitter: jitter,
		pace: newPace(e.Policy.RateLimit),
	}
}

// restore begins with what was saved of the endpoint.
func (g *gate) restore(e endpoint.Endpoint, disableAfter time.Duration, now time.Time) {
	g.watch = newWatch(e, disableAfter)
	g.breaker.restore(e.Health.Breaker, now, g.jitter())
}

// inherit takes over what a change of the endpoint is no reason to forget: how
// much it was sent lately, and, where it has not moved, for how long it does not
// want to be asked.
func (g *gate) inherit(before *gate, same bool, now time.Time) {
	g.pace.inherit(before.pace, now)
	if same {
		g.hold = before.hold
	}
}

// full reports whether no more may be under way.
func (g *gate) full() bool {
	return g.gone || g.sending+g.loading >= g.policy.Concurrency || g.owed >= g.unsettled
}

// shut reports whether nothing may be sent now.
func (g *gate) shut(now time.Time) bool {
	return g.full() || now.Before(g.rest.until) || g.hold.stops(now, g.sending+g.loading) || !g.pace.may(now)
}

// opensAt is when a gate that was shut by the clock opens; it may be in the past.
func (g *gate) opensAt() time.Time {
	return later(later(g.hold.until, g.pace.next), g.rest.until)
}

// later is the later of two times; zero is the earliest.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// durable notes that n outcomes which were handed over are saved.
func (g *gate) durable(n int) { g.owed -= n }
