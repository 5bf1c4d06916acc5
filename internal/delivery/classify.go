package delivery

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"

	"github.com/casehook/casehook/internal/delivery/machine"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/store"
)

// keptResponse is the length in bytes to which an attempt keeps a response's body.
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
	var hash [2 * sha256.Size]byte
	hex.Encode(hash[:], sum[:])
	o.attempt = store.Attempt{
		Place:      store.Place{Seq: msg.Seq, Part: msg.Part, Message: msg.ID},
		Subject:    msg.Subject,
		Trigger:    msg.Body.Trigger,
		Number:     q.Attempt,
		At:         q.At,
		Duration:   r.Duration,
		Address:    r.Shown,
		Status:     r.Status,
		Class:      string(classOf(r)),
		Delivered:  o.Verdict == machine.Delivered,
		Request:    requestRecord(q),
		Response:   answerRecord(q, r, keepAnswers),
		BodySHA256: string(hash[:]),
	}
	return o
}

// verdictOf returns the verdict on a result. It depends on the status and the headers, not on the body.
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

// redacted replaces secrets in the records of attempts.
const redacted = "(redacted)"

// answerRecord returns the part of an answer that an attempt keeps. It keeps nothing of an answer from an address
// that is not public, because managers could use it to read from the server's network. A receiver may repeat the
// secrets of a request in more forms than can be searched for, so the answer to a request with secrets is kept only if
// the endpoint's settings allow it.
func answerRecord(q outbound.Request, r outbound.Result, keep bool) string {
	if r.Status != 0 && (r.Private || len(q.Private) > 0 && !keep) {
		return withheld
	}
	return responseRecord(withoutSecrets(q, r))
}

// withheld is the record of an answer that is not kept.
const withheld = `{"withheld":true}`

// printable returns text in a form that both databases accept: valid UTF-8, without NUL, and not too long.
func printable(s string, most int) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "?"), "\x00", "?")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return s
}
