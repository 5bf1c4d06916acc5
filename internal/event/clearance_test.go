package event_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/event"
)

// upTo sees facts of the given classes, and those of no class.
func upTo(classes ...string) func(string) bool {
	return func(class string) bool { return class == "" || slices.Contains(classes, class) }
}

func marked(f event.Fact, class string) event.Fact {
	f.Class = class
	return f
}

func secretEntry() *event.Entry {
	raw := func(s string) json.RawMessage { return json.RawMessage(s) }
	return &event.Entry{
		Snapshot: event.Snapshot{Case: &event.Case{
			Reference: "R-1", Name: "made of b", Classification: "PUBLIC",
			Classes:   map[string]string{"b": "PRIVATE", "c": "RESTRICTED", "d": "PRIVATE"},
			NameClass: "PRIVATE", Data: raw(`{"a":1.50,"b":2,"c":3}`),
		}},
		Facts: []event.Fact{
			marked(event.CaseChanged.New(event.Changes{Changes: []event.Change{
				{Path: "data/a", Before: raw("1"), After: raw("1.50")}, {Path: "data/b", Before: raw("1"), After: raw("2"), Class: "PRIVATE"},
				{Path: "data/c", Before: raw("1"), After: raw("3"), Class: "RESTRICTED"},
			}}), "RESTRICTED"),
			marked(event.CaseDocumentsGenerated.New(event.Documents{Keys: []string{"b"}}), "PRIVATE"),
			event.CaseStateChanged.New(event.StateChange{To: "x"}),
		},
		Callback: &event.Callback{
			Warnings: []string{"c is 3"}, IgnoredKeys: []string{"c is 3"}, Override: "x", Class: "RESTRICTED",
		},
	}
}

func TestHiddenDocumentsAreLeftOut(t *testing.T) {
	for _, kind := range []event.Kind[event.Documents]{event.CaseDocumentsGenerated, event.CaseDocumentsDeleted} {
		all := event.Documents{
			Keys: []string{"c", "a", "b", "d"}, IDs: []string{"3", "1", "2", "4"},
			Classes: []string{"RESTRICTED", "PUBLIC", "PRIVATE", "PUBLIC"},
		}
		f := marked(kind.New(all), "RESTRICTED")
		for _, want := range []struct {
			classes []string
			event.Documents
		}{
			{[]string{"PUBLIC"}, event.Documents{Keys: []string{"a", "d"}, IDs: []string{"1", "4"}}},
			{[]string{"PUBLIC", "PRIVATE"}, event.Documents{Keys: []string{"a", "b", "d"}, IDs: []string{"1", "2", "4"}}},
			{[]string{"PUBLIC", "PRIVATE", "RESTRICTED"}, all},
		} {
			shown, visible := f.As(upTo(want.classes...))
			got, err := kind.Decode(shown)
			if diff := cmp.Diff(want.Documents, got); diff != "" || err != nil || !visible {
				t.Errorf("%v: %t, %v %s", want.classes, visible, err, diff)
			}
		}
		all.Classes = []string{"RESTRICTED", "PRIVATE", "PRIVATE", "RESTRICTED"}
		if f, visible := marked(kind.New(all), "RESTRICTED").As(upTo("PUBLIC")); visible {
			t.Errorf("none may be seen, but there is %+v", f)
		}
	}
}

// A list of documents that lacks some keys or ids shows the documents that have both.
func TestDocumentsWithoutAKeyOrAnIDAreNotShown(t *testing.T) {
	for name, all := range map[string]event.Documents{
		"keys": {Keys: []string{"a"}, IDs: []string{"1", "2"}}, "ids": {Keys: []string{"a", "b"}, IDs: []string{"1"}},
	} {
		all.Classes = []string{"PUBLIC", "PUBLIC"}
		f, visible := marked(event.CaseDocumentsGenerated.New(all), "RESTRICTED").As(upTo("PUBLIC"))
		got, err := event.CaseDocumentsGenerated.Decode(f)
		want := event.Documents{Keys: []string{"a"}, IDs: []string{"1"}}
		if diff := cmp.Diff(want, got); diff != "" || err != nil || !visible {
			t.Errorf("without all %s: %t, %v %s", name, visible, err, diff)
		}
	}
}

func TestAnEntryIsShownByItsClassifications(t *testing.T) {
	type shown struct {
		Name, Data, Changes string
		Facts               []string
		Warnings            []string
	}
	for _, want := range []struct {
		classes []string
		shown
	}{
		{nil, shown{"R-1", `{"a":1.50}`, "data/a ", []string{"case.changed", "case.state_changed"}, nil}},
		{[]string{"PUBLIC", "PRIVATE"}, shown{"made of b", `{"a":1.50,"b":2}`, "data/a data/b ", []string{"case.changed", "case.documents_generated", "case.state_changed"}, nil}},
		{[]string{"PUBLIC", "PRIVATE", "RESTRICTED"}, shown{"made of b", `{"a":1.50,"b":2,"c":3}`, "data/a data/b data/c ",
			[]string{"case.changed", "case.documents_generated", "case.state_changed"}, []string{"c is 3"}}},
	} {
		e := secretEntry()
		classes := append([]string{"PUBLIC"}, want.classes...)
		view, visible := e.As(upTo(classes...))
		if !visible {
			t.Fatalf("%v sees nothing", classes)
		}
		got := shown{
			Name: view.Snapshot.Case.Name, Data: string(view.Snapshot.Case.Data), Warnings: view.Callback.Warnings,
		}
		if diff := cmp.Diff(view.Callback.Warnings, view.Callback.IgnoredKeys); diff != "" {
			t.Errorf("%v: the keys of its answer are not hidden like its warnings: %s", classes, diff)
		}
		for _, f := range view.Facts {
			got.Facts = append(got.Facts, f.Name)
		}
		diff, err := event.CaseChanged.Decode(view.Facts[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range diff.Changes {
			got.Changes += c.Path + " "
		}
		if diff := cmp.Diff(want.shown, got); diff != "" {
			t.Errorf("%v: %s", classes, diff)
		}
		if diff := cmp.Diff(secretEntry(), e); diff != "" {
			t.Errorf("%v changed the entry: %s", classes, diff)
		}
		if all := len(classes) == 4; all != (view == e) {
			t.Errorf("%v: the entry itself is returned: %v", classes, view == e)
		}
	}
}

func TestAnEntryAboveAClearanceIsHidden(t *testing.T) {
	e := secretEntry()
	e.Snapshot.Case.Classification = "RESTRICTED"
	if view, visible := e.As(upTo("PUBLIC", "PRIVATE")); visible || view != nil {
		t.Errorf("it is seen: %+v", view)
	}
}
