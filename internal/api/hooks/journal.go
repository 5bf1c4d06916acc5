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
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/delivery"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/filter"
)

// JournalMessage is a message as it is polled or streamed.
type JournalMessage struct {
	ID        string            `json:"id" doc:"The webhook-id: the same as any endpoint gets it under." example:"msg_Zm9vYmFyYmF6cXV4Zm9vYmFy"`
	Trigger   string            `json:"trigger" doc:"What it tells." example:"case_created"`
	Subject   string            `json:"subject" doc:"What it is about." example:"case/4539148803436467"`
	Sequence  int64             `json:"sequence" doc:"The version of the subject, by which its messages are in order." example:"7"`
	Timestamp rest.Time         `json:"timestamp" doc:"When it came about."`
	Source    event.Source      `json:"source" enum:"ui,api,system" doc:"Whose activity it was: a person's in the console, a program's, or Casehook's own." example:"api"`
	Headers   map[string]string `json:"headers" doc:"The headers that its format has, and the subject's." example:"{\"X-atfinity-event\": \"case_created\"}"`
	Body      rest.Value        `json:"body" doc:"The body, byte for byte as an endpoint gets it."`
	Error     *string           `json:"error" doc:"Why there is no body, which is null then; null: there is one."`
}

// messageText is a JournalMessage in JSON, encoded once for all who get it.
type messageText []byte

// MarshalJSON passes on what was encoded once.
func (m messageText) MarshalJSON() ([]byte, error) { return m, nil }

// Schema is that of a JournalMessage.
func (messageText) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[JournalMessage](), true, "")
}

// journalPage is the answer to a poll.
type journalPage struct {
	Messages []messageText `json:"messages" doc:"The messages, in the order in which they came about."`
	Next     string        `json:"next" doc:"Where to go on: the after of the next poll. It is behind all that was looked at, whether it was wanted or not." example:"k3Jx..."`
	More     bool          `json:"more" doc:"There is more already."`
}

// journalText is a journalPage in JSON.
type journalText struct{ rest.Text }

// Schema is that of a journalPage.
func (journalText) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[journalPage](), true, "")
}

type polled struct{ Body journalText }

