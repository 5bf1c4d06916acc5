package hooks

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/delivery"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/filter"
	"github.com/casehook/casehook/internal/hooks"
)

// JournalMessage is a message as it is polled or streamed.
type JournalMessage struct {
	ID        string            `json:"id" doc:"The webhook-id, which is the same for all endpoints." example:"msg_Zm9vYmFyYmF6cXV4Zm9vYmFy"`
	Trigger   string            `json:"trigger" doc:"Its trigger." example:"case_created"`
	Subject   string            `json:"subject" doc:"Its subject." example:"case/4539148803436467"`
	Sequence  int64             `json:"sequence" doc:"The version of the subject, by which its messages are in order." example:"7"`
	Timestamp rest.Time         `json:"timestamp" doc:"When it was committed."`
	Source    event.Source      `json:"source" enum:"ui,api,system" doc:"The author of the change: a person in the console, a program, or Casehook itself." example:"api"`
	Headers   map[string]string `json:"headers" doc:"The headers that its format has, and the subject's." example:"{\"X-atfinity-event\": \"case_created\"}"`
	Body      rest.Value        `json:"body" doc:"The body, byte for byte as an endpoint gets it."`
	Error     *string           `json:"error" doc:"Why there is no body, which is null then; null: there is one."`
}

// messageText is a JournalMessage in JSON, encoded once for all clients.
type messageText []byte

// MarshalJSON returns the encoded message.
func (m messageText) MarshalJSON() ([]byte, error) { return m, nil }

// Schema describes a JournalMessage.
func (messageText) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[JournalMessage](), true, "")
}

// journalPage is the answer to a poll.
type journalPage struct {
	Messages []messageText `json:"messages" doc:"The messages, in the order in which they came about."`
	Next     string        `json:"next" doc:"The after of the next poll. It is behind all messages that were looked at, wanted or not." example:"k3Jx..."`
	More     bool          `json:"more" doc:"There is more already."`
}

// journalText is a journalPage in JSON.
type journalText struct{ rest.Text }

// Schema describes a journalPage.
func (journalText) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[journalPage](), true, "")
}

type pollAnswer struct{ Body journalText }

