package casework_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/store"
)

var adaLovelace = event.ContactDetails{FirstName: " Ada ", LastName: "Lovelace", Email: "ada@example.com"}

func (w *world) contact(p access.Principal, d event.ContactDetails) cases.Contact {
	w.t.Helper()
	c, err := w.contacts.CreateContact(w.t.Context(), p, d, authz.Once{})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// contactEntries returns a contact's entries, oldest first.
func (w *world) contactEntries(p access.Principal, contact int64) []*event.Entry {
	w.t.Helper()
	entries, err := items(w.contacts.ContactHistory(w.t.Context(), p, contact, 0, 100))
	if err != nil {
		w.t.Fatal(err)
	}
	for i, j := 0, len(entries)-1; i < j; i, j = i+1, j-1 {
		entries[i], entries[j] = entries[j], entries[i]
	}
	return entries
}

func (w *world) link(caseID, contact int64, role string) casework.View {
	w.t.Helper()
	v, err := w.contacts.LinkContact(w.t.Context(), w.p, caseID, contact, role)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

func TestChangesOfAContactAreInTheJournal(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.contact(w.p, adaLovelace)
		if !id.ValidContact(c.ID) || c.FirstName != "Ada" || c.Version != 1 {
			t.Errorf("created: %+v", c)
		}
		marry := func(d *event.ContactDetails) { d.LastName, d.Email = "King", "" }
		changed, err := w.contacts.UpdateContact(ctx, w.p, c.ID, casework.Revisions{1}, marry)
		if err != nil || changed.Version != 2 || changed.LastName != "King" {
			t.Errorf("changed: %+v, %v", changed, err)
		}
		for _, version := range []casework.Revisions{nil, {2}} { // changes nothing
			if again, err := w.contacts.UpdateContact(ctx, w.p, c.ID, version, marry); err != nil ||
				cmp.Diff(changed, again) != "" {
				t.Errorf("again: %+v, %v", again, err)
			}
		}
		_, err = w.contacts.UpdateContact(ctx, w.p, c.ID, casework.Revisions{1}, marry)
		wantFault(t, err, fault.Conflict, "contact.version_conflict")
		_, err = w.contacts.UpdateContact(ctx, w.p, c.ID, casework.Revisions{2},
			func(d *event.ContactDetails) { d.FirstName, d.CountryCode = " ", "uk" })
		wantFields(t, wantFault(t, err, fault.Unprocessable, "contact.invalid"), "/first_name", "/country_code")
		wantFault(t, w.contacts.DeleteContact(ctx, w.p, c.ID, casework.Revisions{1}, false), fault.Conflict,
			"contact.version_conflict")
		if err := w.contacts.DeleteContact(ctx, w.p, c.ID, casework.Revisions{2}, false); err != nil {
			t.Fatal(err)
		}
		_, err = w.contacts.Contact(ctx, w.p, c.ID)
		wantFault(t, err, fault.NotFound, "contact.not_found")

		entries := w.contactEntries(w.p, c.ID)
		var facts []string
		for i, e := range entries {
			facts = append(facts, e.Facts[0].Name)
			type content struct {
				Subject         string
				Version, Stored int64
				Facts           int
				Case            *event.Case
				Actor           event.Actor
			}
			want := content{event.ContactSubject(c.ID), int64(i + 1), int64(i + 1), 1, nil, w.p.Actor}
			got := content{e.Subject, e.Version, e.Snapshot.Contact.Version, len(e.Facts), e.Snapshot.Case, e.Actor}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("entry %d: %s", i, diff)
			}
		}
		if diff := cmp.Diff([]string{"contact.created", "contact.updated", "contact.deleted"}, facts); diff != "" {
			t.Fatal(diff)
		}
		changes, err := event.ContactUpdated.Decode(entries[1].Facts[0])
		want := []event.Change{
			{Path: "last_name", Before: []byte(`"Lovelace"`), After: []byte(`"King"`)},
			{Path: "email", Before: []byte(`"ada@example.com"`), After: []byte(`null`)},
		}
		if diff := cmp.Diff(want, changes.Changes); err != nil || diff != "" {
			t.Error(err, diff)
		}
		if last := entries[2].Snapshot.Contact; last.LastName != "King" {
			t.Errorf("the last of it is %+v", last)
		}
	})
}

func TestARefusedContactIsNotSaved(t *testing.T) {
	w := start(t)
	_, err := w.contacts.CreateContact(t.Context(), w.p, event.ContactDetails{Email: "nobody"}, authz.Once{})
	wantFields(t, wantFault(t, err, fault.Unprocessable, "contact.invalid"), "/first_name", "/last_name", "/email")
	if all, err := items(w.contacts.Contacts(t.Context(), w.p, store.ContactFilter{})); err != nil || len(all) != 0 {
		t.Errorf("%v, %v", all, err)
	}
}

