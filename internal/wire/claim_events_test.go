package wire_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/wire"
)

// claimEntry returns a journal entry about an open claim, with these facts.
func claimEntry(facts ...event.Fact) *event.Entry {
	e := caseEntry(facts...)
	e.Actor = event.Actor{Source: event.UI, Name: "John Smith", UserID: 2642, Address: "192.0.2.7"}
	opened := time.Date(2026, 3, 2, 8, 15, 0, 0, time.UTC)
	e.Snapshot.Case = &event.Case{
		ID:             4539148803436467,
		Reference:      "MTR-000042",
		Name:           "Ada Meier: glass",
		Version:        7,
		URL:            "https://cases.example.com/cases/4539148803436467",
		Type:           "motor_claim",
		TypeVersion:    2,
		Kind:           "claim",
		State:          "assessing",
		Labels:         []string{"fast_track", "glass"},
		Assignee:       &event.Person{UserID: 17, Name: "Grace Hopper"},
		OpenedAt:       opened,
		CreatedAt:      opened,
		AssignedAt:     opened.Add(time.Hour),
		LastActivityAt: e.At,
		LastActivityBy: 2642,
		Data:           []byte(`{"policy_no":"P-4711 <&>","claimant":{"role":"driver","last_name":"Meier","first_name":"Ada"},"estimated_claim_cost":64000,"z":1e3}`),
	}
	return e
}

// closedEntry is one about a claim that was closed after twelve days.
func closedEntry(facts ...event.Fact) *event.Entry {
	e := claimEntry(facts...)
	c := e.Snapshot.Case
	c.State, c.Final, c.ClosedAt, c.StatusChangedBy = "settled", true, e.At, 2642
	return e
}

// bareEntry is about a claim without labels, assignee and data.
func bareEntry(facts ...event.Fact) *event.Entry {
	e := claimEntry(facts...)
	c := e.Snapshot.Case
	c.Labels, c.Assignee, c.AssignedAt, c.Data = nil, nil, time.Time{}, []byte(`{}`)
	return e
}

// reopenedEntry is one about a claim that was just reopened.
func reopenedEntry(facts ...event.Fact) *event.Entry {
	e := claimEntry(facts...)
	e.Snapshot.Case.OpenedAt, e.Snapshot.Case.StatusChangedBy = e.At, 2642
	return e
}

// claimVectors has a vector for each claim event.
var claimVectors = []struct {
	trigger string
	entry   func(...event.Fact) *event.Entry
	fact    event.Fact
}{
	{"claim.created", bareEntry, event.CaseCreated.New(event.Creation{Transition: "report"})},
	{"claim.closed", closedEntry, event.CaseClosed.New(event.NoDetails{})},
	{"claim.reopened", reopenedEntry, event.CaseReopened.New(event.NoDetails{})},
	{"claim.label_added", claimEntry, event.CaseLabelAdded.New(event.Label{Slug: "glass"})},
	{"claim.label_removed", claimEntry, event.CaseLabelRemoved.New(event.Label{Slug: "theft"})},
	{"claim.assigned", claimEntry, event.CaseAssigned.New(event.Person{UserID: 17, Name: "Grace Hopper"})},
	{"claim.unassigned", bareEntry, event.CaseUnassigned.New(event.Person{UserID: 17, Name: "Grace Hopper"})},
	{"claim.switched_type", claimEntry, event.CaseTypeSwitched.New(event.TypeSwitch{From: "property_claim", To: "motor_claim"})},
	{"claim.label.added", claimEntry, event.CaseLabelAdded.New(event.Label{Slug: "glass"})},
	{"claim.label.removed", claimEntry, event.CaseLabelRemoved.New(event.Label{Slug: "theft"})},
	{"claim.deleted", closedEntry, event.CaseDeleted.New(event.NoDetails{})},
}

// messageOf returns an entry's message for one trigger.
func messageOf(t *testing.T, e *event.Entry, trigger string) wire.Message {
	t.Helper()
	for _, m := range vendorMessages(e, "0.1.0", casetype.Restricted) {
		if m.Trigger == trigger {
			return m
		}
	}
	t.Fatalf("there is no message for %s", trigger)
	return wire.Message{}
}

