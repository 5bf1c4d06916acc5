package hooks

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/hooks"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/web/ui"
	"github.com/casehook/casehook/internal/wire"
)

// messageDetail is one attempt with all that is known about its message.
type messageDetail struct {
	hooks.AttemptDetail
	ID, Name string // of the attempt; of the endpoint
	Up       string // the address of the list
	Subject  subject
	Version  string // the address of the case's version; empty: there is none
	Case     *event.Case
	Failure  *failure
	Tries    []try
	More     bool // there are more tries than are shown
	Earlier  string
	Later    string // the addresses of the tries before and after this one
	Request  request
	Answer   answer
	Signed   []signer
	Portal   bool   // the reader is a receiver
	Note     string // about what was just done
	Now      time.Time
}

// try is one try of a message.
type try struct {
	Href    string
	At      time.Time
	Number  int
	Outcome outcome
	Took    string
	Current bool
}

// header is a line of a request or an answer.
type header struct{ Name, Value string }

// request is what was sent, as far as it is kept.
type request struct {
	URL     string
	Headers []header
	Curl    string
	Tree    node
	Folds   bool
	Text    string
	Size    int
}

// answer is what came back, as far as it is kept.
type answer struct {
	Withheld  bool
	Error     string
	Headers   []header
	Tree      node
	Folds     bool
	Text      string
	Size      int
	Truncated bool
}

// signer is a secret that signed the request.
type signer struct {
	ID, Kind, Fingerprint string
}

// maxTries bounds the tries that a message's page lists.
const maxTries = 50

// notes tell what was just done, by the parameter of the address.
var notes = map[string]string{
	"resent":  "It is being sent again. The new try appears below, behind a moment.",
	"retried": "It is tried again at once; if the endpoint as a whole is away, once it is back.",
	"settled": "It was not waiting any more: see below how it ended.",
	"dropped": "It is dropped: it is not sent any more, and the messages behind it go on.",
	"replay":  "They are being sent again, in their order. Their tries appear in the list.",
}

// showMessage shows an attempt beside the list.
func (h handler) showMessage(ctx context.Context, r *ui.Request) (ui.View, error) {
	m, err := h.detail(ctx, r)
	if err != nil {
		return ui.View{}, err
	}
	list, err := h.messages(ctx, r)
	if err != nil {
		return ui.View{}, err
	}
	list.Selected = m.ID
	return ui.View{
		Title: m.Trigger + " to " + m.Name, Section: "/messages", Body: messagesPage(list, &m),
		Call: "GET /v1/attempts/" + m.ID,
	}, nil
}

// detail reads the attempt that a request's path names.
func (h handler) detail(ctx context.Context, r *ui.Request) (m messageDetail, err error) {
	m.AttemptDetail, err = h.services.Messages.AttemptDetail(ctx, r.Principal, h.attempt(r))
	if err != nil {
		return m, err
	}
	query := kept(r.HTTP.URL.Query())
	query.Del("done")
	m.ID, m.Now, m.Note = r.Path("attempt"), time.Now(), notes[r.Query("done")]
	m.Up = withQuery("/messages", query)
	m.Name, m.Subject, m.Portal = "(deleted endpoint)", subjectOf(m.Attempt.Subject), r.Portal()
	if m.Portal {
		m.Subject.Href = ""
	}
	if m.Endpoint.ID != "" {
		m.Name = nameOf(m.Endpoint)
	}
	if m.Entry != nil && m.Entry.Snapshot.Case != nil {
		m.Case = m.Entry.Snapshot.Case
		m.Version = m.Subject.Href + "#v" + strconv.FormatInt(m.Entry.Version, 10)
	}
	if !m.Delivered {
		f := failureOf(m.Status, m.Class)
		m.Failure = &f
	}
	if err := h.addTries(ctx, r, &m, query); err != nil {
		return m, err
	}
	m.Request = requestOf(m.SentAttempt)
	m.Answer = answerOf(m.Attempt)
	m.Signed = signers(m.Endpoint, m.At)
	return m, nil
}

