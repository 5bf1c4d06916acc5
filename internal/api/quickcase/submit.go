package quickcase

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
)

// readJSON reads the body of a request, in JSON.
func (h handler) readJSON(x *rest.Exchange) ([]byte, error) {
	raw, err := h.kernel.ReadBody(x)
	if err != nil {
		return nil, err
	}
	if kind := x.Request.Header.Get("Content-Type"); !strings.Contains(kind, "json") {
		return nil, fault.New(fault.UnsupportedMedia, "request.content_type",
			"The body's Content-Type is %q; send application/json.", kind)
	}
	return raw, nil
}

// readObject reads the body of a request, which is an object.
func (h handler) readObject(x *rest.Exchange) (map[string]any, error) {
	raw, err := h.readJSON(x)
	if err != nil {
		return nil, err
	}
	return casetype.DecodeSent(raw)
}

// read reads the body of a submission or a check.
func (h handler) read(x *rest.Exchange) (c content, err error) {
	raw, err := h.readJSON(x)
	if err != nil {
		return c, err
	}
	if _, err := casetype.DecodeSent(raw); err != nil { // repeated names, and what else JSON leaves open
		return c, err
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return c, fault.Wrap(err, fault.Invalid, "request.body_invalid", "The request's body is not as described.")
	}
	if c.Event == nil || c.Event.ID == "" {
		return c, fault.In("quickcase.event_missing", "The body names no event.",
			fault.Field{Path: "/event/id", Message: "is missing"})
	}
	return c, nil
}

// dataOf reads case data; absent and null are none.
func dataOf(raw json.RawMessage) (map[string]any, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	return casetype.DecodeSent(raw)
}

// submit creates a case, or submits an event of one.
func (h handler) submit(ctx context.Context, x *rest.Exchange, in casework.Submission) (any, error) {
	c, err := h.read(x)
	if err != nil {
		return nil, err
	}
	if c.Token == "" {
		return nil, fault.New(fault.Invalid, "quickcase.token_missing",
			"The body has no event_token. Start the event first, and send the token of the answer.")
	}
	in.Start = &casework.StartRef{}
	if h.kernel.Open(rest.StartToken, c.Token, in.Start) != nil {
		return nil, casework.StartMissing()
	}
	if in.Data, err = dataOf(c.Data); err != nil {
		return nil, err
	}
	said := c.IgnoreWarning
	if in.CaseID == 0 {
		said = ignores(x.Request)
	}
	if said != nil {
		in.IgnoreWarning, in.HeedWarnings = *said, !*said
	}
	in.Transition, in.Context = c.Event.ID, contextOf(x)
	in.Note = event.Note{Summary: c.Event.Summary, Description: c.Event.Description}
	view, err := h.services.Submissions.Submit(ctx, x.Principal, in, authz.Once{})
	if err != nil {
		return nil, err
	}
	passOn(x, view.Context)
	return caseOf(view), nil
}

// validate checks a page of a form.
func (h handler) validate(ctx context.Context, x *rest.Exchange) (any, error) {
	c, err := h.read(x)
	if err != nil {
		return nil, err
	}
	in := casework.FilledPage{
		Type: x.Request.PathValue("type"), Transition: c.Event.ID, Page: x.Request.URL.Query().Get("pageId"),
		IgnoreWarning: c.IgnoreWarning != nil && *c.IgnoreWarning, Context: contextOf(x),
	}
	if c.CaseReference != "" {
		if in.CaseID, err = caseID(c.CaseReference.String()); err != nil {
			return nil, err
		}
	}
	if in.Data, err = dataOf(c.Data); err != nil {
		return nil, err
	}
	if in.FormData, err = dataOf(c.EventData); err != nil {
		return nil, err
	}
	checked, err := h.services.Submissions.CheckPage(ctx, x.Principal, in)
	if err != nil {
		return nil, err
	}
	passOn(x, checked.Context)
	data := checked.Data
	if data == nil {
		data = map[string]any{}
	}
	return map[string]any{"data": data}, nil
}
