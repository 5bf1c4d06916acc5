package hooks

import (
	"context"
	"slices"

	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/web/ui"
)

// bulk has messages that are to be sent again, or that were.
type bulk struct {
	Messages []bulkMessage
	To       []bulkEndpoint
	Done     bool
	Failed   int
}

// bulkMessage is one of them.
type bulkMessage struct {
	Attempt, Name string // the id of an attempt; the name of the endpoint
	Trigger       string
	About         subject
	Outcome       outcome
	Failed        string // why it could not be sent again

	endpoint, message string
}

// bulkEndpoint is an endpoint with how many of them are its own.
type bulkEndpoint struct {
	Name  string
	Count int
}

// maxBulk bounds how many messages are sent again at a time.
const maxBulk = 200

// showSelected shows what would be sent again.
func (h handler) showSelected(ctx context.Context, r *ui.Request) (ui.View, error) {
	b, err := h.selected(ctx, r)
	if err != nil {
		return ui.View{}, err
	}
	return b.view(), nil
}

// resendSelected sends the selected messages again, and shows the result for each.
func (h handler) resendSelected(ctx context.Context, r *ui.Request) (ui.View, error) {
	b, err := h.selected(ctx, r)
	if err != nil {
		return ui.View{}, err
	}
	b.Done = true
	for i, m := range b.Messages {
		_, err := h.services.Messages.Resend(ctx, r.Principal, m.endpoint, m.message, authz.Once{})
		if err == nil {
			continue
		}
		e := fault.As(err)
		if e.Kind == fault.Internal || e.Kind == fault.Unavailable {
			return ui.View{}, err
		}
		b.Messages[i].Failed = e.Detail
		b.Failed++
	}
	return b.view(), nil
}

func (b bulk) view() ui.View {
	return ui.View{
		Title: "Resend messages", Section: "/messages", Body: bulkPage(b), Call: "POST /v1/endpoints/ID/resend",
	}
}

// selected reads the messages of the attempts that a form names, each once.
func (h handler) selected(ctx context.Context, r *ui.Request) (b bulk, err error) {
	ids := r.HTTP.PostForm["attempt"]
	if len(ids) == 0 || len(ids) > maxBulk {
		return b, fault.New(fault.Unprocessable, "message.which",
			"Select at least one message, and at most %d at a time.", maxBulk)
	}
	names, _, err := h.endpointNames(ctx, r)
	if err != nil {
		return b, err
	}
	for _, id := range ids {
		a, err := h.services.Messages.Attempt(ctx, r.Principal, h.ids.Open(r.Principal.Tenant, id))
		if err != nil {
			return b, err
		}
		b.add(id, a.Attempt, names)
	}
	var named []*subject
	for i := range b.Messages {
		named = append(named, &b.Messages[i].About)
	}
	return b, h.nameSubjects(ctx, r, named...)
}

// add adds the message of an attempt, unless it is there.
func (b *bulk) add(id string, a store.Attempt, names map[string]string) {
	if slices.ContainsFunc(b.Messages, func(m bulkMessage) bool {
		return m.endpoint == a.Endpoint && m.message == a.Message
	}) {
		return
	}
	name, known := names[a.Endpoint]
	if !known {
		name = "(deleted)"
	}
	b.Messages = append(b.Messages, bulkMessage{
		Attempt: id, Name: name, Trigger: a.Trigger, About: subjectOf(a.Subject), Outcome: outcomeOf(a),
		endpoint: a.Endpoint, message: a.Message,
	})
	at := slices.IndexFunc(b.To, func(to bulkEndpoint) bool { return to.Name == name })
	if at < 0 {
		at = len(b.To)
		b.To = append(b.To, bulkEndpoint{Name: name})
	}
	b.To[at].Count++
}

// delivered counts those that were delivered already.
func (b bulk) delivered() (n int) {
	for _, m := range b.Messages {
		if m.Outcome.Color == "green" {
			n++
		}
	}
	return n
}