// attempt returns the number of the attempt that a path names; 0: there is none.
func (h handler) attempt(r *ui.Request) int64 {
	return h.ids.Open(r.Principal.Tenant, r.Path("attempt"))
}

// addTries adds the tries of the message at the endpoint, the newest first.
func (h handler) addTries(ctx context.Context, r *ui.Request, m *messageDetail, query url.Values) error {
	found, err := h.services.Messages.FindAttempts(ctx, r.Principal, hooks.AttemptQuery{
		AttemptFilter: store.AttemptFilter{
			Endpoint: m.Attempt.Endpoint, Message: m.Message, Limit: maxTries,
		},
	})
	if err != nil {
		return err
	}
	all := found.Items
	m.More = found.Next > 0
	for i, a := range all {
		href := func(a store.Attempt) string { return withQuery("/messages/"+h.ids.Seal(a.Tenant, a.ID), query) }
		t := try{href(a), a.At, a.Number, outcomeOf(a), ui.Took(a.Duration), a.ID == m.Attempt.ID}
		if t.Current && i > 0 {
			m.Later = href(all[i-1])
		}
		if t.Current && i+1 < len(all) {
			m.Earlier = href(all[i+1])
		}
		m.Tries = append(m.Tries, t)
	}
	return nil
}

// requestOf reads the record of a request.
func requestOf(a hooks.SentAttempt) (q request) {
	var record struct {
		Headers [][2]string `json:"headers"`
		URL     string      `json:"url"`
	}
	json.Unmarshal([]byte(a.Request), &record) // we wrote it; of an unknown form nothing is shown
	q.URL = record.URL
	for _, h := range record.Headers {
		q.Headers = append(q.Headers, header{h[0], h[1]})
	}
	q.Headers = append(q.Headers,
		header{"webhook-id", a.Message},
		header{"webhook-timestamp", strconv.FormatInt(a.At.Unix(), 10)},
		header{"webhook-attempt", strconv.Itoa(a.Number)})
	q.Size, q.Text = len(a.Body), string(a.Body)
	q.Tree, q.Folds = tree(a.Body)
	if q.URL != "" {
		q.Curl = curlOf(q)
	}
	return q
}

// curlOf returns the command that repeats a request. Signatures and secrets are not kept, and so are not in it.
func curlOf(q request) string {
	var b strings.Builder
	b.WriteString("curl -X POST " + shellQuoted(q.URL))
	for _, h := range q.Headers {
		b.WriteString(" \\\n  -H " + shellQuoted(h.Name+": "+h.Value))
	}
	if q.Text != "" {
		b.WriteString(" \\\n  --data-binary " + shellQuoted(q.Text))
	}
	return b.String()
}

func shellQuoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// answerOf reads the record of an answer.
func answerOf(a store.Attempt) (out answer) {
	var record struct {
		Withheld   bool              `json:"withheld"`
		Error      string            `json:"error"`
		Headers    map[string]string `json:"headers"`
		Body       string            `json:"body"`
		BodyBase64 string            `json:"body_base64"`
		Truncated  bool              `json:"truncated"`
	}
	json.Unmarshal([]byte(a.Response), &record) // we wrote it; of an unknown form nothing is shown
	out.Withheld, out.Error, out.Truncated = record.Withheld, record.Error, record.Truncated
	for _, name := range slices.Sorted(maps.Keys(record.Headers)) {
		out.Headers = append(out.Headers, header{name, record.Headers[name]})
	}
	out.Text, out.Size = record.Body, len(record.Body)
	if record.BodyBase64 != "" {
		binary, _ := base64.StdEncoding.DecodeString(record.BodyBase64) // we wrote it
		out.Text, out.Size = record.BodyBase64, len(binary)
	}
	out.Tree, out.Folds = tree([]byte(out.Text))
	return out
}

