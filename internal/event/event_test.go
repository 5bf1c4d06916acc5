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
		t.Error("data of another form was decoded")
	}
}

// The data of a fact that was stored without any is the zero value.
func TestAFactWithoutDataIsDecoded(t *testing.T) {
	got, err := event.CaseStateChanged.Decode(event.Fact{Name: "case.state_changed"})
	if err != nil || got != (event.StateChange{}) {
		t.Errorf("Decode = %+v, %v", got, err)
	}
}

// The size of an entry grows with its data, which has no bound of its own.
func TestTheSizeOfAnEntryCountsItsData(t *testing.T) {
	data := make([]byte, 1000)
	small := event.Entry{Facts: []event.Fact{{Name: "case.changed"}}}
	fact := event.Entry{Facts: []event.Fact{{Name: "case.changed", Data: data}}}
	content := event.Entry{Facts: small.Facts, Snapshot: event.Snapshot{Case: &event.Case{Data: data}}}
	for name, e := range map[string]event.Entry{"a fact": fact, "the case": content} {
		if more := e.Size() - small.Size(); more != len(data) {
			t.Errorf("1000 bytes of %s count as %d", name, more)
		}
	}
}

func TestNamesAreOrderedAndComplete(t *testing.T) {
	names := event.Names()
	if len(names) != 28 || names[0] != "case.created" || names[len(names)-1] != "endpoint.recovered" {
		t.Errorf("names: %v", names)
	}
}
