package machine

import (
	"time"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/event"
)

// health follows how an endpoint fares, over restarts and changes of nodes: it
// starts from what was saved, and notes what is to be saved with the outcomes
// that it follows from. Facts say when the endpoint is down, is disabled, and is
// back; once each, however often it is seen.
//
// Failures at messages that are about endpoints themselves count like all others,
// and cause no fact: two endpoints that subscribe to each other's facts would
// otherwise go on for ever.
type health struct {
	endpoint.Health // as of the last change
	of              endpoint.Endpoint
	disableAfter    time.Duration // 0: never
	first           time.Time     // of the failures in a row that this worker saw; zero: it saw none
	refusals        refusals
	changes         []HealthChange
}

// The bounds of an endpoint's health.
const (
	failingAfter  = 10 * time.Minute // of failing, where the breaker stays closed
	seenFailing   = 10 * time.Minute // by this worker, at least, before it disables
	refusingAfter = 10 * time.Minute // of refusing everything
	goneReason    = "410 Gone"
)

func newHealth(e endpoint.Endpoint, disableAfter time.Duration) health {
	h := health{Health: e.Health, of: e, disableAfter: disableAfter}
	if e.Health.Breaker == endpoint.Refuses {
		h.refusals = refusals{since: e.Health.Since, several: true}
	}
	return h
}

// refusals are answers in a row that refused a message.
type refusals struct {
	since   time.Time // of the first; zero: there is none
	subject string    // of the first
	several bool      // of several subjects
}

// add counts a refusal, and reports whether the endpoint refuses everything.
func (r *refusals) add(subject string, now time.Time) bool {
	if r.since.IsZero() {
		r.since, r.subject = now, subject
	}
	r.several = r.several || subject != r.subject
	return r.several && now.Sub(r.since) >= refusingAfter
}

// delivered notes that the endpoint accepted a message.
func (h *health) delivered(now time.Time) {
	h.refusals = refusals{}
	h.answered(now)
}

// refused notes that the endpoint is there, and did not accept a message. An
// endpoint that accepts nothing for a while is failing, too.
func (h *health) refused(subject, reason string, now time.Time) {
	switch lasting := !event.Operational(subject) && h.refusals.add(subject, now); {
	case h.Breaker == endpoint.Refuses:
		h.first = time.Time{}
		if !h.Counted.IsZero() {
			h.Counted, h.Notable = time.Time{}, false
			h.note(h.Health, now)
		}
	case !lasting:
		h.answered(now)
	default:
		reported := h.Reported
		h.Health = endpoint.Health{
			Version: h.Version, Since: h.refusals.since, Reason: reason, Reported: true, Breaker: endpoint.Refuses,
		}
		h.first = time.Time{}
		if reported {
			h.note(h.Health, now)
		} else {
			h.note(h.Health, now, event.EndpointFailing)
		}
	}
}

// answered notes that the endpoint is there.
func (h *health) answered(now time.Time) {
	h.first = time.Time{}
	if h.Since.IsZero() {
		return
	}
	was := h.Health
	h.Health = endpoint.Health{Version: was.Version}
	if was.Reported {
		h.note(was, now, event.EndpointRecovered)
	} else {
		h.note(was, now)
	}
}

// failed notes a failure that is the endpoint's own, and reports whether it is to
// be disabled for it. The first failures that a worker sees do not suffice: it may
// have been we who were away all the time.
func (h *health) failed(subject, reason string, b breaker, now time.Time) (disable bool) {
	was := h.Health
	h.count(subject, now)
	if h.Breaker != endpoint.Refuses || b.open {
		h.Breaker = b.state()
	}
	down := b.outage() || now.Sub(h.Since) >= failingAfter
	disable = h.disableAfter > 0 && now.Sub(h.first) >= min(seenFailing, h.disableAfter) &&
		now.Sub(h.Counted) >= h.disableAfter
	switch {
	case h.Notable && (down || disable) && !h.Reported:
		h.Reported, h.Reason = true, reason
		h.note(h.Health, now, event.EndpointFailing)
	case h.Health != was && !disable:
		h.Reason = reason
		h.note(h.Health, now)
	}
	if disable {
		h.disable(reason, now)
	}
	return disable
}

// gone notes that the endpoint never wants anything again.
func (h *health) gone(subject string, now time.Time) {
	h.count(subject, now)
	h.disable(goneReason, now)
}

// count counts a failure.
func (h *health) count(subject string, now time.Time) {
	if h.first.IsZero() {
		h.first = now
	}
	h.Notable = h.Notable || !event.Operational(subject)
	if h.Since.IsZero() {
		h.Since = now
	}
	if h.Counted.IsZero() {
		h.Counted = now
	}
}

// disable notes that the endpoint is to be disabled.
func (h *health) disable(reason string, now time.Time) {
	h.Reason, h.Reported = reason, h.Reported || h.Notable
	if h.Notable {
		h.note(h.Health, now, event.EndpointDisabled)
	} else {
		h.note(h.Health, now)
	}
	last := &h.changes[len(h.changes)-1]
	last.Disable, last.Revision = true, h.of.Revision
}

// note notes that the health is to be saved, with a fact about what it was or is. A
// change without a fact replaces one without a fact before it.
func (h *health) note(said endpoint.Health, now time.Time, fact ...event.Kind[event.NoDetails]) {
	c := HealthChange{Base: h.Version}
	if n := len(h.changes); n > 0 && h.changes[n-1].Entry == nil {
		c.Base = h.changes[n-1].Base
		h.changes = h.changes[:n-1]
	}
	h.Version++
	c.Health = h.Health
	if len(fact) > 0 {
		c.Entry = h.entry(said, now, fact[0].New(event.NoDetails{}))
	}
	h.changes = append(h.changes, c)
}

// entry returns the entry of the journal about the endpoint.
func (h *health) entry(said endpoint.Health, now time.Time, f event.Fact) *event.Entry {
	return &event.Entry{
		Tenant:  h.of.Tenant,
		Subject: event.EndpointSubject(h.of.ID),
		Version: h.Version,
		At:      now.UTC().Truncate(time.Microsecond),
		Actor:   event.Actor{Source: event.System, Name: "Casehook"},
		Facts:   []event.Fact{f},
		Snapshot: event.Snapshot{Endpoint: &event.Endpoint{
			ID: h.of.ID, URL: h.of.ShownURL(), Since: said.Since.UTC().Truncate(time.Microsecond), Reason: said.Reason,
			Class: string(h.of.Clearance),
		}},
	}
}

// collect returns what is to be saved, once.
func (h *health) collect() []HealthChange {
	changes := h.changes
	h.changes = nil
	return changes
}