func TestClaimEventsMatchTheirVectors(t *testing.T) {
	for _, v := range claimVectors {
		for source, by := range map[event.Source]event.Actor{
			event.UI:  {Source: event.UI, Name: "John Smith", UserID: 2642},
			event.API: {Source: event.API, Name: "Mobile App API Token", TokenID: "tok_1"},
		} {
			name := strings.ReplaceAll(v.trigger, ".", "_") + "_" + string(source)
			if strings.HasPrefix(v.trigger, "claim.label.") {
				name = strings.Replace(name, "label_", "label_dot_", 1)
			}
			t.Run(name, func(t *testing.T) {
				e := v.entry(v.fact)
				e.Actor, e.Snapshot.Case.LastActivityBy = by, by.UserID
				golden(t, name, request(t, messageOf(t, e, v.trigger)))
			})
		}
	}
}

func TestEveryClaimEventHasAVector(t *testing.T) {
	var published, covered []string
	for _, trigger := range wire.ClaimEvents.Triggers {
		published = append(published, trigger.Name)
	}
	for _, v := range claimVectors {
		covered = append(covered, v.trigger)
	}
	if diff := cmp.Diff(published, covered); diff != "" {
		t.Error(diff)
	}
}

// The published examples have {...} for the claim.
func TestPerformedByIsAsInThePublishedExamples(t *testing.T) {
	for name, want := range map[string]struct {
		by   event.Actor
		fact event.Fact
		end  string
	}{
		"ui": {event.Actor{Source: event.UI, Name: "John Smith", UserID: 2642, Address: "192.0.2.1"}, event.CaseAssigned.New(event.Person{UserID: 1, Name: "x"}),
			`},"event_name":"claim.assigned","source":"ui","performed_by":{"user_id":2642,"name":"John Smith"}}`},
		"api": {event.Actor{Source: event.API, Name: "Mobile App API Token", TokenID: "tok_1"}, event.CaseCreated.New(event.Creation{}),
			`},"event_name":"claim.created","source":"api","performed_by":{"name":"Mobile App API Token"}}`},
		"casehook itself": {event.Actor{Source: event.System, Name: "casehook"}, event.CaseDeleted.New(event.NoDetails{}),
			`},"event_name":"claim.deleted","source":"api","performed_by":{"name":"casehook"}}`},
	} {
		e := claimEntry(want.fact)
		e.Actor = want.by
		messages := vendorMessages(e, "0.1.0", casetype.Restricted)
		body := string(messages[len(messages)-1].Body)
		if !strings.HasPrefix(body, `{"claim":{"id":4539148803436467,`) || !strings.HasSuffix(body, want.end) {
			t.Errorf("%s: %s", name, body)
		}
	}
}

func TestACaseThatIsNoClaimFiresNoClaimEvent(t *testing.T) {
	for _, v := range claimVectors {
		e := v.entry(v.fact)
		e.Snapshot.Case.Kind = "case"
		for _, m := range vendorMessages(e, "0.1.0", casetype.Restricted) {
			if strings.HasPrefix(m.Trigger, "claim.") {
				t.Errorf("%s has a message for a case", m.Trigger)
			}
		}
	}
}

func TestAClaimFiresTheCaseTriggersToo(t *testing.T) {
	var got []string
	for _, m := range vendorMessages(claimEntry(event.CaseCreated.New(event.Creation{}),
		event.CaseStateChanged.New(event.StateChange{To: "reported"})), "0.1.0", casetype.Restricted) {
		got = append(got, m.Trigger)
	}
	if diff := cmp.Diff([]string{"case_created", "claim.created", "case_state_changed"}, got); diff != "" {
		t.Error(diff)
	}
}

// The journal stores < > & escaped; bodies must have them unescaped.
func TestAClaimFromTheJournalIsTheSame(t *testing.T) {
	e := claimEntry(event.CaseClosed.New(event.NoDetails{}))
	before := messageOf(t, e, "claim.closed")
	raw, err := json.Marshal(e.Snapshot)
	if err != nil {
		t.Fatal(err)
	}
	e.Snapshot = event.Snapshot{}
	if err := json.Unmarshal(raw, &e.Snapshot); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(before.Body), string(messageOf(t, e, "claim.closed").Body)); diff != "" {
		t.Error(diff)
	}
}

