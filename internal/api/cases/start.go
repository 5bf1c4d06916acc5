package cases

import (
	"context"
	"net/http"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
)

// ClientContextHeader is embedded in the parameters of operations that ask callbacks.
type ClientContextHeader struct {
	ClientContext string `header:"Client-Context" maxLength:"16384" doc:"Base64 of a JSON object, which is passed on to callbacks. What they answer is merged over it, and is in the header of the answer." example:"eyJ0YXNrIjoiNyJ9"`
}

// Started is a transition that was started.
type Started struct {
	Token      string      `json:"token" doc:"Present it as start_token with the submission: it is refused if the case has changed since, or if the token is from another start. It does not expire, and can be used again." example:"AbC..."`
	Transition string      `json:"transition" doc:"The key of the transition." example:"submit"`
	CaseID     *int64      `json:"case_id" doc:"The case; null: the transition creates one." example:"4539148803436467"`
	State      *string     `json:"state" doc:"The key of the state that the case is in; null: there is no case yet." example:"draft"`
	Data       rest.Object `json:"data" doc:"The data that the form shows. It is not saved." example:"{\"country\": \"CH\"}"`
}

// InStart has the parameters of a start.
type InStart struct {
	Case          int64  `query:"case" minimum:"1" doc:"The case that the transition is of; absent: it creates one." example:"4539148803436467"`
	Type          string `query:"type" maxLength:"100" doc:"The key of the type of the case to create; absent: it is of a case."`
	Transition    string `query:"transition" required:"true" minLength:"1" maxLength:"100" doc:"The key of the transition." example:"submit"`
	IgnoreWarning bool   `query:"ignore_warning" doc:"Go on although the callback warns." example:"true"`
	ClientContextHeader
}

// FilledPage is the body that checks a page of a form.
type FilledPage struct {
	Case          int64  `json:"case,omitempty" minimum:"1" doc:"The case that the transition is of; absent: it creates one." example:"4539148803436467"`
	Type          string `json:"type,omitempty" maxLength:"100" doc:"The key of the type of the case to create; absent: it is of a case."`
	Transition    string `json:"transition" minLength:"1" maxLength:"100" doc:"The key of the transition." example:"submit"`
	Page          string `json:"page,omitempty" maxLength:"100" doc:"The key of the page that is left. Where it is absent, unknown or has no callback, nobody is asked." example:"1"`
	Data          Data   `json:"data,omitempty" doc:"The data of the page." example:"{\"country\": \"CH\"}"`
	FormData      Data   `json:"form_data,omitempty" doc:"The data of all pages so far; absent: those of the page." example:"{\"country\": \"CH\", \"client_name\": \"Acme Corp\"}"`
	IgnoreWarning bool   `json:"ignore_warning,omitempty" doc:"Go on although the callback warns."`
}

// CheckedPage is the result of a page that was left.
type CheckedPage struct {
	Data rest.Object `json:"data" doc:"The data that the form shows next. It is not saved." example:"{\"country\": \"CH\"}"`
}

// Confirmation is the answer of a submitted callback.
type Confirmation struct {
	Header  string  `json:"header" doc:"Its confirmation_header, in Markdown." example:"# Permit issued"`
	Body    string  `json:"body" doc:"Its confirmation_body, in Markdown." example:"Print it."`
	Status  *int    `json:"status" doc:"The HTTP status of its last answer; null: there was none." example:"200"`
	Failure *string `json:"failure" doc:"Why there is no usable answer; null: there is one. The submission is saved all the same."`
}

type startedAnswer struct {
	ClientContext string `header:"Client-Context" doc:"As the request had it, with what the callback answered."`
	Body          rest.Reply[Started]
}

type checkedPageAnswer struct {
	ClientContext string `header:"Client-Context" doc:"As the request had it, with what the callback answered."`
	Body          rest.Reply[CheckedPage]
}

// startHandler has the operations before a submission.
type startHandler struct {
	kernel  *rest.Kernel
	service casework.Services
}

