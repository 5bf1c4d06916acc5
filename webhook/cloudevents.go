package webhook

import (
	"encoding/json"
	"strings"
	"time"
)

// cloudPrefix begins the types of Casehook's CloudEvents.
const cloudPrefix = "com.casehook."

// CloudEvent is the payload of the com.casehook.* triggers: an event of CloudEvents 1.0 in structured mode.
type CloudEvent struct {
	SpecVersion     string    `json:"specversion"`
	ID              string    `json:"id"` // the webhook-id
	Source          string    `json:"source"`
	Type            string    `json:"type"` // the trigger
	Subject         string    `json:"subject"`
	Time            time.Time `json:"time"`
	DataContentType string    `json:"datacontenttype"`
	Data            CloudData `json:"data"`
}

// CloudData is the data of a CloudEvent. Which members it has depends on the type; the others are zero. A thin body
// has no data.
type CloudData struct {
	Case  *CloudCase `json:"case"` // of com.casehook.case.*
	Actor CloudActor `json:"actor"`

	Transition  string        `json:"transition"` // case.created, case.state_changed
	FromState   string        `json:"from_state"` // case.state_changed; empty: the case was created
	ToState     string        `json:"to_state"`
	FromType    string        `json:"from_type"` // case.type_switched
	ToType      string        `json:"to_type"`
	FromVersion int64         `json:"from_version"` // case.migrated
	ToVersion   int64         `json:"to_version"`
	Changes     []CloudChange `json:"changes"`    // case.changed, contact.updated
	CommentID   string        `json:"comment_id"` // case.commented
	Label       string        `json:"label"`      // case.label_added, case.label_removed
	User        *Assignee     `json:"user"`       // case.assigned, case.unassigned

	DocumentKeys []string `json:"document_keys"` // case.documents_generated, case.documents_deleted
	DocumentIDs  []string `json:"document_ids"`
	ProofKeys    []string `json:"proof_keys"` // case.proofs_uploaded, case.proofs_deleted
	ProofIDs     []string `json:"proof_ids"`

	Link *CloudLink `json:"link"` // case.contact_linked, case.contact_unlinked

	Contact *Contact `json:"contact"` // of com.casehook.contact.*
	Version int64    `json:"version"` // the contact's

	EndpointID string    `json:"endpoint_id"` // endpoint.*
	URL        string    `json:"url"`
	Since      time.Time `json:"since"`
	Reason     string    `json:"reason"`
}

// CloudCase is a case as of an event, without its data.
type CloudCase struct {
	ID                int64       `json:"id"`
	Reference         string      `json:"reference"` // KYC-0042
	Name              string      `json:"name"`
	URL               string      `json:"url"` // at which people open it
	Type              string      `json:"type"`
	TypeVersion       int64       `json:"type_version"`
	Kind              string      `json:"kind"`    // case or claim
	Version           int64       `json:"version"` // grows by one with every change
	State             string      `json:"state"`
	Status            string      `json:"status"` // open or closed
	Classification    string      `json:"classification"`
	Color             string      `json:"color"`
	OutcomeInstanceID int64       `json:"outcome_instance_id"`
	ProcessKey        string      `json:"process_key"`
	Labels            []string    `json:"labels"`
	Contacts          []CloudLink `json:"contacts"`
	AssignedTo        *Assignee   `json:"assigned_to"` // nil: nobody
	CreatedAt         time.Time   `json:"created_at"`
	ClosedAt          time.Time   `json:"closed_at"` // zero: it is open
}

// CloudActor is the author of a change.
type CloudActor struct {
	Source string `json:"source"` // ui, api or system
	Name   string `json:"name"`
	UserID int64  `json:"user_id"` // with the source ui alone
}

// CloudChange is a value before and after. Null means that there was or is none.
type CloudChange struct {
	Path   string          `json:"path"`
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`
}

// CloudLink is a contact in its role.
type CloudLink struct {
	ContactID int64  `json:"contact_id"`
	Role      string `json:"role"`
}

// payloadOf returns the function that decodes the bodies of a trigger.
func payloadOf(trigger string) (decode func(body []byte) (any, error), known bool) {
	if strings.HasPrefix(trigger, cloudPrefix) {
		return payload[CloudEvent], true
	}
	decode, known = payloads[trigger]
	return decode, known
}
