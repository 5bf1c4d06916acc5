package wire

import (
	"errors"

	"github.com/casehook/casehook/internal/event"
)

// CaseTriggers is the format of the case_* triggers. Its bodies are closed:
// fields, their order and their types are published and never grow.
var CaseTriggers = define(Format{
	Name:        "case_triggers",
	Description: "What happens to cases.",
	header: func(trigger, version string) []Header {
		return append(make([]Header, 0, 5),
			Header{"Content-Type", "application/json; charset=UTF-8"},
			Header{"X-atfinity-event", trigger},
			Header{"X-atfinity-version", version})
	},
	Triggers: []Trigger{
		{"case_created", "A case was created.", []telling{
			tellCase(event.CaseCreated.Name, caseAlone)}},
		{"case_changed", "Data, name or colour of a case changed, or the case was deleted.", []telling{
			tellCase(event.CaseChanged.Name, caseChanged("updated")),
			tellCase(event.CaseDeleted.Name, caseChanged("deleted"))}},
		{"case_state_changed", "A case entered another state, or its first.", []telling{
			tellCase(event.CaseStateChanged.Name, caseStateChanged)}},
		{"case_approved", "A case entered a state that means approval.", []telling{
			tellCase(event.CaseApproved.Name, caseAlone)}},
		{"case_declined", "A case entered a state that means refusal.", []telling{
			tellCase(event.CaseDeclined.Name, caseAlone)}},
		{"case_finished", "A case entered a final state.", []telling{
			tellCase(event.CaseFinished.Name, caseAlone)}},
		{"case_comment", "A comment was added to a case.", []telling{
			tellCase(event.CaseCommented.Name, caseAlone)}},
		{"case_documents_updated", "Documents of a case were generated or deleted.", []telling{
			tellCase(event.CaseDocumentsGenerated.Name, caseDocuments(event.CaseDocumentsGenerated, "generated")),
			tellCase(event.CaseDocumentsDeleted.Name, caseDocuments(event.CaseDocumentsDeleted, "deleted"))}},
		{"case_proofs_updated", "Proofs were uploaded to a case or deleted.", []telling{
			tellCase(event.CaseProofsUploaded.Name, caseAlone),
			tellCase(event.CaseProofsDeleted.Name, caseAlone)}},
	},
})

// caseBody is what the bodies of all case triggers begin with.
type caseBody struct {
	Trigger           string  `json:"trigger"`
	CaseID            int64   `json:"case_id"`
	UserReadableID    string  `json:"case_user_readable_id"`
	Name              string  `json:"case_name"`
	URL               string  `json:"case_url"`
	Version           int64   `json:"case_version"`
	Color             *string `json:"case_color"`
	OutcomeInstanceID *int64  `json:"outcome_instance_id"`
	ProcessKey        *string `json:"process_key"`
}

type caseChangedBody struct {
	caseBody
	Action string `json:"action"`
}

type caseStateChangedBody struct {
	caseBody
	Previous   *string `json:"previous_state_key"` // null on creation
	Current    *string `json:"current_state_key"`
	Transition *string `json:"transition_key"` // null when none was used
}

type caseDocumentsBody struct {
	caseBody
	DocumentKeys []string `json:"document_keys"` // never null
	Action       string   `json:"action"`
}

// A caseExtension adds to the common fields what a trigger has beyond them.
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

// tellCase tells a fact about a case, from the entry's snapshot.
func tellCase(fact string, extend caseExtension) telling {
	return telling{fact: fact, body: func(trigger string, e *event.Entry, f event.Fact) ([]byte, error) {
		c := e.Snapshot.Case
		if c == nil {
			return nil, errors.New("the journal entry holds no case, which the body is made of")
		}
		body, err := extend(caseBody{
			Trigger: trigger, CaseID: c.ID, UserReadableID: c.Reference, Name: c.Name, URL: c.URL,
			Version: c.Version, Color: orNull(c.Color), OutcomeInstanceID: orNull(c.OutcomeInstance),
			ProcessKey: orNull(c.ProcessKey),
		}, f)
		if err != nil {
			return nil, err
		}
		return encode(body)
	}}
}
