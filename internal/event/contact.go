package event

import (
	"strconv"
	"time"
)

// Contact is a contact as of one version.
type Contact struct {
	ID int64 `json:"id"`
	ContactDetails
	Version    int64     `json:"version"`
	CreatedAt  time.Time `json:"created_at"`
	ModifiedAt time.Time `json:"modified_at"`
}

// ContactDetails describes a person or a business. An empty detail is unknown.
type ContactDetails struct {
	IsBusiness    bool   `json:"is_business"`
	BusinessName  string `json:"business_name,omitempty"` // of the business, or of the one that the person works for
	Title         string `json:"title,omitempty"`
	FirstName     string `json:"first_name,omitempty"`
	MiddleName    string `json:"middle_name,omitempty"`
	LastName      string `json:"last_name,omitempty"`
	Email         string `json:"email,omitempty"`
	MobilePhone   string `json:"mobile_phone,omitempty"`
	HomePhone     string `json:"home_phone,omitempty"`
	WorkPhone     string `json:"work_phone,omitempty"`
	Preferred     string `json:"preferred_contact_method,omitempty"`
	AddressLine1  string `json:"address_line1,omitempty"`
	AddressLine2  string `json:"address_line2,omitempty"`
	AddressLine3  string `json:"address_line3,omitempty"`
	City          string `json:"city,omitempty"`
	StateOrCounty string `json:"state,omitempty"`
	Postcode      string `json:"postcode,omitempty"`
	CountryCode   string `json:"country_code,omitempty"` // ISO 3166-1 alpha-2: "GB"
}

// ContactSubject names a contact as the subject of an entry.
func ContactSubject(id int64) string { return "contact/" + strconv.FormatInt(id, 10) }
