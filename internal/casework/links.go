package casework

import (
	"context"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/input"
	"github.com/casehook/casehook/internal/store"
)

// CaseContact is a contact of a case, in one of its roles there.
type CaseContact struct {
	Role    string
	Contact cases.Contact
}

// LinkContact links a contact to a case in a role. An existing link changes nothing.
func (s *Contacts) LinkContact(
	ctx context.Context, p access.Principal, caseID, contact int64, role string,
) (View, error) {
	link := event.CaseContact{ContactID: contact, Role: role}
	apply := func(tx *store.Tx) (cases.Case, []event.Fact, error) {
		if !cases.ValidRole(role) {
			return cases.Case{}, nil, fault.In("contact.role_invalid",
				"The contact's role is not valid. It begins with a letter and has at most 50 characters of a-z, "+
					"0-9, - and _: claimant, or police-officer.",
				fault.Field{Path: "path.role", Message: "is not a role"})
		}
		c, changed, err := tx.LinkContact(ctx, p.Tenant, caseID, link, s.core.activity(p))
		return c, factIf(changed, event.CaseContactLinked.New(link)), err
	}
	return s.core.change(ctx, p, operation{may: access.LinkContact, caseID: caseID, apply: apply})
}

// UnlinkContact removes a contact's role in a case. A missing link changes nothing.
func (s *Contacts) UnlinkContact(
	ctx context.Context, p access.Principal, caseID, contact int64, role string,
) (View, error) {
	link := event.CaseContact{ContactID: contact, Role: role}
	apply := func(tx *store.Tx) (cases.Case, []event.Fact, error) { return s.unlink(ctx, tx, p, caseID, link) }
	return s.core.change(ctx, p, operation{may: access.UnlinkContact, caseID: caseID, apply: apply})
}

func (s *Contacts) unlink(
	ctx context.Context, tx *store.Tx, p access.Principal, caseID int64, link event.CaseContact,
) (cases.Case, []event.Fact, error) {
	c, changed, err := tx.UnlinkContact(ctx, p.Tenant, caseID, link, s.core.activity(p))
	return c, factIf(changed, event.CaseContactUnlinked.New(link)), err
}

// CaseContacts lists the contacts of a case by role, as they are now.
func (s *Contacts) CaseContacts(ctx context.Context, p access.Principal, caseID int64) ([]CaseContact, error) {
	p, err := s.guard.PermitCase(ctx, p, access.ListCaseContacts, caseID)
	if err != nil {
		return nil, err
	}
	c, _, err := s.core.find(ctx, s.store, p, caseID)
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(c.Contacts))
	for i, link := range c.Contacts {
		ids[i] = link.ContactID
	}
	found, err := s.store.ContactsByID(ctx, p.Tenant, ids)
	if err != nil {
		return nil, err
	}
	var all []CaseContact
	for _, link := range c.Contacts {
		if contact, ok := found[link.ContactID]; ok { // otherwise it was deleted meanwhile
			all = append(all, CaseContact{Role: link.Role, Contact: contact})
		}
	}
	return all, nil
}

// ContactCases lists the cases of a contact that the caller sees, after one of
// them, by case and role.
func (s *Contacts) ContactCases(
	ctx context.Context, p access.Principal, contact int64, after store.Link, limit int,
) ([]store.Link, error) {
	if err := s.guard.Permit(ctx, p, access.ListContactCases); err != nil {
		return nil, err
	}
	reader, err := s.guard.Reader(ctx, p)
	if err != nil {
		return nil, err
	}
	all, err := s.store.Links(ctx, p.Tenant, store.LinkFilter{
		Contact: contact, After: after, Without: reader.Without, Clearance: p.Clearance, Limit: input.Page(limit),
	})
	if err != nil || len(all) > 0 {
		return all, err
	}
	_, err = s.store.Contact(ctx, p.Tenant, contact)
	return nil, err
}