func TestAClaimLastsWholeDaysFromItsCreationToItsClosingOrToTheEvent(t *testing.T) {
	for lasted, want := range map[time.Duration]string{
		-time.Hour: "0", 0: "0", 24*time.Hour - time.Microsecond: "0", 24 * time.Hour: "1", 49 * time.Hour: "2",
	} {
		closed, open := closedEntry(event.CaseClosed.New(event.NoDetails{})),
			reopenedEntry(event.CaseReopened.New(event.NoDetails{}))
		closed.Snapshot.Case.ClosedAt = closed.Snapshot.Case.CreatedAt.Add(lasted)
		open.At = open.Snapshot.Case.CreatedAt.Add(lasted)
		for trigger, e := range map[string]*event.Entry{"claim.closed": closed, "claim.reopened": open} {
			if body := string(messageOf(t, e, trigger).Body); !strings.Contains(body, `"claim_duration":`+want+`,`) {
				t.Errorf("after %s: %s", lasted, body)
			}
		}
	}
}

func TestTheFieldsOfAClaimAreThosePublishedInTheirOrderAndNoDefinitionMayNameOneLikeThem(t *testing.T) {
	var names []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[wire.ClaimFields]()) {
		names = append(names, f.Tag.Get("json"))
	}
	published := []string{
		"id", "title", "type", "status", "status_changed_by", "opened_at", "closed_at", "claim_duration", "assigned_at",
		"last_activity_by", "claim_ref", "labels", "assigned_to", "last_activity_at", "created_at",
	}
	if diff := cmp.Diff(published, names); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(names, casetype.Reserved()); diff != "" {
		t.Error(diff)
	}
}

// Earlier definitions may have fields with names that are reserved now.
func TestAFieldOfALaterNameGivesWayInTheClaim(t *testing.T) {
	e := bareEntry(event.CaseClosed.New(event.NoDetails{}))
	e.Snapshot.Case.Data = []byte(`{"assigned_at":"never","last_activity_by":"them","z":1}`)
	body := string(messageOf(t, e, "claim.closed").Body)
	if strings.Count(body, `"assigned_at":`) != 1 || strings.Count(body, `"last_activity_by":`) != 1 ||
		!strings.Contains(body, `"z":1}`) {
		t.Errorf("it is %s", body)
	}
}

// Early entries have the author only in their actor.
func TestTheActorOfAnEntryDidTheLastActivity(t *testing.T) {
	e := claimEntry(event.CaseClosed.New(event.NoDetails{}))
	e.Snapshot.Case.LastActivityBy = 0
	if body := string(messageOf(t, e, "claim.closed").Body); !strings.Contains(body, `"last_activity_by":2642,`) {
		t.Errorf("it is %s", body)
	}
}

func TestClaimsAreJSONWhateverTheStrings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := claimEntry(event.CaseClosed.New(event.NoDetails{}))
		e.Actor.Name = rapid.String().Draw(t, "by")
		c := e.Snapshot.Case
		c.Name, c.Labels = rapid.String().Draw(t, "title"), rapid.SliceOf(rapid.String()).Draw(t, "labels")
		value := rapid.String().Draw(t, "value")
		data, err := json.Marshal(map[string]any{"a": value, "z": map[string]any{value: []any{value, nil, 1.5}}})
		if err != nil {
			t.Fatal(err)
		}
		c.Data = data
		messages := vendorMessages(e, "0.1.0", casetype.Restricted)
		var got struct {
			Claim struct {
				Title string `json:"title"`
				A     string `json:"a"`
			} `json:"claim"`
		}
		if err := json.Unmarshal(messages[0].Body, &got); err != nil || got.Claim.Title != c.Name ||
			got.Claim.A != value {
			t.Fatalf("%+v, %v: %s", got, err, messages[0].Body)
		}
	})
}

// A field can't have the name of one of the claim's own fields, or the object would have two of that name.
func TestTheNamesOfAClaimsOwnFieldsAreReserved(t *testing.T) {
	var body struct{ Claim map[string]any }
	if err := json.Unmarshal(messageOf(t, bareEntry(event.CaseClosed.New(event.NoDetails{})), "claim.closed").Body,
		&body); err != nil {
		t.Fatal(err)
	}
	if len(body.Claim) != 15 {
		t.Errorf("it has %d names", len(body.Claim))
	}
	for name := range body.Claim {
		for kind, taken := range map[string]bool{"claim": true, "case": false} {
			_, err := casetype.Parse("x.yaml",
				[]byte("{key: x, kind: "+kind+", fields: {type: object, properties: {"+name+": {type: string}}}, "+
					"states: [{key: a}], transitions: [{key: b, to: a}]}"))
			if (err != nil) != taken {
				t.Errorf("%s as a field of a %s: %v", name, kind, err)
			}
		}
	}
}
