// Package fault has the one error type that crosses floors. An [Error] has a Kind for our own code, a Code
// for clients, a Detail for people, and a wrapped cause for the log alone.
package fault

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Kind is the small closed set that callers branch on: errors.Is(err, fault.NotFound).
type Kind int

// The kinds, each with the HTTP status that the API gives it.
const (
	Internal         Kind = iota // 500: ours to repair
	Invalid                      // 400: the request can't be read
	Unauthenticated              // 401: no credentials, or wrong ones
	Forbidden                    // 403: known, and not allowed
	NotFound                     // 404
	Conflict                     // 409: something moved meanwhile
	Gone                         // 410: it was here, and is past its retention
	TooLarge                     // 413: over a size limit
	UnsupportedMedia             // 415: a content type that is not taken
	Unprocessable                // 422: readable, and refused
	TooMany                      // 429: over a rate
	Upstream                     // 502: another system failed
	Unavailable                  // 503: not now, try again
	UpstreamTimeout              // 504: another system did not answer in time
)

var kindNames = [...]string{
	"internal", "invalid", "unauthenticated", "forbidden", "not found", "conflict", "gone",
	"too large", "unsupported media type", "unprocessable", "too many requests",
	"upstream failed", "unavailable", "upstream timeout",
}

// Error makes a Kind a target for errors.Is.
func (k Kind) Error() string { return kindNames[k] }

// Field is one fault in a request. Path is a JSON Pointer (RFC 6901) into the request body, such as
// /data/email.
type Field struct {
	Path    string `json:"path"`
	Message string `json:"message"`
}

// Error is an error with everything that a client may know, and its cause.
type Error struct {
	Kind     Kind
	Code     string   // stable, for programs: "case.version_conflict"
	Detail   string   // a sentence for people; safe to show
	Errors   []string // a callback's errors, as it gave them
	Warnings []string // a callback's warnings, as it gave them
	Fields   []Field  // what is wrong where
	Err      error    // the cause; logged, never shown

	RetryAfter time.Duration // when to try again, if that is known
}

// New makes an Error whose detail is formatted as by fmt.Sprintf.
func New(kind Kind, code, detail string, args ...any) *Error {
	return &Error{Kind: kind, Code: code, Detail: fmt.Sprintf(detail, args...)}
}

// Wrap is New with a cause.
func Wrap(err error, kind Kind, code, detail string, args ...any) *Error {
	e := New(kind, code, detail, args...)
	e.Err = err
	return e
}

// Cancelled makes the Error of a request that ended before it was carried out.
func Cancelled(cause error) *Error {
	return Wrap(cause, Unavailable, "request.cancelled",
		"The request was cancelled before it was carried out. Send it again.")
}

// In makes an Error of kind Unprocessable that lists faults field by field.
func In(code, detail string, fields ...Field) *Error {
	return &Error{Kind: Unprocessable, Code: code, Detail: detail, Fields: fields}
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Code)
	b.WriteString(": ")
	b.WriteString(e.Detail)
	for _, f := range e.Fields {
		fmt.Fprintf(&b, "; %s: %s", f.Path, f.Message)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is makes errors.Is(err, kind) true for the error's own kind.
func (e *Error) Is(target error) bool {
	k, ok := target.(Kind)
	return ok && k == e.Kind
}

// As returns the Error in err's chain. It turns any other error into an Internal one whose detail reveals
// nothing of it.
func As(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{
		Kind: Internal, Code: "internal", Detail: "Something failed on our side. It has been logged; please try again.",
		Err: err,
	}
}
