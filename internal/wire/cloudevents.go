package wire

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/casehook/casehook/internal/event"
)

// CloudEvents is the format of CloudEvents 1.0.2 in structured mode: one trigger for each fact of the journal, whatever
// the kind of case. It is vendor-neutral, so that routers of events and their libraries read it.
//
// https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
var CloudEvents = define(Format{
	Name:        "cloudevents",
	Description: "Everything that happens, as CloudEvents 1.0 for event routers and their libraries.",
	Optional:    true,
	header: func(string, string) []Header {
		return append(make([]Header, 0, 3), Header{"Content-Type", "application/cloudevents+json; charset=UTF-8"})
	},
	identify: []string{"specversion", "id", "source", "type", "subject", "time"},
	Triggers: []Trigger{
		cloudCase(event.CaseCreated, event.Creation{Transition: "open"}, "in_review",
			func(c cloudCaseData, f event.Creation) cloudCreation {
				return cloudCreation{c, orNull(f.Transition)}
			}),
		cloudCase(event.CaseTypeSwitched, event.TypeSwitch{From: "kyc_light", To: "kyc"}, "in_review",
			func(c cloudCaseData, f event.TypeSwitch) cloudSwitch { return cloudSwitch{c, f.From, f.To} }),
		cloudCase(event.CaseMigrated, event.Migration{From: 1, To: 2}, "in_review",
			func(c cloudCaseData, f event.Migration) cloudMigration { return cloudMigration{c, f.From, f.To} }),
		cloudCase(event.CaseChanged, sampleChanges("data/client"), "in_review",
			func(c cloudCaseData, f event.Changes) cloudCaseChanges { return cloudCaseChanges{c, cloudChanges(f)} }),
		cloudCase(event.CaseStateChanged, event.StateChange{From: "in_review", To: "approved", Transition: "approve"},
			"approved", func(c cloudCaseData, f event.StateChange) cloudStateChange {
				return cloudStateChange{c, orNull(f.From), f.To, orNull(f.Transition)}
			}),
		cloudCase(event.CaseApproved, event.NoDetails{}, "approved", cloudCaseAlone),
		cloudCase(event.CaseDeclined, event.NoDetails{}, "declined", cloudCaseAlone),
		cloudCase(event.CaseFinished, event.NoDetails{}, "approved", cloudCaseAlone),
		cloudCase(event.CaseClosed, event.NoDetails{}, "approved", cloudCaseAlone),
		cloudCase(event.CaseReopened, event.NoDetails{}, "in_review", cloudCaseAlone),
		cloudCase(event.CaseCommented, event.Comment{ID: "cmt_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"}, "in_review",
			func(c cloudCaseData, f event.Comment) cloudComment { return cloudComment{c, f.ID} }),
		cloudCase(event.CaseLabelAdded, sampleLabel, "in_review", cloudLabelOf),
		cloudCase(event.CaseLabelRemoved, sampleLabel, "in_review", cloudLabelOf),
		cloudCase(event.CaseAssigned, samplePerson, "in_review", cloudAssigneeOf),
		cloudCase(event.CaseUnassigned, samplePerson, "in_review", cloudAssigneeOf),
		cloudCase(event.CaseContactLinked, sampleLink, "in_review", cloudLinkOf),
		cloudCase(event.CaseContactUnlinked, sampleLink, "in_review", cloudLinkOf),
		cloudCase(event.CaseDocumentsGenerated, sampleDocuments, "in_review", cloudDocumentsOf),
		cloudCase(event.CaseDocumentsDeleted, sampleDocuments, "in_review", cloudDocumentsOf),
		cloudCase(event.CaseProofsUploaded, sampleProofs, "in_review", cloudProofsOf),
		cloudCase(event.CaseProofsDeleted, sampleProofs, "in_review", cloudProofsOf),
		cloudCase(event.CaseDeleted, event.NoDetails{}, "in_review", cloudCaseAlone),
		cloudContact(event.ContactCreated, event.NoDetails{}, cloudContactAlone),
		cloudContact(event.ContactUpdated, sampleChanges("city"),
			func(c cloudContactData, f event.Changes) cloudContactChanges {
				return cloudContactChanges{c, cloudChanges(f)}
			}),
		cloudContact(event.ContactDeleted, event.NoDetails{}, cloudContactAlone),
		cloudEndpoint(event.EndpointFailing),
		cloudEndpoint(event.EndpointDisabled),
		cloudEndpoint(event.EndpointRecovered),
	},
})

