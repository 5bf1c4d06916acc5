// Package callback asks callbacks: the synchronous questions around a commit. It tries as often as the
// case type sets, within one total budget, and returns the decoded answer or the reason why there is none. The caller
// decides the meaning of an answer for the case, and applies the case type's failure policy.
package callback

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/casehook/casehook/internal/cache"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/credentials"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/observe"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/wire"
)

// MaxAnswer is the largest answer that is read, in bytes after decompression.
const MaxAnswer = 16 << 20

// The codes of the errors that Ask returns.
const (
	CodeTimeout = "callback.timeout" // fault.UpstreamTimeout
	CodeFailed  = "callback.failed"  // fault.Upstream
	CodeResting = "callback.resting" // fault.Upstream: its host is dead, so it was not asked
	// fault.Unavailable: the question was given up, or this server can't ask; no failure policy ignores this
	CodeCancelled = "callback.cancelled"
)

// IsFailure reports whether a code says that a callback gave no usable answer.
func IsFailure(code string) bool {
	return slices.Contains([]string{CodeTimeout, CodeFailed, CodeResting}, code)
}

// Clock measures waits and budgets. The zero value is the real one.
type Clock struct {
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) // returns early when the context ends
}

// Client asks callbacks. It is safe for concurrent use.
type Client struct {
	out     *outbound.Client
	clock   Clock
	metrics *observe.Callback
	tracer  *observe.Tracer
	hosts   hosts

	mu          sync.Mutex // while credentials are made
	credentials *cache.Cache[string, *credentials.Credentials]
}

// maxCredentials is how many credentials keep their connections and tokens.
const maxCredentials = 1000

// Observed returns the client with metrics and traces of its questions.
func (c *Client) Observed(metrics *observe.Callback, tracer *observe.Tracer) *Client {
	c.metrics, c.hosts.metrics, c.tracer = metrics, metrics, tracer
	return c
}

// Logged returns the client with a log of the hosts that die, and that answer again.
func (c *Client) Logged(log *slog.Logger) *Client {
	c.hosts.log = log
	return c
}

// New returns a Client that asks through out.
func New(out *outbound.Client, clock Clock) *Client {
	if clock.Now == nil {
		clock.Now = time.Now
	}
	if clock.Sleep == nil {
		clock.Sleep = sleep
	}
	return &Client{
		out: out, clock: clock,
		hosts: hosts{log: slog.New(slog.DiscardHandler), breakers: map[hostKey]*breaker{}},

		credentials: cache.New[string, *credentials.Credentials](maxCredentials, maxCredentials),
	}
}

// Question is one question to one callback.
type Question struct {
	Tenant     int64                     // of the case
	Settings   casetype.CallbackSettings // as the case type configures it
	URL        string                    // Ask.URL with its variables expanded
	Name       string                    // for messages: "kyc/submit"
	Type       string                    // the key of the case type whose callback it is
	Transition string                    // the key of the transition that it guards
	WebhookID  string                    // the same on every attempt
	Keys       [][]byte                  // signing keys
	Seeds      [][]byte                  // of Ed25519 keys that sign too
	Case       int64                     // the id of the case; 0: it has none yet
	DryRun     bool                      // nothing will be saved, and the callback is told so
	Elsewhere  bool                      // the URL is that of a dry run
	Shadow     bool                      // the URL is that of a callback's shadow
	Body       []byte                    // from wire.EncodeQuestion

	Dialect  casetype.Dialect
	Question casetype.Question
	Page     string // the key of the page, of a MidEvent
	Callback string // its key, where several are asked at the point; empty: it has none
	Context  string // Client-Context, as the client sent it; empty: none

	Pull        *Pull                 // for workers, where the URL is that of a queue
	Credentials *endpoint.Credentials // besides the signature; nil: none
	UserID      string                // of the submitter, in the dialect of CCD
	UserRoles   []string              // in the case type, in the dialect of CCD
}

// Verdict says how a question ended.
type Verdict string

// The verdicts.
const (
	Accepted  Verdict = "accepted"
	Warnings  Verdict = "warnings"
	Errors    Verdict = "errors"
	Timeout   Verdict = "timeout"
	Failed    Verdict = "failed"
	Cancelled Verdict = "cancelled"
	Unfit     Verdict = "unfit" // the answer can't be carried out; the caller finds that
)

// Verdicts lists the verdicts.
func Verdicts() []Verdict {
	return []Verdict{Accepted, Warnings, Errors, Unfit, Failed, Timeout, Cancelled}
}

// Reply is how a question ended.
type Reply struct {
	Answer  wire.Answer // the zero value if there is none
	Verdict Verdict
	Record  event.Callback // for the journal; it describes an answer's data, warnings and state as if they were applied
	Kept    Kept
	Length  int    // of the last attempt's answer, in bytes
	Context string // Client-Context of the answer; empty: none

	Answerer *store.Answerer // who answered in place of a URL; nil: nobody did
}

