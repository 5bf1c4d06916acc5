package webhook

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"
)

// ClaimEvent is the payload of all claim.* triggers.
type ClaimEvent struct {
	Claim       Claim     `json:"claim"`
	Name        string    `json:"event_name"` // claim.created, ...
	Source      string    `json:"source"`     // ui or api
	PerformedBy Performer `json:"performed_by"`
}

// Performer is the author of an event.
type Performer struct {
	UserID int64  `json:"user_id"` // 0: a program
	Name   string `json:"name"`    // the user's, or the API token's
}

// Claim is a claim after the event. A null in the body is empty or zero.
type Claim struct {
	ID              int64     `json:"id"`
	Title           string    `json:"title"`
	Type            string    `json:"type"`
	Status          string    `json:"status"` // open or closed
	StatusChangedBy int64     `json:"status_changed_by"`
	OpenedAt        time.Time `json:"opened_at"`        // when its status last changed to open
	ClosedAt        time.Time `json:"closed_at"`        // zero: it is open
	Duration        int64     `json:"claim_duration"`   // whole days from its creation to its closing, or to the event
	AssignedAt      time.Time `json:"assigned_at"`      // zero: it is not assigned
	LastActivityBy  int64     `json:"last_activity_by"` // a user; 0: a program
	Reference       string    `json:"claim_ref"`
	Labels          []string  `json:"labels"`
	AssignedTo      *Assignee `json:"assigned_to"` // nil: it is not assigned
	LastActivityAt  time.Time `json:"last_activity_at"`
	CreatedAt       time.Time `json:"created_at"`

	raw json.RawMessage
}

// Assignee is the user whom a claim is assigned to.
type Assignee struct {
	UserID int64  `json:"user_id"`
	Name   string `json:"name"`
}

// claimNames are the names of Casehook's own fields of a claim.
var claimNames = func() (names []string) {
	for _, field := range reflect.VisibleFields(reflect.TypeFor[Claim]()) {
		if name := field.Tag.Get("json"); name != "" {
			names = append(names, name)
		}
	}
	return names
}()

// UnmarshalJSON reads a claim, and keeps its data for Decode. Names have to be
// spelt exactly: a field Status of the data is not the claim's status.
func (c *Claim) UnmarshalJSON(raw []byte) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		return err
	}
	maps.DeleteFunc(all, func(name string, _ json.RawMessage) bool { return !slices.Contains(claimNames, name) })
	own, err := json.Marshal(all)
	if err != nil {
		return err
	}
	type plain Claim
	if err := json.Unmarshal(own, (*plain)(c)); err != nil {
		return err
	}
	c.raw = append(json.RawMessage(nil), raw...)
	return nil
}

// Decode decodes the claim's data into the value that v points to: a struct with the fields of your claim type, or a
// map.
func (c Claim) Decode(v any) error {
	if err := json.Unmarshal(c.raw, v); err != nil {
		return fmt.Errorf("%w: claim %d: %w", ErrBody, c.ID, err)
	}
	return nil
}

// ContactEvent is the payload of contact.created.
type ContactEvent struct {
	Contact     Contact   `json:"contact"`
	Name        string    `json:"event_name"`
	Source      string    `json:"source"` // ui or api
	PerformedBy Performer `json:"performed_by"`
}

// Contact is a person or a business. Unknown details are empty.
type Contact struct {
	ID                     int64     `json:"id"`
	IsBusiness             bool      `json:"is_business"`
	BusinessName           string    `json:"business_name"`
	Title                  string    `json:"title"`
	FirstName              string    `json:"first_name"`
	MiddleName             string    `json:"middle_name"`
	LastName               string    `json:"last_name"`
	Email                  string    `json:"email"`
	MobilePhone            string    `json:"mobile_phone"`
	HomePhone              string    `json:"home_phone"`
	WorkPhone              string    `json:"work_phone"`
	PreferredContactMethod string    `json:"preferred_contact_method"`
	AddressLine1           string    `json:"address_line1"`
	AddressLine2           string    `json:"address_line2"`
	AddressLine3           string    `json:"address_line3"`
	City                   string    `json:"city"`
	State                  string    `json:"state"`
	Postcode               string    `json:"postcode"`
	CountryCode            string    `json:"country_code"`
	CreatedAt              time.Time `json:"created_at"`
}

// EndpointEvent is the payload of endpoint.failing, endpoint.disabled and endpoint.recovered: the health of another
// endpoint of yours.
type EndpointEvent struct {
	Trigger    string    `json:"trigger"`
	EndpointID string    `json:"endpoint_id"`
	URL        string    `json:"url"`
	Since      time.Time `json:"since"` // when it began to fail
	Reason     string    `json:"reason"`
	OccurredAt time.Time `json:"occurred_at"`
}
