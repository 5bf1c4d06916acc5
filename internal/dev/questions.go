package dev

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/weburl"
)

// question is a question to a callback, as the server hands it over.
type question struct {
	ID       string            `json:"id"`
	CaseType string            `json:"case_type"`
	Callback string            `json:"callback"`
	Path     string            `json:"path"`
	Deadline time.Time         `json:"deadline"`
	Headers  map[string]string `json:"headers"`
	Body     json.RawMessage   `json:"body"`
}

// about names the case that a question is about.
func (q question) about() string {
	var body struct {
		Case struct {
			ID json.RawMessage `json:"id"`
		} `json:"case_details"`
	}
	_ = json.Unmarshal(q.Body, &body) // the server wrote it
	if id := strings.Trim(string(body.Case.ID), `"`); id != "" && id != "null" {
		return "case/" + id
	}
	return "new " + q.CaseType
}

// answer is what a callback on this machine answers.
type answer struct {
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    any               `json:"body,omitempty"`
}

// The bounds of questions.
const (
	claimWait   = 20       // seconds
	askedAtOnce = 16       // questions
	maxAnswered = 12 << 20 // bytes of an answer; the server takes requests of 16 MiB
)

// questions asks the callbacks on this machine the questions that the user's own submissions cause.
type questions struct {
	listener *listener
	to       *forwarder
	asking   chan struct{} // one token for each question under way
}

// newQuestions returns what answers questions; it refuses a URL that can't be called.
func newQuestions(e *listener) (*questions, error) {
	if _, err := weburl.Canonical(e.Callbacks); err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "dev.callbacks", "The URL of --callbacks %s.", err)
	}
	to, err := newForwarder(e.Callbacks, nil, e.Timeout, e.Version)
	return &questions{listener: e, to: to, asking: make(chan struct{}, askedAtOnce)}, err
}

// claim claims a question, waits some seconds if there is none, and asks it.
func (a *questions) claim(ctx context.Context, wait int) error {
	if err := put(ctx, a.asking, struct{}{}); err != nil {
		return err
	}
	e := a.listener
	var claimed struct{ Question *question }
	err := e.client.Post(ctx, "/v1/questions/claim", map[string]any{"own": true, "wait": wait}, &claimed)
	if err != nil || claimed.Question == nil {
		<-a.asking
		return err
	}
	e.working.Go(func() {
		defer func() { <-a.asking }()
		a.ask(context.WithoutCancel(ctx), *claimed.Question)
	})
	return nil
}

// run claims questions until ctx ends, or the server refuses them.
func (a *questions) run(ctx context.Context) error {
	const shortest, longest = 500 * time.Millisecond, 30 * time.Second
	for wait := shortest; ; {
		err := a.claim(ctx, claimWait)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			wait = shortest
			continue
		case !passing(err):
			return err
		}
		a.listener.note("No questions: %s Trying again in %s.", fault.As(err).Detail, wait)
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
		wait = min(2*wait, longest)
	}
}

// ask asks the callback on this machine, sends its answer to the server, and prints both.
func (a *questions) ask(ctx context.Context, q question) {
	e := a.listener
	result := a.to.client.Post(ctx, a.request(q))
	out := forwardResult{Attempt: 1, duration: result.Duration, DurationMS: result.Duration.Milliseconds()}
	if result.Status != 0 {
		out.Status = &result.Status
	} else {
		out.Failure = strings.ReplaceAll(string(result.Class), "_", " ")
	}
	err := e.client.Post(ctx, "/v1/questions/"+url.PathEscape(q.ID)+"/answer", answerOf(result), nil)
	remark := ""
	if err != nil {
		remark = "not used: " + fault.As(err).Detail
	}
	e.printQuestion(q, out, remark)
}

// request is the request that the server would make.
func (a *questions) request(q question) outbound.Request {
	header := http.Header{}
	r := outbound.Request{
		URL: a.target(q.Path), Body: q.Body, MaxResponse: maxAnswered, At: time.Now(),
		Timeout: min(a.to.timeout, max(time.Until(q.Deadline), time.Second)),
	}
	for name, value := range q.Headers {
		header.Set(name, value)
		r.Header = append(r.Header, outbound.Header{Name: name, Value: value})
	}
	r.ID, r.Signature, r.Trace = header.Get("webhook-id"), header.Get("webhook-signature"), header.Get("traceparent")
	r.Attempt, _ = strconv.Atoi(header.Get("webhook-attempt"))
	if seconds, err := strconv.ParseInt(header.Get("webhook-timestamp"), 10, 64); err == nil {
		r.At = time.Unix(seconds, 0)
	}
	return r
}

// target returns the URL of --callbacks; one without a path gets that of the URL in whose place it is asked.
func (a *questions) target(path string) string {
	u, err := url.Parse(a.to.url)
	if err != nil || u.RequestURI() != "/" || path == "" {
		return a.to.url
	}
	return strings.TrimSuffix(a.to.url, "/") + path
}

// answerOf returns what the server is answered with. No answer on this machine is a failure there, too.
func answerOf(r outbound.Result) answer {
	a := answer{Status: r.Status, Headers: map[string]string{}}
	switch {
	case r.Status == 0 && r.Class == outbound.Timeout:
		a.Status = http.StatusGatewayTimeout
	case r.Err != nil || r.Status < http.StatusOK:
		a.Status = http.StatusBadGateway
	case json.Valid(r.Body) && bytes.HasPrefix(bytes.TrimSpace(r.Body), []byte("{")):
		a.Body = json.RawMessage(r.Body)
	case len(r.Body) > 0:
		a.Body = strings.ToValidUTF8(string(r.Body), "\ufffd")
	}
	for _, name := range []string{"Client-Context", "Retry-After"} {
		if value := r.Header.Get(name); value != "" {
			a.Headers[name] = value
		}
	}
	return a
}

// printQuestion prints a question and its outcome.
func (e *listener) printQuestion(q question, r forwardResult, remark string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.JSON {
		_ = e.object(struct {
			Question question      `json:"question"`
			Answered forwardResult `json:"answered"`
			NotUsed  string        `json:"not_used,omitempty"`
		}{q, r, remark})
		return
	}
	e.row([messageColumns]any{
		clock(time.Now()), q.Callback, q.about(), "", r.outcome(), formatDuration(r.duration), remark,
	})
}
