package wire_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/wire"
)

// caseEntry returns a journal entry about a case, with these facts.
func caseEntry(facts ...event.Fact) *event.Entry {
	return &event.Entry{
		ID: 1001, Seq: 900, Tenant: 1, Subject: event.CaseSubject(4539148803436467), Version: 7,
		At:    time.Date(2026, 3, 14, 15, 9, 26, 535897000, time.UTC),
		Actor: event.Actor{Source: event.UI, Name: "Jane Doe", UserID: 7},
		Facts: facts,
		Snapshot: event.Snapshot{Case: &event.Case{
			ID: 4539148803436467, Reference: "KYC-0042", Name: "Acme Corp", Version: 7,
			URL: "https://cases.example.com/cases/4539148803436467", Color: "green",
			OutcomeInstance: 17, ProcessKey: "kyc_process", Type: "kyc", TypeVersion: 1, Kind: "case",
			State: "approved", Data: []byte(`{"client":"Acme Corp"}`),
		}},
	}
}

// vendorMessages returns an entry's messages without those of optional formats, which report the same again.
func vendorMessages(e *event.Entry, version string, clearance casetype.Classification) []wire.Message {
	return wire.View{Clearance: clearance}.Messages(e, version)
}

// only returns the single message of an entry, optional formats aside.
func only(t *testing.T, e *event.Entry) wire.Message {
	t.Helper()
	messages := vendorMessages(e, "0.1.0", casetype.Restricted)
	if len(messages) != 1 {
		t.Fatalf("%d messages, want 1: %v", len(messages), messages)
	}
	return messages[0]
}

// request formats a message as a receiver gets it: headers, an empty line, the body.
func request(t *testing.T, m wire.Message) []byte {
	t.Helper()
	if m.Err != nil {
		t.Fatal(m.Err)
	}
	var b strings.Builder
	for _, h := range append([]wire.Header{{Name: "webhook-id", Value: m.ID}}, m.Header...) {
		b.WriteString(h.Name + ": " + h.Value + "\n")
	}
	b.WriteString("\n")
	b.Write(m.Body)
	return []byte(b.String())
}