// Kept is the part of the last attempt's answer that may be kept.
type Kept struct {
	Body      []byte
	Truncated bool // the body was longer
	Withheld  bool // it came from an address that is not public, and has not the documented form
}

// MaxKept is the length in bytes to which the body of an answer is kept.
const MaxKept = 16 << 10

// Ask asks until there is an answer, or until retries are pointless or used up, or the budget is spent.
// Connection errors, timeouts and statuses from 500 are tried again, and other failures if the settings say so, after
// Retry-After if the budget has time for that. The reply is complete either way. An error is a *fault.Error with one
// of the codes above.
func (c *Client) Ask(ctx context.Context, q Question) (Reply, error) {
	start := c.clock.Now()
	reply, err := c.askHost(ctx, q, start)
	reply.Verdict = verdict(reply.Answer, err)
	if !q.Shadow { // these are counted apart
		c.metrics.Asked(string(reply.Verdict), reply.Record.Attempts, c.clock.Now().Sub(start))
	}
	return reply, err
}

// Shadowed counts what came of a question to a shadow.
func (c *Client) Shadowed(outcome string) { c.metrics.Shadowed(outcome) }

// askHost asks unless the host is dead. A question that probes a dead host is asked once.
func (c *Client) askHost(ctx context.Context, q Question, start time.Time) (Reply, error) {
	passage := c.hosts.enter(q, start)
	if passage.resting > 0 {
		c.metrics.Rested()
		failure := "was not asked: its host is dead"
		record := event.Callback{URL: q.Settings.URL, WebhookID: q.WebhookID, Failure: failure}
		return Reply{Record: record}, restingFault(q, passage)
	}
	if passage.probe {
		q.Settings.Retries = []casetype.Duration{}
	}
	reply, failed := c.ask(ctx, q, start)
	c.hosts.leave(ctx, q, passage, failed, c.clock.Now())
	if failed != nil {
		return reply, failed.fault(q, reply.Record.Attempts)
	}
	return reply, nil
}

func verdict(a wire.Answer, err error) Verdict {
	switch {
	case err == nil && len(a.Errors) > 0:
		return Errors
	case err == nil && len(a.Warnings) > 0:
		return Warnings
	case err == nil:
		return Accepted
	}
	switch fault.As(err).Code {
	case CodeTimeout:
		return Timeout
	case CodeCancelled:
		return Cancelled
	}
	return Failed
}

// keep returns the part of an attempt's answer that may be kept. Managers could use that of an address which is not
// public to read from the server's network, so only its documented members are kept.
func keep(result outbound.Result, d casetype.Dialect, answer wire.Answer, failed *failure) Kept {
	body := result.Body
	switch {
	case result.Status == 0:
		return Kept{}
	case result.Private && failed != nil:
		return Kept{Withheld: true}
	case result.Private && len(body) > 0:
		body = wire.EncodeAnswer(d, answer)
	}
	if len(body) > MaxKept {
		return Kept{Body: slices.Clone(beginning(body)), Truncated: true}
	}
	return Kept{Body: body, Truncated: result.Truncated}
}

// beginning returns the part of a long body that is kept. A text ends with a whole character.
func beginning(body []byte) []byte {
	end := MaxKept
	for end > MaxKept-utf8.UTFMax && !utf8.RuneStart(body[end]) {
		end--
	}
	return body[:end]
}

func (c *Client) ask(ctx context.Context, q Question, start time.Time) (reply Reply, failed *failure) {
	waits, budget := schedule(q.Settings)
	record := &reply.Record
	*record = event.Callback{URL: q.Settings.URL, WebhookID: q.WebhookID}
	var refuses error // ErrRefuses of any attempt
	for left := budget; left > 0; left = budget - c.clock.Now().Sub(start) {
		record.Attempts++
		failed = c.attempt(ctx, q, &reply, left)
		if failed == nil {
			break
		}
		refuses = errors.Join(refuses, failed.refuses)
		if !failed.triedAgain(q.Settings.RetryOn) || record.Attempts > len(waits) {
			break
		}
		wait, used := waits[record.Attempts-1], c.clock.Now().Sub(start)
		if used+failed.away < budget {
			wait = max(wait, failed.away)
		}
		if used+wait >= budget {
			break // there would be no time left to ask in
		}
		if c.clock.Sleep(ctx, wait); ctx.Err() != nil {
			break
		}
	}
	record.DurationMS = c.clock.Now().Sub(start).Milliseconds()
	if failed != nil {
		if errors.Is(ctx.Err(), context.Canceled) {
			failed = &failure{what: "was given up", kind: fault.Unavailable, mute: true, err: ctx.Err()}
		}
		failed.err = errors.Join(failed.err, refuses)
		failed.dead = failed.dead && refuses == nil
		record.Failure = failed.what
		return reply, failed
	}
	answer := reply.Answer
	record.ReplacedData, record.Warnings, record.Override = answer.HasData, answer.Warnings, answer.OverrideState
	record.IgnoredKeys = answer.Ignored
	return reply, nil
}

