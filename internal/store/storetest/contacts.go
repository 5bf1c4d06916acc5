package storetest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// aContact makes a contact that is not saved.
func (f *fixture) aContact(tenant, n int64) cases.Contact {
	return cases.Contact{
		ID: nextCase + tenant*1_000_000 + n, Tenant: tenant, Version: 1, CreatedAt: start, ModifiedAt: start,
		ContactDetails: event.ContactDetails{FirstName: "Ada", LastName: "Lovelace", Email: "ada@example.org"},
	}
}

func (f *fixture) insertContacts(all ...cases.Contact) {
	f.t.Helper()
	f.update(func(tx *store.Tx) error {
		for _, c := range all {
			if err := tx.InsertContact(f.t.Context(), c); err != nil {
				return err
			}
		}
		return nil
	})
}

// link links a contact to a case, and reports whether that changed anything.
func (f *fixture) link(tenant, caseID int64, link event.CaseContact) (c cases.Case, changed bool) {
	f.t.Helper()
	f.update(func(tx *store.Tx) (err error) {
		c, changed, err = tx.LinkContact(f.t.Context(), tenant, caseID, link, once)
		return err
	})
	return c, changed
}

func (f *fixture) foundContacts(tenant int64, text string) int {
	f.t.Helper()
	return len(items[cases.Contact](f)(f.store.Contacts(f.t.Context(), tenant,
		store.ContactFilter{Text: text, Limit: 9})))
}

