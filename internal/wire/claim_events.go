package wire

import (
	"reflect"

	"cmp"
	"errors"

	"github.com/casehook/casehook/internal/event"
)

// ClaimEvents is the format of the claim.* events: the claim, then the event and its author. It is for
// cases of the kind claim alone.
var ClaimEvents = define(Format{
	Name:        "claim_events",
	Description: "Changes to claims.",
	header:      eventHeader,
	headerDocs:  eventHeaderDocs,
	identify: []string{
		"claim.id", "claim.type", "claim.claim_ref", "claim.last_activity_at", "event_name", "source", "performed_by",
	},
	Triggers: []Trigger{
		{
			"claim.created", "A claim was created.", claimBody{},
			claimRule(event.CaseCreated.New(event.Creation{Transition: "report"})),
		},
		{
			"claim.closed", "A claim was closed, by its creation in a final state too.", claimBody{},
			claimRule(event.CaseClosed.New(event.NoDetails{})),
		},
		{
			"claim.reopened", "A closed claim was opened again.", claimBody{},
			claimRule(event.CaseReopened.New(event.NoDetails{})),
		},
		{
			"claim.label_added", "A label was added to a claim.", claimBody{},
			claimRule(event.CaseLabelAdded.New(sampleLabel)),
		},
		{
			"claim.label_removed", "A label was removed from a claim.", claimBody{},
			claimRule(event.CaseLabelRemoved.New(sampleLabel)),
		},
		{
			"claim.assigned", "A claim was assigned to a user.", claimBody{},
			claimRule(event.CaseAssigned.New(samplePerson)),
		},
		{
			"claim.unassigned", "A claim is no longer assigned to anyone.", claimBody{},
			claimRule(event.CaseUnassigned.New(samplePerson)),
		},
		{"claim.switched_type", "A claim was switched to another type of claim.", claimBody{},
			claimRule(event.CaseTypeSwitched.New(event.TypeSwitch{From: "household_claim", To: "motor_claim"}))},
		{
			"claim.label.added", "A label was added to a claim; the newer spelling.", claimBody{},
			claimRule(event.CaseLabelAdded.New(sampleLabel)),
		},
		{
			"claim.label.removed", "A label was removed from a claim; the newer spelling.", claimBody{},
			claimRule(event.CaseLabelRemoved.New(sampleLabel)),
		},
		{"claim.deleted", "A claim was deleted.", claimBody{}, claimRule(event.CaseDeleted.New(event.NoDetails{}))},
	},
})

// eventHeader returns the headers of claim and contact events.
func eventHeader(trigger, _ string) []Header {
	return append(make([]Header, 0, 4),
		Header{"Content-Type", "application/json; charset=UTF-8"},
		Header{"Event-Name", trigger})
}

var eventHeaderDocs = map[string]string{"Event-Name": "The event."}

// eventMembers is the end of the bodies of claim and contact events.
type eventMembers struct {
	EventName   string    `json:"event_name" value:"trigger" doc:"The name of the event."`
	Source      string    `json:"source" enum:"ui,api" doc:"ui: a person, in the console; api: a program."`
	PerformedBy performer `json:"performed_by" doc:"The user, or the program by the name of its token."`
}

type performer struct {
	UserID *int64 `json:"user_id,omitempty" doc:"The user's id; absent where a program did it."` // with the source ui alone
	Name   string `json:"name" doc:"The name of the user or of the token, as of then."`
}

// constrain adds the rule that users have ids and programs have none: a union that the source discriminates.
func (eventMembers) constrain(s *schema) {
	by := func(source event.Source, who reflect.Type) *schema {
		of := properties{{"source", &schema{Const: string(source)}}, {"performed_by", schemaOf(who, "")}}
		return &schema{Properties: of, Unevaluated: true} // for tools that take an absent keyword for false
	}
	s.OneOf = []*schema{by(event.UI, reflect.TypeFor[user]()), by(event.API, reflect.TypeFor[program]())}
}

// user and program are the two forms of performer.
type (
	user struct {
		UserID int64  `json:"user_id" doc:"The user's id."`
		Name   string `json:"name" doc:"The user's name, as of then."`
	}
	program struct {
		Name string `json:"name" doc:"The name of the program's token, as of then."`
	}
)

// newEventMembers names the author: a user, or else a program by the name of its token. Casehook itself counts
// as a program.
func newEventMembers(trigger string, a event.Actor) eventMembers {
	p := eventMembers{EventName: trigger, Source: string(event.API), PerformedBy: performer{Name: a.Name}}
	if a.Source == event.UI {
		p.Source, p.PerformedBy.UserID = string(event.UI), &a.UserID
	}
	return p
}

type claimBody struct {
	Claim Claim `json:"claim" doc:"The claim as of this event: Casehook's own fields, then its data by name."`
	eventMembers
}

// claimRule makes the rule for a fact about a claim, whose body comes from the entry's snapshot.
func claimRule(fact event.Fact) []rule {
	sample := func() *event.Entry { return sampleOfClaim(fact) }
	return []rule{{fact: fact.Name, sample: sample,
		of: isClaim, body: func(m *Message, e *event.Entry, _ event.Fact) ([]byte, error) {
			if e.Snapshot.Case == nil {
				return nil, errors.New("the journal entry holds no case, which the body is made of")
			}
			kept := *e.Snapshot.Case
			kept.LastActivityBy = cmp.Or(kept.LastActivityBy, e.Actor.UserID) // early entries have it there alone
			c, err := NewClaim(&kept, e.At)
			if err != nil {
				return nil, err
			}
			return encode(claimBody{c, newEventMembers(m.Trigger, e.Actor)})
		}}}
}

func isClaim(e *event.Entry) bool { return e.Snapshot.Case != nil && e.Snapshot.Case.Kind == "claim" }
