package filter

import (
	"slices"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/wire"
)

// Audience is a receiver of messages: an endpoint, or a client that reads the journal itself. It decides which
// messages the receiver gets, in delivery, the journal, previews of filters and the deliveries of a case. It is a
// value of a moment: the endpoint, and the cases that its owner may read, may change.
type Audience struct {
	Tenant    int64
	Clearance casetype.Classification // of its messages
	Reader    access.Reader           // the cases that the endpoint's owner, or the client, may read
	Filter    *Filter                 // nil: none
	Fault     error                   // why the endpoint's filter can't be used, or nil

	view     wire.View // without the clearance
	triggers map[string]bool
	accepts  func(event.Actor) bool
	self     string    // the endpoint as a subject; it does not receive messages about itself
	client   *Audience // not nil: the client that reads the endpoint's messages
}

// ForEndpoint returns the audience of an endpoint. Owner is the reader that its owner is.
func ForEndpoint(e endpoint.Endpoint, owner access.Reader) Audience {
	a := Audience{
		Tenant:    e.Tenant,
		Clearance: casetype.Lower(e.Clearance, owner.Clearance),
		Reader:    owner,
		view:      ViewOf(e),
		triggers:  make(map[string]bool, len(e.Triggers)),
		accepts:   e.AcceptsActor,
		self:      event.EndpointSubject(e.ID),
	}
	for _, trigger := range e.Triggers {
		a.triggers[trigger] = true
	}
	return a.With(e.Filter)
}

// ViewOf returns the view that an endpoint's settings select. The owner's clearance can lower it.
func ViewOf(e endpoint.Endpoint) wire.View {
	return wire.View{
		Clearance: e.Clearance,
		Thin:      e.Payload == endpoint.Thin,
		Optional:  slices.ContainsFunc(e.Triggers, wire.IsOptional),
	}
}

// View returns the audience's view of messages.
func (a *Audience) View() wire.View {
	v := a.view
	v.Clearance = a.Clearance
	return v
}

// ForClient returns the audience of a client. No sources means all.
func ForClient(tenant int64, r access.Reader, triggers map[string]bool, sources []string) Audience {
	a := Audience{
		Tenant:    tenant,
		Clearance: r.Clearance,
		Reader:    r,
		triggers:  triggers,
		accepts:   endpoint.Endpoint{Sources: sources}.AcceptsActor,
	}
	for trigger, selected := range triggers {
		a.view.Optional = a.view.Optional || selected && wire.IsOptional(trigger)
	}
	return a
}

// ReadBy returns the audience of a client that reads the endpoint's messages.
func (a Audience) ReadBy(client Audience) Audience {
	a.client = &client
	return a
}

// With returns the audience with another filter.
func (a Audience) With(source string) Audience {
	f, fault := Compile(source)
	if a.Filter, a.Fault = f, nil; fault != nil {
		a.Fault = fault
	}
	return a
}

// Subscribes reports whether a message of an entry meets everything but the filter: it is visible at the clearance,
// its entry may be read, its trigger and the actor's source are selected, and it is not about the endpoint itself.
// The message was derived by wire.Messages for the audience's clearance.
func (a *Audience) Subscribes(e *event.Entry, m *wire.Message) bool {
	return !m.Hidden && a.Reader.Reads(e) && a.triggers[m.Trigger] && a.accepts(e.Actor) &&
		(a.self == "" || e.Subject != a.self) && (a.client == nil || a.client.Subscribes(e, m))
}

// Filters reports whether Passes reads the message.
func (a *Audience) Filters() bool { return a.Filter != nil && a.Fault == nil }

// Passes reports whether a message passes the filter. The error is that of the filter's evaluation; its text quotes
// no data. Without a filter the message may be nil.
func (a *Audience) Passes(m *Message) (bool, error) {
	if a.Fault != nil {
		return false, a.Fault
	}
	return a.Filter.Passes(m)
}