var contactTests = map[string]func(*fixture){
	"a contact is read back as it was saved": func(f *fixture) {
		for i, text := range strange {
			c := f.aContact(f.tenant, int64(i))
			c.ContactDetails = event.ContactDetails{
				IsBusiness: i%2 == 0, BusinessName: text, Title: text, FirstName: text, MiddleName: text, LastName: text, Email: text,
				MobilePhone: text, HomePhone: text, WorkPhone: text, Preferred: text, AddressLine1: text, AddressLine2: text,
				AddressLine3: text, City: text, StateOrCounty: text, Postcode: text, CountryCode: text,
			}
			f.insertContacts(c)
			f.equal(must[cases.Contact](f)(f.store.Contact(f.t.Context(), f.tenant, c.ID)), c)
		}
	},
	"a contact is its tenant's alone": func(f *fixture) {
		c, theirs, k := f.aContact(f.tenant, 1), f.aContact(f.other, 1), f.aCase(f.tenant, 1)
		theirCase := f.aCase(f.other, 1)
		f.insertContacts(c, theirs)
		f.insert(k, theirCase)
		link := event.CaseContact{ContactID: c.ID, Role: "insured"}
		f.link(f.tenant, k.ID, link)
		_, err := f.store.Contact(f.t.Context(), f.other, c.ID)
		f.wantFault(err, fault.NotFound, "contact.not_found")
		f.equal(f.foundContacts(f.other, "ada"), 1)
		f.equal(len(must[map[int64]cases.Contact](f)(f.store.ContactsByID(f.t.Context(), f.other, []int64{c.ID}))), 0)
		f.equal(must[[]store.Link](f)(f.store.Links(f.t.Context(), f.other, store.LinkFilter{
			Contact: c.ID, Clearance: casetype.Restricted, Limit: 9,
		})), []store.Link(nil))
		taken := c
		taken.Tenant = f.other
		for _, missing := range []struct {
			code string
			do   func(tx *store.Tx) error
		}{
			{"contact.not_found", func(tx *store.Tx) error { _, err := tx.UpdateContact(f.t.Context(), taken); return err }},
			{"contact.not_found", func(tx *store.Tx) error { _, err := tx.DeleteContact(f.t.Context(), taken); return err }},
			{"contact.not_found", func(tx *store.Tx) error { _, err := tx.LockContact(f.t.Context(), f.other, c.ID); return err }},
			{"contact.not_found", func(tx *store.Tx) error { // mine, to their case
				_, _, err := tx.LinkContact(f.t.Context(), f.other, theirCase.ID, link, once)
				return err
			}},
			{"case.not_found", func(tx *store.Tx) error { // theirs, to my case
				_, _, err := tx.LinkContact(f.t.Context(), f.other, k.ID, event.CaseContact{ContactID: theirs.ID, Role: "insured"}, once)
				return err
			}},
			{"case.not_found", func(tx *store.Tx) error {
				_, _, err := tx.UnlinkContact(f.t.Context(), f.other, k.ID, link, once)
				return err
			}},
		} {
			f.refused(fault.NotFound, missing.code, missing.do)
		}
		f.equal(must[cases.Contact](f)(f.store.Contact(f.t.Context(), f.tenant, c.ID)), c)
		f.equal(must[cases.Case](f)(f.store.Case(f.t.Context(), f.tenant, k.ID)).Contacts, []event.CaseContact{link})
	},
	"an update and a deletion need the version": func(f *fixture) {
		c := f.aContact(f.tenant, 1)
		f.insertContacts(c)
		f.refused(fault.Conflict, "store.duplicate", func(tx *store.Tx) error { return tx.InsertContact(f.t.Context(), c) })
		changed := c
		changed.FirstName, changed.IsBusiness, changed.ModifiedAt = "", true, start.Add(time.Hour)
		var saved cases.Contact
		f.update(func(tx *store.Tx) (err error) {
			saved, err = tx.UpdateContact(f.t.Context(), changed)
			return err
		})
		changed.Version = 2
		f.equal(saved, changed)
		f.equal(must[cases.Contact](f)(f.store.Contact(f.t.Context(), f.tenant, c.ID)), changed)
		f.refused(fault.Conflict, "contact.version_conflict", func(tx *store.Tx) error { _, err := tx.UpdateContact(f.t.Context(), c); return err })
		f.refused(fault.Conflict, "contact.version_conflict", func(tx *store.Tx) error { _, err := tx.DeleteContact(f.t.Context(), c); return err })
		f.update(func(tx *store.Tx) error {
			last, err := tx.DeleteContact(f.t.Context(), changed)
			f.equal(last, int64(3))
			return err
		})
		f.refused(fault.NotFound, "contact.not_found", func(tx *store.Tx) error { _, err := tx.UpdateContact(f.t.Context(), changed); return err })
	},
	"a contact that is deleted stays with its cases until the last lets go of it": func(f *fixture) {
		c, one, two := f.aContact(f.tenant, 1), f.aCase(f.tenant, 1), f.aCase(f.tenant, 2)
		f.insertContacts(c)
		f.insert(one, two)
		insured, claimant := event.CaseContact{ContactID: c.ID, Role: "insured"}, event.CaseContact{ContactID: c.ID, Role: "claimant"}
		f.link(f.tenant, one.ID, insured)
		f.link(f.tenant, one.ID, claimant)
		two, _ = f.link(f.tenant, two.ID, insured)
		c.Version = 1
		f.update(func(tx *store.Tx) error {
			last, err := tx.DeleteContact(f.t.Context(), c)
			f.equal(last, int64(2))
			return err
		})
		kept := func() int {
			return len(must[map[int64]cases.Contact](f)(f.store.ContactsByID(f.t.Context(), f.tenant, []int64{c.ID})))
		}
		unlink := func(id int64, link event.CaseContact) {
			f.update(func(tx *store.Tx) error {
				_, _, err := tx.UnlinkContact(f.t.Context(), f.tenant, id, link, once)
				return err
			})
		}
		_, err := f.store.Contact(f.t.Context(), f.tenant, c.ID)
		f.wantFault(err, fault.NotFound, "contact.not_found")
		f.equal([]int{f.foundContacts(f.tenant, "ada"), kept()}, []int{0, 1})
		f.refused(fault.NotFound, "contact.not_found", func(tx *store.Tx) error {
			_, _, err := tx.LinkContact(f.t.Context(), f.tenant, two.ID, claimant, once)
			return err
		})
		unlink(one.ID, insured)
		unlink(one.ID, claimant)
		f.equal(kept(), 1)
		f.update(func(tx *store.Tx) error { _, err := tx.DeleteCase(f.t.Context(), two); return err })
		f.equal(kept(), 0)
	},
	"a search for contacts takes every character for what it is": func(f *fixture) {
		c := f.aContact(f.tenant, 1)
		c.ContactDetails = event.ContactDetails{
			Title: "Dr", FirstName: `Zoë%`, MiddleName: "_Q", LastName: `O'Neil\ß`, BusinessName: "ÄRGER & Söhne", Email: "Zoe.O_Neil@Example.org",
			MobilePhone: "+44 (7700) 900-123", HomePhone: "020 7946 0018", City: "Reykjavík",
		}
		f.insertContacts(c, f.aContact(f.tenant, 2))
		for text, found := range map[string]bool{
			"zoë": true, "ZOË%": true, "zoë% _q o'neil": true, `zoë% o'neil`: true, `neil\ß`: true, `neil\\ß`: false, "zoëx": false, "%_": false,
			"o'neil": true, "ärger & s": true, "zoe.o_neil@": true, "zoe.oxneil@": false, "dr zoë": true,
			"+44 (7700) 900-123": true, "447700900123": true, "7700 900 123": true, "+44-7700": true, "0018020": false, "0207946": true, "79460019": false,
			"reykjav": false, "44": true, "'; drop table contacts; --": false, "zoë%\n": false, "  ": false,
		} {
			if got := f.foundContacts(f.tenant, text) == 1; got != found {
				f.t.Errorf("%q finds it: %t", text, got)
			}
		}
		_, err := f.store.Contacts(f.t.Context(), f.tenant, store.ContactFilter{Text: strings.Repeat("x", 60_000), Limit: 9})
		f.wantFault(err, fault.Invalid, "search.too_long")
		_, err = f.store.Contacts(f.t.Context(), f.tenant, store.ContactFilter{Text: "a\x00", Limit: 9})
		f.wantFault(err, fault.Invalid, "store.text_invalid")
	},
	"a search finds a contact in every spelling of its name": func(f *fixture) {
		for i, spellings := range spellings {
			c := f.aContact(f.tenant, int64(i))
			c.LastName = spellings[0]
			f.insertContacts(c)
			for _, text := range spellings {
				if n := f.foundContacts(f.tenant, text); n != 1 {
					f.t.Errorf("%+q finds %d contacts named %+q", text, n, spellings[0])
				}
			}
		}
	},
	"a search for contacts follows an update": func(f *fixture) {
		c := f.aContact(f.tenant, 1)
		f.insertContacts(c)
		c.LastName = "Byron"
		f.update(func(tx *store.Tx) error { _, err := tx.UpdateContact(f.t.Context(), c); return err })
		f.equal([]int{f.foundContacts(f.tenant, "lovelace"), f.foundContacts(f.tenant, "ada byron")}, []int{0, 1})
	},
	"pages of contacts meet without gap or overlap, whatever was created at the same time": func(f *fixture) {
		var want []int64
		for i := range int64(25) {
			c := f.aContact(f.tenant, i)
			c.CreatedAt = start.Add(time.Duration(i/7) * time.Microsecond)
			f.insertContacts(c)
			want = append(want, c.ID)
		}
		slices.Reverse(want)
		for _, limit := range []int{1, 4, 7, 25, 100} {
			var got []int64
			filter := store.ContactFilter{Text: "LOVE", Limit: limit}
			for {
				page := items[cases.Contact](f)(f.store.Contacts(f.t.Context(), f.tenant, filter))
				for _, c := range page {
					got = append(got, c.ID)
					filter.After = store.Position{CreatedAt: c.CreatedAt, ID: c.ID}
				}
				if len(page) < limit {
					break
				}
			}
			f.equal(got, want)
		}
	},
	"links are on the case and found by contact, once each": func(f *fixture) {
		c, d, k, m := f.aContact(f.tenant, 1), f.aContact(f.tenant, 2), f.aCase(f.tenant, 1), f.aCase(f.tenant, 2)
		f.insertContacts(c, d)
		f.insert(k, m)
		as := func(c cases.Contact, role string) event.CaseContact {
			return event.CaseContact{ContactID: c.ID, Role: role}
		}
		for i, l := range []event.CaseContact{as(d, "insured"), as(c, "insured"), as(c, "claimant")} {
			got, changed := f.link(f.tenant, k.ID, l)
			f.equal([]any{changed, got.Version, got.Revision}, []any{true, int64(i + 2), int64(1)})
		}
		got, changed := f.link(f.tenant, k.ID, as(c, "insured"))
		f.equal([]any{changed, got.Version}, []any{false, int64(4)})
		f.equal(got.Contacts, []event.CaseContact{as(c, "claimant"), as(c, "insured"), as(d, "insured")})
		f.equal(must[cases.Case](f)(f.store.Case(f.t.Context(), f.tenant, k.ID)), got)
		f.link(f.tenant, m.ID, as(c, "insured"))
		links := must[[]store.Link](f)
		f.equal(links(f.store.Links(f.t.Context(), f.tenant, store.LinkFilter{
			Contact: c.ID, Clearance: casetype.Restricted, Limit: 9,
		})), []store.Link{
			{CaseID: k.ID, Role: "claimant"},
			{CaseID: k.ID, Role: "insured"},
			{CaseID: m.ID, Role: "insured"},
		})
		f.equal(links(f.store.Links(f.t.Context(), f.tenant, store.LinkFilter{
			Contact: c.ID, After: store.Link{CaseID: k.ID, Role: "claimant"}, Clearance: casetype.Restricted, Limit: 1,
		})), []store.Link{{CaseID: k.ID, Role: "insured"}})
		unlink := func(id int64, l event.CaseContact) (got cases.Case, changed bool) {
			f.update(func(tx *store.Tx) (err error) {
				got, changed, err = tx.UnlinkContact(f.t.Context(), f.tenant, id, l, once)
				return err
			})
			return got, changed
		}
		got, changed = unlink(k.ID, as(c, "insured"))
		f.equal([]any{changed, got.Version, got.Contacts}, []any{true, int64(5), []event.CaseContact{as(c, "claimant"), as(d, "insured")}})
		got, changed = unlink(k.ID, as(c, "insured"))
		f.equal([]any{changed, got.Version}, []any{false, int64(5)})
		f.equal(len(links(f.store.Links(f.t.Context(), f.tenant, store.LinkFilter{
			Contact: c.ID, Clearance: casetype.Restricted, Limit: 9,
		}))), 2)
		got.Name = "Renamed" // an update keeps them, and shows them
		f.update(func(tx *store.Tx) error {
			stale := got
			stale.Contacts = nil
			saved, err := tx.UpdateCase(f.t.Context(), stale, aType())
			f.equal(saved.Contacts, got.Contacts)
			return err
		})
		f.update(func(tx *store.Tx) error {
			current, err := tx.Case(f.t.Context(), f.tenant, k.ID)
			if err == nil {
				_, err = tx.DeleteCase(f.t.Context(), current)
			}
			return err
		})
		f.equal(links(f.store.Links(f.t.Context(), f.tenant, store.LinkFilter{
			Contact: c.ID, Clearance: casetype.Restricted, Limit: 9,
		})), []store.Link{{CaseID: m.ID, Role: "insured"}})
		f.equal(links(f.store.Links(f.t.Context(), f.tenant, store.LinkFilter{
			Contact: d.ID, Clearance: casetype.Restricted, Limit: 9,
		})), []store.Link(nil))
	},
	"of links made at once none is lost": func(f *fixture) {
		k := f.aCase(f.tenant, 1)
		f.insert(k)
		var wg sync.WaitGroup
		for i := range int64(10) {
			c := f.aContact(f.tenant, i)
			f.insertContacts(c)
			wg.Go(func() {
				err := f.store.Update(f.t.Context(), func(tx *store.Tx) error {
					_, _, err := tx.LinkContact(f.t.Context(), f.tenant, k.ID, event.CaseContact{ContactID: c.ID, Role: fmt.Sprint("role-", i)}, once)
					return err
				})
				if err != nil {
					f.t.Error(err)
				}
			})
		}
		wg.Wait()
		got := must[cases.Case](f)(f.store.Case(f.t.Context(), f.tenant, k.ID))
		f.equal([]any{len(got.Contacts), got.Version}, []any{10, int64(11)})
	},
	"a contact that is linked can't be deleted, nor one that is being linked": func(f *fixture) {
		c, k := f.aContact(f.tenant, 1), f.aCase(f.tenant, 1)
		f.insertContacts(c)
		f.insert(k)
		var linked, deleted error
		var wg sync.WaitGroup
		wg.Go(func() {
			linked = f.store.Update(f.t.Context(), func(tx *store.Tx) error {
				_, _, err := tx.LinkContact(f.t.Context(), f.tenant, k.ID, event.CaseContact{ContactID: c.ID, Role: "insured"}, once)
				return err
			})
		})
		wg.Go(func() {
			deleted = f.store.Update(f.t.Context(), func(tx *store.Tx) error {
				if _, err := tx.LockContact(f.t.Context(), f.tenant, c.ID); err != nil {
					return err
				}
				links, err := tx.Links(f.t.Context(), f.tenant, store.LinkFilter{
					Contact: c.ID, Clearance: casetype.Restricted, Limit: 1,
				})
				if err != nil || len(links) > 0 {
					return errGivenUp
				}
				_, err = tx.DeleteContact(f.t.Context(), c)
				return err
			})
		})
		wg.Wait()
		if (linked == nil) == (deleted == nil) {
			f.t.Errorf("linked: %v, deleted: %v", linked, deleted)
		}
	},
	"a case has so many contacts and no more": func(f *fixture) {
		c, k := f.aContact(f.tenant, 1), f.aCase(f.tenant, 1)
		f.insertContacts(c)
		f.insert(k)
		for i := range 200 {
			f.link(f.tenant, k.ID, event.CaseContact{ContactID: c.ID, Role: fmt.Sprint("r", i)})
		}
		f.refused(fault.Conflict, "case.too_many_contacts", func(tx *store.Tx) error {
			_, _, err := tx.LinkContact(f.t.Context(), f.tenant, k.ID, event.CaseContact{ContactID: c.ID, Role: "one-more"}, once)
			return err
		})
	},
}
