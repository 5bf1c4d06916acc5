package api

import (
	"context"
	"net/http"
	"strconv"

	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/wire"
)

// Contact is a person or a business, byte for byte as events carry it.
type Contact = wire.Contact

// SetContact is the body that creates or changes a contact: what is absent stays
// as it is, null or an empty text says that something is not known.
type SetContact struct {
	IsBusiness   *bool    `json:"is_business,omitempty" doc:"It is a business, and no person; then business_name is required. Else first_name and last_name are."`
	BusinessName Optional `json:"business_name,omitzero" maxLength:"200" doc:"Of the business, or of the one that the person works for." example:"Acme Corp"`
	Title        Optional `json:"title,omitzero" maxLength:"50" doc:"How the person is addressed." example:"Ms"`
	FirstName    Optional `json:"first_name,omitzero" maxLength:"100" doc:"Of the person." example:"Ada"`
	MiddleName   Optional `json:"middle_name,omitzero" maxLength:"100" doc:"Of the person." example:"King"`
	LastName     Optional `json:"last_name,omitzero" maxLength:"100" doc:"Of the person." example:"Lovelace"`
	Email        Optional `json:"email,omitzero" maxLength:"254" doc:"An email address." example:"ada@example.com"`
	MobilePhone  Optional `json:"mobile_phone,omitzero" maxLength:"40" doc:"A phone number: 3 to 20 digits, spaced as you like." example:"+44 7700 900123"`
	HomePhone    Optional `json:"home_phone,omitzero" maxLength:"40" doc:"A phone number." example:"+44 20 7946 0018"`
	WorkPhone    Optional `json:"work_phone,omitzero" maxLength:"40" doc:"A phone number." example:"+44 20 7946 0019"`
	Preferred    Optional `json:"preferred_contact_method,omitzero" maxLength:"40" doc:"email, sms, mobile_phone, home_phone, work_phone or post." example:"email"`
	AddressLine1 Optional `json:"address_line1,omitzero" maxLength:"200" doc:"Of the address." example:"12 St James's Square"`
	AddressLine2 Optional `json:"address_line2,omitzero" maxLength:"200" doc:"Of the address."`
	AddressLine3 Optional `json:"address_line3,omitzero" maxLength:"200" doc:"Of the address."`
	City         Optional `json:"city,omitzero" maxLength:"100" doc:"Of the address." example:"London"`
	State        Optional `json:"state,omitzero" maxLength:"100" doc:"State, county or province of the address." example:"Greater London"`
	Postcode     Optional `json:"postcode,omitzero" maxLength:"20" doc:"Of the address." example:"SW1Y 4JH"`
	CountryCode  Optional `json:"country_code,omitzero" maxLength:"10" doc:"ISO 3166-1 alpha-2: two capital letters." example:"GB"`
}

// InContact is embedded in the parameters of what is about one contact.
type InContact struct {
	ID string `path:"id" number:"id" maxLength:"40" doc:"The id of the contact." example:"4539148803436467"`
}

func (in InContact) contactID() (int64, error) { return contactID(in.ID) }

// contactID refuses, before any look-up, what can't be the id of a contact.
func contactID(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || !id.ValidContact(n) || strconv.FormatInt(n, 10) != s {
		return 0, fault.New(fault.NotFound, "contact.not_found", "There is no contact %q; an id has 16 digits, the last one a check digit, or is a small number.", s)
	}
	return n, nil
}

func contactPath(id int64) string { return "/v1/contacts/" + strconv.FormatInt(id, 10) }

type shownContact struct {
	ETag string `header:"ETag" doc:"The version, for If-Match." example:"\"r3\""`
	Body Contact
}

// createdContact is the answer that creates one.
type createdContact struct {
	Status   int
	ETag     string `header:"ETag" doc:"The version, for If-Match." example:"\"r1\""`
	Location string `header:"Location" doc:"Where it is now."`
	Replayed string `header:"Idempotency-Replayed" doc:"true: this is the answer to an earlier request with the same Idempotency-Key."`
	Body     reply[Contact]
}

func (a *API) contacts() {
	const path, tag = "/v1/contacts", "contacts"
	handleBody(a, status(http.StatusCreated, operation("create-contact", http.MethodPost, path, tag, "Create a contact",
		"A person or a business. Give it the same Idempotency-Key to be "+
			"sure that there is one of it.", http.StatusConflict)), a.createContact)
	handle(a, operation("list-contacts", http.MethodGet, path, tag, "List the contacts", "The newest first."), a.listContacts)
	handle(a, operation("get-contact", http.MethodGet, path+"/{id}", tag, "Get a contact",
		"The very object that contact.created carries, as it is now. What is not known is null.", http.StatusNotFound), a.getContact)
	handleBody(a, operation("update-contact", http.MethodPatch, path+"/{id}", tag, "Change a contact",
		"What is absent stays; null says that something is not known.", http.StatusNotFound, http.StatusConflict), a.updateContact)
	handle(a, operation("delete-contact", http.MethodDelete, path+"/{id}", tag, "Delete a contact",
		"Its history stays. While it is linked to cases that you may read the answer is 409, unless they are to be unlinked. Others keep it.",
		http.StatusNotFound, http.StatusConflict), a.deleteContact)
	handle(a, operation("get-contact-history", http.MethodGet, path+"/{id}/history", tag, "Get a contact's history",
		"Who did what, from where and when; the newest first.", http.StatusNotFound), a.getContactHistory)
	a.contactLinks()
}

