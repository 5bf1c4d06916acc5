package quickcase

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/wire"
)

// caseDetails is a case whose form is shown. One that does not exist yet lacks what it has no value of.
type caseDetails struct {
	ID             string            `json:"id,omitempty"`
	Jurisdiction   string            `json:"jurisdiction"`
	Type           string            `json:"case_type_id"`
	Created        *wire.Timestamp   `json:"created_date,omitempty"`
	Modified       *wire.Timestamp   `json:"last_modified,omitempty"`
	State          string            `json:"state,omitempty"`
	Classification string            `json:"security_classification"`
	Data           map[string]any    `json:"case_data"`
	Classes        map[string]string `json:"data_classification"`
}

func detailsOf(c cases.Case, t *casetype.Type) caseDetails {
	d := caseDetails{
		Jurisdiction: t.Jurisdiction, Type: t.Key, State: c.State, Classification: string(c.Classification),
		Data: orEmpty(c.Data), Classes: t.Classifications(c.Data),
	}
	if c.ID != 0 {
		d.ID = strconv.FormatInt(c.ID, 10)
		created, modified := wire.Timestamp(c.CreatedAt), wire.Timestamp(c.ModifiedAt)
		d.Created, d.Modified = &created, &modified
	}
	return d
}

// shownCase is a case as it is saved, and what the submitted callback answered.
type shownCase struct {
	ID             string            `json:"id"`
	Jurisdiction   string            `json:"jurisdiction"`
	Type           string            `json:"case_type"`
	Created        wire.Timestamp    `json:"created_on"`
	Modified       wire.Timestamp    `json:"last_modified_on"`
	StateSince     wire.Timestamp    `json:"last_state_modified_on"`
	State          string            `json:"state"`
	Classification string            `json:"security_classification"`
	Data           map[string]any    `json:"data"`
	Classes        map[string]string `json:"data_classification"`

	Confirmation   *confirmation `json:"after_submit_callback_response"`
	CallbackStatus *string       `json:"callback_response_status"`
	CallbackCode   *int          `json:"callback_response_status_code"`
	CallbackError  *string       `json:"callback_error_message"`
}

type confirmation struct {
	Header string `json:"confirmation_header"`
	Body   string `json:"confirmation_body"`
}

// The values of callback_response_status. CCD says of both that the status code is 200.
const (
	completed  = "CALLBACK_COMPLETED"
	incomplete = "INCOMPLETE_CALLBACK"
)

func caseOf(v casework.View) shownCase {
	c := shownCase{
		ID: strconv.FormatInt(v.ID, 10), Jurisdiction: v.Definition.Jurisdiction, Type: v.Type,
		Created: wire.Timestamp(v.CreatedAt), Modified: wire.Timestamp(v.ModifiedAt),
		StateSince: wire.Timestamp(v.StateSince), State: v.State, Classification: string(v.Classification),
		Data: orEmpty(v.Data), Classes: v.Definition.Classifications(v.Data),
	}
	if said := v.Confirmation; said != nil {
		c.CallbackStatus, c.CallbackCode = new(string), new(int)
		*c.CallbackStatus, *c.CallbackCode = completed, http.StatusOK
		if said.Failure != "" {
			*c.CallbackStatus, c.CallbackError = incomplete, &said.Failure
		}
		if said.Header != "" || said.Body != "" {
			c.Confirmation = &confirmation{said.Header, said.Body}
		}
	}
	return c
}

func orEmpty(data map[string]any) map[string]any {
	if data == nil {
		return map[string]any{}
	}
	return data
}

// refusal is the answer to a request that failed. Its last members are those of the API's problems.
type refusal struct {
	Exception string         `json:"exception"`
	Timestamp wire.Timestamp `json:"timestamp"`
	Status    int            `json:"status"`
	Error     string         `json:"error"`
	Message   string         `json:"message"`
	Path      string         `json:"path"`
	Details   *details       `json:"details"`
	Errors    []string       `json:"callbackErrors"`
	Warnings  []string       `json:"callbackWarnings"`

	Code   string            `json:"code"`
	Detail string            `json:"detail"`
	Fields []rest.FieldFault `json:"fields,omitempty"`
}

type details struct {
	FieldErrors []fieldError `json:"field_errors"`
}

type fieldError struct {
	ID      string `json:"id"` // the path of the field, with dots: vehicle.plate
	Message string `json:"message"`
}

// statuses are those of codes that QuickCase answers otherwise than the API.
var statuses = map[string]int{
	"case.transition_not_allowed": http.StatusUnprocessableEntity,
	"case.fields_not_allowed":     http.StatusNotFound,
}

// refuse answers a request that failed.
func (h handler) refuse(x *rest.Exchange, err error) {
	p := h.kernel.Problem(x.Request.Context(), err)
	if status := statuses[string(p.Code)]; status != 0 {
		p.SetStatus(status)
	}
	for name, values := range p.GetHeaders() {
		x.Header()[name] = values
	}
	body := refusal{
		Exception: string(p.Code), Timestamp: wire.Timestamp(time.Now()), Status: p.Status,
		Error: http.StatusText(p.Status), Message: p.Detail, Path: x.Request.URL.Path,
		Errors: append([]string{}, p.Errors...), Warnings: append([]string{}, p.Warnings...),
		Code: string(p.Code), Detail: p.Detail, Fields: p.Fields,
	}
	for _, f := range fault.As(err).Fields {
		if body.Details == nil {
			body.Details = &details{}
		}
		body.Details.FieldErrors = append(body.Details.FieldErrors, fieldError{dotted(f.Path), f.Message})
	}
	x.Header().Set("Content-Type", "application/json")
	x.WriteHeader(p.Status)
	rest.Encode(x, body)
}

var unescape = strings.NewReplacer("~1", "/", "~0", "~")

// dotted returns the path of a field in the data as QuickCase writes it.
func dotted(pointer string) string {
	var parts []string
	for part := range strings.SplitSeq(strings.TrimPrefix(strings.TrimPrefix(pointer, "/data"), "/"), "/") {
		parts = append(parts, unescape.Replace(part))
	}
	return strings.Join(parts, ".")
}
