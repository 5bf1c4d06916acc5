package event_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/event"
)

func TestSortPutsFactsInThePublishedOrder(t *testing.T) {
	facts := []event.Fact{
		event.CaseFinished.New(event.NoDetails{}),
		event.CaseApproved.New(event.NoDetails{}),
		event.CaseStateChanged.New(event.StateChange{To: "done"}),
		event.CaseChanged.New(event.Changes{}),
		event.CaseCreated.New(event.Creation{Transition: "open"}),
	}
	event.Sort(facts)
	var got []string
	for _, f := range facts {
		got = append(got, f.Name)
	}
	want := []string{"case.created", "case.changed", "case.state_changed", "case.approved", "case.finished"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDecodeReturnsWhatNewStored(t *testing.T) {
	want := event.StateChange{From: "draft", To: "done", Transition: "finish"}
	got, err := event.CaseStateChanged.Decode(event.CaseStateChanged.New(want))
	if err != nil || got != want {
		t.Errorf("Decode = %+v, %v; want %+v", got, err, want)
	}
	if _, err := event.CaseCreated.Decode(event.CaseStateChanged.New(want)); err == nil {
		t.Error("a state change was decoded as a creation")
	}
	if _, err := event.CaseStateChanged.Decode(event.Fact{
		Name: "case.state_changed", Data: []byte(`{"to":1}`),
	}); err == nil {
		t.Error("data of another shape was decoded")
	}
}

func TestNamesAreOrderedAndComplete(t *testing.T) {
	names := event.Names()
	if len(names) != 28 || names[0] != "case.created" || names[len(names)-1] != "endpoint.recovered" {
		t.Errorf("names: %v", names)
	}
}
