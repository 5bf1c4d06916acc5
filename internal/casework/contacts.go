package casework

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/input"
	"github.com/casehook/casehook/internal/store"
)

// Contacts are the people and organisations that cases concern, and their roles there. It is safe for
// concurrent use.
type Contacts struct {
	store  *store.Store
	guard  *authz.Guard
	now    func() time.Time
	random io.Reader
	core   *core
}

// CreateContact adds a contact.
func (s *Contacts) CreateContact(
	ctx context.Context, p access.Principal, d event.ContactDetails, once authz.Once,
) (cases.Contact, error) {
	if err := s.guard.Permit(ctx, p, access.CreateContact); err != nil {
		return cases.Contact{}, err
	}
	made := cases.Contact{Tenant: p.Tenant, ContactDetails: cases.CleanContact(d), Version: 1, CreatedAt: s.now()}
	made.ModifiedAt = made.CreatedAt
	if err := checkContact(made); err != nil {
		return cases.Contact{}, err
	}
	tenant, err := s.store.Tenant(ctx, p.Tenant)
	if err != nil {
		return cases.Contact{}, err
	}
	err = s.guard.Once(ctx, p, once, func() error {
		return authz.Retry("store.duplicate", func() error { // the id was taken
			return s.guard.Update(ctx, authz.NewMandate(p, access.CreateContact), func(tx *store.Tx) (err error) {
				if made.ID, err = s.contactID(ctx, tx, tenant); err != nil {
					return err
				}
				if err := tx.InsertContact(ctx, made); err != nil {
					return err
				}
				if err := s.recordContact(ctx, tx, p, made, event.ContactCreated.New(event.NoDetails{})); err != nil {
					return err
				}
				return s.guard.Keep(ctx, tx, p, once, made)
			})
		})
	})
	if err != nil {
		return cases.Contact{}, err
	}
	return made, nil
}

// contactID draws an id by the tenant's settings.
func (s *Contacts) contactID(ctx context.Context, tx *store.Tx, t store.Tenant) (int64, error) {
	if t.ContactIDs == casetype.SequentialIDs {
		return tx.Next(ctx, t.ID, "ids/contacts")
	}
	return id.Contact(s.random)
}

// UpdateContact changes what is known of a contact, if its version is still
// ifVersion; 0: whichever is current. Change may be called more than once.
func (s *Contacts) UpdateContact(
	ctx context.Context, p access.Principal, contact int64, ifVersion Revisions, change func(*event.ContactDetails),
) (cases.Contact, error) {
	if err := s.guard.Permit(ctx, p, access.UpdateContact); err != nil {
		return cases.Contact{}, err
	}
	var saved cases.Contact
	err := s.guard.Update(ctx, authz.NewMandate(p, access.UpdateContact), func(tx *store.Tx) error {
		if err := tx.LockCasesOf(ctx, p.Tenant, contact); err != nil {
			return err
		}
		before, err := lockContact(ctx, tx, p, contact, ifVersion)
		if err != nil {
			return err
		}
		after := before
		change(&after.ContactDetails)
		after.ContactDetails, after.ModifiedAt = cases.CleanContact(after.ContactDetails), s.now()
		if err := checkContact(after); err != nil {
			return err
		}
		changes := cases.ContactChanges(before.ContactDetails, after.ContactDetails)
		if saved = before; len(changes) == 0 {
			return nil
		}
		if saved, err = tx.UpdateContact(ctx, after); err != nil {
			return err
		}
		return s.recordContact(ctx, tx, p, saved, event.ContactUpdated.New(event.Changes{Changes: changes}))
	})
	if err != nil {
		return cases.Contact{}, err
	}
	return saved, nil
}

// maxUnlink bounds how many links the deletion of a contact undoes: they are
// all undone in one transaction.
const maxUnlink = 500

