package machine

import (
	"time"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/event"
)

// health tracks the health of an endpoint, across restarts and changes of nodes: it
// starts from the saved health, and collects changes, which are saved with the outcomes
// that cause them. Each time that the endpoint fails, is disabled or recovers, there is
// one fact.
//
// Failures of messages about endpoints count like all others but cause no fact:
// otherwise two endpoints that subscribe to each other's facts would cause messages for
// ever.
type health struct {
	endpoint.Health // as of the last change
	of              endpoint.Endpoint
	disableAfter    time.Duration // 0: never
	first           time.Time     // of the consecutive failures that this worker saw; zero: it saw none
	refusals        refusals
	changes         []HealthChange
}

// The bounds of an endpoint's health.
const (
	failingAfter  = 10 * time.Minute // failures for so long are a fact although the breaker is closed
	seenFailing   = 10 * time.Minute // failures that this worker must see before it disables the endpoint
	refusingAfter = 10 * time.Minute // refusals of everything for so long are a fact
	goneReason    = "410 Gone"
)

func newHealth(e endpoint.Endpoint, disableAfter time.Duration) health {
	h := health{Health: e.Health, of: e, disableAfter: disableAfter}
	if e.Health.Breaker == endpoint.Refuses {
		h.refusals = refusals{since: e.Health.Since, several: true}
	}
	return h
}

// refusals are consecutive answers that refused a message.
type refusals struct {
	since   time.Time // when the first was; zero: there is none
	subject string    // of the first
	several bool      // they have several subjects
}

// add counts a refusal, and reports whether the endpoint refuses everything.
func (r *refusals) add(subject string, now time.Time) bool {
	if r.since.IsZero() {
		r.since, r.subject = now, subject
	}
	r.several = r.several || subject != r.subject
	return r.several && now.Sub(r.since) >= refusingAfter
}

// delivered records that the endpoint accepted a message.
func (h *health) delivered(now time.Time) {
	h.refusals = refusals{}
	h.answered(now)
}

// refused records that the endpoint answered and did not accept a message. An endpoint
// that accepts nothing for a while is also failing.
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

// answered records that the endpoint answered.
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

// failed records a failure that is the endpoint's own, and reports whether the endpoint
// is to be disabled. The first failures that a worker sees do not suffice, since this
// process may have been offline.
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

// gone records that the endpoint answered 410, and disables it.
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

// disable adds a change that disables the endpoint.
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

// note adds a change of the health to be saved, with an optional fact about the health
// said. A change without a fact replaces a previous one without a fact.
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

// entry returns a journal entry with a fact about the endpoint.
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

// collect returns the changes to save since the previous call.
func (h *health) collect() []HealthChange {
	changes := h.changes
	h.changes = nil
	return changes
}
