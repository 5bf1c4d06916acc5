package wire_test

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/wire"
)

// cloudMessages returns the CloudEvents of an entry.
func cloudMessages(e *event.Entry, clearance casetype.Classification) []wire.Message {
	return slices.DeleteFunc(wire.Messages(e, "0.1.0", clearance), func(m wire.Message) bool {
		return m.Format != wire.CloudEvents.Name
	})
}

// cloudEntry returns an entry about a case, a contact or an endpoint, with a fact.
func cloudEntry(fact event.Fact) *event.Entry {
	switch {
	case strings.HasPrefix(fact.Name, "contact."):
		e := contactEntry(event.Actor{Source: event.API, Name: "CRM"},
			event.ContactDetails{FirstName: "Ada", LastName: "Meier <&>"})
		e.Facts = []event.Fact{fact}
		return e
	case strings.HasPrefix(fact.Name, "endpoint."):
		return endpointEntry(fact)
	}
	e := caseEntry(fact)
	c := e.Snapshot.Case
	c.Classification, c.Labels = "PUBLIC", []string{"fast_track"}
	c.Contacts = []event.CaseContact{{ContactID: 4556737586899855, Role: "client"}}
	c.Assignee = &event.Person{UserID: 17, Name: "Grace Hopper"}
	c.CreatedAt = e.At.AddDate(0, 0, -12)
	return e
}

func TestEveryFactIsACloudEventThatMatchesItsVector(t *testing.T) {
	var facts []string
	for _, trigger := range wire.CloudEvents.Triggers {
		fact := wire.Sample(trigger.Name).Facts[0]
		facts = append(facts, fact.Name)
		messages := cloudMessages(cloudEntry(fact), casetype.Restricted)
		if len(messages) != 1 || messages[0].Trigger != trigger.Name {
			t.Fatalf("%s has the messages %+v", fact.Name, messages)
		}
		golden(t, "cloudevents_"+strings.ReplaceAll(fact.Name, ".", "_"), request(t, messages[0]))
	}
	if diff := cmp.Diff(event.Names(), facts); diff != "" {
		t.Errorf("the facts of CloudEvents (-all +published): %s", diff)
	}
}

// The rules are those of CloudEvents 1.0.2 for attributes, and of its JSON format for members.
func TestCloudEventsKeepTheRulesOfTheSpecification(t *testing.T) {
	attribute := regexp.MustCompile(`^[a-z0-9]{1,20}$`)
	ids := map[string]bool{}
	for _, trigger := range wire.CloudEvents.Triggers {
		m := cloudMessages(cloudEntry(wire.Sample(trigger.Name).Facts[0]), casetype.Restricted)[0]
		var members map[string]json.RawMessage
		if err := json.Unmarshal(m.Body, &members); err != nil {
			t.Fatal(err)
		}
		text := func(name string) (value string) {
			if json.Unmarshal(members[name], &value) != nil || value == "" {
				t.Errorf("%s: %s is %s, and no text", trigger.Name, name, members[name])
			}
			return value
		}
		for name := range members {
			if !attribute.MatchString(name) {
				t.Errorf("%s: %s is no name of an attribute", trigger.Name, name)
			}
		}
		want := [...]string{"1.0", trigger.Name, m.ID, "application/json"}
		got := [...]string{text("specversion"), text("type"), text("id"), text("datacontenttype")}
		if got != want {
			t.Errorf("%s: %v", trigger.Name, got)
		}
		if _, err := url.Parse(text("source")); err != nil {
			t.Errorf("%s: the source: %v", trigger.Name, err)
		}
		if at, err := time.Parse(time.RFC3339, text("time")); err != nil || !at.Equal(m.At.Truncate(time.Millisecond)) {
			t.Errorf("%s: the time: %s, %v", trigger.Name, at, err)
		}
		if !strings.HasPrefix(string(members["data"]), "{") {
			t.Errorf("%s: the data: %s", trigger.Name, m.Body)
		}
		if text("subject"); ids[m.ID] {
			t.Errorf("%s: the id %s is another event's", trigger.Name, m.ID)
		}
		ids[m.ID] = true
		if got := m.Header[0]; got != (wire.Header{
			Name: "Content-Type", Value: "application/cloudevents+json; charset=UTF-8",
		}) {
			t.Errorf("%s: %v", trigger.Name, got)
		}
	}
}