func (h startHandler) register() {
	const tag = "cases"
	problems := []int{http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusBadGateway,
		http.StatusGatewayTimeout}
	rest.Handle(h.kernel, rest.Operation{
		ID: access.StartTransition, Pattern: "GET /v1/starts", Tag: tag,
		Summary: "Start a transition",
		Description: "Returns the data that the transition's form begins with, and a token for its submission. The " +
			"transition's defaults are put in, and its about_to_start callback is asked: it may alter the data, or " +
			"refuse with errors or warnings (422). Nothing is saved.",
		Problems: problems, Asks: true,
	}, h.start)
	rest.HandleBody(h.kernel, rest.Operation{
		ID: access.CheckPage, Pattern: "POST /v1/page-checks", Tag: tag,
		Summary: "Check a page of a form",
		Description: "Checks the names and types of a form's data, and asks the mid_event callback of the page that " +
			"is left: it may alter the data, or refuse with errors or warnings (422). Nothing is saved.",
		Problems: problems,
	}, h.checkPage)
}

func (h startHandler) start(ctx context.Context, in *InStart) (*startedAnswer, error) {
	if err := oneSubject(in.Case, in.Type, "query.", "request.invalid"); err != nil {
		return nil, err
	}
	started, err := h.service.Submissions.Start(ctx, rest.PrincipalOf(ctx), casework.Start{
		CaseID: in.Case, Type: in.Type, Transition: in.Transition, IgnoreWarning: in.IgnoreWarning,
		Context: in.ClientContext,
	})
	if err != nil {
		return nil, err
	}
	token, err := h.kernel.Seal(rest.StartToken, started.Ref)
	if err != nil {
		return nil, err
	}
	data, err := casetype.Encode(started.Case.Data)
	if err != nil {
		return nil, err
	}
	body, err := rest.NewReply(Started{
		Token:      token,
		Transition: started.Transition.Key,
		CaseID:     rest.OrNull(started.Case.ID),
		State:      rest.OrNull(started.Case.State),
		Data:       data,
	})
	return &startedAnswer{started.Context, body}, err
}

func (h startHandler) checkPage(ctx context.Context, in *ClientContextHeader, body FilledPage) (
	*checkedPageAnswer, error,
) {
	if err := oneSubject(body.Case, body.Type, "/", "request.body_invalid"); err != nil {
		return nil, err
	}
	checked, err := h.service.Submissions.CheckPage(ctx, rest.PrincipalOf(ctx), casework.FilledPage{
		CaseID: body.Case, Type: body.Type, Transition: body.Transition, Page: body.Page, Data: body.Data,
		FormData: body.FormData, IgnoreWarning: body.IgnoreWarning, Context: in.ClientContext,
	})
	if err != nil {
		return nil, err
	}
	data, err := casetype.Encode(checked.Data)
	if err != nil {
		return nil, err
	}
	reply, err := rest.NewReply(CheckedPage{data})
	return &checkedPageAnswer{checked.Context, reply}, err
}

// oneSubject refuses a request that names neither a case nor a case type, or both. Prefix is before their names in
// its faults.
func oneSubject(caseID int64, caseType, prefix, code string) error {
	refusal := fault.New(fault.Invalid, code, "The request has to name either a case or a case type: see fields.")
	switch {
	case caseID == 0 && caseType == "":
		refusal.Fields = []fault.Field{{Path: prefix + "case",
			Message: "is missing; for a creation, send type instead"}}
	case caseID != 0 && caseType != "":
		refusal.Fields = []fault.Field{{Path: prefix + "type", Message: "can't be sent together with case"}}
	default:
		return nil
	}
	return refusal
}

// openStart reads the token of a start; nil: none was presented.
func openStart(k *rest.Kernel, token string) (*casework.StartRef, error) {
	if token == "" {
		return nil, nil
	}
	var ref casework.StartRef
	if err := k.Open(rest.StartToken, token, &ref); err != nil {
		return nil, casework.StartMissing()
	}
	return &ref, nil
}

func showConfirmation(c *casework.Confirmation) *Confirmation {
	if c == nil {
		return nil
	}
	return &Confirmation{
		Header: c.Header, Body: c.Body, Status: rest.OrNull(c.Status), Failure: rest.OrNull(c.Failure),
	}
}
