package wire

import (
	"errors"
	"time"

	"github.com/casehook/casehook/internal/event"
)

// ContactEvents is the format of the contact.* events: the contact, then what
// happened and who did it.
var ContactEvents = define(Format{
	Name:        "contact_events",
	Description: "What happens to contacts.",
	header:      eventHeader,
	Triggers: []Trigger{
		{"contact.created", "A contact was created.", []telling{{fact: event.ContactCreated.Name, body: contactEvent}}},
	},
})

type contactBody struct {
	Contact contact `json:"contact"`
	performed
}

// contact is the contact object. What is not known is null.
type contact struct {
	ID           int64     `json:"id"`
	IsBusiness   bool      `json:"is_business"`
	BusinessName *string   `json:"business_name"`
	Title        *string   `json:"title"`
	FirstName    *string   `json:"first_name"`
	MiddleName   *string   `json:"middle_name"`
	LastName     *string   `json:"last_name"`
	Email        *string   `json:"email"`
	MobilePhone  *string   `json:"mobile_phone"`
	HomePhone    *string   `json:"home_phone"`
	WorkPhone    *string   `json:"work_phone"`
	Preferred    *string   `json:"preferred_contact_method"`
	AddressLine1 *string   `json:"address_line1"`
	AddressLine2 *string   `json:"address_line2"`
	AddressLine3 *string   `json:"address_line3"`
	City         *string   `json:"city"`
	State        *string   `json:"state"`
	Postcode     *string   `json:"postcode"`
	CountryCode  *string   `json:"country_code"`
	CreatedAt    time.Time `json:"created_at"`
}

func contactEvent(trigger string, e *event.Entry, _ event.Fact) ([]byte, error) {
	c := e.Snapshot.Contact
	if c == nil {
		return nil, errors.New("the journal entry holds no contact, which the body is made of")
	}
	return encode(contactBody{contact{
		ID: c.ID, IsBusiness: c.IsBusiness, BusinessName: orNull(c.BusinessName), Title: orNull(c.Title),
		FirstName: orNull(c.FirstName), MiddleName: orNull(c.MiddleName), LastName: orNull(c.LastName), Email: orNull(c.Email),
		MobilePhone: orNull(c.MobilePhone), HomePhone: orNull(c.HomePhone), WorkPhone: orNull(c.WorkPhone), Preferred: orNull(c.Preferred),
		AddressLine1: orNull(c.AddressLine1), AddressLine2: orNull(c.AddressLine2), AddressLine3: orNull(c.AddressLine3),
		City: orNull(c.City), State: orNull(c.StateOrCounty), Postcode: orNull(c.Postcode), CountryCode: orNull(c.CountryCode),
		CreatedAt: c.CreatedAt.UTC(),
	}, performance(trigger, e.Actor)})
}
