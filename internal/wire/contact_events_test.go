package wire_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
)

// contactEntry returns a journal entry of a contact's creation.
func contactEntry(by event.Actor, d event.ContactDetails) *event.Entry {
	at := time.Date(2026, 3, 14, 15, 9, 26, 535897000, time.UTC)
	return &event.Entry{
		ID: 1001, Seq: 900, Tenant: 1, Subject: event.ContactSubject(4539148803436467), Version: 1, At: at, Actor: by,
		Facts: []event.Fact{event.ContactCreated.New(event.NoDetails{})},
		Snapshot: event.Snapshot{Contact: &event.Contact{
			ID: 4539148803436467, ContactDetails: d, Version: 1, CreatedAt: at.In(time.FixedZone("", 3600)),
			ModifiedAt: at,
		}},
	}
}

func TestContactEventsMatchTheirVectors(t *testing.T) {
	ui := event.Actor{Source: event.UI, Name: "John Smith", UserID: 2642, Address: "192.0.2.1"}
	program := event.Actor{Source: event.API, Name: "Mobile App API Token", TokenID: "tok_1", Address: "192.0.2.1"}
	person := event.ContactDetails{
		BusinessName:  "Difference Engines",
		Title:         "Ms",
		FirstName:     "Ada",
		MiddleName:    "King",
		LastName:      "Lovelace",
		Email:         "ada@example.com",
		MobilePhone:   "+44 7700 900123",
		HomePhone:     "020 7946 0018",
		WorkPhone:     "020 7946 0019 ext. 7",
		Preferred:     "mobile_phone",
		AddressLine1:  "12 St James's Square",
		AddressLine2:  "Flat 3",
		AddressLine3:  "Rear & left",
		City:          "London",
		StateOrCounty: "Greater London",
		Postcode:      "SW1Y 4JH",
		CountryCode:   "GB",
	}
	business := event.ContactDetails{
		IsBusiness: true, BusinessName: "Müller & Söhne <GmbH>", Email: "büro@müller.example", CountryCode: "DE",
	}
	for name, e := range map[string]*event.Entry{
		"contact_created_ui":           contactEntry(ui, person),
		"contact_created_api":          contactEntry(program, person),
		"contact_created_business_ui":  contactEntry(ui, business),
		"contact_created_business_api": contactEntry(program, business),
	} {
		golden(t, name, request(t, only(t, e)))
	}
}

func TestAContactEventNeedsAContact(t *testing.T) {
	e := contactEntry(event.Actor{}, event.ContactDetails{})
	e.Snapshot.Contact = nil
	if m := only(t, e); m.Err == nil || m.Body != nil || m.Trigger != "contact.created" {
		t.Errorf("%+v", m)
	}
}

func TestContactsAreJSONWhateverTheStrings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String().Draw(t, "name")
		m := vendorMessages(contactEntry(event.Actor{Name: name}, event.ContactDetails{FirstName: name, Email: name}),
			"0.1.0", casetype.Public)[0]
		var got struct {
			Contact struct {
				FirstName *string `json:"first_name"`
			}
		}
		if err := json.Unmarshal(m.Body, &got); err != nil || !utf8.Valid(m.Body) ||
			strings.Contains(string(m.Body), "\n") {
			t.Fatalf("%q, %v", m.Body, err)
		}
		if (got.Contact.FirstName == nil) != (name == "") || name != "" && *got.Contact.FirstName != name {
			t.Fatalf("%q came out as %s", name, m.Body)
		}
	})
}
