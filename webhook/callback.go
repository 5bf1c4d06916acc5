package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"time"
)

// AboutToSubmit is the question of a callback: may this be saved?
type AboutToSubmit struct {
	ID      string `json:"-"` // the webhook-id: the same on every attempt of one question
	Attempt int    `json:"-"` // 1, 2, ...; not signed
	DryRun  bool   `json:"-"` // somebody tries the transition out: nothing will be saved; not signed

	Before  *Details `json:"case_details_before"` // as it is saved now; nil on creation
	Details Details  `json:"case_details"`        // as it would be saved, in the state it would enter
}

// Details is a case in a callback's question.
type Details struct {
	ID              string            `json:"id"`
	CaseType        string            `json:"case_type_id"` // its key
	CreatedAt       time.Time         `json:"created_date"`
	ModifiedAt      time.Time         `json:"last_modified"`
	State           string            `json:"state"`
	Classification  string            `json:"security_classification"` // PUBLIC, PRIVATE or RESTRICTED
	CaseData        json.RawMessage   `json:"case_data"`               // an object; see Data
	Classifications map[string]string `json:"data_classification"`     // of every field in CaseData
}

// Data decodes the case's data into the value that v points to: a struct with fields of your case type, or a map.
// The error is ErrBody.
func (d Details) Data(v any) error {
	if err := json.Unmarshal(d.CaseData, v); err != nil {
		return fmt.Errorf("%w: the data of case %s: %w", ErrBody, d.ID, err)
	}
	return nil
}

// Answer is the answer of a callback. The zero value accepts.
type Answer struct {
	// Data, when it is not nil, replaces all data of the case: fields that it omits are removed. A struct with half
	// of the fields would erase the others; AboutToSubmit.Amend changes some fields and keeps the rest.
	Data any `json:"data,omitempty"`

	Errors   []string `json:"errors,omitempty"`   // any: nothing is saved
	Warnings []string `json:"warnings,omitempty"` // any: nothing is saved, unless the submitter ignores them

	OverrideState string `json:"override_state,omitempty"` // enter this state instead
}

// Accept lets the case be saved as it is.
func Accept() Answer { return Answer{} }

// Refuse refuses the change. The user who submitted it sees the reasons.
func Refuse(reasons ...string) Answer { return Answer{Errors: reasons} }

// Warn refuses the change unless the user who submits it ignores the warnings.
func Warn(warnings ...string) Answer { return Answer{Warnings: warnings} }

// Divert sends the case to another state than the transition's.
func Divert(state string) Answer { return Answer{OverrideState: state} }

// Amend answers with the case's data in which these fields are set, and all others stay as they would be saved.
// Fields is a map or a struct; its null fields are cleared.
func (q *AboutToSubmit) Amend(fields any) (Answer, error) {
	raw, err := json.Marshal(fields)
	if err != nil {
		return Answer{}, err
	}
	data, changed := map[string]json.RawMessage{}, map[string]json.RawMessage{} // numbers keep their spelling
	if err := q.Details.Data(&data); err != nil {
		return Answer{}, err
	}
	if err := json.Unmarshal(raw, &changed); err != nil {
		return Answer{}, fmt.Errorf("webhook: Amend takes a map or a struct, not %T", fields)
	}
	if data == nil { // the case's data is null
		data = map[string]json.RawMessage{}
	}
	maps.Copy(data, changed)
	return Answer{Data: data}, nil
}

// Callback serves an AboutToSubmit callback. It calls decide with each question whose signature is valid. The user
// who submitted the change waits meanwhile: 15 seconds in all, unless the case type sets another budget. Casehook
// asks again, with the same ID, when the answer did not arrive.
//
// If decide fails, Callback responds with 500, and Casehook asks again. When Casehook gives up, nothing is saved
// unless the case type's failure policy is ignore. To refuse a change, answer with [Refuse].
func Callback(
	v *Verifier, decide func(context.Context, *AboutToSubmit) (Answer, error), options ...Option,
) http.Handler {
	return receivingBy(v, options, func(w http.ResponseWriter, r *http.Request, body []byte) error {
		q, err := DecodeAboutToSubmit(r.Header, body)
		if err != nil {
			return err
		}
		answer, err := decide(r.Context(), q)
		if err != nil {
			return err
		}
		encoded, err := json.Marshal(answer)
		if err != nil {
			return fmt.Errorf("webhook: the answer can't be written: %w", err)
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write(encoded) // if the connection is lost, Casehook asks again
		return nil
	})
}

// DecodeAboutToSubmit reads a question that was verified. The error is ErrBody.
func DecodeAboutToSubmit(header http.Header, body []byte) (*AboutToSubmit, error) {
	q := &AboutToSubmit{ID: header.Get(headerID), DryRun: header.Get("dry-run") == "true"}
	q.Attempt, _ = strconv.Atoi(header.Get("webhook-attempt")) // 0, where there is none
	if err := json.Unmarshal(body, q); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBody, err)
	}
	if q.Details.ID == "" || len(q.Details.CaseData) == 0 {
		return nil, fmt.Errorf("%w: it is not a question about a case", ErrBody)
	}
	return q, nil
}
