package storetest

import (
	"fmt"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// numberOne is everything about the case 1 and the contact 1 of a tenant.
type numberOne struct {
	Case      cases.Case
	Contact   cases.Contact
	Comments  []cases.Comment
	Documents []cases.Attachment
	Links     []store.Link
	Labelled  []cases.Case
	History   []*event.Entry
}

// makeOne creates the case 1 and the contact 1 of a tenant, with everything that belongs to them.
func (f *fixture) makeOne(tenant int64) {
	f.t.Helper()
	k, c := f.aCase(tenant, 0), f.aContact(tenant, 0)
	k.ID, c.ID = 1, 1
	k.Name, c.LastName = fmt.Sprint("case of ", tenant), fmt.Sprint("contact of ", tenant)
	comment, document := aComment(1, 0), anAttachment(1, 0)
	comment.ID, document.ID = fmt.Sprint("com_", tenant), fmt.Sprint("doc_", tenant)
	f.insert(k)
	f.insertContacts(c)
	f.label(tenant, cases.Label{Slug: "urgent"})
	f.link(tenant, 1, event.CaseContact{ContactID: 1, Role: "claimant"})
	f.update(func(tx *store.Tx) error {
		if _, _, err := tx.AddLabel(f.t.Context(), tenant, 1, "urgent", once); err != nil {
			return err
		}
		if err := tx.AddComment(f.t.Context(), tenant, comment); err != nil {
			return err
		}
		return tx.AddAttachment(f.t.Context(), tenant, cases.Document, document)
	})
	f.appendEntry(anEntry(tenant, 1, 1))
}

func (f *fixture) readOne(tenant int64) numberOne {
	f.t.Helper()
	ctx, all := f.t.Context(), casetype.Restricted
	return numberOne{
		Case:     must[cases.Case](f)(f.store.Case(ctx, tenant, 1)),
		Contact:  must[cases.Contact](f)(f.store.Contact(ctx, tenant, 1)),
		Comments: items[cases.Comment](f)(f.store.Comments(ctx, tenant, 1, "", 9)),
		Documents: must[[]cases.Attachment](f)(f.store.Attachments(ctx, tenant, store.AttachmentFilter{
			CaseID: 1, Kind: cases.Document, Clearance: all, Limit: 9,
		})),
		Links: must[[]store.Link](f)(f.store.Links(ctx, tenant, store.LinkFilter{
			Contact: 1, Clearance: all, Limit: 9,
		})),
		Labelled: f.cases(f.store.Cases(ctx, tenant, store.CaseFilter{Label: "urgent", Limit: 9, Clearance: all})),
		History:  items[*event.Entry](f)(f.store.History(ctx, tenant, event.CaseSubject(1), 1<<62, 9)),
	}
}

var sameIDTests = map[string]func(*fixture){
	"cases and contacts of two tenants may have one id, and nothing done to one touches the other": func(f *fixture) {
		f.makeOne(f.tenant)
		f.makeOne(f.other)
		mine, theirs := f.readOne(f.tenant), f.readOne(f.other)
		f.equal(theirs.Case.Name, fmt.Sprint("case of ", f.other))
		for name, do := range map[string]func(tx *store.Tx) error{
			"updating the case": func(tx *store.Tx) error {
				c := mine.Case
				c.Name = "changed"
				_, err := tx.UpdateCase(f.t.Context(), c, aType())
				return err
			},
			"touching it": func(tx *store.Tx) error {
				_, err := tx.TouchCase(f.t.Context(), f.tenant, 1, cases.Activity{At: start.Add(time.Hour)})
				return err
			},
			"assigning it": func(tx *store.Tx) error {
				_, _, err := tx.Assign(f.t.Context(), f.tenant, 1, event.Person{UserID: 7, Name: "Ada"}, once)
				return err
			},
			"updating the contact": func(tx *store.Tx) error {
				c := mine.Contact
				c.LastName = "changed"
				_, err := tx.UpdateContact(f.t.Context(), c)
				return err
			},
		} {
			f.update(do)
			if diff := cmp.Diff(theirs, f.readOne(f.other)); diff != "" {
				f.t.Errorf("%s changes the other tenant's:\n%s", name, diff)
			}
		}
		f.update(func(tx *store.Tx) error {
			c, err := tx.Case(f.t.Context(), f.tenant, 1)
			if err == nil {
				_, err = tx.DeleteCase(f.t.Context(), c)
			}
			if err != nil {
				return err
			}
			contact, err := tx.LockContact(f.t.Context(), f.tenant, 1)
			if err == nil {
				_, err = tx.DeleteContact(f.t.Context(), contact)
			}
			return err
		})
		f.equal(f.readOne(f.other), theirs)
		_, err := f.store.Case(f.t.Context(), f.tenant, 1)
		f.wantFault(err, fault.NotFound, "case.not_found")
	},
	"within a tenant an id is taken once": func(f *fixture) {
		f.makeOne(f.tenant)
		k, c := f.aCase(f.tenant, 0), f.aContact(f.tenant, 0)
		k.ID, c.ID = 1, 1
		f.refused(fault.Conflict, "store.duplicate", func(tx *store.Tx) error { return tx.InsertCase(f.t.Context(), k, aType()) })
		f.refused(fault.Conflict, "store.duplicate", func(tx *store.Tx) error { return tx.InsertContact(f.t.Context(), c) })
	},
	"a contact of another tenant with the same id is none that a case can be linked to": func(f *fixture) {
		f.makeOne(f.other)
		k := f.aCase(f.tenant, 0)
		k.ID = 1
		f.insert(k)
		f.refused(fault.NotFound, "contact.not_found", func(tx *store.Tx) error {
			_, _, err := tx.LinkContact(f.t.Context(), f.tenant, 1, event.CaseContact{ContactID: 1, Role: "claimant"}, once)
			return err
		})
	},
}
