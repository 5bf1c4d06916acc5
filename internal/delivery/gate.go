package delivery

import "github.com/casehook/casehook/internal/endpoint"

// gate is what all cursors of one endpoint share: how much may be under way, and
// whether the endpoint is there at all.
type gate struct {
	limits
	policy  endpoint.Policy
	jitter  func() float64
	sending int // requests under way
	loading int // parked lanes that are being looked for in the journal
	owed    int // sent and not durably settled
	breaker breaker
	gone    bool // the endpoint answered 410
}

// limits bound what is held of an endpoint.
type limits struct {
	window    int // entries above each cursor's position
	unsettled int // messages sent and not durably settled, of all cursors
	parked    int // rows of each cursor; beyond, it stops
}

var defaultLimits = limits{window: 1024, unsettled: 512, parked: 10_000}

func newGate(p endpoint.Policy, l limits, jitter func() float64) *gate {
	return &gate{limits: l, policy: p.WithDefaults(), jitter: jitter}
}

// full reports whether no more may be under way.
func (g *gate) full() bool {
	return g.gone || g.sending+g.loading >= g.policy.Concurrency || g.owed >= g.unsettled
}

// durable notes that n outcomes which were handed over are saved.
func (g *gate) durable(n int) { g.owed -= n }
