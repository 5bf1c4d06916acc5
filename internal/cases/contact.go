package cases

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
)

// Contact is a person or a business that cases have to do with.
type Contact struct {
	ID     int64
	Tenant int64
	event.ContactDetails
	Version    int64 // grows by one with every change
	CreatedAt  time.Time
	ModifiedAt time.Time
}

// Snapshot returns the contact as the journal stores it.
func (c Contact) Snapshot() event.Snapshot {
	return event.Snapshot{Contact: &event.Contact{
		ID: c.ID, ContactDetails: c.ContactDetails, Version: c.Version, CreatedAt: c.CreatedAt,
		ModifiedAt: c.ModifiedAt,
	}}
}

// ContactMethods are the ways in which a contact may prefer to be reached.
var ContactMethods = []string{"email", "sms", "mobile_phone", "home_phone", "work_phone", "post"}

// detail is one text field of a contact.
type detail struct {
	name    string
	most    int // characters
	of      func(*event.ContactDetails) *string
	problem func(string) string // nil: any line is valid
}

// details lists the text fields in the published order.
var details = []detail{
	{"business_name", 200, func(d *event.ContactDetails) *string { return &d.BusinessName }, nil},
	{"title", 50, func(d *event.ContactDetails) *string { return &d.Title }, nil},
	{"first_name", 100, func(d *event.ContactDetails) *string { return &d.FirstName }, nil},
	{"middle_name", 100, func(d *event.ContactDetails) *string { return &d.MiddleName }, nil},
	{"last_name", 100, func(d *event.ContactDetails) *string { return &d.LastName }, nil},
	{"email", 254, func(d *event.ContactDetails) *string { return &d.Email }, emailProblem},
	{"mobile_phone", 40, func(d *event.ContactDetails) *string { return &d.MobilePhone }, phoneProblem},
	{"home_phone", 40, func(d *event.ContactDetails) *string { return &d.HomePhone }, phoneProblem},
	{"work_phone", 40, func(d *event.ContactDetails) *string { return &d.WorkPhone }, phoneProblem},
	{"preferred_contact_method", 40, func(d *event.ContactDetails) *string { return &d.Preferred }, methodProblem},
	{"address_line1", 200, func(d *event.ContactDetails) *string { return &d.AddressLine1 }, nil},
	{"address_line2", 200, func(d *event.ContactDetails) *string { return &d.AddressLine2 }, nil},
	{"address_line3", 200, func(d *event.ContactDetails) *string { return &d.AddressLine3 }, nil},
	{"city", 100, func(d *event.ContactDetails) *string { return &d.City }, nil},
	{"state", 100, func(d *event.ContactDetails) *string { return &d.StateOrCounty }, nil},
	{"postcode", 20, func(d *event.ContactDetails) *string { return &d.Postcode }, nil},
	{"country_code", 2, func(d *event.ContactDetails) *string { return &d.CountryCode }, countryProblem},
}

// CleanContact trims the white space around each text.
func CleanContact(d event.ContactDetails) event.ContactDetails {
	for _, t := range details {
		text := t.of(&d)
		*text = strings.TrimSpace(*text)
	}
	return d
}

// CheckContact lists the faults of the details, in the published order.
func CheckContact(d event.ContactDetails) []fault.Field {
	var wrong []fault.Field
	for _, t := range details {
		if message := t.check(*t.of(&d), d.IsBusiness); message != "" {
			wrong = append(wrong, fault.Field{Path: "/" + t.name, Message: message})
		}
	}
	return wrong
}

func (t detail) check(text string, business bool) string {
	switch {
	case text == "" && t.name == "business_name" && business:
		return "is required for a business"
	case text == "" && (t.name == "first_name" || t.name == "last_name") && !business:
		return "is required unless it is a business"
	case text == "":
		return ""
	case !utf8.ValidString(text):
		return "is not UTF-8"
	case utf8.RuneCountInString(text) > t.most:
		return fmt.Sprintf("is longer than %d characters", t.most)
	case strings.ContainsFunc(text, unicode.IsControl):
		return "holds a control character"
	case t.problem != nil:
		return t.problem(text)
	}
	return ""
}

