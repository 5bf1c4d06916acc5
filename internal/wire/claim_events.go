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
	Description: "What happens to claims.",
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

// performed is the end of the bodies of claim and contact events.
type performed struct {
	EventName   string      `json:"event_name" value:"trigger" doc:"What happened."`
	Source      string      `json:"source" enum:"ui,api" doc:"Whether a person did it in the console, or a program by the API."`
	PerformedBy performedBy `json:"performed_by" doc:"The user, or the program by the name of its token."`
}

type performedBy struct {
	UserID *int64 `json:"user_id,omitempty" doc:"The user's id; absent where a program did it."` // with the source ui alone
	Name   string `json:"name" doc:"The name of the user or of the token, as of then."`
}

// constrain adds the rule that users have ids and programs have none: a union that the source discriminates.
func (performed) constrain(s *schema) {
	by := func(source event.Source, who reflect.Type) *schema {
		of := properties{{"source", &schema{Const: string(source)}}, {"performed_by", schemaOf(who, "")}}
		return &schema{Properties: of, Unevaluated: true} // for tools that take what is not said for false
	}
	s.OneOf = []*schema{by(event.UI, reflect.TypeFor[user]()), by(event.API, reflect.TypeFor[program]())}
}

// user and program are the two forms of performedBy.
type (
	user struct {
		UserID int64  `json:"user_id" doc:"The user's id."`
		Name   string `json:"name" doc:"The user's name, as of then."`
	}
	program struct {
		Name string `json:"name" doc:"The name of the program's token, as of then."`
	}
)

// performance names the author: a user, or else a program by the name of its token. Casehook itself counts
// as a program.
func performance(trigger string, a event.Actor) performed {
	p := performed{EventName: trigger, Source: string(event.API), PerformedBy: performedBy{Name: a.Name}}
	if a.Source == event.UI {
		p.Source, p.PerformedBy.UserID = string(event.UI), &a.UserID
	}
	return p
}

type claimBody struct {
	Claim Claim `json:"claim" doc:"The claim as of this event: what Casehook keeps of it, then its data by name."`
	performed
}

// claimRule makes the rule for a fact about a claim, whose body comes from the entry's snapshot.
func claimRule(fact event.Fact) []rule {
	sample := func() *event.Entry { return sampleOfClaim(fact) }
	return []rule{{fact: fact.Name, sample: sample,
		of: isClaim, body: func(trigger string, e *event.Entry, _ event.Fact) ([]byte, error) {
			if e.Snapshot.Case == nil {
				return nil, errors.New("the journal entry holds no case, which the body is made of")
			}
			kept := *e.Snapshot.Case
			kept.LastActivityBy = cmp.Or(kept.LastActivityBy, e.Actor.UserID) // early entries hold it there alone
			c, err := NewClaim(&kept, e.At)
			if err != nil {
				return nil, err
			}
			return encode(claimBody{c, performance(trigger, e.Actor)})
		}}}
}

func isClaim(e *event.Entry) bool { return e.Snapshot.Case != nil && e.Snapshot.Case.Kind == "claim" }