// schedule returns the waits between attempts and the budget for all.
func schedule(s casetype.CallbackSettings) ([]time.Duration, time.Duration) {
	retries := s.Retries
	if retries == nil {
		retries = casetype.DefaultRetries()
	}
	waits := make([]time.Duration, len(retries))
	for i, wait := range retries {
		waits[i] = time.Duration(wait)
	}
	return waits, or(s.Budget, casetype.DefaultBudget)
}

// attempt asks once, within the time left, and notes the answer in the reply.
func (c *Client) attempt(ctx context.Context, q Question, reply *Reply, left time.Duration) *failure {
	n := reply.Record.Attempts
	ctx, span := c.tracer.Callback(ctx, q.Name)
	defer span.End()
	span.Text("casehook.message", q.WebhookID)
	span.Number("casehook.attempt", n)
	request := outbound.Request{
		Tenant: q.Tenant, Trace: observe.Traceparent(ctx), URL: q.URL, Body: q.Body,
		Timeout: min(or(q.Settings.Timeout, casetype.DefaultTimeout), left), MaxResponse: MaxAnswer,
		ID: q.WebhookID, Attempt: n, At: c.clock.Now(), Keys: q.Keys, Seeds: q.Seeds,
	}
	for _, h := range q.header() {
		request.Header = append(request.Header, outbound.Header(h))
	}
	of := c.send(ctx, q, request)
	result := of.Result
	span.Number("http.response.status_code", result.Status)
	var answer wire.Answer
	failed := classify(result)
	if failed != nil {
		failed.what = cmp.Or(of.failure, failed.what)
		failed.refuses, failed.away = saysErrors(result.Body), result.RetryAfter(c.clock.Now())
		failed.connected = result.Connected
		span.Failed(failed.word())
	} else {
		answer, failed = decode(q, result)
		reply.Context = result.Header.Get(wire.ClientContextHeader)
	}
	reply.Answer, reply.Record.Status, reply.Kept = answer, result.Status, keep(result, q.Dialect, answer, failed)
	reply.Length, reply.Answerer = len(result.Body), of.answerer
	return failed
}

// post makes the request of an attempt, with the question's credentials. An answer to credentials counts as one from a
// private address, since it may repeat them.
func (c *Client) post(ctx context.Context, q Question, request outbound.Request) outbound.Result {
	if q.Credentials == nil {
		return c.out.Post(ctx, request)
	}
	own, err := c.credentialsOf(q)
	if err != nil {
		return outbound.Result{Class: outbound.Credentials, Err: err}
	}
	for _, h := range q.Credentials.Headers {
		request.Private = append(request.Private, outbound.Header(h))
	}
	_, result := own.Post(ctx, request)
	result.Private = true
	return result
}

// credentialsOf returns the credentials of a question, with the tokens and connections of earlier questions.
func (c *Client) credentialsOf(q Question) (*credentials.Credentials, error) {
	text, err := json.Marshal(q.Credentials)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	key := strconv.FormatInt(q.Tenant, 10) + "/" + string(sum[:])
	c.mu.Lock()
	defer c.mu.Unlock()
	if own, ok := c.credentials.Get(key); ok {
		return own, nil
	}
	own, err := credentials.New(c.out, q.Tenant, q.Credentials.Auth, q.Credentials.TLS)
	if err == nil {
		c.credentials.Put(key, own, 1)
	}
	return own, err
}

// header returns the headers that questions alone have.
func (q Question) header() []wire.Header {
	header := wire.QuestionHeader(q.Transition, q.Type, q.Question)
	if q.Page != "" {
		header = append(header, wire.PageHeader(q.Page))
	}
	if q.Callback != "" {
		header = append(header, wire.CallbackHeader(q.Callback))
	}
	if q.DryRun {
		header = append(header, wire.DryRunHeader())
	}
	if q.Dialect == casetype.CCD {
		header = append(header, wire.UserHeaders(q.UserID, q.UserRoles)...)
	}
	if q.Context != "" {
		header = append(header, wire.Header{Name: wire.ClientContextHeader, Value: q.Context})
	}
	return header
}