func TestTheCreationOfAContactHappensOnce(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		var wait sync.WaitGroup
		results := make(chan error, 4)
		for range 4 {
			wait.Go(func() {
				_, err := w.contacts.CreateContact(t.Context(), w.p, adaLovelace, once(access.CreateContact, "k", "r"))
				results <- err
			})
		}
		wait.Wait()
		made := 0
		for range 4 {
			if err := <-results; err == nil {
				made++
			} else {
				replayed(t, err)
			}
		}
		if all, err := items(w.contacts.Contacts(t.Context(), w.p, store.ContactFilter{})); made != 1 ||
			len(all) != 1 || err != nil {
			t.Errorf("made %d times: %d contacts, %v", made, len(all), err)
		}
	})
}

func TestALinkIsAFactOfTheCase(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.put(w.p, loan("loan", ""))
		v, c := w.open("loan"), w.contact(w.p, adaLovelace)
		linked := w.link(v.ID, c.ID, "guarantor")
		if linked.Version != 2 || linked.Revision != 1 {
			t.Errorf("linked: %+v", linked.Case)
		}
		if got := w.facts(v.ID); got != "contact_linked" {
			t.Errorf("facts %q", got)
		}
		if again := w.link(v.ID, c.ID, "guarantor"); again.Version != 2 || len(w.history(v.ID)) != 2 {
			t.Errorf("linked again: %+v", again.Case)
		}
		w.link(v.ID, c.ID, "applicant")
		want := []event.CaseContact{{ContactID: c.ID, Role: "applicant"}, {ContactID: c.ID, Role: "guarantor"}}
		last := w.history(v.ID)[2]
		if diff := cmp.Diff(want, last.Snapshot.Case.Contacts); diff != "" || last.Version != 3 {
			t.Errorf("version %d: %s", last.Version, diff)
		}
		if fact, err := event.CaseContactLinked.Decode(last.Facts[0]); err != nil || fact != want[0] {
			t.Errorf("fact %+v, %v", fact, err)
		}
		// a link is not content
		v = w.submit(casework.Submission{
			CaseID: v.ID, Edit: true, Data: object(`{"amount":11}`), IfRevision: casework.Revisions{1},
		})
		if diff := cmp.Diff(want, v.Contacts); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(want, w.history(v.ID)[3].Snapshot.Case.Contacts); diff != "" {
			t.Error(diff)
		}
		all, err := w.contacts.CaseContacts(ctx, w.p, v.ID)
		if err != nil || len(all) != 2 || all[0].Role != "applicant" || all[1].Contact.FirstName != "Ada" {
			t.Errorf("%+v, %v", all, err)
		}
		for range 2 { // the second time it changes nothing
			if v, err = w.contacts.UnlinkContact(ctx, w.p, v.ID, c.ID, "applicant"); err != nil || v.Version != 5 {
				t.Errorf("%+v, %v", v.Case, err)
			}
		}
		if w.facts(v.ID) != "contact_unlinked" || len(w.history(v.ID)) != 5 {
			t.Errorf("%s, %d entries", w.facts(v.ID), len(w.history(v.ID)))
		}
		if err := w.cases.DeleteCase(ctx, w.p, casework.Deletion{CaseID: v.ID}); err != nil {
			t.Fatal(err)
		}
		if last := w.history(v.ID)[5]; len(last.Snapshot.Case.Contacts) != 1 {
			t.Errorf("the last of it has the contacts %v", last.Snapshot.Case.Contacts)
		}
		if err := w.contacts.DeleteContact(ctx, w.p, c.ID, nil, false); err != nil {
			t.Errorf("a deleted case holds on to its contacts: %v", err)
		}
	})
}

func TestLinksThatCannotBe(t *testing.T) {
	w := start(t)
	w.put(w.p, loan("loan", ""))
	v, c := w.open("loan"), w.contact(w.p, adaLovelace)
	for role, code := range map[string]string{
		"": "contact.role_invalid", "Applicant": "contact.role_invalid", "a b": "contact.role_invalid",
		strings.Repeat("a", 51): "contact.role_invalid",
	} {
		_, err := w.contacts.LinkContact(t.Context(), w.p, v.ID, c.ID, role)
		wantFault(t, err, fault.Unprocessable, code)
	}
	_, err := w.contacts.LinkContact(t.Context(), w.p, v.ID, c.ID+1, "x")
	wantFault(t, err, fault.NotFound, "contact.not_found")
	_, err = w.contacts.LinkContact(t.Context(), w.p, v.ID+1, c.ID, "x")
	wantFault(t, err, fault.NotFound, "case.not_found")
	_, err = w.contacts.UnlinkContact(t.Context(), w.p, v.ID+1, c.ID, "x")
	wantFault(t, err, fault.NotFound, "case.not_found")
	_, err = w.contacts.CaseContacts(t.Context(), w.p, v.ID+1)
	wantFault(t, err, fault.NotFound, "case.not_found")
	_, err = w.contacts.ContactCases(t.Context(), w.p, c.ID+1, store.Link{}, 1)
	wantFault(t, err, fault.NotFound, "contact.not_found")
	if n := len(w.history(v.ID)); n != 1 {
		t.Errorf("%d entries", n)
	}
}

