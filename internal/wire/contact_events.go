package wire

import (
	"errors"

	"github.com/casehook/casehook/internal/event"
)

// ContactEvents is the format of the contact.* events: the contact, then the event and its author.
var ContactEvents = define(Format{
	Name:        "contact_events",
	Description: "Changes to contacts.",
	header:      eventHeader,
	headerDocs:  eventHeaderDocs,
	identify:    []string{"contact.id", "contact.created_at", "event_name", "source", "performed_by"},
	Triggers: []Trigger{
		{"contact.created", "A contact was created.", contactBody{}, []rule{
			{fact: event.ContactCreated.Name, sample: sampleOfContact, body: contactEvent}}},
	},
})

type contactBody struct {
	Contact Contact `json:"contact" doc:"The contact as of this event. Unknown details are null."`
	eventMembers
}

func contactEvent(m *Message, e *event.Entry, _ event.Fact) ([]byte, error) {
	c := e.Snapshot.Contact
	if c == nil {
		return nil, errors.New("the journal entry holds no contact, which the body is made of")
	}
	return encode(contactBody{NewContact(c), newEventMembers(m.Trigger, e.Actor)})
}