// signers lists the secrets that an endpoint still has and that signed requests at a time.
func signers(e endpoint.Endpoint, at time.Time) (all []signer) {
	for _, s := range e.Signing(at) {
		if s.CreatedAt.After(at) {
			continue
		}
		given := outbound.FormatKey(s.Key)
		if s.Kind == endpoint.V1a {
			given = outbound.FormatPublicKey(s.Key)
		}
		all = append(all, signer{s.ID, string(s.Kind), outbound.Fingerprint(given)})
	}
	return all
}

// why describes the trigger of a message.
func (m messageDetail) why() string {
	for _, t := range wire.Triggers() {
		if t.Name == m.Trigger {
			return t.Description
		}
	}
	return ""
}

// clearance describes the highest classification that the endpoint receives.
func (m messageDetail) clearance() string {
	text := string(m.Endpoint.Clearance)
	if m.Case != nil && m.Endpoint.Clearance != casetype.Restricted {
		hidden := 0
		for _, class := range m.Case.Classes {
			if !m.Endpoint.Clearance.SeesClass(class) {
				hidden++
			}
		}
		if hidden > 0 {
			text += "; " + ui.Count(hidden, "field") + " left out"
		}
	}
	return text
}

// resendable reports whether the message can be sent again.
func (m messageDetail) resendable() bool { return m.Endpoint.ID != "" && m.Entry != nil }

// chain returns the callbacks that were asked before a commit, in their order.
func chain(last *event.Callback) (all []*event.Callback) {
	for c := last; c != nil; c = c.Earlier {
		all = append(all, c)
	}
	slices.Reverse(all)
	return all
}

// droppable reports whether the reader can drop the message: it was given up, or waits for its next try.
func (m messageDetail) droppable() bool {
	d := m.AttemptDetail.Delivery.Status
	return !m.Portal && (d == hooks.DeliveryDead || d == hooks.DeliveryParked)
}

// resend sends the message of an attempt again.
func (h handler) resend(ctx context.Context, r *ui.Request) (ui.View, error) {
	return h.onMessage(ctx, r, func(a store.Attempt) (done string, err error) {
		_, err = h.services.Messages.Resend(ctx, r.Principal, a.Endpoint, a.Message, authz.Once{})
		return "resent", err
	})
}

// retry tries the parked message of an attempt at once.
func (h handler) retry(ctx context.Context, r *ui.Request) (ui.View, error) {
	return h.onMessage(ctx, r, func(a store.Attempt) (done string, err error) {
		which := hooks.MessageSelection{Messages: []string{a.Message}}
		_, err = h.services.Messages.RetryParked(ctx, r.Principal, a.Endpoint, which, authz.Once{})
		return unlessSettled("retried", err)
	})
}

// drop drops the message of an attempt: a dead one, or a parked one.
func (h handler) drop(ctx context.Context, r *ui.Request) (ui.View, error) {
	return h.onMessage(ctx, r, func(a store.Attempt) (done string, err error) {
		which := hooks.MessageSelection{Messages: []string{a.Message}}
		do := h.services.Messages.DropDead
		if r.Form("state") == string(hooks.DeliveryParked) {
			do = h.services.Messages.DropParked
		}
		_, err = do(ctx, r.Principal, a.Endpoint, which, authz.Once{})
		return unlessSettled("dropped", err)
	})
}

// unlessSettled returns what was done with a message that waited, or that it no longer did: it was sent meanwhile, or
// dropped.
func unlessSettled(done string, err error) (string, error) {
	if err != nil && fault.As(err).Code == "message.not_found" {
		return "settled", nil
	}
	return done, err
}

// onMessage does something with the message of an attempt, and leads back to its page.
func (h handler) onMessage(
	ctx context.Context, r *ui.Request, do func(store.Attempt) (done string, err error),
) (ui.View, error) {
	a, err := h.services.Messages.Attempt(ctx, r.Principal, h.attempt(r))
	if err != nil {
		return ui.View{}, err
	}
	done, err := do(a.Attempt)
	return ui.Redirect("/messages/" + url.PathEscape(r.Path("attempt")) + "?done=" + done), err
}
