package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/casehook/casehook/internal/event"
)

// Claim is the claim object, of events and of the API: Casehook's own fields, then the data by name.
type Claim struct {
	Kept ClaimFields
	raw  []byte         // the stored data, if it is canonical; empty: it is in data
	data map[string]any // otherwise the data
}

// ClaimFields are Casehook's own fields of a claim.
type ClaimFields struct {
	ID              int64        `json:"id" doc:"The claim's id, below 2^53." example:"4539148803436467"`
	Title           string       `json:"title" doc:"Its name." example:"Ada Meier: glass"`
	Type            string       `json:"type" doc:"The key of its type." example:"motor_claim"`
	Status          string       `json:"status" enum:"open,closed" doc:"closed in a final state, else open." example:"open"`
	StatusChangedBy *int64       `json:"status_changed_by" doc:"The id of the user who last closed or reopened it; null: never, or by a program." example:"7"`
	OpenedAt        Timestamp    `json:"opened_at" format:"date-time" doc:"When its status last changed to open: its creation, or the last time that it was reopened."`
	ClosedAt        *Timestamp   `json:"closed_at" format:"date-time" doc:"When it was closed; null while it is open."`
	Duration        int64        `json:"claim_duration" doc:"Whole days from its creation to closed_at, or while it is open to today: the time of the event, or of the answer." example:"12"`
	AssignedAt      *Timestamp   `json:"assigned_at" format:"date-time" doc:"When its user got it; null: it has none, or the time is not known."`
	LastActivityBy  *int64       `json:"last_activity_by" doc:"The id of the user who made its last change; null: a program did." example:"7"`
	Reference       string       `json:"claim_ref" doc:"Its reference, for people." example:"MTR-000042"`
	Labels          []string     `json:"labels" doc:"Its labels, by their slugs." example:"[\"fast_track\"]"` // never null
	AssignedTo      *ClaimHolder `json:"assigned_to" doc:"The user to whom it is assigned; null: none."`
	LastActivityAt  Timestamp    `json:"last_activity_at" format:"date-time" doc:"When anything last happened to it."`
	CreatedAt       Timestamp    `json:"created_at" format:"date-time" doc:"When it was created."`
}

// ClaimHolder is an event.Person.
type ClaimHolder struct {
	UserID int64  `json:"user_id" doc:"The user's id." example:"7"`
	Name   string `json:"name" doc:"The user's name, as of then." example:"Grace Hopper"`
}

// jsonSchema allows data beside the fields.
func (Claim) jsonSchema(trigger string) *schema {
	s := schemaOf(reflect.TypeFor[ClaimFields](), trigger)
	s.AdditionalProperties = true
	return s
}

// MarshalJSON writes one object.
func (c Claim) MarshalJSON() ([]byte, error) {
	kept, err := encode(c.Kept)
	if err != nil || len(c.raw)+len(c.data) == 0 {
		return kept, err
	}
	data := c.raw
	if len(data) == 0 {
		if data, err = encode(c.data); err != nil { // sorted by name
			return nil, err
		}
	}
	kept[len(kept)-1] = ','
	return append(kept, data[1:]...), nil
}

// NewClaim returns the object of a claim as it was at a time, at which the duration of an open claim ends. The same
// arguments return the same bytes.
func NewClaim(c *event.Case, at time.Time) (Claim, error) {
	out := Claim{Kept: ClaimFields{
		ID: c.ID, Title: c.Name, Type: c.Type, Status: c.Status(), StatusChangedBy: orNull(c.StatusChangedBy),
		OpenedAt: Timestamp(c.OpenedAt), ClosedAt: timeOrNull(c.ClosedAt), Duration: days(c.CreatedAt, c.ClosedAt, at),
		AssignedAt: timeOrNull(c.AssignedAt), LastActivityBy: orNull(c.LastActivityBy),
		Reference: c.Reference, Labels: append([]string{}, c.Labels...), AssignedTo: (*ClaimHolder)(c.Assignee),
		LastActivityAt: Timestamp(c.LastActivityAt), CreatedAt: Timestamp(c.CreatedAt),
	}}
	if len(c.Data) > len("{}") && canonical(c.Data) {
		out.raw = c.Data
		return out, nil
	}
	d := json.NewDecoder(bytes.NewReader(c.Data)) // as stored, so that numbers keep their spelling
	d.UseNumber()
	if err := d.Decode(&out.data); err != nil {
		return out, fmt.Errorf("the data of the claim can't be read: %w", err)
	}
	for _, name := range reservedFields { // earlier definitions may have a field with a name reserved later
		delete(out.data, name)
	}
	return out, nil
}

// days counts whole days from the creation to the closing, or to at if the claim is open.
func days(created, closed, at time.Time) int64 {
	until := at
	if !closed.IsZero() {
		until = closed
	}
	return max(0, int64(until.Sub(created)/(24*time.Hour)))
}

func timeOrNull(t time.Time) *Timestamp {
	if t.IsZero() {
		return nil
	}
	return new(Timestamp(t))
}