func TestMessagesOfOneCommitFollowItsFacts(t *testing.T) {
	e := caseEntry(
		event.CaseCreated.New(event.Creation{Transition: "open"}),
		event.CaseChanged.New(event.Changes{}),
		event.CaseStateChanged.New(event.StateChange{To: "approved"}),
		event.CaseApproved.New(event.NoDetails{}),
		event.CaseFinished.New(event.NoDetails{}),
	)
	var got []string
	for i, m := range vendorMessages(e, "0.1.0", casetype.Restricted) {
		got = append(got, m.Trigger)
		if m.Fact != i {
			t.Errorf("%s is about fact %d, want %d", m.Trigger, m.Fact, i)
		}
	}
	want := []string{"case_created", "case_changed", "case_state_changed", "case_approved", "case_finished"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestACommitWithoutFactsHasNoMessages(t *testing.T) {
	if messages := vendorMessages(caseEntry(), "0.1.0", casetype.Restricted); len(messages) != 0 {
		t.Errorf("messages: %v", messages)
	}
	if messages := vendorMessages(caseEntry(event.Fact{Name: "moon.rose"}), "0.1.0",
		casetype.Restricted); len(messages) != 0 {
		t.Errorf("messages of a fact that no format knows: %v", messages)
	}
}

func TestMessageIDsAreStableAndDifferPerFactAndTrigger(t *testing.T) {
	facts := []event.Fact{
		event.CaseProofsUploaded.New(event.Proofs{Keys: []string{"passport"}}),
		event.CaseProofsUploaded.New(event.Proofs{Keys: []string{"utility_bill"}}),
		event.CaseCommented.New(event.Comment{ID: "cmt_1"}),
	}
	first := vendorMessages(caseEntry(facts...), "0.1.0", casetype.Restricted)
	again := vendorMessages(caseEntry(facts...), "0.2.0", casetype.Restricted)
	seen := map[string]bool{}
	for i, m := range first {
		if m.ID != again[i].ID {
			t.Errorf("%s got the ids %s and %s", m.Trigger, m.ID, again[i].ID)
		}
		if seen[m.ID] {
			t.Errorf("two messages have the id %s", m.ID)
		}
		seen[m.ID] = true
		if strings.Contains(m.ID, ".") {
			t.Errorf("the id %s has a full stop in it", m.ID)
		}
	}
	if len(seen) != len(facts) {
		t.Errorf("%d ids for %d facts", len(seen), len(facts))
	}
}

func TestAMessageWithoutABodyHasAnError(t *testing.T) {
	noCase := caseEntry(event.CaseCreated.New(event.Creation{}))
	noCase.Snapshot.Case = nil
	entries := map[string]*event.Entry{
		"no case in the entry":       noCase,
		"fact data of another shape": caseEntry(event.Fact{Name: "case.state_changed", Data: []byte(`{"to":1}`)}),
	}
	for name, e := range entries {
		m := only(t, e)
		if m.Err == nil || m.Body != nil {
			t.Errorf("%s: body %q, error %v; want an error alone", name, m.Body, m.Err)
		}
		if m.ID == "" || m.Trigger == "" {
			t.Errorf("%s: the message %+v can't be listed", name, m)
		}
	}
}

// unpublished are the facts that no vendor's format publishes, each with the reason.
var unpublished = map[string]string{
	"case.migrated":         "no event is published for it; other changes are",
	"case.contact_linked":   "no published event says it",
	"case.contact_unlinked": "no published event says it",
	"contact.updated":       "no published event says it",
	"contact.deleted":       "no published event says it",
}

// ofClaims are the facts that are published of claims alone.
var ofClaims = []string{
	event.CaseClosed.Name, event.CaseReopened.Name, event.CaseLabelAdded.Name, event.CaseLabelRemoved.Name,
	event.CaseAssigned.Name, event.CaseUnassigned.Name, event.CaseTypeSwitched.Name,
}

func TestEveryFactIsPublishedOrKnownNotToBe(t *testing.T) {
	for _, name := range event.Names() {
		messages := vendorMessages(caseEntry(event.Fact{Name: name}), "0.1.0", casetype.Restricted)
		var triggers []string
		for _, m := range messages {
			triggers = append(triggers, m.Trigger)
		}
		triggers = append(triggers, "com.casehook."+name) // all facts are CloudEvents
		if diff := cmp.Diff(triggers, wire.TriggersOf(caseEntry(event.Fact{Name: name}))); diff != "" {
			t.Errorf("the triggers of %s: %s", name, diff)
		}
		if slices.Contains(ofClaims, name) {
			if len(messages) != 0 {
				t.Errorf("%s has messages about a case that is not a claim", name)
			}
			messages = vendorMessages(claimEntry(event.Fact{Name: name}), "0.1.0", casetype.Restricted)
		}
		if _, ok := unpublished[name]; ok != (len(messages) == 0) {
			t.Errorf("%s has %d messages; listed as unpublished: %t", name, len(messages), ok)
		}
	}
}

func TestTheRegistryKnowsItsTriggers(t *testing.T) {
	var fromFormats []string
	for _, f := range wire.Formats() {
		if f.Name == "" || f.Description == "" {
			t.Errorf("a format has no name or description: %+v", f)
		}
		for _, trigger := range f.Triggers {
			fromFormats = append(fromFormats, trigger.Name)
		}
	}
	var all []string
	for _, trigger := range wire.Triggers() {
		all = append(all, trigger.Name)
		if !wire.Known(trigger.Name) || trigger.Description == "" {
			t.Errorf("%q is not known or not described", trigger.Name)
		}
	}
	if diff := cmp.Diff(fromFormats, all); diff != "" {
		t.Error(diff)
	}
	if sorted := slices.Compact(slices.Sorted(slices.Values(all))); len(sorted) != len(all) {
		t.Errorf("two triggers have one name: %v", all)
	}
	if wire.Known("case_exploded") || wire.Known("") {
		t.Error("an unknown trigger is known")
	}
}

func BenchmarkMessages(b *testing.B) {
	e := caseEntry(
		event.CaseChanged.New(event.Changes{Changes: []event.Change{{
			Path: "data/client", Before: []byte("null"), After: []byte(`"Acme"`),
		}}}),
		event.CaseStateChanged.New(event.StateChange{From: "in_review", To: "approved", Transition: "approve"}),
		event.CaseApproved.New(event.NoDetails{}),
	)
	b.ReportAllocs()
	for b.Loop() {
		if messages := vendorMessages(e, "0.1.0", casetype.Restricted); len(messages) != 3 {
			b.Fatal(len(messages))
		}
	}
}
