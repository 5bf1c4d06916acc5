package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/casehook/casehook/internal/event"
)

// ClaimEvents is the format of the claim.* events: the claim, then what happened
// and who did it. Only cases of the kind claim are told in it.
var ClaimEvents = define(Format{
	Name:        "claim_events",
	Description: "What happens to claims.",
	header:      eventHeader,
	Triggers: []Trigger{
		{"claim.created", "A claim was created.", tellClaim(event.CaseCreated.Name)},
		{"claim.closed", "An open claim was closed.", tellClaim(event.CaseClosed.Name)},
		{"claim.reopened", "A closed claim was opened again.", tellClaim(event.CaseReopened.Name)},
		{"claim.label_added", "A label was added to a claim.", tellClaim(event.CaseLabelAdded.Name)},
		{"claim.label_removed", "A label was removed from a claim.", tellClaim(event.CaseLabelRemoved.Name)},
		{"claim.assigned", "A claim was assigned to a user.", tellClaim(event.CaseAssigned.Name)},
		{"claim.unassigned", "A claim is no longer assigned to anyone.", tellClaim(event.CaseUnassigned.Name)},
		{"claim.switched_type", "A claim was switched to another type of claim.", tellClaim(event.CaseTypeSwitched.Name)},
		{"claim.label.added", "A label was added to a claim; the newer spelling.", tellClaim(event.CaseLabelAdded.Name)},
		{"claim.label.removed", "A label was removed from a claim; the newer spelling.", tellClaim(event.CaseLabelRemoved.Name)},
		{"claim.deleted", "A claim was deleted.", tellClaim(event.CaseDeleted.Name)},
	},
})

// eventHeader gives the headers of claim and contact events.
func eventHeader(trigger, _ string) []Header {
	return append(make([]Header, 0, 4),
		Header{"Content-Type", "application/json; charset=UTF-8"},
		Header{"Event-Name", trigger})
}

// performed is what the bodies of claim and contact events end with.
type performed struct {
	EventName   string      `json:"event_name"`
	Source      string      `json:"source"` // ui or api
	PerformedBy performedBy `json:"performed_by"`
}

type performedBy struct {
	UserID *int64 `json:"user_id,omitempty"` // with the source ui alone
	Name   string `json:"name"`
}

// performance says who did it: a user, or else a program by the name of its
// token. What Casehook does by itself counts as a program's.
func performance(trigger string, a event.Actor) performed {
	p := performed{EventName: trigger, Source: string(event.API), PerformedBy: performedBy{Name: a.Name}}
	if a.Source == event.UI {
		p.Source, p.PerformedBy.UserID = string(event.UI), &a.UserID
	}
	return p
}

type claimBody struct {
	Claim claim `json:"claim"`
	performed
}

// claim is the claim object: what Casehook keeps, then the data by name.
type claim struct {
	kept keptOfClaim
	data map[string]any
}

type keptOfClaim struct {
	ID              int64         `json:"id"`
	Title           string        `json:"title"`
	Type            string        `json:"type"`
	Status          string        `json:"status"`
	StatusChangedBy *int64        `json:"status_changed_by"`
	OpenedAt        time.Time     `json:"opened_at"`
	ClosedAt        *time.Time    `json:"closed_at"`
	Duration        *int64        `json:"claim_duration"` // whole days
	Reference       string        `json:"claim_ref"`
	Labels          []string      `json:"labels"` // never null
	AssignedTo      *event.Person `json:"assigned_to"`
	LastActivityAt  time.Time     `json:"last_activity_at"`
	CreatedAt       time.Time     `json:"created_at"`
}

// MarshalJSON writes one object. Names can't meet: a definition may not name a
// field like one that is kept.
func (c claim) MarshalJSON() ([]byte, error) {
	kept, err := encode(c.kept)
	if err != nil || len(c.data) == 0 {
		return kept, err
	}
	data, err := encode(c.data) // sorted by name
	if err != nil {
		return nil, err
	}
	kept[len(kept)-1] = ','
	return append(kept, data[1:]...), nil
}

func newClaim(c *event.Case) (claim, error) {
	out := claim{kept: keptOfClaim{
		ID: c.ID, Title: c.Name, Type: c.Type, Status: c.Status(), StatusChangedBy: orNull(c.StatusChangedBy),
		OpenedAt: c.OpenedAt.UTC(), Reference: c.Reference, Labels: append([]string{}, c.Labels...), AssignedTo: c.Assignee,
		LastActivityAt: c.LastActivityAt.UTC(), CreatedAt: c.CreatedAt.UTC(),
	}}
	if !c.ClosedAt.IsZero() {
		closed, days := c.ClosedAt.UTC(), int64(c.ClosedAt.Sub(c.OpenedAt)/(24*time.Hour))
		out.kept.ClosedAt, out.kept.Duration = &closed, &days
	}
	d := json.NewDecoder(bytes.NewReader(c.Data)) // as it was kept, so that a number stays as it was written
	d.UseNumber()
	if err := d.Decode(&out.data); err != nil {
		return out, fmt.Errorf("the data of the claim can't be read: %w", err)
	}
	return out, nil
}

// tellClaim tells a fact about a claim, from the entry's snapshot.
func tellClaim(fact string) []telling {
	return []telling{{fact: fact, of: isClaim, body: func(trigger string, e *event.Entry, _ event.Fact) ([]byte, error) {
		if e.Snapshot.Case == nil {
			return nil, errors.New("the journal entry holds no case, which the body is made of")
		}
		c, err := newClaim(e.Snapshot.Case)
		if err != nil {
			return nil, err
		}
		return encode(claimBody{c, performance(trigger, e.Actor)})
	}}}
}

func isClaim(e *event.Entry) bool { return e.Snapshot.Case != nil && e.Snapshot.Case.Kind == "claim" }
