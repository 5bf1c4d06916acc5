package hooks

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/hooks"
	"github.com/casehook/casehook/internal/store"
)

// Attempt is the record of one HTTP try.
type Attempt struct {
	ID         string     `json:"id" doc:"Its id." example:"att_4be71e2b9ab9d2bb7bd7c8f3a1f0c3d2"`
	Endpoint   string     `json:"endpoint_id" doc:"The endpoint that it was made for." example:"ep_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	Message    string     `json:"message" doc:"The webhook-id." example:"msg_Zm9vYmFyYmF6cXV4Zm9vYmFy"`
	Trigger    string     `json:"trigger" doc:"Its trigger." example:"case_created"`
	Subject    string     `json:"subject" doc:"Its subject." example:"case/4539148803436467"`
	Number     int        `json:"number" doc:"The webhook-attempt: 1 is the first try." example:"1"`
	At         rest.Time  `json:"at" doc:"When it began."`
	DurationMS int64      `json:"duration_ms" doc:"Its duration." example:"38"`
	Address    string     `json:"address" doc:"The address dialled, if it is public, or stands in the URL; empty: it is neither, or it did not come to that." example:"192.0.2.7:443"`
	Status     *int       `json:"status" doc:"The HTTP status; null: there was no answer." example:"200"`
	Failure    *string    `json:"failure" doc:"The class of the failure, such as dns, connect, tls, timeout, or credentials: there was no token to send; null: there was an answer." example:"timeout"`
	Delivered  bool       `json:"delivered" doc:"The receiver accepted it." example:"true"`
	Request    rest.Value `json:"request" doc:"The headers sent, without signatures and credentials."`
	Response   rest.Value `json:"response" doc:"The headers and the beginning of the body of the answer; withheld: true where it came from an address that is not public, or the endpoint is sent secrets and does not say keep_answers."`
	BodySHA256 string     `json:"body_sha256" doc:"The hash of the body sent, in hexadecimal."`
}

// SentAttempt is an attempt with the body that was sent.
type SentAttempt struct {
	Attempt
	Body      rest.Value      `json:"body" doc:"The body, derived from the journal again; null where that is not possible."`
	BodyState hooks.BodyState `json:"body_state" enum:"same,differs,gone" doc:"same: it has the hash of what was sent. differs: it has not, so that it is not what was sent. gone: what it was made of has been removed." example:"same"`
}

// InSelection is embedded in the parameters of lists and counts of attempts.
type InSelection struct {
	Case    int64     `query:"case" minimum:"1" doc:"About the case with this id." example:"4539148803436467"`
	Subject string    `query:"subject" maxLength:"120" doc:"About this: case/ID, contact/ID or endpoint/ID." example:"contact/4539148803436467"`
	Trigger string    `query:"trigger" maxLength:"100" doc:"Of this trigger." example:"case_created"`
	Message string    `query:"message" maxLength:"100" doc:"With this webhook-id." example:"msg_Zm9vYmFyYmF6cXV4Zm9vYmFy"`
	Since   time.Time `query:"since" doc:"Select attempts that began then or later." example:"2026-01-31T08:00:00Z"`
	Until   time.Time `query:"until" doc:"Select attempts that began before." example:"2026-02-01T00:00:00Z"`
}

// InAttempts is embedded in the parameters of lists of attempts.
type InAttempts struct {
	InSelection
	Outcome  string `query:"outcome" enum:"delivered,failed" doc:"Accepted by the receiver, or not." example:"failed"`
	Class    string `query:"class" maxLength:"100" doc:"With this class of failure." example:"timeout"`
	Status   int    `query:"status" minimum:"100" maximum:"599" doc:"Answered with this HTTP status." example:"503"`
	Contains string `query:"contains" maxLength:"200" doc:"With this part in the body that was sent, or in the answer: its headers, the text of its body, or the error; upper and lower case are the same. One request searches 1,000 attempts or 16 MiB, the newest first; next goes on from there." example:"acme"`
	rest.Paging
}

func (in InSelection) filter() (store.AttemptFilter, error) {
	f := store.AttemptFilter{
		Subject: in.Subject,
		Message: in.Message,
		Trigger: in.Trigger,
		Since:   in.Since,
		Until:   rest.PeriodEnd(in.Until),
	}
	if in.Case != 0 {
		subject := "case/" + strconv.FormatInt(in.Case, 10)
		if in.Subject != "" && in.Subject != subject {
			wrong := fault.New(fault.Invalid, "request.invalid",
				"The request names both a case and a subject. Send one of them.")
			wrong.Fields = []fault.Field{{Path: "query.subject", Message: "can't be sent together with query.case"}}
			return f, wrong
		}
		f.Subject = subject
	}
	return f, nil
}

func (in InAttempts) query() (q hooks.AttemptQuery, err error) {
	q.AttemptFilter, err = in.filter()
	q.Class, q.Status, q.Contains, q.Limit = in.Class, in.Status, in.Contains, in.Limit
	q.Outcome = map[string]store.Outcome{"delivered": store.Delivered, "failed": store.Failed}[in.Outcome]
	return q, err
}

type shownAttempt struct{ Body rest.Reply[SentAttempt] }

// attemptHandler has the operations on attempts.
type attemptHandler struct {
	kernel  *rest.Kernel
	service hooks.Services
	ids     rest.SealedIDs
}

func (h attemptHandler) register() {
	h.registerProblems()
	h.registerMetrics()
	h.registerFailures()
	const tag = "attempts"
	const pages = " A page may have fewer than limit, or none, although there is a next."
	rest.Handle(h.kernel, rest.Operation{
		ID: access.ListAttempts, Pattern: "GET /v1/endpoints/{id}/attempts", Tag: tag,
		Summary: "List an endpoint's attempts",
		Description: "The requests that were sent and their results, the newest first. A page may have fewer than " +
			"limit, or none, although there is a next.",
		Problems: []int{http.StatusNotFound},
	}, h.listAttempts)
	rest.Handle(h.kernel, rest.Operation{
		ID: access.FindAttempts, Pattern: "GET /v1/attempts", Tag: tag,
		Summary: "Find attempts",
		Description: "The attempts of all endpoints, deleted ones included, the newest first. A page may have fewer " +
			"than limit, or none, although there is a next.",
	}, h.findAttempts)
	rest.Handle(h.kernel, rest.Operation{
		ID: access.GetAttempt, Pattern: "GET /v1/attempts/{id}", Tag: tag,
		Summary: "Get an attempt",
		Description: "With the body that was sent. Bodies are not kept: it is derived from the journal again, and " +
			"compared with the hash of what was sent.",
		Problems: []int{http.StatusNotFound},
	}, h.getAttempt)
}

func (h attemptHandler) listAttempts(ctx context.Context, in *struct {
	InEndpoint
	InAttempts
}) (*rest.PageAnswer[Attempt], error) {
	f, err := in.query()
	if err != nil {
		return nil, err
	}
	f.Endpoint = in.ID
	name := "attempts/" + in.ID
	if err := h.kernel.Open(name, in.Cursor, &f.Before); err != nil {
		return nil, err
	}
	found, err := h.service.Messages.Attempts(ctx, rest.PrincipalOf(ctx), f)
	return h.pageOfAttempts(name, found, err)
}

func (h attemptHandler) findAttempts(ctx context.Context, in *struct {
	Endpoint string `query:"endpoint" maxLength:"100" doc:"Made for the endpoint with this id." example:"ep_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	InAttempts
}) (*rest.PageAnswer[Attempt], error) {
	f, err := in.query()
	if err != nil {
		return nil, err
	}
	f.Endpoint = in.Endpoint
	const name = "attempts"
	if err := h.kernel.Open(name, in.Cursor, &f.Before); err != nil {
		return nil, err
	}
	found, err := h.service.Messages.FindAttempts(ctx, rest.PrincipalOf(ctx), f)
	return h.pageOfAttempts(name, found, err)
}

