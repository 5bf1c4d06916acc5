package wire

import (
	"time"

	"github.com/casehook/casehook/internal/casetype"
)

// ccdBody is the body of a question in CCD's dialect.
type ccdBody struct {
	Now           *ccdDetails `json:"case_details" doc:"The case, as in QuickCase's dialect."`
	Before        *ccdDetails `json:"case_details_before" doc:"The case as it was saved before; null on creation, at a start, and where the case as it was is above the callback's clearance."`
	EventID       string      `json:"event_id" doc:"The key of the transition, or the name of the operation: @delete."`
	IgnoreWarning *bool       `json:"ignore_warning" doc:"Of about_to_submit, what the submitter said, or null; of submitted null, else false."`
	Operation     *Operation  `json:"operation,omitempty" doc:"What is done with the case outside its content; absent but for @assign, @label and @comment."`
}

// ccdDetails is a case in CCD's dialect. One that does not exist yet lacks what it has no value of.
type ccdDetails struct {
	ID                     int64           `json:"id,omitempty" doc:"The case's id, a number."`
	Jurisdiction           string          `json:"jurisdiction" doc:"The jurisdiction of its case type; empty: none."`
	CaseTypeID             string          `json:"case_type_id" doc:"The key of its case type."`
	CreatedDate            ccdTime         `json:"created_date,omitzero" doc:"When it was created, in UTC."`
	LastModified           ccdTime         `json:"last_modified,omitzero" doc:"When its content last changed, in UTC."`
	LastStateModified      ccdTime         `json:"last_state_modified_date,omitzero" doc:"When it entered its state, in UTC."`
	State                  string          `json:"state,omitempty" doc:"The key of its state."`
	SecurityClassification string          `json:"security_classification" enum:"PUBLIC,PRIVATE,RESTRICTED" doc:"Its classification."`
	CaseData               map[string]any  `json:"case_data" doc:"Its data by field, as far as the callback's clearance sees it."`
	DataClassification     classifications `json:"data_classification" doc:"The classification of every field in case_data."`
	Version                int64           `json:"version,omitempty" doc:"The revision of its content."`
}

// ccdTime is a time in CCD's dialect: in UTC, without saying so.
type ccdTime time.Time

func (ccdTime) jsonSchema(string) *schema {
	return &schema{Type: "string", Pattern: `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}$`}
}

// IsZero reports whether there is no time.
func (t ccdTime) IsZero() bool { return time.Time(t).IsZero() }

// MarshalText writes the time with three digits of a second; finer digits are cut off.
func (t ccdTime) MarshalText() ([]byte, error) {
	return time.Time(t).UTC().AppendFormat(nil, "2006-01-02T15:04:05.000"), nil
}

func (a Asked) ccd() ccdBody {
	body := ccdBody{Now: a.Now.ccd(), Before: nil, EventID: a.Transition, Operation: a.Operation}
	switch a.Question {
	case casetype.AboutToStart:
		body.IgnoreWarning = new(bool)
		return body
	case casetype.MidEvent:
		body.IgnoreWarning = new(bool)
	case casetype.AboutToSubmit:
		body.IgnoreWarning = a.IgnoreWarning
	}
	if a.Before != nil {
		body.Before = a.Before.ccd()
	}
	return body
}

func (c CallbackCase) ccd() *ccdDetails {
	data, classes := c.data()
	return &ccdDetails{
		ID:                     c.ID,
		Jurisdiction:           c.Jurisdiction,
		CaseTypeID:             c.Type,
		CreatedDate:            ccdTime(c.CreatedAt),
		LastModified:           ccdTime(c.ModifiedAt),
		LastStateModified:      ccdTime(c.StateSince),
		State:                  c.State,
		SecurityClassification: c.Classification,
		CaseData:               data,
		DataClassification:     classes,
		Version:                c.Revision,
	}
}