// cloudPrefix begins the types of events, which CloudEvents recommends to be a reverse domain name.
const cloudPrefix = "com.casehook."

var sampleLink = event.CaseContact{ContactID: 4556737586899855, Role: "client"}

func sampleChanges(path string) event.Changes {
	return event.Changes{Changes: []event.Change{{Path: path, Before: []byte(`"Acme"`), After: []byte(`"Acme Corp"`)}}}
}

// cloudEvent is an event in structured mode, with data of type D.
type cloudEvent[D any] struct {
	SpecVersion     string    `json:"specversion" enum:"1.0" doc:"The version of CloudEvents."`
	ID              string    `json:"id" doc:"The id of the message, as in webhook-id. No two events have the same."`
	Source          string    `json:"source" doc:"Of a case the address of its case type in the console, by the public URL of that time; /contacts or /endpoints of others. A URI reference."`
	Type            string    `json:"type" value:"trigger" doc:"The name of the trigger."`
	Subject         string    `json:"subject" doc:"The id of the case, the contact or the endpoint."`
	Time            Timestamp `json:"time" doc:"When it happened."`
	DataContentType string    `json:"datacontenttype" enum:"application/json" doc:"The form of data."`
	Data            D         `json:"data" doc:"The subject as of this event, its author, and what happened."`
}

// cloudBody encodes an event.
func cloudBody(m *Message, source, subject string, data any) ([]byte, error) {
	return encode(cloudEvent[any]{
		SpecVersion: "1.0", ID: m.ID, Source: source, Type: m.Trigger, Subject: subject, Time: Timestamp(m.At),
		DataContentType: "application/json", Data: data,
	})
}

// cloudActor is the author of a change.
type cloudActor struct {
	Source string `json:"source" enum:"ui,api,system" doc:"ui: a person, in the console; api: a program, with a token; system: Casehook itself."`
	Name   string `json:"name" doc:"The name of the user or of the token, as of then."`
	UserID *int64 `json:"user_id" doc:"The user's id; null unless the source is ui."`
}

func cloudActorOf(a event.Actor) cloudActor {
	out := cloudActor{Source: string(a.Source), Name: a.Name}
	if a.Source == event.UI {
		out.UserID = orNull(a.UserID)
	}
	return out
}

// cloudCaseData is the data of an event about a case; events with more to tell embed it.
type cloudCaseData struct {
	Case  cloudCaseState `json:"case" doc:"The case as of this event, without its data."`
	Actor cloudActor     `json:"actor" doc:"The author of the change."`
}

// cloudCaseState is a case as of an event.
type cloudCaseState struct {
	ID              int64              `json:"id" doc:"The case's id, below 2^53."`
	Reference       string             `json:"reference" doc:"Its reference, for people."`
	Name            string             `json:"name" doc:"Its name."`
	URL             string             `json:"url" doc:"The address at which people open it."`
	Type            string             `json:"type" doc:"The key of its type."`
	TypeVersion     int64              `json:"type_version" doc:"The version of its type."`
	Kind            string             `json:"kind" enum:"case,claim" doc:"The kind of its type."`
	Version         int64              `json:"version" doc:"Begins at 1 and grows by 1 with every commit about the case."`
	State           string             `json:"state" doc:"The key of its state."`
	Status          string             `json:"status" enum:"open,closed" doc:"closed in a final state, else open."`
	Classification  string             `json:"classification" doc:"Its classification: PUBLIC, PRIVATE or RESTRICTED."`
	Color           *string            `json:"color" doc:"Its colour, else its state's, else its type's, else null."`
	OutcomeInstance *int64             `json:"outcome_instance_id" doc:"The number of what it produces; null where its type declares nothing."`
	ProcessKey      *string            `json:"process_key" doc:"The process that its type belongs to, or null."`
	Labels          []string           `json:"labels" doc:"Its labels, by their slugs."` // never null
	Contacts        []cloudContactLink `json:"contacts" doc:"The contacts that are linked to it."`
	AssignedTo      *ClaimHolder       `json:"assigned_to" doc:"The user to whom it is assigned, or null."`
	CreatedAt       Timestamp          `json:"created_at" doc:"When it was created."`
	ClosedAt        *Timestamp         `json:"closed_at" doc:"When it was closed; null while it is open."`
}