// decode reads a complete answer.
func decode(q Question, result outbound.Result) (wire.Answer, *failure) {
	answer, err := wire.DecodeAnswer(q.Dialect, q.Question, result.Body)
	if err != nil {
		what := fmt.Sprintf("answered %d with something else than the documented body", result.Status)
		// otherwise the reason may disclose the contents of a private network
		if !result.Private || !errors.Is(err, wire.ErrUnreadable) {
			what += ": " + err.Error()
		}
		return wire.Answer{}, &failure{what: what, refuses: saysErrors(result.Body)}
	}
	return answer, nil
}

// failure is the reason why an attempt had no usable answer.
type failure struct {
	what  string     // completes "The callback of kyc/submit ..."; nothing of the answer's body
	kind  fault.Kind // UpstreamTimeout, Unavailable, or anything else: Upstream
	again bool       // another attempt may help
	never bool       // it is refused here, whatever the settings say
	err   error

	dead      bool // the host may be dead
	mute      bool // it says nothing about the host
	connected bool // there was a connection

	away    time.Duration // how long the callback asks the client to wait
	refuses error         // ErrRefuses, if the answer carried errors nevertheless
}

// triedAgain reports whether the question is asked again after the failure.
func (f *failure) triedAgain(on casetype.RetryOn) bool {
	return !f.never && (f.again || on == casetype.RetryAny)
}

// word names the failure for metrics; it quotes nothing of the answer.
func (f *failure) word() string {
	if f.kind == fault.UpstreamTimeout {
		return "timeout"
	}
	return "failed"
}

// classify returns nil if a result holds an answer to decode. A wrong status alone is a failure, whether or not the
// body arrived.
func classify(r outbound.Result) *failure {
	if r.Status != 0 && r.Status != http.StatusOK && r.Status != http.StatusNoContent {
		return &failure{
			what: fmt.Sprintf("answered %d", r.Status), again: passes(r.Status), err: r.Err,
			dead: r.Status >= http.StatusInternalServerError || r.Status == http.StatusTooManyRequests,
		}
	}
	switch r.Class {
	case outbound.Answered:
		return nil
	case outbound.Timeout:
		return &failure{
			what: "did not answer in time", kind: fault.UpstreamTimeout, again: true, dead: true, err: r.Err,
		}
	case outbound.DNS:
		return &failure{what: "can't be reached: its host's name was not found", again: true, dead: true, err: r.Err}
	case outbound.Connect:
		return &failure{what: "can't be reached: no connection", again: true, dead: true, err: r.Err}
	case outbound.Closed:
		return &failure{
			what: "closed the connection before its answer was complete", again: true, dead: true, err: r.Err,
		}
	case outbound.Ours:
		return &failure{
			what: "was not asked: this server can't open connections at present", kind: fault.Unavailable, again: true,
			mute: true, err: r.Err,
		}
	case outbound.Refused: // the address, which may be in a variable, stays hidden
		return &failure{
			what:  "can't be reached: it is at an address that may not be called; ask the operator to allow it",
			never: true, mute: true, err: r.Err,
		}
	case outbound.Credentials:
		return &failure{what: "was not asked: " + r.Err.Error(), again: true, mute: true, err: r.Err}
	case outbound.Proxying:
		return &failure{
			what: "can't be reached: the proxy by which requests leave did not connect", again: true, dead: true,
			err: r.Err,
		}
	case outbound.TLS:
		return &failure{what: "can't be reached: no TLS connection", dead: true, err: r.Err}
	}
	return &failure{what: "failed: " + r.Err.Error(), err: r.Err}
}

// passes reports whether a later attempt may succeed after one with this status.
func passes(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return status >= http.StatusInternalServerError
}

// ErrRefuses is wrapped by the error of a callback that failed but sent errors, in any attempt. No failure policy
// ignores these.
var ErrRefuses = errors.New("the callback's answer carries errors")

// saysErrors returns ErrRefuses if a body carries errors.
func saysErrors(body []byte) error {
	if wire.CarriesErrors(body) {
		return ErrRefuses
	}
	return nil
}

// fault returns the failure as the error for the initiator.
func (f *failure) fault(q Question, attempts int) *fault.Error {
	kind, code := fault.Upstream, CodeFailed
	switch f.kind {
	case fault.UpstreamTimeout:
		kind, code = f.kind, CodeTimeout
	case fault.Unavailable:
		kind, code = f.kind, CodeCancelled
	}
	tries := "1 attempt"
	if attempts > 1 {
		tries = fmt.Sprintf("%d attempts", attempts)
	}
	return fault.Wrap(f.err, kind, code, "The callback of %s %s (%s); %s.", q.Name, f.what, tries, q.outcome())
}

// outcome says what a failure of the callback means for the change.
func (q Question) outcome() string {
	if q.Question == casetype.Submitted {
		return "the change was saved before"
	}
	return "nothing was saved"
}

func or(d, otherwise casetype.Duration) time.Duration {
	if d <= 0 {
		d = otherwise
	}
	return time.Duration(d)
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
