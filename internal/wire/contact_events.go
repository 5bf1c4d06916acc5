package wire

import (
	"errors"

	"github.com/casehook/casehook/internal/event"
)

// ContactEvents is the format of the contact.* events: the contact, then what
// happened and who did it.
var ContactEvents = define(Format{
	Name:        "contact_events",
	Description: "What happens to contacts.",
	header:      eventHeader,
	headerDocs:  eventHeaderDocs,
	Triggers: []Trigger{
		{"contact.created", "A contact was created.", contactBody{}, []telling{
			{fact: event.ContactCreated.Name, sample: sampleOfContact, body: contactEvent}}},
	},
})

type contactBody struct {
	Contact contact `json:"contact" doc:"The contact as of this event. What is not known is null."`
	performed
}

// contact is the contact object. What is not known is null.
type contact struct {
	ID           int64     `json:"id" doc:"The contact's id, below 2^53."`
	IsBusiness   bool      `json:"is_business" doc:"It is a business, not a person."`
	BusinessName *string   `json:"business_name" doc:"The name of the business, or of the one that the person works for."`
	Title        *string   `json:"title" doc:"How the person is addressed."`
	FirstName    *string   `json:"first_name" doc:"The first name; a person has one."`
	MiddleName   *string   `json:"middle_name" doc:"The middle name."`
	LastName     *string   `json:"last_name" doc:"The last name; a person has one."`
	Email        *string   `json:"email" doc:"The e-mail address."`
	MobilePhone  *string   `json:"mobile_phone" doc:"The mobile phone number."`
	HomePhone    *string   `json:"home_phone" doc:"The private phone number."`
	WorkPhone    *string   `json:"work_phone" doc:"The phone number at work."`
	Preferred    *string   `json:"preferred_contact_method" doc:"How they prefer to be contacted."`
	AddressLine1 *string   `json:"address_line1" doc:"The first line of the address."`
	AddressLine2 *string   `json:"address_line2" doc:"Its second line."`
	AddressLine3 *string   `json:"address_line3" doc:"Its third line."`
	City         *string   `json:"city" doc:"The city."`
	State        *string   `json:"state" doc:"The state or county."`
	Postcode     *string   `json:"postcode" doc:"The postcode."`
	CountryCode  *string   `json:"country_code" doc:"The country, in ISO 3166-1 alpha-2."`
	CreatedAt    timestamp `json:"created_at" doc:"When the contact was created."`
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
		CreatedAt: timestamp(c.CreatedAt),
	}, performance(trigger, e.Actor)})
}
