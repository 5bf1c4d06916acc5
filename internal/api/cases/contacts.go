package cases

import (
	"context"
	"net/http"
	"strconv"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/wire"
)

// Contact is a person or a business, encoded byte for byte as in events.
type Contact = wire.Contact

// SetContact is the body that creates or changes a contact. Absent members stay as they
// are; null or an empty text says that a value is unknown.
type SetContact struct {
	IsBusiness   *bool         `json:"is_business,omitempty" doc:"It is a business, and no person; then business_name is required. Else first_name and last_name are."`
	BusinessName rest.Optional `json:"business_name,omitzero" maxLength:"200" doc:"Of the business, or of the one that the person works for." example:"Acme Corp"`
	Title        rest.Optional `json:"title,omitzero" maxLength:"50" doc:"The form of address." example:"Ms"`
	FirstName    rest.Optional `json:"first_name,omitzero" maxLength:"100" doc:"Of the person." example:"Ada"`
	MiddleName   rest.Optional `json:"middle_name,omitzero" maxLength:"100" doc:"Of the person." example:"King"`
	LastName     rest.Optional `json:"last_name,omitzero" maxLength:"100" doc:"Of the person." example:"Lovelace"`
	Email        rest.Optional `json:"email,omitzero" maxLength:"254" doc:"An email address." example:"ada@example.com"`
	MobilePhone  rest.Optional `json:"mobile_phone,omitzero" maxLength:"40" doc:"A phone number: 3 to 20 digits, spaced as you like." example:"+44 7700 900123"`
	HomePhone    rest.Optional `json:"home_phone,omitzero" maxLength:"40" doc:"A phone number." example:"+44 20 7946 0018"`
	WorkPhone    rest.Optional `json:"work_phone,omitzero" maxLength:"40" doc:"A phone number." example:"+44 20 7946 0019"`
	Preferred    rest.Optional `json:"preferred_contact_method,omitzero" maxLength:"40" doc:"email, sms, mobile_phone, home_phone, work_phone or post." example:"email"`
	AddressLine1 rest.Optional `json:"address_line1,omitzero" maxLength:"200" doc:"Of the address." example:"12 St James's Square"`
	AddressLine2 rest.Optional `json:"address_line2,omitzero" maxLength:"200" doc:"Of the address."`
	AddressLine3 rest.Optional `json:"address_line3,omitzero" maxLength:"200" doc:"Of the address."`
	City         rest.Optional `json:"city,omitzero" maxLength:"100" doc:"Of the address." example:"London"`
	State        rest.Optional `json:"state,omitzero" maxLength:"100" doc:"State, county or province of the address." example:"Greater London"`
	Postcode     rest.Optional `json:"postcode,omitzero" maxLength:"20" doc:"Of the address." example:"SW1Y 4JH"`
	CountryCode  rest.Optional `json:"country_code,omitzero" maxLength:"10" doc:"ISO 3166-1 alpha-2: two capital letters." example:"GB"`
}

func contactPath(id int64) string { return "/v1/contacts/" + strconv.FormatInt(id, 10) }

type shownContact struct {
	ETag string `header:"ETag" doc:"The version, for If-Match." example:"\"r3\""`
	Body Contact
}

// createdContact is the answer to a creation.
type createdContact struct {
	Status   int
	ETag     string `header:"ETag" doc:"The version, for If-Match." example:"\"r1\""`
	Location string `header:"Location" doc:"The address of what was created."`
	Repeated string `header:"Idempotency-Replayed" doc:"true: this is the answer to an earlier request with the same Idempotency-Key."`
	Body     rest.Reply[Contact]
}

// contactHandler has the operations on contacts, and on their links to cases.
type contactHandler struct {
	kernel  *rest.Kernel
	service casework.Services
}

func (h contactHandler) register() {
	const path, tag = "/v1/contacts", "contacts"
	rest.HandleBody(h.kernel, rest.Operation{
		ID:      access.CreateContact,
		Pattern: "POST " + path,
		Tag:     tag,
		Summary: "Create a contact",
		Description: "A person or a business. Send an Idempotency-Key, so that a repeated request does not create a " +
			"second one.",
		Problems: []int{http.StatusConflict},
		Success:  http.StatusCreated,
	}, h.createContact)
	rest.Handle(h.kernel, rest.Operation{
		ID: access.ListContacts, Pattern: "GET " + path, Tag: tag,
		Summary:     "List the contacts",
		Description: "The newest first.",
	}, h.listContacts)
	rest.Handle(h.kernel, rest.Operation{
		ID: access.GetContact, Pattern: "GET " + path + "/{id}", Tag: tag,
		Summary:     "Get a contact",
		Description: "The object that contact.created has, as it is now. Unknown values are null.",
		Problems:    []int{http.StatusNotFound},
	}, h.getContact)
	rest.HandleBody(h.kernel, rest.Operation{
		ID: access.UpdateContact, Pattern: "PATCH " + path + "/{id}", Tag: tag,
		Summary:     "Change a contact",
		Description: "Absent members stay as they are; null says that a value is unknown.",
		Problems:    []int{http.StatusNotFound, http.StatusConflict},
	}, h.updateContact)
	rest.Handle(h.kernel, rest.Operation{
		ID: access.DeleteContact, Pattern: "DELETE " + path + "/{id}", Tag: tag,
		Summary: "Delete a contact",
		Description: "Its history stays. While it is linked to cases that you may read, the answer is 409, unless " +
			"unlink is true. Cases that you may not read keep their links.",
		Problems: []int{http.StatusNotFound, http.StatusConflict},
	}, h.deleteContact)
	h.registerLinks()
}

