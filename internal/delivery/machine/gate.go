package machine

import (
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/filter"
)

// Gate is what all cursors of one endpoint share: how much may be under way, and
// whether the endpoint is there at all.
type Gate struct {
	limits   Limits
	audience filter.Audience
	policy   endpoint.Policy
	jitter   func() float64

	sending int // requests under way
	loading int // parked lanes that are being looked for in the journal
	owed    int // sent and not durably settled

	breaker  breaker
	throttle throttle
	rest     rest
	pace     pace
	health   health
	gone     bool // the endpoint answered 410, or has failed for too long: it is disabled
}

// Limits bound what is held of an endpoint.
type Limits struct {
	Window    int // entries above each cursor's position
	Unsettled int // messages sent and not durably settled, of all cursors
	Parked    int // rows of each cursor; beyond, it stops
}

// DefaultLimits are those of every endpoint.
var DefaultLimits = Limits{Window: 1024, Unsettled: 512, Parked: 10_000}

// GateConfig is what a gate is made from.
type GateConfig struct {
	Endpoint     endpoint.Endpoint // with its health as it was saved
	Owner        access.Reader     // what the endpoint's owner may read
	Limits       Limits
	Jitter       func() float64 // in [0,1)
	DisableAfter time.Duration  // the endpoint is disabled after it has failed for so long; 0: never
	Now          time.Time
}

// NewGate returns the gate of an endpoint. It goes on from the health that was saved.
func NewGate(c GateConfig) *Gate {
	g := &Gate{
		limits:   c.Limits,
		audience: filter.ForEndpoint(c.Endpoint, c.Owner),
		policy:   c.Endpoint.Policy.WithDefaults(),
		jitter:   c.Jitter,
		pace:     newPace(c.Endpoint.Policy.RateLimit),
		health:   newHealth(c.Endpoint, c.DisableAfter),
	}
	g.breaker.restore(c.Endpoint.Health.Breaker, c.Now, g.jitter())
	return g
}

// Inherit takes over what a change of the endpoint is no reason to forget: how
// much it was sent lately, and, where it has not moved, for how long it does not
// want to be asked.
func (g *Gate) Inherit(before *Gate, moved bool, now time.Time) {
	g.pace.inherit(before.pace, now)
	if !moved {
		g.throttle = before.throttle
	}
}

// Policy returns the endpoint's policy, with its defaults.
func (g *Gate) Policy() endpoint.Policy { return g.policy }

// Owner changes what the endpoint's owner may read. Its clearance stays as it was.
func (g *Gate) Owner(r access.Reader) { g.audience.Reader = r }

// Busy reports whether something is under way.
func (g *Gate) Busy() bool { return g.sending > 0 || g.loading > 0 }

// Gone reports whether the endpoint is to be disabled.
func (g *Gate) Gone() bool { return g.gone }

// Open reports whether the breaker is open.
func (g *Gate) Open() bool { return g.breaker.open }

// Health returns the endpoint's health as of now.
func (g *Gate) Health() endpoint.Health { return g.health.Health }

// Durable notes that n outcomes which were handed over are saved.
func (g *Gate) Durable(n int) { g.owed -= n }

// full reports whether no more may be under way.
func (g *Gate) full() bool {
	return g.gone || g.sending+g.loading >= g.policy.Concurrency || g.owed >= g.limits.Unsettled
}

// shut reports whether nothing may be sent now.
func (g *Gate) shut(now time.Time) bool {
	return g.full() || now.Before(g.rest.until) || g.throttle.stops(now, g.sending+g.loading) || !g.pace.may(now)
}

// opensAt is when a gate that was shut by the clock opens; it may be in the past.
func (g *Gate) opensAt() time.Time {
	return later(later(g.throttle.until, g.pace.next), g.rest.until)
}

// observe learns from an outcome, and reports whether the endpoint as a whole is
// down, so that the message is not to blame. When an endpoint is back that was away,
// it calls hurry.
func (g *Gate) observe(msg *Message, o Outcome, now time.Time, hurry func(time.Time)) (down bool) {
	g.rest = rest{}
	g.throttle.observe(msg.sentAt, o, now)
	switch {
	case o.Verdict == Gone && !g.gone:
		g.gone = true
		g.health.gone(msg.Subject, now)
	case o.Verdict == Unreachable && !g.gone:
		down = g.breaker.failed(msg.Subject, o.Connected, now, g.jitter())
		if msg.probe && down {
			g.breaker.probed(now, g.jitter())
		}
		g.breaker.notBefore(now.Add(min(o.RetryAfter, longestThrottle)))
		g.gone = g.health.failed(msg.Subject, o.Reason, g.breaker, now)
	case !g.gone:
		if g.breaker.answered() {
			hurry(now)
		}
		if o.Verdict == Refused {
			g.health.refused(msg.Subject, o.Reason, now)
		} else {
			g.health.delivered(now)
		}
	}
	msg.probe = false
	return down || g.gone && o.Verdict != Refused
}

// later returns the later of two times; zero is the earliest.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// GateState is a gate's state in figures.
type GateState struct {
	Sending int // requests under way
	Owed    int // messages sent and not durably settled
	Open    bool
	Gone    bool
}

// State returns the gate's state, for tests and for people who look for a fault.
func (g *Gate) State() GateState {
	return GateState{Sending: g.sending, Owed: g.owed, Open: g.breaker.open, Gone: g.gone}
}