// InJournal is embedded in the parameters of those that follow the journal.
type InJournal struct {
	After    string   `query:"after" maxLength:"500" doc:"Where to begin: the next of the poll before, or an event's id; now (the default), beginning, or a time." example:"2026-01-31T08:00:00Z"`
	Endpoint string   `query:"endpoint" maxLength:"100" doc:"The id of an endpoint: what this one is told, whatever its status is. Absent: all that you may see." example:"ep_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	Triggers []string `query:"triggers" maxItems:"100" doc:"The triggers, separated by commas; * stands for any characters. Absent: all." example:"[\"case_*\", \"claim.closed\"]"`
	Sources  []string `query:"sources" enum:"api,ui" maxItems:"2" doc:"Whose activity: programs' (api), people's in the console (ui). Absent: both." example:"[\"ui\"]"`
}

func (in InJournal) listening() casework.Listening {
	return casework.Listening{Endpoint: in.Endpoint, Triggers: in.Triggers, Sources: in.Sources}
}

// Follow bounds those who follow the journal. What is zero gets its default.
type Follow struct {
	PerTenant int             // streams and polls at once; default 500
	PerClient int             // of one token or user; default 50
	KeepAlive time.Duration   // between signs of life on a stream, at which its credentials are looked at again; default 15 s
	Lifetime  time.Duration   // of a stream, after which its client resumes; default 1 h
	Stop      <-chan struct{} // closed when all are to end, because the server does
}

func (f Follow) withDefaults() Follow {
	if f.PerTenant <= 0 {
		f.PerTenant = 500
	}
	if f.PerClient <= 0 {
		f.PerClient = 50
	}
	if f.KeepAlive <= 0 {
		f.KeepAlive = 15 * time.Second
	}
	if f.Lifetime <= 0 {
		f.Lifetime = time.Hour
	}
	return f
}

const (
	mostText = 4 << 20 // bytes of messages and their entries in one answer
)

// journalHandler has the operations that follow the journal.
type journalHandler struct {
	kernel    *rest.Kernel
	service   *casework.Service
	feed      *delivery.Feed
	bounds    Follow
	followers *followers
}

func newJournalHandler(k *rest.Kernel, s *casework.Service, c Config) journalHandler {
	bounds := c.Follow.withDefaults()
	return journalHandler{kernel: k, service: s, feed: c.Feed, bounds: bounds, followers: newFollowers(bounds)}
}

func (h journalHandler) register() {
	const tag = "journal"
	rest.Handle(h.kernel, rest.Operation{
		ID: access.PollJournal, ReservesMemory: true, Pattern: "GET /v1/journal", Tag: tag,
		Summary:     "Poll the journal",
		Description: "Messages as endpoints get them, for who would rather ask than be called. Keep next, and send it as after.",
		Problems:    []int{http.StatusNotFound, http.StatusGone, http.StatusTooManyRequests},
	}, h.poll)
	op := rest.Operation{
		ID: access.StreamJournal, Pattern: "GET /v1/stream", Tag: tag,
		Summary: "Stream the journal",
		Description: "The same as server-sent events: the id of an event is where to go on behind it, its type is the trigger, its data the message in JSON. " +
			"A client that reconnects with Last-Event-ID misses nothing and gets nothing twice. A stream ends after an hour, as soon as its credentials are no longer good, or when the server ends.",
		Problems: []int{http.StatusNotFound, http.StatusGone, http.StatusTooManyRequests},
	}
	streamed := rest.Handle(h.kernel, op, h.openStream)
	streamed.Responses["200"] = &huma.Response{
		Description: "The stream. Comments keep it alive.",
		Content:     map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}},
	}
}

// poll answers with what there is, or waits for something to come.
func (h journalHandler) poll(ctx context.Context, in *struct {
	InJournal
	Limit int `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"The greatest number of messages."`
	Wait  int `query:"wait" minimum:"0" maximum:"60" default:"0" doc:"How many seconds to wait when there are none; the answer comes as soon as there is one."`
}) (*polled, error) {
	done, err := h.followers.enter(rest.PrincipalOf(ctx))
	if err != nil {
		return nil, err
	}
	defer done()
	f, err := h.follow(ctx, access.PollJournal, in.InJournal, in.After)
	if err != nil {
		return nil, err
	}
	timeout := time.NewTimer(time.Duration(in.Wait) * time.Second)
	defer timeout.Stop()
	for waited := false; ; {
		if err := f.reviewed(ctx); err != nil {
			return nil, err
		}
		woken := h.feed.Wait(f.principal.Tenant)
		batch, done, err := f.read(ctx, in.Limit, mostText)
		if err != nil {
			return nil, err
		}
		if waited && len(batch.Messages) > 0 { // it is for who may see it by now
			done()
			if err := f.again(ctx); err != nil {
				return nil, err
			}
			waited = false
			continue
		}
		f.at = batch.Next
		if len(batch.Messages) > 0 || in.Wait == 0 {
			defer done()
			return f.page(ctx, batch)
		}
		done()
		if batch.More {
			continue
		}
		select {
		case <-woken:
			waited = true
		case <-f.revised:
		case <-f.expiry():
			if err := f.again(ctx); err != nil {
				return nil, err
			}
		case <-timeout.C:
			return f.page(ctx, batch)
		case <-h.bounds.Stop:
			return f.page(ctx, batch)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// follower is a client that follows the journal.
type follower struct {
	journalHandler
	operation access.Operation
	listening casework.Listening
	principal access.Principal
	audience  filter.Audience
	holds     func(context.Context) (bool, error) // that audience is still what it was
	revised   <-chan struct{}                     // closed when somebody's rights have changed since all this was looked at
	expires   *time.Timer                         // of the credentials; nil: they don't expire
	at        delivery.Position
}

// follow begins to follow the journal.
func (h journalHandler) follow(ctx context.Context, o access.Operation, in InJournal, after string) (*follower, error) {
	f := &follower{journalHandler: h, operation: o, listening: in.listening(), principal: rest.PrincipalOf(ctx)}
	var err error
	if f.revised = h.service.RightsChanged(f.principal); h.service.RightsHeld(f.principal) {
		err = f.listen(ctx)
	} else {
		err = f.again(ctx)
	}
	if err != nil {
		return nil, err
	}
	f.at, err = f.place(ctx, after)
	return f, err
}

// reviewed is again where somebody's rights in the tenant have changed: a token was
// revoked, a session ended, a role or a type's access became another.
func (f *follower) reviewed(ctx context.Context) error {
	select {
	case <-f.revised:
		return f.again(ctx)
	default:
		return nil
	}
}

// expiry returns what is sent to when the credentials expire; nil: they don't.
func (f *follower) expiry() <-chan time.Time {
	if f.expires == nil {
		return nil
	}
	return f.expires.C
}

// listen finds out what the client hears.
func (f *follower) listen(ctx context.Context) error {
	if end := f.principal.Credential.Expires; !end.IsZero() {
		f.expires = time.NewTimer(max(time.Until(end), time.Second)) // clocks may differ
	}
	var err error
	f.audience, f.holds, err = f.service.Audience(ctx, f.principal, f.operation, f.listening)
	return err
}

// again looks at the client's credentials anew, and at what it hears: both may
// have changed since the request came.
func (f *follower) again(ctx context.Context) (err error) {
	f.revised = f.service.RightsChanged(f.principal) // before looking, so that nothing falls between
	if f.principal, err = f.kernel.Reauthenticate(ctx); err != nil {
		return err
	}
	return f.listen(ctx)
}

// keepUp has the client hear what it may hear now.
func (f *follower) keepUp(ctx context.Context) error {
	if holds, err := f.holds(ctx); err != nil || holds {
		return err
	}
	return f.again(ctx)
}

// place finds where a client wants to go on.
func (f *follower) place(ctx context.Context, after string) (at delivery.Position, err error) {
	feed := f.feed
	switch after {
	case "", "now":
		return feed.Now(ctx)
	case "beginning":
		if err := feed.Catch(ctx); err != nil {
			return at, err
		}
		return feed.Beginning(ctx)
	}
	if err := feed.Catch(ctx); err != nil {
		return at, err
	}
	if since, err := time.Parse(time.RFC3339, after); err == nil {
		return feed.At(ctx, since)
	}
	if err := f.kernel.Open(f.cursorName(), after, &at); err != nil {
		return at, &fault.Error{Kind: fault.Invalid, Code: "journal.after_invalid", Err: err,
			Detail: "The place to go on at is not one that a poll or a stream of yours gave. Begin with now, beginning, or a time.",
			Fields: []fault.Field{{Path: "query.after", Message: "is neither such a place nor now, beginning, or a time such as 2026-01-31T08:00:00Z"}}}
	}
	return at, nil
}

// token is a place as the client keeps it.
func (f *follower) token(at delivery.Position) (string, error) {
	return f.kernel.Seal(f.cursorName(), at)
}

func (f *follower) cursorName() string { return "journal/" + strconv.FormatInt(f.principal.Tenant, 10) }

// page encodes a batch. Large messages are shared with all who get them.
func (f *follower) page(ctx context.Context, b delivery.Batch) (*polled, error) {
	var t rest.Text
	t.Write([]byte(`{"messages":[`))
	for i, m := range b.Messages {
		message, err := m.Encoded(encodeHeard)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			t.Write([]byte{','})
		}
		t.Share(message)
	}
	next, err := f.token(b.Next)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(&t, `],"next":"%s","more":%t}`+"\n", next, b.More) // base64: nothing in it has to be escaped
	return &polled{journalText{t}}, f.kernel.Reserve(ctx, t.Size())
}

// read makes room, and reads the next batch.
func (f *follower) read(ctx context.Context, limit, size int) (b delivery.Batch, done func(), err error) {
	if done, err = f.kernel.StartAnswer(ctx, f.principal, 1); err != nil {
		return b, nil, err
	}
	if b, err = f.feed.Read(ctx, &f.audience, f.at, limit, size); err != nil {
		done()
		return b, nil, err
	}
	return b, done, nil
}

// encodeHeard makes a message's JSON, in one line.
func encodeHeard(m delivery.FeedMessage) ([]byte, error) {
	shown := JournalMessage{
		ID: m.Message.ID, Trigger: m.Message.Trigger, Subject: m.Subject, Sequence: m.Version, Timestamp: rest.Time(m.At),
		Source: m.Source, Headers: make(map[string]string, len(m.Message.Header)), Body: rest.Value(m.Message.Body),
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
