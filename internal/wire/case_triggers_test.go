package wire_test

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/wire"
)

// caseVectors has a vector for each case trigger, and for each of its variants.
var caseVectors = []struct {
	name    string
	trigger string
	fact    event.Fact
	bare    bool // the case has no colour, outcome or process
}{
	{"case_created", "case_created", event.CaseCreated.New(event.Creation{Transition: "open"}), false},
	{"case_created_nulls", "case_created", event.CaseCreated.New(event.Creation{Transition: "open"}), true},
	{"case_changed_updated", "case_changed", event.CaseChanged.New(event.Changes{}), false},
	{"case_changed_deleted", "case_changed", event.CaseDeleted.New(event.NoDetails{}), false},
	{"case_state_changed", "case_state_changed",
		event.CaseStateChanged.New(event.StateChange{From: "in_review", To: "approved", Transition: "approve"}), false},
	{"case_state_changed_created", "case_state_changed",
		event.CaseStateChanged.New(event.StateChange{To: "draft", Transition: "open"}), false},
	{"case_state_changed_corrected", "case_state_changed",
		event.CaseStateChanged.New(event.StateChange{From: "draft", To: "in_review"}), true},
	{"case_approved", "case_approved", event.CaseApproved.New(event.NoDetails{}), false},
	{"case_declined", "case_declined", event.CaseDeclined.New(event.NoDetails{}), false},
	{"case_finished", "case_finished", event.CaseFinished.New(event.NoDetails{}), false},
	{"case_comment", "case_comment", event.CaseCommented.New(event.Comment{ID: "cmt_1"}), false},
	{"case_documents_updated_generated", "case_documents_updated",
		event.CaseDocumentsGenerated.New(event.Documents{Keys: []string{"contract", "risk_report"}}), false},
	{"case_documents_updated_deleted", "case_documents_updated",
		event.CaseDocumentsDeleted.New(event.Documents{Keys: []string{"contract"}}), false},
	{"case_documents_updated_none", "case_documents_updated",
		event.CaseDocumentsDeleted.New(event.Documents{}), false},
	{"case_proofs_updated_uploaded", "case_proofs_updated",
		event.CaseProofsUploaded.New(event.Proofs{Keys: []string{"passport"}}), false},
	{"case_proofs_updated_deleted", "case_proofs_updated",
		event.CaseProofsDeleted.New(event.Proofs{Keys: []string{"passport"}}), false},
}

func TestCaseTriggersMatchTheirVectors(t *testing.T) {
	for _, v := range caseVectors {
		t.Run(v.name, func(t *testing.T) {
			e := caseEntry(v.fact)
			if v.bare {
				c := e.Snapshot.Case
				c.Color, c.OutcomeInstance, c.ProcessKey = "", 0, ""
			}
			m := only(t, e)
			if m.Trigger != v.trigger {
				t.Errorf("trigger %s, want %s", m.Trigger, v.trigger)
			}
			golden(t, v.name, request(t, m))
		})
	}
}

func TestEveryCaseTriggerHasAVector(t *testing.T) {
	covered := map[string]bool{}
	for _, v := range caseVectors {
		covered[v.trigger] = true
	}
	if n := len(wire.CaseTriggers.Triggers); n != 9 {
		t.Errorf("%d case triggers, want the nine that are published", n)
	}
	for _, trigger := range wire.CaseTriggers.Triggers {
		if !covered[trigger.Name] {
			t.Errorf("%s has no vector", trigger.Name)
		}
	}
}

// The published example is part of the contract: our bytes are its bytes, without the white space.
func TestThePublishedExampleIsReproducedByteForByte(t *testing.T) {
	published, err := os.ReadFile("testdata/case_triggers_example.json")
	if err != nil {
		t.Fatal(err)
	}
	e := caseEntry(event.CaseStateChanged.New(event.StateChange{
		From: "in_review", To: "approved", Transition: "approve",
	}))
	e.Subject = event.CaseSubject(42)
	e.Snapshot.Case.ID, e.Snapshot.Case.URL = 42, "https://your-tenant.atfinity.app/cases/42"
	m := only(t, e)
	golden(t, "case_triggers_example", request(t, m))

	var compact bytes.Buffer
	if err := json.Compact(&compact, published); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(compact.String(), string(m.Body)); diff != "" {
		t.Errorf("bytes differ (-published +ours):\n%s", diff)
	}
	var want, got any
	if err := json.Unmarshal(published, &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(m.Body, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("meaning differs (-published +ours):\n%s", diff)
	}
}

func TestAReceiverMayExpectAVersionOfItsOwn(t *testing.T) {
	for _, trigger := range wire.Triggers() {
		m := wire.Examples(trigger.Name, "0.1.0")[0].Message
		before := slices.Clone(m.Header)
		for _, h := range m.HeaderFor("2.4.1") {
			if want := map[string]string{"X-atfinity-version": "2.4.1"}[h.Name]; want != "" && h.Value != want {
				t.Errorf("%s: %s is %s", trigger.Name, h.Name, h.Value)
			}
		}
		if diff := cmp.Diff(before, m.HeaderFor("")); diff != "" || cmp.Diff(before, m.Header) != "" {
			t.Errorf("%s: the message's own headers changed: %s", trigger.Name, diff)
		}
	}
}

func TestBodiesAreJSONWhateverTheStrings(t *testing.T) {
	odd := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		`"`, `\`, "\x00", "\x1f", "\x7f", "\u2028\u2029", "</script>&", "\U0001F600", "\xff\xfe", "\xed\xa0\x80", "é", "",
	}), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
	rapid.Check(t, func(t *rapid.T) {
		e := caseEntry(
			event.CaseStateChanged.New(event.StateChange{
				From: odd.Draw(t, "from"), To: odd.Draw(t, "to"), Transition: odd.Draw(t, "transition"),
			}),
			event.CaseDocumentsGenerated.New(event.Documents{Keys: rapid.SliceOf(odd).Draw(t, "keys")}),
		)
		c := e.Snapshot.Case
		c.Reference, c.Name, c.URL = odd.Draw(t, "reference"), odd.Draw(t, "name"), odd.Draw(t, "url")
		c.Color, c.ProcessKey = odd.Draw(t, "color"), odd.Draw(t, "process")
		for _, m := range vendorMessages(e, "0.1.0", casetype.Restricted) {
			if m.Err != nil || !json.Valid(m.Body) || !utf8.Valid(m.Body) {
				t.Fatalf("%s: %q, %v", m.Trigger, m.Body, m.Err)
			}
			var got struct {
				Name string `json:"case_name"`
			}
			if err := json.Unmarshal(m.Body, &got); err != nil {
				t.Fatal(err)
			}
			if utf8.ValidString(c.Name) && got.Name != c.Name {
				t.Fatalf("the name %q came out as %q", c.Name, got.Name)
			}
		}
	})
}

func TestMarkupInNamesIsNotEscaped(t *testing.T) {
	e := caseEntry(event.CaseCreated.New(event.Creation{}))
	e.Snapshot.Case.Name = "Smith & Sons <Ltd>"
	if m := only(t, e); !bytes.Contains(m.Body, []byte(`"case_name":"Smith & Sons <Ltd>"`)) {
		t.Errorf("body: %s", m.Body)
	}
}
