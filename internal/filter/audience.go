package filter

import (
	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/wire"
)

// Audience is a receiver of messages: an endpoint, or a client that reads the
// journal itself. It decides which messages are the receiver's. Delivery, the
// journal, previews of filters and the deliveries of a case all ask it. It is a
// value of a moment: the endpoint, and what its owner may read, may change.
type Audience struct {
	Tenant    int64
	Clearance casetype.Classification // whose messages it receives
	Reader    access.Reader           // what the endpoint's owner, or the client, may read
	Filter    *Filter                 // nil: there is none
	Fault     error                   // why the endpoint's filter can't be used; nil: it can

	view     wire.View // but for the clearance
	triggers map[string]bool
	accepts  func(event.Actor) bool
	self     string    // the endpoint as a subject, whose own messages it does not receive
	client   *Audience // not nil: the client that reads what the endpoint is sent
}

// ForEndpoint returns the audience that an endpoint is, with what its owner may read.
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

// ViewOf returns how an endpoint is set to see messages. The owner's clearance can lower it.
func ViewOf(e endpoint.Endpoint) wire.View {
	return wire.View{Clearance: e.Clearance, Thin: e.Payload == endpoint.Thin}
}

// View returns how the audience sees messages.
func (a *Audience) View() wire.View {
	v := a.view
	v.Clearance = a.Clearance
	return v
}

// ForClient returns the audience that a client is. No sources means all.
func ForClient(tenant int64, r access.Reader, triggers map[string]bool, sources []string) Audience {
	return Audience{
		Tenant:    tenant,
		Clearance: r.Clearance,
		Reader:    r,
		triggers:  triggers,
		accepts:   endpoint.Endpoint{Sources: sources}.AcceptsActor,
	}
}

// ReadBy returns the audience of those messages to an endpoint that a client asked for.
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

// Subscribes reports whether a message of an entry meets everything but the
// filter: it is visible at the clearance, its entry may be read, its trigger and
// the actor's source were asked for, and it is not about the endpoint itself. The
// message is one that wire.Messages derived for the audience's clearance.
func (a *Audience) Subscribes(e *event.Entry, m *wire.Message) bool {
	return !m.Hidden && a.Reader.Reads(e) && a.triggers[m.Trigger] && a.accepts(e.Actor) &&
		(a.self == "" || e.Subject != a.self) && (a.client == nil || a.client.Subscribes(e, m))
}

// Filters reports whether Passes looks at the message.
func (a *Audience) Filters() bool { return a.Filter != nil && a.Fault == nil }

// Passes reports whether a message passes the filter. An error says why that can't
// be computed; its text quotes no data. Without a filter the message may be nil.
func (a *Audience) Passes(m *Message) (bool, error) {
	if a.Fault != nil {
		return false, a.Fault
	}
	return a.Filter.Passes(m)
}