// A clearance hides cases, fields, names and facts as in every format; fields that roles read are hidden from all.
func TestCloudEventsShowWhatTheClearanceSees(t *testing.T) {
	change := event.CaseChanged.New(event.Changes{Changes: []event.Change{
		{Path: "data/client", Before: []byte(`"Acme"`), After: []byte(`"Acme Corp"`)},
		{Path: "data/salary", Before: []byte(`1`), After: []byte(`"secret"`), Class: "PRIVATE"},
	}})
	change.Class = "PRIVATE"
	e := cloudEntry(change)
	e.Snapshot.Case.Name, e.Snapshot.Case.NameClass = "secret", "PRIVATE"
	low, high := cloudMessages(e, casetype.Public)[0], cloudMessages(e, casetype.Private)[0]
	if body := string(low.Body); strings.Contains(body, "secret") || !strings.Contains(body, "data/client") ||
		strings.Contains(body, "salary") || !strings.Contains(body, `"name":"KYC-0042"`) {
		t.Errorf("%s", body)
	}
	if body := string(high.Body); strings.Count(body, "secret") != 2 || low.ID != high.ID {
		t.Errorf("%s, %s: %s", low.ID, high.ID, body)
	}
	label := event.CaseLabelAdded.New(event.Label{Slug: "secret"})
	label.Class = "RESTRICTED"
	sealed := cloudEntry(event.CaseCreated.New(event.Creation{}))
	sealed.Snapshot.Case.Classification = "RESTRICTED"
	failing := endpointEntry(event.EndpointFailing.New(event.NoDetails{}))
	for _, e := range []*event.Entry{cloudEntry(label), sealed, failing} {
		for _, m := range cloudMessages(e, casetype.Public) {
			if !m.Hidden || m.Body != nil || m.Header != nil {
				t.Errorf("%+v", m)
			}
		}
	}
}

// An optional format moves no message of another one, since places are kept.
func TestOptionalMessagesFollowAllOthers(t *testing.T) {
	e := claimEntry(event.CaseCreated.New(event.Creation{}), event.CaseStateChanged.New(event.StateChange{To: "filed"}))
	all, without := wire.Messages(e, "0.1.0", casetype.Restricted), vendorMessages(e, "0.1.0", casetype.Restricted)
	if diff := cmp.Diff(without, all[:len(without)]); diff != "" || len(all) != len(without)+2 {
		t.Errorf("%d and %d messages: %s", len(all), len(without), diff)
	}
	var triggers []string
	for _, m := range all {
		triggers = append(triggers, m.Trigger)
	}
	if diff := cmp.Diff(triggers, wire.TriggersOf(e)); diff != "" {
		t.Error(diff)
	}
}

func TestACloudEventNeedsItsSubject(t *testing.T) {
	for _, trigger := range wire.CloudEvents.Triggers {
		e := cloudEntry(wire.Sample(trigger.Name).Facts[0])
		e.Snapshot = event.Snapshot{}
		if m := cloudMessages(e, casetype.Restricted)[0]; m.Err == nil || m.Body != nil {
			t.Errorf("%s: %+v", trigger.Name, m)
		}
	}
	e := cloudEntry(event.Fact{Name: event.CaseStateChanged.Name, Data: []byte(`{"to":1}`)})
	if m := cloudMessages(e, casetype.Restricted)[0]; m.Err == nil || m.Body != nil {
		t.Errorf("%+v", m)
	}
}
