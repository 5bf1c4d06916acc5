package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"time"

	"github.com/casehook/casehook/internal/casetype"
)

// Asked is the contents of a question to a callback.
type Asked struct {
	Dialect    casetype.Dialect
	Question   casetype.Question
	Transition string // the key of the transition, or the name of the operation
	// IgnoreWarning is what the submitter said; nil: nothing. CCD's dialect tells it of an AboutToSubmit.
	IgnoreWarning *bool
	Before        *CallbackCase // as stored; nil: there is none, or the callback may not see it
	Now           CallbackCase
	Operation     *Operation // nil: it is about content, or a deletion
}

// The kinds of operations that leave the content of a case as it is.
const (
	Assigns     = "assign"
	Unassigns   = "unassign"
	AddsLabel   = "add_label"
	DropsLabel  = "remove_label"
	AddsComment = "add_comment"
)

// Operation is a change of a case outside its content.
type Operation struct {
	Kind     string    `json:"kind" enum:"assign,unassign,add_label,remove_label,add_comment" doc:"What is done."`
	Assignee *Assignee `json:"assignee,omitempty" doc:"Who gets the case; absent: it is not assigned."`
	Label    string    `json:"label,omitempty" doc:"The slug of the label; absent: it is about none."`
	Comment  string    `json:"comment,omitempty" doc:"The text of the comment; absent: none is added."`
	Due      string    `json:"due,omitempty" doc:"The date on which the comment is due; absent: none."`
}

// Assignee is a user who gets a case.
type Assignee struct {
	UserID int64  `json:"user_id" doc:"The user's id."`
	Name   string `json:"name" doc:"The user's name."`
}

// CallbackCase is a case in the form that a callback gets.
type CallbackCase struct {
	ID              int64  // 0 where it does not exist: it was not submitted yet
	Type            string // the case type's key
	Jurisdiction    string
	CreatedAt       time.Time
	ModifiedAt      time.Time
	StateSince      time.Time // when its state last changed
	State           string
	Revision        int64
	Classification  string
	Data            map[string]any
	Classifications map[string]string // of every field in Data
}

// EncodeQuestion writes the body of a question. Fields are in the order of their names.
func EncodeQuestion(a Asked) ([]byte, error) {
	for _, c := range []*CallbackCase{&a.Now, a.Before} {
		if err := c.classified(); err != nil {
			return nil, err
		}
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(a.body()); err != nil {
		return nil, fmt.Errorf("encoding the question about case %d: %w", a.Now.ID, err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// body returns the body of a question in its dialect.
func (a Asked) body() any {
	if a.Dialect == casetype.CCD {
		return a.ccd()
	}
	switch {
	case a.Question == casetype.AboutToStart || a.Question == casetype.MidEvent:
		return startedBody{shownCase(a.Now)}
	case a.Before == nil:
		return questionBody{nil, a.Now.details(), a.Operation}
	}
	before := a.Before.details()
	return questionBody{&before, a.Now.details(), a.Operation}
}

// questionBody is the body of a question in QuickCase's dialect, about a submission.
type questionBody struct {
	Before *caseDetails `json:"case_details_before" doc:"The case as it is saved now; null on creation, and where the case as it is now is above the callback's clearance."`
	Now    caseDetails  `json:"case_details" doc:"The case as it would be saved, with merged data and the target state."`

	Operation *Operation `json:"operation,omitempty" doc:"What is done with the case outside its content; absent but for @assign, @label and @comment."`
}

// startedBody is the body of a question in QuickCase's dialect, about a transition that is started or filled in.
type startedBody struct {
	Now shownCase `json:"case_details" doc:"The case as it is saved, with the data that the form shows."`
}

// shownCase is a case whose form is shown. One that does not exist yet lacks what it has no value of.
type shownCase CallbackCase

// MarshalJSON writes the case.
func (c shownCase) MarshalJSON() ([]byte, error) {
	if of := CallbackCase(c); !of.starts() {
		return encode(of.details())
	}
	data, classes := CallbackCase(c).data()
	return encode(newCase{c.Type, c.Classification, data, classes})
}

func (shownCase) jsonSchema(string) *schema {
	return &schema{AnyOf: []*schema{schemaOf(reflect.TypeFor[caseDetails](), ""),
		schemaOf(reflect.TypeFor[newCase](), "")}}
}

// newCase is a case that does not exist yet.
type newCase struct {
	CaseTypeID             string          `json:"case_type_id" doc:"The key of its case type."`
	SecurityClassification string          `json:"security_classification" enum:"PUBLIC,PRIVATE,RESTRICTED" doc:"Its classification."`
	CaseData               map[string]any  `json:"case_data" doc:"The data that the form shows, as far as the callback's clearance sees it."`
	DataClassification     classifications `json:"data_classification" doc:"The classification of every field in case_data."`
}

// caseDetails has the published names in the published order.
type caseDetails struct {
	ID                     string          `json:"id" doc:"The case's id, which a new case has already."`
	CaseTypeID             string          `json:"case_type_id" doc:"The key of its case type."`
	CreatedDate            Timestamp       `json:"created_date" doc:"When it was created; on creation the time of the submission."`
	LastModified           Timestamp       `json:"last_modified" doc:"When its content last changed; in case_details the time of the submission."`
	State                  string          `json:"state" doc:"The key of its state."`
	SecurityClassification string          `json:"security_classification" enum:"PUBLIC,PRIVATE,RESTRICTED" doc:"Its classification."`
	CaseData               map[string]any  `json:"case_data" doc:"Its data by field, as far as the callback's clearance sees it."`
	DataClassification     classifications `json:"data_classification" doc:"The classification of every field in case_data."`
}

// classifications maps names of fields to their classifications.
type classifications map[string]string

func (classifications) jsonSchema(string) *schema {
	return &schema{Type: "object", AdditionalProperties: &schema{
		Type: "string", Enum: []string{"PUBLIC", "PRIVATE", "RESTRICTED"},
	}}
}

// classified checks that every field of the data has a classification.
func (c *CallbackCase) classified() error {
	if c == nil {
		return nil
	}
	for name := range c.Data {
		if _, ok := c.Classifications[name]; !ok {
			return fmt.Errorf("case %d: the field %q has no classification", c.ID, name)
		}
	}
	return nil
}

// starts reports whether the case is one that may be created later.
func (c CallbackCase) starts() bool { return c.ID == 0 && c.CreatedAt.IsZero() }

// data returns the data with the classification of each field; neither is null.
func (c CallbackCase) data() (map[string]any, classifications) {
	data, classes := c.Data, make(classifications, len(c.Data))
	if data == nil {
		data = map[string]any{}
	}
	for name := range data {
		classes[name] = c.Classifications[name]
	}
	return data, classes
}

func (c CallbackCase) details() caseDetails {
	data, classes := c.data()
	return caseDetails{
		ID: strconv.FormatInt(c.ID, 10), CaseTypeID: c.Type,
		CreatedDate: Timestamp(c.CreatedAt), LastModified: Timestamp(c.ModifiedAt),
		State: c.State, SecurityClassification: c.Classification,
		CaseData: data, DataClassification: classes,
	}
}
