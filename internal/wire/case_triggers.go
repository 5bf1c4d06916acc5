package wire

import (
	"errors"
	"slices"

	"github.com/casehook/casehook/internal/event"
)

// CaseTriggers is the format of the case_* triggers. Its bodies are closed:
// fields, their order and their types are published and never grow.
var CaseTriggers = define(Format{
	Name:        "case_triggers",
	Description: "Changes to cases.",
	header: func(trigger, version string) []Header {
		return append(make([]Header, 0, 5),
			Header{"Content-Type", "application/json; charset=UTF-8"},
			Header{"X-atfinity-event", trigger},
			Header{versionHeader, version})
	},
	identify: []string{"trigger", "case_id", "case_user_readable_id", "case_version", "action"},
	headerDocs: map[string]string{
		"X-atfinity-event": "The trigger.",
		versionHeader: "The version of Casehook, or in its place the endpoint's atfinity_version, else the " +
			"server's.",
	},
	Triggers: []Trigger{
		{"case_created", "A case was created.", caseBody{}, []rule{
			caseRule(event.CaseCreated.New(event.Creation{Transition: "open"}), "in_review", caseAlone)}},
		{"case_changed", "Data, name or colour of a case changed, or the case was deleted.",
			caseChangedBody{}, []rule{
				caseRule(event.CaseChanged.New(event.Changes{Changes: []event.Change{
					{Path: "data/client", Before: []byte(`"Acme"`), After: []byte(`"Acme Corp"`)}}}), "in_review",
					caseChanged("updated")),
				caseRule(event.CaseDeleted.New(event.NoDetails{}), "in_review", caseChanged("deleted"))}},
		{"case_state_changed", "A case entered another state, or its first: by a transition, or without one by a " +
			"switch or a migration of its type.", caseStateChangedBody{}, []rule{
			caseRule(event.CaseStateChanged.New(event.StateChange{
				From: "in_review", To: "approved", Transition: "approve",
			}), "approved", caseStateChanged)}},
		{"case_approved", "A case entered a state that means approval.", caseBody{}, []rule{
			caseRule(event.CaseApproved.New(event.NoDetails{}), "approved", caseAlone)}},
		{"case_declined", "A case entered a state that means refusal.", caseBody{}, []rule{
			caseRule(event.CaseDeclined.New(event.NoDetails{}), "declined", caseAlone)}},
		{"case_finished", "A case entered a final state.", caseBody{}, []rule{
			caseRule(event.CaseFinished.New(event.NoDetails{}), "approved", caseAlone)}},
		{"case_comment", "A comment was added to a case.", caseBody{}, []rule{
			caseRule(event.CaseCommented.New(event.Comment{ID: "cmt_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"}), "in_review",
				caseAlone)}},
		{"case_documents_updated", "Documents of a case were generated or deleted.", caseDocumentsBody{}, []rule{
			caseRule(event.CaseDocumentsGenerated.New(sampleDocuments), "in_review",
				caseDocuments(event.CaseDocumentsGenerated, "generated")),
			caseRule(event.CaseDocumentsDeleted.New(sampleDocuments), "in_review",
				caseDocuments(event.CaseDocumentsDeleted, "deleted"))}},
		{"case_proofs_updated", "Proofs were uploaded to a case or deleted.", caseBody{}, []rule{
			caseRule(event.CaseProofsUploaded.New(sampleProofs), "in_review", caseAlone),
			caseRule(event.CaseProofsDeleted.New(sampleProofs), "in_review", caseAlone)}},
	},
})

// versionHeader is the one header whose value an endpoint may choose.
const versionHeader = "X-atfinity-version"

// HeaderFor returns the message's headers, with the version that a receiver expects unless that is empty.
func (m *Message) HeaderFor(version string) []Header {
	i := slices.IndexFunc(m.Header, func(h Header) bool { return h.Name == versionHeader })
	if version == "" || i == -1 {
		return m.Header
	}
	own := slices.Clone(m.Header) // all receivers share the message
	own[i].Value = version
	return own
}

// caseBody is the start of the bodies of all case triggers.
type caseBody struct {
	Trigger           string  `json:"trigger" value:"trigger" doc:"The name of the trigger."`
	CaseID            int64   `json:"case_id" doc:"The case's id, below 2^53."`
	UserReadableID    string  `json:"case_user_readable_id" doc:"The case's reference, for people."`
	Name              string  `json:"case_name" doc:"The case's name."`
	URL               string  `json:"case_url" doc:"The address at which people open the case."`
	Version           int64   `json:"case_version" doc:"Begins at 1 and grows by 1 with every commit about the case; the body is the case as of then."`
	Color             *string `json:"case_color" doc:"The case's colour, else its state's, else its type's, else null."`
	OutcomeInstanceID *int64  `json:"outcome_instance_id" doc:"The number of what the case produces; null where its type declares nothing."`
	ProcessKey        *string `json:"process_key" doc:"The process that the case's type belongs to, or null."`
}

type caseChangedBody struct {
	caseBody
	Action string `json:"action" enum:"updated,deleted" doc:"How the case changed."`
}

type caseStateChangedBody struct {
	caseBody
	Previous   *string `json:"previous_state_key" doc:"The state before; null on creation."`
	Current    *string `json:"current_state_key" doc:"The state that was entered."`
	Transition *string `json:"transition_key" doc:"The transition that was used; null when none was."`
}

type caseDocumentsBody struct {
	caseBody
	DocumentKeys []string `json:"document_keys" doc:"The documents, by their keys in the case type."` // never null
	Action       string   `json:"action" enum:"generated,deleted" doc:"How the documents changed."`
}

// A caseExtension adds the fields of a trigger to the common ones.
type caseExtension func(caseBody, event.Fact) (any, error)

func caseAlone(c caseBody, _ event.Fact) (any, error) { return c, nil }

func caseChanged(action string) caseExtension {
	return func(c caseBody, _ event.Fact) (any, error) { return caseChangedBody{c, action}, nil }
}

func caseStateChanged(c caseBody, f event.Fact) (any, error) {
	s, err := event.CaseStateChanged.Decode(f)
	return caseStateChangedBody{c, orNull(s.From), orNull(s.To), orNull(s.Transition)}, err
}

func caseDocuments(kind event.Kind[event.Documents], action string) caseExtension {
	return func(c caseBody, f event.Fact) (any, error) {
		d, err := kind.Decode(f)
		return caseDocumentsBody{c, append([]string{}, d.Keys...), action}, err
	}
}

// caseRule makes the rule for a fact about a case, whose body comes from the entry's snapshot. Its sample
// has this fact, and the case in this state.
func caseRule(fact event.Fact, state string, extend caseExtension) rule {
	return rule{fact: fact.Name, sample: func() *event.Entry { return sampleOfCase(fact, state) },
		body: func(m *Message, e *event.Entry, f event.Fact) ([]byte, error) {
			c := e.Snapshot.Case
			if c == nil {
				return nil, errors.New("the journal entry holds no case, which the body is made of")
			}
			body, err := extend(caseBody{
				Trigger: m.Trigger, CaseID: c.ID, UserReadableID: c.Reference, Name: c.Name, URL: c.URL,
				Version: c.Version, Color: orNull(c.Color), OutcomeInstanceID: orNull(c.OutcomeInstance),
				ProcessKey: orNull(c.ProcessKey),
			}, f)
			if err != nil {
				return nil, err
			}
			return encode(body)
		}}
}