// DeleteContact removes a contact. The journal keeps what happened to it. One
// that is linked to cases is refused, unless its links are to be undone: then
// each of the cases gets its next version. Cases that the caller may not read keep their
// links and the contact, as a refusal would tell that there are some: for all others it
// is gone. IfVersion is as in UpdateContact.
func (s *Contacts) DeleteContact(
	ctx context.Context, p access.Principal, contact int64, ifVersion Revisions, unlink bool,
) error {
	if err := s.guard.Permit(ctx, p, access.DeleteContact); err != nil {
		return err
	}
	reader, err := s.guard.Reader(ctx, p)
	if err != nil {
		return err
	}
	var known []store.Link
	if unlink {
		if known, err = s.unlinkable(ctx, p, contact, reader); err != nil {
			return err
		}
	}
	m := authz.NewMandate(p, access.DeleteContact)
	return s.guard.Update(ctx, m, func(tx *store.Tx) error {
		for _, link := range known { // in the order of their ids, and before the contact, as LinkContact does
			if err := tx.LockCase(ctx, p.Tenant, link.CaseID); err != nil {
				return err
			}
		}
		c, err := lockContact(ctx, tx, p, contact, ifVersion)
		if err != nil {
			return err
		}
		for _, link := range known {
			k, facts, err := s.unlink(ctx, tx, p, link.CaseID, event.CaseContact{ContactID: contact, Role: link.Role})
			if errors.Is(err, fault.NotFound) {
				continue // the case was deleted meanwhile
			}
			if err == nil {
				_, err = s.core.changed(ctx, tx, m, nil, commit{after: k, facts: facts})
			}
			if err != nil {
				return err
			}
		}
		left, err := tx.Links(ctx, p.Tenant, store.LinkFilter{
			Contact: contact, Without: reader.Without, Clearance: reader.Clearance, Limit: 1,
		})
		if err != nil {
			return err
		}
		if len(left) > 0 {
			return fault.New(fault.Conflict, "contact.linked",
				"The contact is linked to cases. Unlink it first, or delete it with unlink=true.")
		}
		if c.Version, err = tx.DeleteContact(ctx, c); err != nil {
			return err
		}
		return s.recordContact(ctx, tx, p, c, event.ContactDeleted.New(event.NoDetails{}))
	})
}

// unlinkable lists the links of a contact to cases that the caller may read, if all of
// them may be undone at once.
func (s *Contacts) unlinkable(
	ctx context.Context, p access.Principal, contact int64, reader access.Reader,
) ([]store.Link, error) {
	links, err := s.store.Links(ctx, p.Tenant, store.LinkFilter{
		Contact: contact, Without: reader.Without, Clearance: reader.Clearance, Limit: maxUnlink + 1,
	})
	if err != nil {
		return nil, err
	}
	if len(links) > maxUnlink {
		return nil, fault.New(fault.Conflict, "contact.linked",
			"The contact is linked to more than %d cases. Unlink some of them first.", maxUnlink)
	}
	for _, link := range links {
		_, err := s.guard.PermitCase(ctx, p, access.DeleteContact, link.CaseID)
		if err != nil && !errors.Is(err, fault.NotFound) {
			return nil, err
		}
	}
	return links, nil
}

// Contact finds a contact.
func (s *Contacts) Contact(ctx context.Context, p access.Principal, contact int64) (cases.Contact, error) {
	if err := s.guard.Permit(ctx, p, access.GetContact); err != nil {
		return cases.Contact{}, err
	}
	return s.store.Contact(ctx, p.Tenant, contact)
}

// Contacts lists contacts, newest first.
func (s *Contacts) Contacts(
	ctx context.Context, p access.Principal, f store.ContactFilter,
) (none store.Page[cases.Contact], err error) {
	if err := s.guard.Permit(ctx, p, access.ListContacts); err != nil {
		return none, err
	}
	if err := checkQuery(f.Text); err != nil {
		return none, err
	}
	f.Limit = input.Page(f.Limit)
	return s.store.Contacts(ctx, p.Tenant, f)
}

// ContactHistory lists a contact's entries as History does a case's.
func (s *Contacts) ContactHistory(
	ctx context.Context, p access.Principal, contact, before int64, limit int,
) (none store.Page[*event.Entry], err error) {
	if err := s.guard.Permit(ctx, p, access.GetContactHistory); err != nil {
		return none, err
	}
	found, err := s.store.History(ctx, p.Tenant, event.ContactSubject(contact), input.Newest(before), input.Page(limit))
	if err != nil || len(found.Items) > 0 {
		return found, err
	}
	_, err = s.store.Contact(ctx, p.Tenant, contact)
	return none, err
}

// lockContact finds and locks a contact.
func lockContact(
	ctx context.Context, tx *store.Tx, p access.Principal, contact int64, ifVersion Revisions,
) (cases.Contact, error) {
	c, err := tx.LockContact(ctx, p.Tenant, contact)
	if err == nil && !ifVersion.Allow(c.Version) {
		err = fault.New(fault.Conflict, "contact.version_conflict",
			"The contact changed meanwhile; nothing was saved. Load it again and repeat the change.")
	}
	return c, err
}

func checkContact(c cases.Contact) error {
	if wrong := cases.CheckContact(c.ContactDetails); len(wrong) > 0 {
		return fault.In("contact.invalid", "The contact was not saved: see fields.", wrong...)
	}
	return nil
}

// recordContact appends the entry of a commit to the journal.
func (s *Contacts) recordContact(
	ctx context.Context, tx *store.Tx, p access.Principal, c cases.Contact, facts ...event.Fact,
) error {
	_, err := tx.Append(ctx, event.Entry{
		Tenant: c.Tenant, Subject: event.ContactSubject(c.ID), Version: c.Version, At: s.now(),
		Actor: p.Actor, Facts: facts, Snapshot: c.Snapshot(),
	})
	return err
}
