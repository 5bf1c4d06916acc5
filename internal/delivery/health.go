package delivery

import (
	"time"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/store"
)

// watch follows how an endpoint fares, over restarts and changes of nodes: it
// begins with what was saved, and notes what is to be saved with the outcomes
// that it follows from. Others are told when the endpoint is down, is disabled,
// and is back; once each, however often it is seen.
//
// Failures at messages that are about endpoints themselves count like all others,
// and nobody is told of them: two endpoints that listen to each other would
// otherwise go on for ever.
type watch struct {
	endpoint.Health // as of the last change
	of              endpoint.Endpoint
	disableAfter    time.Duration // 0: never
	first           time.Time     // of the failures in a row that this worker saw; zero: it saw none
	worth           bool          // telling: not all of the failures were at messages about endpoints
	refusals        refusals
	changes         []store.HealthChange
}

// The watch's bounds.
const (
	tellAfter   = 10 * time.Minute // of failing, where the breaker stays closed
	seenFailing = 10 * time.Minute // by this worker, at least, before it disables
	tellRefusal = 10 * time.Minute // of refusing everything
	gonesReason = "410 Gone"
)

func newWatch(e endpoint.Endpoint, disableAfter time.Duration) watch {
	goingOn := e.Health.Told && !e.Health.Counted.IsZero()
	w := watch{Health: e.Health, of: e, disableAfter: disableAfter, worth: goingOn}
	if e.Health.Breaker == endpoint.Refuses {
		w.refusals = refusals{since: e.Health.Since, several: true}
	}
	return w
}

// refusals are answers that took nothing, in a row.
type refusals struct {
	since   time.Time // of the first; zero: there is none
	subject string    // of the first
	several bool      // of several subjects
}

// last reports whether an endpoint refuses everything, after one more refusal.
func (r *refusals) last(subject string, now time.Time) bool {
	if r.since.IsZero() {
		r.since, r.subject = now, subject
	}
	r.several = r.several || subject != r.subject
	return r.several && now.Sub(r.since) >= tellRefusal
}

// delivered notes that the endpoint took a message.
func (w *watch) delivered(now time.Time) {
	w.refusals = refusals{}
	w.answered(now)
}

// refused notes that the endpoint is there, and did not take a message. When it
// takes nothing for a while, others are told of it as of a failure.
func (w *watch) refused(subject, reason string, now time.Time) {
	switch lasting := !event.Operational(subject) && w.refusals.last(subject, now); {
	case w.Breaker == endpoint.Refuses:
	case !lasting:
		w.answered(now)
	default:
		told := w.Told
		w.Health = endpoint.Health{Version: w.Version, Since: w.refusals.since, Reason: reason, Told: true, Breaker: endpoint.Refuses}
		w.first, w.worth = time.Time{}, false
		if told {
			w.note(w.Health, now)
		} else {
			w.note(w.Health, now, event.EndpointFailing)
		}
	}
}

// answered notes that the endpoint is there.
func (w *watch) answered(now time.Time) {
	w.first, w.worth = time.Time{}, false
	if w.Since.IsZero() {
		return
	}
	was := w.Health
	w.Health = endpoint.Health{Version: was.Version}
	if was.Told {
		w.note(was, now, event.EndpointRecovered)
	} else {
		w.note(was, now)
	}
}

// failed notes a failure that is the endpoint's own, and reports whether it is to
// be disabled for it. What a worker sees first does not suffice: it may have been we
// who were away all the time.
func (w *watch) failed(subject, reason string, b breaker, now time.Time) (disable bool) {
	was := w.Health
	w.seen(subject, now)
	if w.Breaker != endpoint.Refuses || b.open {
		w.Breaker = b.state()
	}
	down := b.outage() || now.Sub(w.Since) >= tellAfter
	disable = w.disableAfter > 0 && now.Sub(w.first) >= min(seenFailing, w.disableAfter) && now.Sub(w.Counted) >= w.disableAfter
	switch {
	case w.worth && (down || disable) && !w.Told:
		w.Told, w.Reason = true, reason
		w.note(w.Health, now, event.EndpointFailing)
	case w.Health != was && !disable:
		w.Reason = reason
		w.note(w.Health, now)
	}
	if disable {
		w.disable(reason, now)
	}
	return disable
}

// gone notes that the endpoint never wants anything again.
func (w *watch) gone(subject string, now time.Time) {
	w.seen(subject, now)
	w.disable(gonesReason, now)
}

// seen takes a failure in.
func (w *watch) seen(subject string, now time.Time) {
	if w.first.IsZero() {
		w.first = now
	}
	w.worth = w.worth || !event.Operational(subject)
	if w.Since.IsZero() {
		w.Since = now
	}
	if w.Counted.IsZero() {
		w.Counted = now
	}
}

// disable has the endpoint disabled.
func (w *watch) disable(reason string, now time.Time) {
	w.Reason, w.Told = reason, w.worth
	if w.worth {
		w.note(w.Health, now, event.EndpointDisabled)
	} else {
		w.note(w.Health, now)
	}
	last := &w.changes[len(w.changes)-1]
	last.Disable, last.Revision = true, w.of.Revision
}

// note hands the health over to be saved, and with it what is told of said. What
// tells nothing takes the place of what told nothing before it.
func (w *watch) note(said endpoint.Health, now time.Time, told ...event.Kind[event.None]) {
	c := store.HealthChange{Base: w.Version}
	if n := len(w.changes); n > 0 && w.changes[n-1].Entry == nil {
		c.Base = w.changes[n-1].Base
		w.changes = w.changes[:n-1]
	}
	w.Version++
	c.Health = w.Health
	if len(told) > 0 {
		c.Entry = w.entry(said, now, told[0].New(event.None{}))
	}
	w.changes = append(w.changes, c)
}

// entry is what the journal says of the endpoint.
func (w *watch) entry(h endpoint.Health, now time.Time, f event.Fact) *event.Entry {
	return &event.Entry{
		Tenant: w.of.Tenant, Subject: event.EndpointSubject(w.of.ID), Version: w.Version, At: now.UTC().Truncate(time.Microsecond),
		Actor: event.Actor{Source: event.System, Name: "Casehook"}, Facts: []event.Fact{f},
		Snapshot: event.Snapshot{Endpoint: &event.Endpoint{
			ID: w.of.ID, URL: w.of.ShownURL(), Since: h.Since.UTC().Truncate(time.Microsecond), Reason: h.Reason, Class: string(w.of.Clearance),
		}},
	}
}

// take hands over what is to be saved.
func (w *watch) take() []store.HealthChange {
	changes := w.changes
	w.changes = nil
	return changes
}