type cloudContactLink struct {
	ContactID int64  `json:"contact_id" doc:"The contact's id."`
	Role      string `json:"role" doc:"The role in which it is linked."`
}

func cloudCaseOf(c *event.Case) cloudCaseState {
	out := cloudCaseState{
		ID: c.ID, Reference: c.Reference, Name: c.Name, URL: c.URL, Type: c.Type, TypeVersion: c.TypeVersion,
		Kind: c.Kind, Version: c.Version, State: c.State, Status: c.Status(), Classification: c.Classification,
		Color: orNull(c.Color), OutcomeInstance: orNull(c.OutcomeInstance), ProcessKey: orNull(c.ProcessKey),
		Labels: append([]string{}, c.Labels...), Contacts: make([]cloudContactLink, len(c.Contacts)),
		AssignedTo: (*ClaimHolder)(c.Assignee), CreatedAt: Timestamp(c.CreatedAt), ClosedAt: timeOrNull(c.ClosedAt),
	}
	for i, link := range c.Contacts {
		out.Contacts[i] = cloudContactLink(link)
	}
	return out
}

// The data of events that tell more than the case.
type (
	cloudCreation struct {
		cloudCaseData
		Transition *string `json:"transition" doc:"The transition that created it, or null."`
	}
	cloudSwitch struct {
		cloudCaseData
		From string `json:"from_type" doc:"The key of the type before."`
		To   string `json:"to_type" doc:"The key of the type now."`
	}
	cloudMigration struct {
		cloudCaseData
		From int64 `json:"from_version" doc:"The version of its type before."`
		To   int64 `json:"to_version" doc:"The version of its type now."`
	}
	cloudCaseChanges struct {
		cloudCaseData
		Changes []cloudChange `json:"changes" doc:"What changed: name, color, or data/ and the field's name."`
	}
	cloudStateChange struct {
		cloudCaseData
		From       *string `json:"from_state" doc:"The state before; null on creation."`
		To         string  `json:"to_state" doc:"The state that was entered."`
		Transition *string `json:"transition" doc:"The transition that was used; null when none was."`
	}
	cloudComment struct {
		cloudCaseData
		ID string `json:"comment_id" doc:"The id of the comment."`
	}
	cloudLabel struct {
		cloudCaseData
		Label string `json:"label" doc:"The label, by its slug."`
	}
	cloudAssignee struct {
		cloudCaseData
		User ClaimHolder `json:"user" doc:"The user who has the case now, or no longer."`
	}
	cloudLink struct {
		cloudCaseData
		Link cloudContactLink `json:"link" doc:"The contact, and its role."`
	}
	cloudDocuments struct {
		cloudCaseData
		Keys []string `json:"document_keys" doc:"The documents, by their keys in the case type."`
		IDs  []string `json:"document_ids" doc:"Their ids, in the same order."`
	}
	cloudProofs struct {
		cloudCaseData
		Keys []string `json:"proof_keys" doc:"The proofs, by their keys in the case type."`
		IDs  []string `json:"proof_ids" doc:"Their ids, in the same order."`
	}
)

// cloudChange is a value before and after.
type cloudChange struct {
	Path   string          `json:"path" doc:"The value."`
	Before json.RawMessage `json:"before" doc:"The value before; null: there was none."`
	After  json.RawMessage `json:"after" doc:"The value after; null: there is none."`
}

func cloudChanges(f event.Changes) []cloudChange {
	all := make([]cloudChange, len(f.Changes))
	for i, c := range f.Changes {
		all[i] = cloudChange{c.Path, c.Before, c.After}
	}
	return all
}

func cloudCaseAlone(c cloudCaseData, _ event.NoDetails) cloudCaseData { return c }

func cloudLabelOf(c cloudCaseData, f event.Label) cloudLabel { return cloudLabel{c, f.Slug} }

func cloudAssigneeOf(c cloudCaseData, f event.Person) cloudAssignee {
	return cloudAssignee{c, ClaimHolder(f)}
}

func cloudLinkOf(c cloudCaseData, f event.CaseContact) cloudLink {
	return cloudLink{c, cloudContactLink(f)}
}

func cloudDocumentsOf(c cloudCaseData, f event.Documents) cloudDocuments {
	return cloudDocuments{c, append([]string{}, f.Keys...), append([]string{}, f.IDs...)}
}