func TestALinkedContactIsDeletedWithItsLinksOrNotAtAll(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, loan("loan", ""))
		a, b, c, other := w.open("loan"), w.open("loan"), w.contact(w.p, adaLovelace), w.contact(w.p, adaLovelace)
		w.link(a.ID, c.ID, "applicant")
		w.link(a.ID, c.ID, "guarantor")
		w.link(a.ID, other.ID, "guarantor")
		w.link(b.ID, c.ID, "applicant")
		wantFault(t, w.contacts.DeleteContact(t.Context(), w.p, c.ID, nil, false), fault.Conflict, "contact.linked")
		if all, err := w.contacts.ContactCases(t.Context(), w.p, c.ID, store.Link{}, 10); err != nil || len(all) != 3 {
			t.Errorf("%v, %v", all, err)
		}
		if err := w.contacts.DeleteContact(t.Context(), w.p, c.ID, casework.Revisions{1}, true); err != nil {
			t.Fatal(err)
		}
		v := w.load(a.ID)
		got := cases.Case{Version: v.Version, Contacts: v.Contacts}
		want := cases.Case{Version: 6, Contacts: []event.CaseContact{{ContactID: other.ID, Role: "guarantor"}}}
		if diff := cmp.Diff(want, got); diff != "" || w.facts(a.ID) != "contact_unlinked" {
			t.Errorf("%s: %s", w.facts(a.ID), diff)
		}
		if v := w.load(b.ID); v.Version != 3 || len(v.Contacts) != 0 {
			t.Errorf("%+v", v.Case)
		}
		if entries := w.contactEntries(w.p, c.ID); len(entries) != 2 || !event.ContactDeleted.Is(entries[1].Facts[0]) ||
			entries[1].Version != 2 {
			t.Errorf("%d entries", len(entries))
		}
	})
}

// Another tenant tries everything about a contact, and finds none of it.
func TestContactsAreTheirTenantsAlone(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx, q := t.Context(), w.tenant("second")
		w.put(w.p, loan("loan", ""))
		v, c := w.open("loan"), w.contact(w.p, adaLovelace)
		w.link(v.ID, c.ID, "applicant")
		theirs := w.contact(q, adaLovelace)
		drop := func(_ any, err error) error { return err }
		for name, err := range map[string]error{
			"Contact":              drop(w.contacts.Contact(ctx, q, c.ID)),
			"UpdateContact":        drop(w.contacts.UpdateContact(ctx, q, c.ID, nil, func(d *event.ContactDetails) { d.FirstName = "x" })),
			"DeleteContact":        w.contacts.DeleteContact(ctx, q, c.ID, nil, true),
			"ContactHistory":       drop(w.contacts.ContactHistory(ctx, q, c.ID, 0, 9)),
			"ContactCases":         drop(w.contacts.ContactCases(ctx, q, c.ID, store.Link{}, 9)),
			"CaseContacts":         drop(w.contacts.CaseContacts(ctx, q, v.ID)),
			"LinkContact":          drop(w.contacts.LinkContact(ctx, q, v.ID, theirs.ID, "x")),
			"UnlinkContact":        drop(w.contacts.UnlinkContact(ctx, q, v.ID, c.ID, "applicant")),
			"LinkContact of mine":  drop(w.contacts.LinkContact(ctx, w.p, v.ID, theirs.ID, "x")),
			"Contact, the reverse": drop(w.contacts.Contact(ctx, w.p, theirs.ID)),
		} {
			if !errors.Is(err, fault.NotFound) {
				t.Errorf("%s: %v, want not found", name, err)
			}
		}
		if all, err := items(w.contacts.Contacts(ctx, q, store.ContactFilter{Text: "ada"})); err != nil ||
			len(all) != 1 || all[0].ID != theirs.ID {
			t.Errorf("%+v, %v", all, err)
		}
		if got, err := w.contacts.Contact(ctx, w.p, c.ID); err != nil || cmp.Diff(c, got) != "" ||
			len(w.load(v.ID).Contacts) != 1 || len(w.history(v.ID)) != 2 {
			t.Errorf("another tenant changed something: %+v, %v", got, err)
		}
	})
}