func (a *API) createContact(ctx context.Context, in *Idempotent, body SetContact) (*createdContact, error) {
	var d event.ContactDetails
	body.apply(&d)
	got, replayed, err := once(ctx, "create-contact", *in, func(c cases.Contact) (store.Answer, error) {
		return answer(http.StatusCreated, showContact(c), "ETag", etag(c.Version), "Location", contactPath(c.ID))
	}, func(o casework.Once) (cases.Contact, error) {
		return a.service.CreateContact(ctx, principalOf(ctx), d, o)
	})
	if err != nil {
		return nil, err
	}
	return &createdContact{
		Status: got.Status, ETag: got.Header["ETag"], Location: got.Header["Location"], Replayed: replayed, Body: got.Body,
	}, nil
}

func (a *API) listContacts(ctx context.Context, in *struct {
	Text string `query:"q" maxLength:"200" doc:"Only those with this text in their names, business name, email or phones." example:"lovelace"`
	Paging
}) (*listed[Contact], error) {
	f := store.ContactFilter{Text: in.Text, Limit: in.Limit}
	if err := a.cursors.open("contacts", in.Cursor, &f.After); err != nil {
		return nil, err
	}
	all, err := a.service.Contacts(ctx, principalOf(ctx), f)
	if err != nil {
		return nil, err
	}
	return pageOf(a, "contacts", all, showContact, func(c cases.Contact) store.Position {
		return store.Position{CreatedAt: c.CreatedAt, ID: c.ID}
	})
}

func (a *API) getContact(ctx context.Context, in *InContact) (*shownContact, error) {
	id, err := in.contactID()
	if err != nil {
		return nil, err
	}
	return contactShown(a.service.Contact(ctx, principalOf(ctx), id))
}

func (a *API) updateContact(ctx context.Context, in *struct {
	InContact
	Conditional
}, body SetContact) (*shownContact, error) {
	id, err := in.contactID()
	if err != nil {
		return nil, err
	}
	versions, err := in.revisions()
	if err != nil {
		return nil, err
	}
	return contactShown(a.service.UpdateContact(ctx, principalOf(ctx), id, versions, body.apply))
}

func (a *API) deleteContact(ctx context.Context, in *struct {
	InContact
	Conditional
	Unlink bool `query:"unlink" doc:"Unlink it from all cases first; each of them gets its next version."`
}) (*noContent, error) {
	id, err := in.contactID()
	if err != nil {
		return nil, err
	}
	versions, err := in.revisions()
	if err != nil {
		return nil, err
	}
	return &noContent{}, a.service.DeleteContact(ctx, principalOf(ctx), id, versions, in.Unlink)
}

// apply writes what is set into d.
func (s SetContact) apply(d *event.ContactDetails) {
	set(&d.IsBusiness, s.IsBusiness)
	set(&d.BusinessName, s.BusinessName.pointer())
	set(&d.Title, s.Title.pointer())
	set(&d.FirstName, s.FirstName.pointer())
	set(&d.MiddleName, s.MiddleName.pointer())
	set(&d.LastName, s.LastName.pointer())
	set(&d.Email, s.Email.pointer())
	set(&d.MobilePhone, s.MobilePhone.pointer())
	set(&d.HomePhone, s.HomePhone.pointer())
	set(&d.WorkPhone, s.WorkPhone.pointer())
	set(&d.Preferred, s.Preferred.pointer())
	set(&d.AddressLine1, s.AddressLine1.pointer())
	set(&d.AddressLine2, s.AddressLine2.pointer())
	set(&d.AddressLine3, s.AddressLine3.pointer())
	set(&d.City, s.City.pointer())
	set(&d.StateOrCounty, s.State.pointer())
	set(&d.Postcode, s.Postcode.pointer())
	set(&d.CountryCode, s.CountryCode.pointer())
}

func contactShown(c cases.Contact, err error) (*shownContact, error) {
	if err != nil {
		return nil, err
	}
	return &shownContact{ETag: etag(c.Version), Body: showContact(c)}, nil
}

func showContact(c cases.Contact) Contact { return wire.NewContact(c.Snapshot().Contact) }
