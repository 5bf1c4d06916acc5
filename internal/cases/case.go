// Package cases defines a case: its content, what counts as a change to it, the facts that follow from a
// change, and the comments and attachments of a case. It is pure.
//
// A case has two counters. Version grows by one with every commit that touches the case, comments,
// attachments and contacts included: receivers order messages by it. Revision grows with the content alone
// (data, name, colour, state, type): two submissions conflict only when both change that.
package cases

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
)

// Case is one instance of a case type.
type Case struct {
	ID              int64
	Tenant          int64
	Type            string // the case type's key
	TypeVersion     int64  // the version of the definition it works by
	Reference       string // readable: "KYC-0042"
	Name            string // own, or made by the type's template
	NameSet         bool   // the name was given by a person, so the template no longer changes it
	Color           string // its own; empty: its state's, else its type's
	State           string
	StateSince      time.Time // when it entered its state
	Classification  casetype.Classification
	Data            map[string]any // numbers are json.Number
	Version         int64
	Revision        int64
	OutcomeInstance int64               // 0: its type produces nothing
	Labels          []string            // slugs, sorted
	Contacts        []event.CaseContact // linked to it; by role, then contact
	Assignee        event.Person        // zero: no-one
	AssignedAt      time.Time           // when it was assigned; zero: it is not, or the time is unknown
	OpenedAt        time.Time           // when its status last became open, or else its creation
	ClosedAt        time.Time           // zero: it is open
	StatusChangedBy int64               // the user who last closed or reopened it; 0: nobody, or a program
	CreatedAt       time.Time
	ModifiedAt      time.Time // of the content
	LastActivity    Activity  // of any commit
}

// Activity is the last commit about a case: its time and its author.
type Activity struct {
	At time.Time
	By int64 // a user; 0: a program, or it is not known
}

// EffectiveColor returns the colour in which the case is shown: its own, else its state's, else its
// type's, else "".
func (c Case) EffectiveColor(t *casetype.Type) string {
	if c.Color != "" {
		return c.Color
	}
	if s, ok := t.State(c.State); ok && s.Color != "" {
		return s.Color
	}
	return t.Color
}

// As returns the case as the clearance sees it, and whether it sees it at all. It lacks the fields of higher
// classifications; a name that the template makes of such fields is replaced by the reference. t is the version of
// the type that the case works by.
func (c Case) As(clearance casetype.Classification, t *casetype.Type) (Case, bool) {
	if !clearance.Sees(c.Classification) {
		return Case{}, false
	}
	c.Data = t.Shown(c.Data, clearance)
	if !clearance.Sees(c.nameClass(t)) {
		c.Name = c.Reference
	}
	return c, true
}

// nameClass returns the classification of the name. A name that a person gave is PUBLIC.
func (c Case) nameClass(t *casetype.Type) casetype.Classification {
	if c.NameSet {
		return casetype.Public
	}
	return t.NameClassification()
}

// URL returns the address at which people open the case.
func (c Case) URL(publicURL string) string {
	return publicURL + "/cases/" + strconv.FormatInt(c.ID, 10)
}

// Snapshot returns the case as the journal stores it.
func (c Case) Snapshot(t *casetype.Type, publicURL string) (event.Snapshot, error) {
	data, err := casetype.Encode(c.Data)
	if err != nil {
		return event.Snapshot{}, err
	}
	state, _ := t.State(c.State)
	kept := &event.Case{
		Classes:         t.ClassifiedFields(),
		NameClass:       classLabel(c.nameClass(t)),
		ID:              c.ID,
		Reference:       c.Reference,
		Name:            c.Name,
		URL:             c.URL(publicURL),
		Version:         c.Version,
		Color:           c.EffectiveColor(t),
		OutcomeInstance: c.OutcomeInstance,
		ProcessKey:      t.ProcessKey,
		Type:            c.Type,
		TypeVersion:     c.TypeVersion,
		Kind:            string(t.Kind),
		State:           c.State,
		Final:           state.Final,
		Classification:  string(c.Classification),
		Data:            data,
		Integers:        t.Integers(),
		Labels:          c.Labels,
		Contacts:        c.Contacts,
		StatusChangedBy: c.StatusChangedBy,
		AssignedAt:      c.AssignedAt,
		OpenedAt:        c.OpenedAt,
		ClosedAt:        c.ClosedAt,
		CreatedAt:       c.CreatedAt,
		ModifiedAt:      c.ModifiedAt,
		LastActivityAt:  c.LastActivity.At,
		LastActivityBy:  c.LastActivity.By,
	}
	if c.Assignee != (event.Person{}) {
		kept.Assignee = &c.Assignee
	}
	return event.Snapshot{Case: kept}, nil
}