func (h contactHandler) createContact(ctx context.Context, in *rest.IdempotencyHeader,
	body SetContact) (*createdContact, error) {
	var d event.ContactDetails
	body.apply(&d)
	got, repeated, err := rest.Once(ctx, *in, func(c cases.Contact) (store.Answer, error) {
		return rest.Answer(http.StatusCreated, showContact(c), "ETag", rest.ETag(c.Version), "Location",
			contactPath(c.ID))
	}, func(o authz.Once) (cases.Contact, error) {
		return h.service.Contacts.CreateContact(ctx, rest.PrincipalOf(ctx), d, o)
	})
	if err != nil {
		return nil, err
	}
	return &createdContact{
		Status: got.Status, ETag: got.Header["ETag"], Location: got.Header["Location"], Repeated: repeated,
		Body: got.Body,
	}, nil
}

func (h contactHandler) listContacts(ctx context.Context, in *struct {
	Text string `query:"q" maxLength:"200" doc:"Only those with this text in their names, business name, email or phones." example:"lovelace"`
	rest.Paging
}) (*rest.PageAnswer[Contact], error) {
	f := store.ContactFilter{Text: in.Text, Limit: in.Limit}
	if err := h.kernel.Open("contacts", in.Cursor, &f.After); err != nil {
		return nil, err
	}
	all, err := h.service.Contacts.Contacts(ctx, rest.PrincipalOf(ctx), f)
	if err != nil {
		return nil, err
	}
	return rest.NewPager(h.kernel, "contacts", showContact, func(c cases.Contact) store.Position {
		return store.Position{CreatedAt: c.CreatedAt, ID: c.ID}
	}).PageOf(all)
}

func (h contactHandler) getContact(ctx context.Context, in *rest.InContact) (*shownContact, error) {
	id, err := in.ContactID()
	if err != nil {
		return nil, err
	}
	return contactShown(h.service.Contacts.Contact(ctx, rest.PrincipalOf(ctx), id))
}

func (h contactHandler) updateContact(ctx context.Context, in *struct {
	rest.InContact
	rest.IfMatchHeader
}, body SetContact) (*shownContact, error) {
	id, err := in.ContactID()
	if err != nil {
		return nil, err
	}
	versions, err := in.Revisions()
	if err != nil {
		return nil, err
	}
	return contactShown(h.service.Contacts.UpdateContact(ctx, rest.PrincipalOf(ctx), id, versions, body.apply))
}

func (h contactHandler) deleteContact(ctx context.Context, in *struct {
	rest.InContact
	rest.IfMatchHeader
	Unlink bool `query:"unlink" doc:"Unlink it from all cases first; each of them gets its next version."`
}) (*rest.NoContent, error) {
	id, err := in.ContactID()
	if err != nil {
		return nil, err
	}
	versions, err := in.Revisions()
	if err != nil {
		return nil, err
	}
	return &rest.NoContent{}, h.service.Contacts.DeleteContact(ctx, rest.PrincipalOf(ctx), id, versions, in.Unlink)
}

// apply sets the members of d that are present.
func (s SetContact) apply(d *event.ContactDetails) {
	rest.Set(&d.IsBusiness, s.IsBusiness)
	rest.Set(&d.BusinessName, s.BusinessName.Pointer())
	rest.Set(&d.Title, s.Title.Pointer())
	rest.Set(&d.FirstName, s.FirstName.Pointer())
	rest.Set(&d.MiddleName, s.MiddleName.Pointer())
	rest.Set(&d.LastName, s.LastName.Pointer())
	rest.Set(&d.Email, s.Email.Pointer())
	rest.Set(&d.MobilePhone, s.MobilePhone.Pointer())
	rest.Set(&d.HomePhone, s.HomePhone.Pointer())
	rest.Set(&d.WorkPhone, s.WorkPhone.Pointer())
	rest.Set(&d.Preferred, s.Preferred.Pointer())
	rest.Set(&d.AddressLine1, s.AddressLine1.Pointer())
	rest.Set(&d.AddressLine2, s.AddressLine2.Pointer())
	rest.Set(&d.AddressLine3, s.AddressLine3.Pointer())
	rest.Set(&d.City, s.City.Pointer())
	rest.Set(&d.StateOrCounty, s.State.Pointer())
	rest.Set(&d.Postcode, s.Postcode.Pointer())
	rest.Set(&d.CountryCode, s.CountryCode.Pointer())
}

func contactShown(c cases.Contact, err error) (*shownContact, error) {
	if err != nil {
		return nil, err
	}
	return &shownContact{ETag: rest.ETag(c.Version), Body: showContact(c)}, nil
}

func showContact(c cases.Contact) Contact { return wire.NewContact(c.Snapshot().Contact) }
