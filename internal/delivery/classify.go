package delivery

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/casehook/casehook/internal/delivery/machine"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/store"
)

// keptResponse is how much of a response's body an attempt keeps, in bytes.
const keptResponse = 16 << 10

// classify returns the outcome of a request's result. Only a 2xx answer is success.
func classify(msg *machine.Message, q outbound.Request, r outbound.Result, keepAnswers bool) outcome {
	o := outcome{Outcome: machine.Outcome{
		Verdict:   verdictOf(r),
		Lacking:   r.Class == outbound.Ours,
		Connected: r.Connected,
		Throttled: r.Status == http.StatusTooManyRequests,
		Reason:    reasonOf(r),
	}}
	if o.Verdict == machine.Unreachable {
		o.cause, o.address = outbound.Cause(r.Err), r.Address
	}
	if o.Throttled || r.Status == http.StatusServiceUnavailable {
		o.RetryAfter = r.RetryAfter(q.At.Add(r.Duration))
	}
	sum := sha256.Sum256(q.Body)
	o.attempt = store.Attempt{
		Place:      store.Place{Seq: msg.Seq, Part: msg.Part, Message: msg.ID},
		Subject:    msg.Subject,
		Trigger:    msg.Body.Trigger,
		Number:     q.Attempt,
		At:         q.At,
		Duration:   r.Duration,
		Address:    outbound.ShownAddress(q.URL, r.Address),
		Status:     r.Status,
		Class:      string(classOf(r)),
		Delivered:  o.Verdict == machine.Delivered,
		Request:    requestRecord(q),
		Response:   answerRecord(q, r, keepAnswers),
		BodySHA256: hex.EncodeToString(sum[:]),
	}
	return o
}

// verdictOf returns the meaning of a result. Only the status and the headers count; the body is only recorded.
func verdictOf(r outbound.Result) machine.Verdict {
	switch {
	case accepted(r):
		return machine.Delivered
	case r.Class == outbound.Cancelled, r.Class == outbound.Ours:
		return machine.NotAttempted
	case r.Class == outbound.Invalid:
		return machine.Refused
	case r.Status == 0, r.Status >= 500, r.Status == http.StatusTooManyRequests:
		return machine.Unreachable
	case r.Status == http.StatusGone:
		return machine.Gone
	}
	return machine.Refused
}

// accepted reports whether the receiver has accepted the message.
func accepted(r outbound.Result) bool { return r.Status >= 200 && r.Status < 300 }

// classOf returns the class of the failure, or none if the message was accepted.
func classOf(r outbound.Result) outbound.Class {
	if accepted(r) {
		return outbound.Answered
	}
	return r.Class
}

func reasonOf(r outbound.Result) string {
	if r.Status != 0 {
		return strings.TrimSpace(strconv.Itoa(r.Status) + " " + http.StatusText(r.Status))
	}
	reason := string(r.Class)
	if r.Err != nil {
		reason += ": " + r.Err.Error()
	}
	return printable(reason, 500)
}

// redacted stands in attempts for what is nobody's to read.
const redacted = "(redacted)"

// requestRecord returns the headers of a request as an attempt keeps them, without
// signatures: they are worthless to a reader and a gift to a thief.
func requestRecord(q outbound.Request) string {
	headers := make([][2]string, 0, len(q.Header)+len(q.Private))
	for _, h := range q.Header {
		headers = append(headers, [2]string{h.Name, printable(h.Value, 1000)})
	}
	for _, h := range q.Private {
		headers = append(headers, [2]string{h.Name, redacted})
	}
	record, err := json.Marshal(struct {
		Headers [][2]string `json:"headers"`
		URL     string      `json:"url"`
	}{headers, q.URL})
	if err != nil {
		return "{}"
	}
	return string(record)
}

// answerRecord returns the part of an answer that an attempt keeps. It keeps nothing of an answer from an address
// that is not public, by which managers could read from the server's network. A receiver may repeat the secrets of a
// request in more spellings than can be looked for: if there are some, the answer is kept only if the endpoint says
// so.
func answerRecord(q outbound.Request, r outbound.Result, keep bool) string {
	if r.Status != 0 && (r.Private || len(q.Private) > 0 && !keep) {
		return withheld
	}
	return responseRecord(withoutSecrets(q, r))
}

// withheld is the record of an answer that is not kept.
const withheld = `{"withheld":true}`

// responseRecord is the headers and the beginning of the body of an answer.
func responseRecord(r outbound.Result) string {
	record := map[string]any{}
	if r.Status != 0 {
		record["headers"] = headersOf(r.Header)
	}
	switch body := r.Body; {
	case len(body) == 0:
	case utf8.Valid(body):
		record["body"] = string(body)
	default:
		record["body_base64"] = base64.StdEncoding.EncodeToString(body)
	}
	if r.Truncated {
		record["truncated"] = true
	}
	if r.Err != nil {
		record["error"] = printable(r.Err.Error(), 500)
	}
	raw, err := json.Marshal(record)
	if err != nil {
		return "{}"
	}
	return string(raw)
}

// headersOf keeps an answer's headers, without what might be a credential.
func headersOf(h http.Header) map[string]string {
	kept := make(map[string]string, len(h))
	for name, values := range h {
		if name == "Set-Cookie" {
			kept[name] = redacted
			continue
		}
		kept[name] = printable(strings.Join(values, ", "), 1000)
	}
	return kept
}

// printable returns text that both databases accept: valid, without NUL, not too long.
func printable(s string, most int) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "?"), "\x00", "?")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return s
}