// Changes returns the difference between two contents: name and colour, then the data by field name. It is
// empty when nothing changed.
func Changes(before, after Case) ([]event.Change, error) {
	var changes []event.Change
	add := func(path string, before, after any) error {
		if casetype.Equal(before, after) {
			return nil
		}
		b, err := encode(before)
		if err != nil {
			return err
		}
		a, err := encode(after)
		if err != nil {
			return err
		}
		changes = append(changes, event.Change{Path: path, Before: b, After: a})
		return nil
	}
	if err := add("name", before.Name, after.Name); err != nil {
		return nil, err
	}
	if err := add("color", orNull(before.Color), orNull(after.Color)); err != nil {
		return nil, err
	}
	fields := maps.Clone(before.Data)
	if fields == nil {
		fields = map[string]any{}
	}
	maps.Copy(fields, after.Data)
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		if err := add("data/"+field, before.Data[field], after.Data[field]); err != nil {
			return nil, err
		}
	}
	return changes, nil
}

// Created lists the facts of a creation. A case that starts in a final state is closed at once.
func Created(c Case, t *casetype.Type, transition string) []event.Fact {
	facts := []event.Fact{event.CaseCreated.New(event.Creation{Transition: transition, Color: c.Color})}
	facts = append(facts, entered("", c.State, t, transition)...)
	if !c.ClosedAt.IsZero() {
		facts = append(facts, event.CaseClosed.New(event.NoDetails{}))
	}
	event.Sort(facts)
	return facts
}

// Updated lists the facts of a commit that changed a case's content, in order. It returns none if nothing
// changed. From and to are the case's types before and after the commit.
func Updated(before, after Case, from, t *casetype.Type, transition string) ([]event.Fact, error) {
	changes, err := Changes(before, after)
	if err != nil {
		return nil, err
	}
	var facts []event.Fact
	switched := before.Type != after.Type
	if len(changes) > 0 || switched && t.Kind == casetype.Case { // a claim's switch has a trigger of its own
		facts = append(facts, changed(changes, before, after, from, t))
	}
	if switched {
		facts = append(facts, event.CaseTypeSwitched.New(event.TypeSwitch{From: before.Type, To: after.Type}))
	}
	if before.State != after.State {
		facts = append(facts, entered(before.State, after.State, t, transition)...)
	}
	switch closed := !after.ClosedAt.IsZero(); {
	case closed && before.ClosedAt.IsZero():
		facts = append(facts, event.CaseClosed.New(event.NoDetails{}))
	case !closed && !before.ClosedAt.IsZero():
		facts = append(facts, event.CaseReopened.New(event.NoDetails{}))
	}
	event.Sort(facts)
	return facts, nil
}

// ClassifiedChanges is Changes with the classification of each change, by the case's type.
func ClassifiedChanges(before, after Case, t *casetype.Type) ([]event.Change, error) {
	changes, err := Changes(before, after)
	classify(changes, before, after, t, t)
	return changes, err
}

// changed makes the fact of a diff, with the classification of each change above PUBLIC.
func changed(changes []event.Change, before, after Case, from, to *casetype.Type) event.Fact {
	highest := classify(changes, before, after, from, to)
	fact := event.CaseChanged.New(event.Changes{Changes: changes})
	fact.Class = classLabel(highest)
	return fact
}

// classify sets the classification of each change above PUBLIC, and returns the highest. That of a field or the name
// is the higher of before and after, by the types from and to.
func classify(changes []event.Change, before, after Case, from, to *casetype.Type) (highest casetype.Classification) {
	highest = casetype.Public
	for i, c := range changes {
		class := casetype.Public
		if field, isData := strings.CutPrefix(c.Path, "data/"); isData {
			class = casetype.Higher(from.Classification(field), to.Classification(field))
		} else if c.Path == "name" {
			class = casetype.Higher(before.nameClass(from), after.nameClass(to))
		}
		changes[i].Class = classLabel(class)
		highest = casetype.Higher(highest, class)
	}
	return highest
}

// classLabel returns a classification as the journal writes it: PUBLIC is "".
func classLabel(class casetype.Classification) string {
	if class == casetype.Public {
		return ""
	}
	return string(class)
}

// entered lists the facts that follow from entering a state.
func entered(from, to string, t *casetype.Type, transition string) []event.Fact {
	facts := []event.Fact{event.CaseStateChanged.New(event.StateChange{From: from, To: to, Transition: transition})}
	state, _ := t.State(to)
	switch state.Outcome {
	case casetype.Approved:
		facts = append(facts, event.CaseApproved.New(event.NoDetails{}))
	case casetype.Declined:
		facts = append(facts, event.CaseDeclined.New(event.NoDetails{}))
	}
	if state.Final {
		facts = append(facts, event.CaseFinished.New(event.NoDetails{}))
	}
	return facts
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func encode(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}