// InJournal is embedded in the parameters of the operations that follow the journal.
type InJournal struct {
	After    string   `query:"after" maxLength:"500" doc:"Where to begin: the next of the poll before, or an event's id; now (the default), beginning, or a time." example:"2026-01-31T08:00:00Z"`
	Endpoint string   `query:"endpoint" maxLength:"100" doc:"The id of an endpoint: the messages that this one receives, whatever its status is. Absent: all that you may see." example:"ep_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	Triggers []string `query:"triggers" maxItems:"100" doc:"The triggers, separated by commas; * stands for any characters. Absent: all." example:"[\"case_*\", \"claim.closed\"]"`
	Sources  []string `query:"sources" enum:"api,ui" maxItems:"2" doc:"The activity to select: of programs (api), of people in the console (ui). Absent: both." example:"[\"ui\"]"`
}

// selection returns the messages that the parameters ask for.
func (in InJournal) selection() hooks.JournalSelection {
	return hooks.JournalSelection{Endpoint: in.Endpoint, Triggers: in.Triggers, Sources: in.Sources}
}

// mostText bounds the messages and their entries in one answer, in bytes.
const mostText = 4 << 20

// journalHandler has the operations that follow the journal.
type journalHandler struct {
	kernel    *rest.Kernel
	guard     *authz.Guard
	service   hooks.Services
	feed      *delivery.Feed
	followers *rest.Followers
}

func newJournalHandler(k *rest.Kernel, s hooks.Services, c Config) journalHandler {
	return journalHandler{kernel: k, guard: c.Guard, service: s, feed: c.Feed, followers: c.Followers}
}

func (h journalHandler) register() {
	const tag = "journal"
	rest.Handle(h.kernel, rest.Operation{
		ID:             access.PollJournal,
		ReservesMemory: true,
		Pattern:        "GET /v1/journal",
		Tag:            tag,
		Summary:        "Poll the journal",
		Description: "Messages as endpoints get them, for clients that would rather ask than be called. Send the " +
			"next of each answer as the after of the following poll.",
		Problems: []int{http.StatusNotFound, http.StatusGone, http.StatusTooManyRequests},
	}, h.poll)
	op := rest.Operation{
		ID: access.StreamJournal, Pattern: "GET /v1/stream", Tag: tag,
		Summary: "Stream the journal",
		Description: "The same as server-sent events: the id of an event is the position behind it, its type is the " +
			"trigger, and its data the message in JSON. A client that reconnects with Last-Event-ID misses nothing " +
			"and gets nothing twice. A stream ends after an hour, when its credentials are no longer valid, or when " +
			"the server stops.",
		Problems: []int{http.StatusNotFound, http.StatusGone, http.StatusTooManyRequests},
	}
	streamed := rest.Handle(h.kernel, op, h.openStream)
	streamed.Responses["200"] = &huma.Response{
		Description: "The stream. Comments keep it alive.",
		Content:     map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}},
	}
}

func (h journalHandler) poll(ctx context.Context, in *struct {
	InJournal
	Limit int `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"The greatest number of messages."`
	Wait  int `query:"wait" minimum:"0" maximum:"60" default:"0" doc:"How many seconds to wait when there are none; the answer comes as soon as there is one."`
}) (*pollAnswer, error) {
	done, err := h.followers.Enter(rest.PrincipalOf(ctx))
	if err != nil {
		return nil, err
	}
	defer done()
	f, err := h.follow(ctx, access.PollJournal, in.InJournal, in.After)
	if err != nil {
		return nil, err
	}
	return f.poll(ctx, in.Limit, time.Duration(in.Wait)*time.Second)
}

// follower is a client that follows the journal.
type follower struct {
	handler   journalHandler
	operation access.Operation
	selection hooks.JournalSelection
	principal access.Principal
	audience  filter.Audience
	position  delivery.Position // behind the last message that was read

	audienceUnchanged func(context.Context) (bool, error)
	rightsChanged     <-chan struct{} // closed when rights in the tenant change after they were looked up
	expires           *time.Timer     // of the credentials; nil: they don't expire
}

// follow starts to follow the journal at the position that a client names.
func (h journalHandler) follow(ctx context.Context, o access.Operation, in InJournal, after string) (*follower, error) {
	f := &follower{handler: h, operation: o, selection: in.selection(), principal: rest.PrincipalOf(ctx)}
	var err error
	if f.rightsChanged = h.guard.RightsChanged(f.principal); h.guard.RightsUnchanged(f.principal) {
		err = f.loadAudience(ctx)
	} else {
		err = f.recheck(ctx)
	}
	if err != nil {
		return nil, err
	}
	f.position, err = f.positionOf(ctx, after)
	return f, err
}

// poll returns the next messages. If there are none, it waits for the first.
func (f *follower) poll(ctx context.Context, limit int, wait time.Duration) (*pollAnswer, error) {
	timeout := time.NewTimer(wait)
	defer timeout.Stop()
	for waited := false; ; {
		if err := f.recheckIfChanged(ctx); err != nil {
			return nil, err
		}
		committed := f.handler.feed.Wait(f.principal.Tenant)
		batch, done, err := f.read(ctx, limit, mostText)
		if err != nil {
			return nil, err
		}
		if waited && len(batch.Messages) > 0 { // the client may have lost the right to them
			done()
			if err := f.recheck(ctx); err != nil {
				return nil, err
			}
			waited = false
			continue
		}
		f.position = batch.Next
		if len(batch.Messages) > 0 || wait == 0 {
			defer done()
			return f.page(ctx, batch)
		}
		done()
		if batch.More {
			continue
		}
		select {
		case <-committed:
			waited = true
		case <-f.rightsChanged:
		case <-f.expiry():
			if err := f.recheck(ctx); err != nil {
				return nil, err
			}
		case <-timeout.C:
			return f.page(ctx, batch)
		case <-f.handler.followers.Stop:
			return f.page(ctx, batch)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// recheckIfChanged rechecks the client if rights in its tenant have changed: a token was
// revoked, a session ended, or a role or the access to a case type was changed.
func (f *follower) recheckIfChanged(ctx context.Context) error {
	select {
	case <-f.rightsChanged:
		return f.recheck(ctx)
	default:
		return nil
	}
}

// expiry returns the channel that receives when the credentials expire; nil: they don't.
func (f *follower) expiry() <-chan time.Time {
	if f.expires == nil {
		return nil
	}
	return f.expires.C
}

// loadAudience loads what the client may receive.
func (f *follower) loadAudience(ctx context.Context) error {
	if end := f.principal.Credential.Expires; !end.IsZero() {
		f.expires = time.NewTimer(max(time.Until(end), time.Second)) // clocks may differ
	}
	var err error
	f.audience, f.audienceUnchanged, err = f.handler.service.Journal.Audience(ctx, f.principal, f.operation,
		f.selection)
	return err
}

// recheck authenticates the client again, and loads what it may receive: both may have
// changed since the request arrived.
func (f *follower) recheck(ctx context.Context) (err error) {
	f.rightsChanged = f.handler.guard.RightsChanged(f.principal) // before the look-up, so that no change is missed
	if f.principal, err = f.handler.kernel.Reauthenticate(ctx); err != nil {
		return err
	}
	return f.loadAudience(ctx)
}

// recheckAudience rechecks the client if the messages that it may receive have changed.
func (f *follower) recheckAudience(ctx context.Context) error {
	if unchanged, err := f.audienceUnchanged(ctx); err != nil || unchanged {
		return err
	}
	return f.recheck(ctx)
}

// positionOf parses the position that a client names.
func (f *follower) positionOf(ctx context.Context, after string) (p delivery.Position, err error) {
	feed := f.handler.feed
	switch after {
	case "", "now":
		return feed.Now(ctx)
	case "beginning":
		if err := feed.Catch(ctx); err != nil {
			return p, err
		}
		return feed.Oldest(ctx)
	}
	if err := feed.Catch(ctx); err != nil {
		return p, err
	}
	if since, err := time.Parse(time.RFC3339, after); err == nil {
		return feed.Since(ctx, since)
	}
	if err := f.handler.kernel.Open(f.cursorName(), after, &p); err != nil {
		return p, &fault.Error{Kind: fault.Invalid, Code: "journal.after_invalid", Err: err,
			Detail: "The position is not from a poll or a stream of this tenant. Start with now, beginning, or a time.",
			Fields: []fault.Field{{Path: "query.after",
				Message: "is neither such a position nor now, beginning, or a time such as 2026-01-31T08:00:00Z"}}}
	}
	return p, nil
}

// cursor seals a position for the client.
func (f *follower) cursor(p delivery.Position) (string, error) {
	return f.handler.kernel.Seal(f.cursorName(), p)
}

func (f *follower) cursorName() string { return "journal/" + strconv.FormatInt(f.principal.Tenant, 10) }

// page encodes a batch. Clients share the texts of large messages.
func (f *follower) page(ctx context.Context, b delivery.Batch) (*pollAnswer, error) {
	var t rest.Text
	t.Write([]byte(`{"messages":[`))
	for i, m := range b.Messages {
		message, err := m.Encoded(encodeMessage)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			t.Write([]byte{','})
		}
		t.Share(message)
	}
	next, err := f.cursor(b.Next)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(&t, `],"next":"%s","more":%t}`+"\n", next, b.More) // base64: nothing in it has to be escaped
	return &pollAnswer{journalText{t}}, f.handler.kernel.Reserve(ctx, t.Size())
}

// read waits until an answer may be made, and reads the next batch.
func (f *follower) read(ctx context.Context, limit, size int) (b delivery.Batch, done func(), err error) {
	if done, err = f.handler.kernel.StartAnswer(ctx, f.principal, 1); err != nil {
		return b, nil, err
	}
	if b, err = f.handler.feed.Read(ctx, &f.audience, f.position, limit, size); err != nil {
		done()
		return b, nil, err
	}
	return b, done, nil
}

// encodeMessage encodes a message in JSON, in one line.
func encodeMessage(m delivery.FeedMessage) ([]byte, error) {
	shown := JournalMessage{
		ID:        m.Message.ID,
		Trigger:   m.Message.Trigger,
		Subject:   m.Subject,
		Sequence:  m.Version,
		Timestamp: rest.Time(m.At),
		Source:    m.Source,
		Headers:   make(map[string]string, len(m.Message.Header)),
		Body:      rest.Value(m.Message.Body),
	}
	for _, h := range m.Message.Header {
		shown.Headers[h.Name] = h.Value
	}
	if m.Message.Err != nil {
		text := "The body can't be made: " + m.Message.Err.Error()
		shown.Error = &text
	}
	var b bytes.Buffer
	if err := rest.Encode(&b, shown); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