var (
	// localPattern accepts a local part that every mail system reads alike; the labels of a domain are
	// letters, digits and hyphens of any script.
	localPattern  = regexp.MustCompile(`^[^\s@<>()\[\]\\,;:".]+(\.[^\s@<>()\[\]\\,;:".]+)*$`)
	domainPattern = regexp.MustCompile(`^([\pL\pN]([\pL\pM\pN-]*[\pL\pM\pN])?\.)+[\pL\pN]([\pL\pM\pN-]*[\pL\pM\pN])?$`)
	phonePattern  = regexp.MustCompile(`^\+?[0-9 ()./#*,;extEXT-]+$`)
	countryFormat = regexp.MustCompile(`^[A-Z]{2}$`)
	slugPattern   = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,49}$`)
)

func emailProblem(s string) string {
	local, domain, _ := strings.Cut(s, "@")
	if len(s) > 254 || len(local) > 64 || !localPattern.MatchString(local) || !domainPattern.MatchString(domain) ||
		slices.ContainsFunc(strings.Split(domain, "."), func(label string) bool { return len(label) > 63 }) {
		return "is not an email address such as ann@example.com"
	}
	return ""
}

func phoneProblem(s string) string {
	if n := len(Digits(s)); n < 3 || n > 20 || !phonePattern.MatchString(s) {
		return "is not a phone number: 3 to 20 digits, with spaces and punctuation, such as +44 20 7946 0018"
	}
	return ""
}

func methodProblem(s string) string {
	if !slices.Contains(ContactMethods, s) {
		return "is not one of " + strings.Join(ContactMethods, ", ")
	}
	return ""
}

func countryProblem(s string) string {
	if !countryFormat.MatchString(s) {
		return "is not a country in two capital letters such as GB (ISO 3166-1 alpha-2)"
	}
	return ""
}

// Digits returns the digits of a phone number, without spaces and punctuation.
func Digits(phone string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, phone)
}

// ContactChanges returns the difference between two contacts, in the published order. It is empty when
// nothing changed; another spelling of the same text is no change.
func ContactChanges(before, after event.ContactDetails) []event.Change {
	var changes []event.Change
	add := func(path string, before, after any) {
		if !casetype.Equal(before, after) {
			changes = append(changes, event.Change{Path: path, Before: plain(before), After: plain(after)})
		}
	}
	add("is_business", before.IsBusiness, after.IsBusiness)
	for _, t := range details {
		add(t.name, orNull(*t.of(&before)), orNull(*t.of(&after)))
	}
	return changes
}

// plain encodes a text, a bool or nil, which always succeeds.
func plain(v any) []byte {
	raw, err := encode(v)
	if err != nil {
		panic("cases: " + err.Error())
	}
	return raw
}

// ValidRole reports whether a contact may have this role in a case: a slug such
// as claimant or police-officer.
func ValidRole(role string) bool { return slugPattern.MatchString(role) }

// Linked reports whether a contact is linked to the case in a role.
func (c Case) Linked(link event.CaseContact) bool { return slices.Contains(c.Contacts, link) }

// Link returns the case's contacts with one more, in order.
func (c Case) Link(link event.CaseContact) []event.CaseContact {
	contacts := append(slices.Clone(c.Contacts), link)
	slices.SortFunc(contacts, func(a, b event.CaseContact) int {
		return cmp.Or(strings.Compare(a.Role, b.Role), cmp.Compare(a.ContactID, b.ContactID))
	})
	return contacts
}

// Unlink returns the case's contacts without one.
func (c Case) Unlink(link event.CaseContact) []event.CaseContact {
	return slices.DeleteFunc(slices.Clone(c.Contacts), func(l event.CaseContact) bool { return l == link })
}