func (h attemptHandler) pageOfAttempts(
	name string, found hooks.AttemptPage, err error,
) (*rest.PageAnswer[Attempt], error) {
	if err != nil {
		return nil, err
	}
	var position *int64
	if found.Next > 0 {
		position = &found.Next
	}
	return rest.NewPager(h.kernel, name, h.showAttempt, func(at store.Attempt) int64 { return at.ID }).
		PageBefore(found.Items, position)
}

func (h attemptHandler) getAttempt(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"100" doc:"The id of the attempt." example:"att_4be71e2b9ab9d2bb7bd7c8f3a1f0c3d2"`
}) (*shownAttempt, error) {
	p := rest.PrincipalOf(ctx)
	sent, err := h.service.Messages.Attempt(ctx, p, h.ids.Open(p.Tenant, in.ID))
	if err != nil {
		return nil, err
	}
	body, err := rest.NewReply(SentAttempt{h.showAttempt(sent.Attempt), rest.Value(sent.Body), sent.State})
	return &shownAttempt{body}, err
}

func (h attemptHandler) showAttempt(at store.Attempt) Attempt {
	return Attempt{
		ID:         h.ids.Seal(at.Tenant, at.ID),
		Endpoint:   at.Endpoint,
		Message:    at.Message,
		Trigger:    at.Trigger,
		Subject:    at.Subject,
		Number:     at.Number,
		At:         rest.Time(at.At),
		DurationMS: at.Duration.Milliseconds(),
		Address:    at.Address,
		Status:     rest.OrNull(at.Status),
		Failure:    rest.OrNull(at.Class),
		Delivered:  at.Delivered,
		Request:    rest.Value(at.Request),
		Response:   rest.Value(at.Response),
		BodySHA256: at.BodySHA256,
	}
}
