package cases_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
)

const definition = `
key: loan
kind: claim
process_key: lending
color: gray
fields: {type: object, properties: {a: {type: string}, b: {type: number}, c: {type: array, items: {type: string}}}}
states:
  - {key: draft}
  - {key: review, color: blue}
  - {key: approved, outcome: approved}
  - {key: declined, outcome: declined, final: true}
  - {key: closed, final: true}
transitions:
  - {key: open, to: draft}
  - {key: go, from: [draft], to: review}
  - {key: end, from: [review, approved, declined, closed], to: closed}
  - {key: yes, from: [review], to: approved}
  - {key: no, from: [review], to: declined}
`

func loan(t testing.TB) *casetype.Type {
	t.Helper()
	return parsed(t, definition)
}

func parsed(t testing.TB, definition string) *casetype.Type {
	t.Helper()
	typ, err := casetype.Parse("loan.yaml", []byte(definition))
	if err != nil {
		t.Fatal(err)
	}
	return typ
}

func data(t testing.TB, raw string) map[string]any {
	t.Helper()
	d, err := casetype.Decode([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func names(facts []event.Fact) string {
	var all []string
	for _, f := range facts {
		all = append(all, strings.TrimPrefix(f.Name, "case."))
	}
	return strings.Join(all, " ")
}

func TestCreatedFactsFollowTheStateEntered(t *testing.T) {
	for state, want := range map[string]string{
		"draft":    "created state_changed",
		"approved": "created state_changed approved",
		"declined": "created state_changed declined finished",
		"closed":   "created state_changed finished",
	} {
		facts := cases.Created(cases.Case{State: state}, loan(t), "open")
		if got := names(facts); got != want {
			t.Errorf("%s: facts %q, want %q", state, got, want)
		}
		move, err := event.CaseStateChanged.Decode(facts[1])
		if diff := cmp.Diff(event.StateChange{To: state, Transition: "open"}, move); err != nil || diff != "" {
			t.Error(err, diff)
		}
	}
}

func TestUpdatedFacts(t *testing.T) {
	before := cases.Case{Name: "N", State: "review", Data: data(t, `{"a":"x","b":1.0,"c":["1"]}`)}
	for _, c := range []struct {
		name   string
		change func(*cases.Case)
		want   string
	}{
		{"nothing", func(*cases.Case) {}, ""},
		{"what is no content", func(c *cases.Case) { c.Version, c.ModifiedAt = 9, time.Now() }, ""},
		{"equal data", func(c *cases.Case) { c.Data = data(t, `{"c":["1"],"b":1.0,"a":"x"}`) }, ""},
		{"data", func(c *cases.Case) { c.Data = data(t, `{"a":"x","b":1.0,"c":["2"]}`) }, "changed"},
		{"no data", func(c *cases.Case) { c.Data = nil }, "changed"},
		{"name", func(c *cases.Case) { c.Name = "M" }, "changed"},
		{"colour", func(c *cases.Case) { c.Color = "red" }, "changed"},
		{"state", func(c *cases.Case) { c.State = "draft" }, "state_changed"},
		{"a final state with data", func(c *cases.Case) { c.State, c.Data = "declined", nil }, "changed state_changed declined finished"},
	} {
		after := before
		c.change(&after)
		facts, err := cases.Updated(before, after, loan(t), loan(t), "t")
		if got := names(facts); err != nil || got != c.want {
			t.Errorf("%s: facts %q, %v, want %q", c.name, got, err, c.want)
		}
	}
}

func TestClosingAndReopeningAreFacts(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, c := range []struct {
		name          string
		before, after time.Time // when it was closed
		want          string
	}{
		{"it stays open", time.Time{}, time.Time{}, ""},
		{"it is closed", time.Time{}, at, "closed"},
		{"it is reopened", at, time.Time{}, "reopened"},
		{"it stays closed", at, at.Add(time.Hour), ""},
	} {
		facts, err := cases.Updated(cases.Case{ClosedAt: c.before}, cases.Case{ClosedAt: c.after}, loan(t), loan(t), "t")
		if got := names(facts); err != nil || got != c.want {
			t.Errorf("%s: facts %q, %v, want %q", c.name, got, err, c.want)
		}
	}
	facts := cases.Created(cases.Case{State: "closed", ClosedAt: at}, loan(t), "open")
	if got := names(facts); got != "created state_changed finished closed" {
		t.Errorf("created in a final state: facts %q", got)
	}
}

// A switch to another type changes a case. A claim's switch has a trigger of its own.
func TestASwitchOfTypeIsAChangeOfACaseAlone(t *testing.T) {
	for kind, want := range map[string]string{"case": "type_switched changed", "claim": "type_switched"} {
		to := parsed(t, strings.NewReplacer("key: loan", "key: credit", "kind: claim", "kind: "+kind).Replace(definition))
		before, after := cases.Case{Type: "loan", State: "draft"}, cases.Case{Type: "credit", State: "draft"}
		facts, err := cases.Updated(before, after, loan(t), to, "")
		if got := names(facts); err != nil || got != want {
			t.Errorf("to a %s: facts %q, %v, want %q", kind, got, err, want)
		}
	}
}

// A change has the classification of its field, a name from a template that of its fields, and the fact the highest
// of its changes.
func TestChangesHaveTheClassificationOfTheirFields(t *testing.T) {
	typ := parsed(t, strings.NewReplacer("a: {type: string}", "a: {type: string, x-classification: RESTRICTED}",
		"b: {type: number}", "b: {type: number, x-classification: PRIVATE}").Replace(definition)+"name_template: '{b}'\n")
	for _, c := range []struct {
		name   string
		change func(*cases.Case)
		want   string
	}{
		{"the colour", func(c *cases.Case) { c.Color = "red" }, "color  fact "},
		{"a public field", func(c *cases.Case) { c.Data = data(t, `{"c":["1"]}`) }, "data/c  fact "},
		{"a private field", func(c *cases.Case) { c.Data = data(t, `{"b":1}`) }, "data/b PRIVATE fact PRIVATE"},
		{"a made name", func(c *cases.Case) { c.Name = "M" }, "name PRIVATE fact PRIVATE"},
		{"a name made public", func(c *cases.Case) { c.Name, c.NameSet = "M", true }, "name PRIVATE fact PRIVATE"},
		{
			"two fields", func(c *cases.Case) { c.Data = data(t, `{"a":"x","b":1}`) },
			"data/a RESTRICTED data/b PRIVATE fact RESTRICTED",
		},
	} {
		before := cases.Case{Name: "N", State: "draft"}
		after := before
		c.change(&after)
		facts, err := cases.Updated(before, after, typ, typ, "")
		if err != nil || len(facts) != 1 {
			t.Fatalf("%s: facts %q, %v", c.name, names(facts), err)
		}
		diff, err := event.CaseChanged.Decode(facts[0])
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, change := range diff.Changes {
			got += change.Path + " " + change.Class + " "
		}
		if got += "fact " + facts[0].Class; got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	given := cases.Case{Name: "N", NameSet: true, State: "draft"}
	renamed := given
	renamed.Name = "M"
	if facts, err := cases.Updated(given, renamed, typ, typ, ""); err != nil || len(facts) != 1 || facts[0].Class != "" {
		t.Errorf("a name that a person gave: %+v, %v", facts, err)
	}
}

func TestStayingInAFinalStateDoesNotFinishAgain(t *testing.T) {
	before := cases.Case{State: "closed", Data: data(t, `{}`)}
	after := before
	after.Data = data(t, `{"a":"x"}`)
	facts, err := cases.Updated(before, after, loan(t), loan(t), "end")
	if got := names(facts); err != nil || got != "changed" {
		t.Errorf("facts %q, %v", got, err)
	}
}

func TestChangesListEachFieldOnceInOrder(t *testing.T) {
	before := cases.Case{Name: "N", Data: data(t, `{"a":"<x>","b":1}`)}
	after := cases.Case{Name: "M", Color: "red", Data: data(t, `{"b":2,"c":[]}`)}
	got, err := cases.Changes(before, after)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, c := range got {
		lines = append(lines, c.Path+" "+string(c.Before)+" "+string(c.After))
	}
	want := []string{`name "N" "M"`, `color null "red"`, `data/a "<x>" null`, `data/b 1 2`, `data/c null []`}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
}

func TestColoursComeFromTheNearest(t *testing.T) {
	typ := loan(t)
	for _, c := range []struct {
		c    cases.Case
		want string
	}{
		{cases.Case{State: "review", Color: "red"}, "red"},
		{cases.Case{State: "review"}, "blue"},
		{cases.Case{State: "draft"}, "gray"},
	} {
		if got := c.c.EffectiveColor(typ); got != c.want {
			t.Errorf("%+v: %q, want %q", c.c, got, c.want)
		}
	}
}

func TestASnapshotHoldsTheWholeCase(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	c := cases.Case{
		ID:              4539148803436467,
		Type:            "loan",
		TypeVersion:     2,
		Reference:       "L-1",
		Name:            "N",
		State:           "declined",
		Version:         3,
		Revision:        2,
		Classification:  casetype.Private,
		Data:            data(t, `{"b":10000000000000000001,"a":"x"}`),
		OutcomeInstance: 7,
		CreatedAt:       at,
		ModifiedAt:      at,
		Labels:          []string{"a"},
		Assignee:        event.Person{UserID: 3, Name: "Grace"},
		StatusChangedBy: 4,
		AssignedAt:      at.Add(3 * time.Minute),
		OpenedAt:        at.Add(time.Minute),
		ClosedAt:        at.Add(time.Hour),
		LastActivity:    cases.Activity{At: at.Add(2 * time.Hour), By: 5},
	}
	got, err := c.Snapshot(loan(t), "https://casehook.example")
	if err != nil {
		t.Fatal(err)
	}
	want := event.Snapshot{Case: &event.Case{
		ID:              c.ID,
		Reference:       "L-1",
		Name:            "N",
		URL:             "https://casehook.example/cases/4539148803436467",
		Version:         3,
		Color:           "gray",
		OutcomeInstance: 7,
		ProcessKey:      "lending",
		Type:            "loan",
		TypeVersion:     2,
		Kind:            "claim",
		State:           "declined",
		Final:           true,
		Classification:  "PRIVATE",
		Data:            []byte(`{"a":"x","b":10000000000000000001}`),
		CreatedAt:       at,
		ModifiedAt:      at,
		Labels:          []string{"a"},
		Assignee:        &event.Person{UserID: 3, Name: "Grace"},
		StatusChangedBy: 4,
		AssignedAt:      at.Add(3 * time.Minute),
		OpenedAt:        at.Add(time.Minute),
		ClosedAt:        at.Add(time.Hour),
		LastActivityAt:  at.Add(2 * time.Hour),
		LastActivityBy:  5,
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
