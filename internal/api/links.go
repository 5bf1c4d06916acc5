package api

import (
	"context"
	"net/http"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/store"
)

// CaseContact is what a contact is to a case.
type CaseContact struct {
	ContactID int64  `json:"contact_id" doc:"The id of the contact." example:"4539148803436467"`
	Role      string `json:"role" doc:"What it is to the case." example:"claimant"`
}

// LinkedContact is a contact of a case, in one of its roles there.
type LinkedContact struct {
	Role    string  `json:"role" doc:"What it is to the case." example:"claimant"`
	Contact Contact `json:"contact" doc:"The contact as it is now."`
}

// LinkedCase is a case of a contact, in one of its roles there.
type LinkedCase struct {
	CaseID int64  `json:"case_id" doc:"The id of the case." example:"4539148803436467"`
	Role   string `json:"role" doc:"What the contact is to the case." example:"claimant"`
}

// InLink is embedded in the parameters of what is about one contact of a case.
type InLink struct {
	InCase
	Contact string `path:"contact" number:"id" maxLength:"40" doc:"The id of the contact." example:"4539148803436467"`
	Role    string `path:"role" maxLength:"100" doc:"What it is to the case: 1 to 50 of a-z, 0-9, - and _, beginning with a letter." example:"claimant"`
}

func (a *API) contactLinks() {
	const path, tag = "/v1/cases/{id}/contacts", "contacts"
	handle(a, operation("link-contact", http.MethodPut, path+"/{contact}/{role}", tag, "Link a contact to a case",
		"The case gets its next version. A link that there is already changes nothing.",
		http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity),
		func(ctx context.Context, in *InLink) (*shownCase, error) {
			return in.change(ctx, a.service.LinkContact)
		})
	handle(a, operation("unlink-contact", http.MethodDelete, path+"/{contact}/{role}", tag, "Unlink a contact from a case",
		"The case gets its next version. A link that is not there changes nothing.", http.StatusNotFound),
		func(ctx context.Context, in *InLink) (*shownCase, error) {
			return in.change(ctx, a.service.UnlinkContact)
		})
	handle(a, operation("list-case-contacts", http.MethodGet, path, tag, "List a case's contacts",
		"By role.", http.StatusNotFound), a.listCaseContacts)
	handle(a, operation("list-contact-cases", http.MethodGet, "/v1/contacts/{id}/cases", tag, "List a contact's cases",
		"By the id of the case, with one item for each role.", http.StatusNotFound), a.listContactCases)
}

type changeLink func(context.Context, access.Principal, int64, int64, string) (casework.View, error)

func (in *InLink) change(ctx context.Context, do changeLink) (*shownCase, error) {
	id, err := in.caseID()
	if err != nil {
		return nil, err
	}
	contact, err := contactID(in.Contact)
	if err != nil {
		return nil, err
	}
	return shown(do(ctx, principalOf(ctx), id, contact, in.Role))
}

func (a *API) listCaseContacts(ctx context.Context, in *InCase) (*short[LinkedContact], error) {
	id, err := in.caseID()
	if err != nil {
		return nil, err
	}
	all, err := a.service.CaseContacts(ctx, principalOf(ctx), id)
	if err != nil {
		return nil, err
	}
	return list(all, func(l casework.CaseContact) LinkedContact {
		return LinkedContact{Role: l.Role, Contact: showContact(l.Contact)}
	})
}

func (a *API) listContactCases(ctx context.Context, in *struct {
	InContact
	Paging
}) (*listed[LinkedCase], error) {
	id, err := in.contactID()
	if err != nil {
		return nil, err
	}
	var after store.Link
	name := "contact-cases/" + in.ID
	if err := a.cursors.open(name, in.Cursor, &after); err != nil {
		return nil, err
	}
	all, err := a.service.ContactCases(ctx, principalOf(ctx), id, after, in.Limit+1)
	if err != nil {
		return nil, err
	}
	return paged(a, name, in.Limit, all, func(l store.Link) LinkedCase { return LinkedCase(l) }, func(l store.Link) store.Link { return l })
}

func showLinks(links []event.CaseContact) []CaseContact {
	all := make([]CaseContact, len(links))
	for i, l := range links {
		all[i] = CaseContact(l)
	}
	return all
}
