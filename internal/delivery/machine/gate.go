package machine

import (
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/filter"
)

// Gate is the state that all cursors of one endpoint share: how much is under way, and
// whether the endpoint is up.
type Gate struct {
	limits   Limits
	audience filter.Audience
	policy   endpoint.Policy
	jitter   func() float64

	sending int // requests under way
	loading int // parked lanes that are being loaded from the journal
	owed    int // messages sent and not durably settled

	breaker  breaker
	throttle throttle
	rest     rest
	pace     pace
	health   health
	gone     bool // the endpoint answered 410, or has failed for too long: it is disabled
}

// Limits are the limits of an endpoint.
type Limits struct {
	Window    int // entries above each cursor's position
	Unsettled int // messages sent and not durably settled, of all cursors
	Parked    int // rows of each cursor; beyond these it stops
}

// DefaultLimits are the limits of every endpoint.
var DefaultLimits = Limits{Window: 1024, Unsettled: 512, Parked: 10_000}

// GateConfig configures a gate.
type GateConfig struct {
	Endpoint     endpoint.Endpoint // with its saved health
	Owner        access.Reader     // the rights of the endpoint's owner
	Limits       Limits
	Jitter       func() float64 // in [0,1)
	DisableAfter time.Duration  // time of failures after which the endpoint is disabled; 0: never
	Now          time.Time
}

// NewGate returns the gate of an endpoint, with its saved health.
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

// Inherit takes over the state that survives a change of the endpoint: its pace, and,
// unless its URL has moved, its throttle.
func (g *Gate) Inherit(before *Gate, moved bool, now time.Time) {
	g.pace.inherit(before.pace, now)
	if !moved {
		g.throttle = before.throttle
	}
}

// Policy returns the endpoint's policy, with its defaults.
func (g *Gate) Policy() endpoint.Policy { return g.policy }

// Owner changes the rights of the endpoint's owner. The clearance must stay the same.
func (g *Gate) Owner(r access.Reader) { g.audience.Reader = r }

// Busy reports whether something is under way.
func (g *Gate) Busy() bool { return g.sending > 0 || g.loading > 0 }

// Gone reports whether the endpoint is to be disabled.
func (g *Gate) Gone() bool { return g.gone }

// Open reports whether the breaker is open.
func (g *Gate) Open() bool { return g.breaker.open }

// Health returns the endpoint's health as of now.
func (g *Gate) Health() endpoint.Health { return g.health.Health }

// Durable tells the gate that n outcomes that were handed over are saved.
func (g *Gate) Durable(n int) { g.owed -= n }

// full reports whether no more may be under way.
func (g *Gate) full() bool {
	return g.gone || g.sending+g.loading >= g.policy.Concurrency || g.owed >= g.limits.Unsettled
}

// shut reports whether nothing may be sent now.
func (g *Gate) shut(now time.Time) bool {
	return g.full() || now.Before(g.rest.until) || g.throttle.stops(now, g.sending+g.loading) || !g.pace.may(now)
}

// opensAt returns the time until which the gate is shut; it may be in the past.
func (g *Gate) opensAt() time.Time {
	return later(later(g.throttle.until, g.pace.next), g.rest.until)
}

// observe updates the gate after an outcome, and reports whether the endpoint as a whole
// is down, so that the failure does not count for the message. When the endpoint is back
// after an outage, it calls hurry.
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

// GateState has the counts of a gate's state.
type GateState struct {
	Sending int // requests under way
	Owed    int // messages sent and not durably settled
	Open    bool
	Gone    bool
}

// State returns the counts of the gate's state, for tests and debugging.
func (g *Gate) State() GateState {
	return GateState{Sending: g.sending, Owed: g.owed, Open: g.breaker.open, Gone: g.gone}
}
