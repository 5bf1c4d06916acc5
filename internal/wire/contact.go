package wire

import "github.com/casehook/casehook/internal/event"

// Contact is the contact object, of events and of the API. Unknown details are null.
type Contact struct {
	ID           int64     `json:"id" doc:"The contact's id, below 2^53." example:"4556737586899855"`
	IsBusiness   bool      `json:"is_business" doc:"It is a business, not a person."`
	BusinessName *string   `json:"business_name" doc:"The name of the business, or of the one that the person works for." example:"Acme Corp"`
	Title        *string   `json:"title" doc:"How the person is addressed." example:"Ms"`
	FirstName    *string   `json:"first_name" doc:"The first name; a person has one." example:"Ada"`
	MiddleName   *string   `json:"middle_name" doc:"The middle name." example:"King"`
	LastName     *string   `json:"last_name" doc:"The last name; a person has one." example:"Lovelace"`
	Email        *string   `json:"email" doc:"The e-mail address." example:"ada@example.com"`
	MobilePhone  *string   `json:"mobile_phone" doc:"The mobile phone number." example:"+44 7700 900123"`
	HomePhone    *string   `json:"home_phone" doc:"The private phone number." example:"+44 20 7946 0018"`
	WorkPhone    *string   `json:"work_phone" doc:"The phone number at work." example:"+44 20 7946 0019"`
	Preferred    *string   `json:"preferred_contact_method" doc:"How they prefer to be contacted." example:"email"`
	AddressLine1 *string   `json:"address_line1" doc:"The first line of the address." example:"12 St James's Square"`
	AddressLine2 *string   `json:"address_line2" doc:"Its second line."`
	AddressLine3 *string   `json:"address_line3" doc:"Its third line."`
	City         *string   `json:"city" doc:"The city." example:"London"`
	State        *string   `json:"state" doc:"The state or county." example:"Greater London"`
	Postcode     *string   `json:"postcode" doc:"The postcode." example:"SW1Y 4JH"`
	CountryCode  *string   `json:"country_code" doc:"The country, in ISO 3166-1 alpha-2." example:"GB"`
	CreatedAt    Timestamp `json:"created_at" format:"date-time" doc:"When the contact was created."`
}

// NewContact makes the object of a contact.
func NewContact(c *event.Contact) Contact {
	return Contact{
		ID: c.ID, IsBusiness: c.IsBusiness, BusinessName: orNull(c.BusinessName), Title: orNull(c.Title),
		FirstName: orNull(c.FirstName), MiddleName: orNull(c.MiddleName), LastName: orNull(c.LastName),
		Email:       orNull(c.Email),
		MobilePhone: orNull(c.MobilePhone), HomePhone: orNull(c.HomePhone), WorkPhone: orNull(c.WorkPhone),
		Preferred:    orNull(c.Preferred),
		AddressLine1: orNull(c.AddressLine1), AddressLine2: orNull(c.AddressLine2),
		AddressLine3: orNull(c.AddressLine3),
		City:         orNull(c.City), State: orNull(c.StateOrCounty), Postcode: orNull(c.Postcode),
		CountryCode: orNull(c.CountryCode),
		CreatedAt:   Timestamp(c.CreatedAt),
	}
}
