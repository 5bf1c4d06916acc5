package cases

import (
	"context"
	"net/http"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/store"
)

// CaseContact is a contact in a role of a case.
type CaseContact struct {
	ContactID int64  `json:"contact_id" doc:"The id of the contact." example:"4539148803436467"`
	Role      string `json:"role" doc:"Its role in the case." example:"claimant"`
}

// LinkedContact is a contact of a case, in one of its roles there.
type LinkedContact struct {
	Role    string  `json:"role" doc:"Its role in the case." example:"claimant"`
	Contact Contact `json:"contact" doc:"The contact as it is now."`
}

// LinkedCase is a case of a contact, in one of its roles there.
type LinkedCase struct {
	CaseID int64  `json:"case_id" doc:"The id of the case." example:"4539148803436467"`
	Role   string `json:"role" doc:"The role of the contact in the case." example:"claimant"`
}

// InLink is embedded in the parameters of operations on one contact of a case.
type InLink struct {
	rest.InCase
	Contact string `path:"contact" number:"id" maxLength:"40" doc:"The id of the contact." example:"4539148803436467"`
	Role    string `path:"role" maxLength:"100" doc:"Its role in the case: 1 to 50 of a-z, 0-9, - and _, beginning with a letter." example:"claimant"`
}

func (h contactHandler) registerLinks() {
	const path, tag = "/v1/cases/{id}/contacts", "contacts"
	rest.Handle(h.kernel, rest.Operation{
		ID: access.LinkContact, Pattern: "PUT " + path + "/{contact}/{role}", Tag: tag,
		Summary:     "Link a contact to a case",
		Description: "The case gets its next version. An existing link stays as it is.",
		Problems:    []int{http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity},
	}, func(ctx context.Context, in *InLink) (*shownCase, error) {
		return in.change(ctx, h.service.Contacts.LinkContact)
	})
	rest.Handle(h.kernel, rest.Operation{
		ID: access.UnlinkContact, Pattern: "DELETE " + path + "/{contact}/{role}", Tag: tag,
		Summary:     "Unlink a contact from a case",
		Description: "The case gets its next version. If there is no such link, nothing changes.",
		Problems:    []int{http.StatusNotFound},
	}, func(ctx context.Context, in *InLink) (*shownCase, error) {
		return in.change(ctx, h.service.Contacts.UnlinkContact)
	})
	rest.Handle(h.kernel, rest.Operation{
		ID: access.ListCaseContacts, Pattern: "GET " + path, Tag: tag,
		Summary:     "List a case's contacts",
		Description: "By role.",
		Problems:    []int{http.StatusNotFound},
	}, h.listCaseContacts)
	rest.Handle(h.kernel, rest.Operation{
		ID: access.ListContactCases, Pattern: "GET /v1/contacts/{id}/cases", Tag: tag,
		Summary:     "List a contact's cases",
		Description: "By the id of the case, with one item for each role.",
		Problems:    []int{http.StatusNotFound},
	}, h.listContactCases)
}

type changeLink func(context.Context, access.Principal, int64, int64, string) (casework.View, error)

func (in *InLink) change(ctx context.Context, do changeLink) (*shownCase, error) {
	id, err := in.CaseID()
	if err != nil {
		return nil, err
	}
	contact, err := rest.ContactID(in.Contact)
	if err != nil {
		return nil, err
	}
	return shown(do(ctx, rest.PrincipalOf(ctx), id, contact, in.Role))
}

func (h contactHandler) listCaseContacts(
	ctx context.Context, in *rest.InCase,
) (*rest.ListAnswer[LinkedContact], error) {
	id, err := in.CaseID()
	if err != nil {
		return nil, err
	}
	all, err := h.service.Contacts.CaseContacts(ctx, rest.PrincipalOf(ctx), id)
	if err != nil {
		return nil, err
	}
	return rest.List(all, func(l casework.CaseContact) LinkedContact {
		return LinkedContact{Role: l.Role, Contact: showContact(l.Contact)}
	})
}

func (h contactHandler) listContactCases(ctx context.Context, in *struct {
	rest.InContact
	rest.Paging
}) (*rest.PageAnswer[LinkedCase], error) {
	id, err := in.ContactID()
	if err != nil {
		return nil, err
	}
	var after store.Link
	name := "contact-cases/" + in.ID
	if err := h.kernel.Open(name, in.Cursor, &after); err != nil {
		return nil, err
	}
	all, err := h.service.Contacts.ContactCases(ctx, rest.PrincipalOf(ctx), id, after, in.Limit+1)
	if err != nil {
		return nil, err
	}
	return rest.NewPager(h.kernel, name, func(l store.Link) LinkedCase { return LinkedCase(l) },
		func(l store.Link) store.Link { return l }).PageOfList(all, in.Limit)
}

func showLinks(links []event.CaseContact) []CaseContact {
	all := make([]CaseContact, len(links))
	for i, l := range links {
		all[i] = CaseContact(l)
	}
	return all
}
