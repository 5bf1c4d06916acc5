package delivery

import (
	"context"
	"log/slog"
	"time"

	"github.com/casehook/casehook/internal/delivery/machine"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/filter"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/wire"
)

// Tester sends samples to endpoints in the same way as messages: with the same request, signatures, guard and limits.
// It uses neither the journal nor a cursor, so any node may send a sample without the lease.
type Tester struct {
	client  *outbound.Client
	version string
	slots   chan struct{}
	hold    bool
	log     *slog.Logger
}

// testsAtOnce is how many samples a node sends at a time, for all tenants together.
const testsAtOnce = 8

// Tester returns a Tester that uses the engine's client.
func (e *Engine) Tester() *Tester {
	return &Tester{
		client:  e.client,
		version: e.config.Version,
		slots:   make(chan struct{}, testsAtOnce),
		hold:    e.config.Hold,
		log:     e.config.Log,
	}
}

// Send tries a sample of a trigger once, and returns the outcome in the form of an attempt, with its error. A body that
// is not empty is sent in place of the sample's.
func (t *Tester) Send(
	ctx context.Context, e endpoint.Endpoint, trigger string, body []byte,
) (a store.Attempt, reason string, err error) {
	if t.hold {
		held := fault.New(fault.Unavailable, "delivery.held",
			"The server was started with --hold and sends nothing. The operator has to restart it without --hold.")
		held.RetryAfter = time.Minute
		return a, "", held
	}
	select {
	case t.slots <- struct{}{}:
		defer func() { <-t.slots }()
	default:
		return a, "", fault.New(fault.TooMany, "test.busy", "Too many tests are under way. Try again in a moment.")
	}
	msg, err := t.sample(e, trigger)
	if err != nil {
		return a, "", err
	}
	if len(body) > 0 {
		msg.Body.Body = body
	}
	q := requestOf(e, e.Policy.WithDefaults(), msg, time.Now())
	q.Header = append(q.Header, outbound.Header{Name: "webhook-test", Value: "true"})
	result := t.client.Post(ctx, q)
	o := classify(msg, q, result, e.KeepAnswers)
	once := newEndpointLog(t.log.With("endpoint", e.ID, "tenant", e.Tenant), e)
	once.unreached(o, q.At)
	return o.attempt, o.Reason, ctx.Err()
}

// sample returns a message about an invented event.
func (t *Tester) sample(e endpoint.Endpoint, trigger string) (*machine.Message, error) {
	entry := wire.Sample(trigger)
	if entry == nil {
		return nil, fault.New(fault.NotFound, "trigger.not_found",
			"There is no trigger %q; GET /v1/triggers lists them.", trigger)
	}
	entry.Tenant, entry.At = e.Tenant, time.Now()
	view := filter.ViewOf(e)
	view.Optional = true // any trigger may be tested
	for part, body := range view.Messages(entry, t.version) {
		if body.Trigger == trigger && !body.Hidden && body.Err == nil {
			return &machine.Message{
				Place: machine.Place{Part: part}, ID: body.ID, Subject: entry.Subject, Body: &body, Tries: 1,
			}, nil
		}
	}
	return nil, fault.New(fault.Unprocessable, "test.untold",
		"The endpoint's clearance allows no sample of %q. Raise it, or test another trigger.", trigger)
}