func cloudProofsOf(c cloudCaseData, f event.Proofs) cloudProofs {
	return cloudProofs{c, append([]string{}, f.Keys...), append([]string{}, f.IDs...)}
}

// cloudCase makes the trigger of a fact about a case. Its sample has these details, and the case in this state.
func cloudCase[F, D any](kind event.Kind[F], details F, state string, data func(cloudCaseData, F) D) Trigger {
	sample := func() *event.Entry { return sampleOfCase(kind.New(details), state) }
	return cloudTrigger[D](kind.Name, kind.Doc, sample, func(m *Message, e *event.Entry, f event.Fact) ([]byte, error) {
		c := e.Snapshot.Case
		if c == nil {
			return nil, errors.New("the journal entry holds no case, which the body is made of")
		}
		known, err := kind.Decode(f)
		if err != nil {
			return nil, err
		}
		subject := strconv.FormatInt(c.ID, 10)
		source := strings.TrimSuffix(c.URL, "/cases/"+subject) + "/case-types/" + c.Type
		return cloudBody(m, source, subject, data(cloudCaseData{cloudCaseOf(c), cloudActorOf(e.Actor)}, known))
	})
}

// cloudContactData is the data of an event about a contact.
type cloudContactData struct {
	Contact Contact    `json:"contact" doc:"The contact as of this event. Unknown details are null."`
	Version int64      `json:"version" doc:"The contact's version, which grows by 1 with every commit about it."`
	Actor   cloudActor `json:"actor" doc:"The author of the change."`
}

type cloudContactChanges struct {
	cloudContactData
	Changes []cloudChange `json:"changes" doc:"What changed, by the names of the details."`
}

func cloudContactAlone(c cloudContactData, _ event.NoDetails) cloudContactData { return c }

// cloudContact makes the trigger of a fact about a contact.
func cloudContact[F, D any](kind event.Kind[F], details F, data func(cloudContactData, F) D) Trigger {
	sample := func() *event.Entry {
		e := sampleOfContact()
		e.Facts = []event.Fact{kind.New(details)}
		return e
	}
	return cloudTrigger[D](kind.Name, kind.Doc, sample, func(m *Message, e *event.Entry, f event.Fact) ([]byte, error) {
		c := e.Snapshot.Contact
		if c == nil {
			return nil, errors.New("the journal entry holds no contact, which the body is made of")
		}
		known, err := kind.Decode(f)
		if err != nil {
			return nil, err
		}
		shown := cloudContactData{NewContact(c), c.Version, cloudActorOf(e.Actor)}
		return cloudBody(m, "/contacts", strconv.FormatInt(c.ID, 10), data(shown, known))
	})
}

// cloudEndpointData is the data of an event about an endpoint.
type cloudEndpointData struct {
	ID     string    `json:"endpoint_id" doc:"The id of the endpoint."`
	URL    string    `json:"url" doc:"Its URL, without the parts that may hold credentials."`
	Since  Timestamp `json:"since" doc:"When it began to fail, or to refuse everything."`
	Reason string    `json:"reason" doc:"Why, for people."`

	Actor cloudActor `json:"actor" doc:"The author: Casehook itself."`
}

// cloudEndpoint makes the trigger of a fact about an endpoint.
func cloudEndpoint(kind event.Kind[event.NoDetails]) Trigger {
	sample := func() *event.Entry { return sampleOfEndpoint(kind.New(event.NoDetails{})) }
	return cloudTrigger[cloudEndpointData](kind.Name, kind.Doc, sample,
		func(m *Message, e *event.Entry, _ event.Fact) ([]byte, error) {
			p := e.Snapshot.Endpoint
			if p == nil {
				return nil, errors.New("the journal entry holds no endpoint, which the body is made of")
			}
			return cloudBody(m, "/endpoints", p.ID, cloudEndpointData{
				p.ID, p.URL, Timestamp(p.Since), p.Reason, cloudActorOf(e.Actor),
			})
		})
}

// cloudTrigger makes the trigger of a fact whose events have data of type D.
func cloudTrigger[D any](fact, doc string, sample func() *event.Entry,
	body func(*Message, *event.Entry, event.Fact) ([]byte, error),
) Trigger {
	return Trigger{cloudPrefix + fact, doc, cloudEvent[D]{}, []rule{{fact: fact, sample: sample, body: body}}}
}
