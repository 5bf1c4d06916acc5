package rest

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/spelling"
)

// Problem is every answer that is not a success: RFC 9457, with our members.
type Problem struct {
	Type     string       `json:"type" doc:"Always about:blank; the code says more." example:"about:blank"`
	Title    string       `json:"title" doc:"The meaning of the status." example:"Conflict"`
	Status   int          `json:"status" doc:"The HTTP status." example:"409"`
	Detail   string       `json:"detail" doc:"The fault, and what to do next, for people."`
	Code     ProblemCode  `json:"code" doc:"The fault, for programs."`
	Errors   []string     `json:"errors,omitempty" doc:"The errors that a callback answered with."`
	Warnings []string     `json:"warnings,omitempty" doc:"The warnings that a callback answered with. Submit with ignore_warning to accept them."`
	Fields   []FieldFault `json:"fields,omitempty" doc:"The faults and their places."`
	header   http.Header
}

// FieldFault is one thing that is wrong in a request.
type FieldFault struct {
	Path    string `json:"path" doc:"A JSON Pointer into the request's body; for a parameter its place and name, such as query.limit." example:"/data/email"`
	Message string `json:"message" doc:"The fault there, as the rest of a sentence."`
}

var statuses = map[fault.Kind]int{
	fault.Internal: http.StatusInternalServerError, fault.Invalid: http.StatusBadRequest,
	fault.Unauthenticated: http.StatusUnauthorized, fault.Forbidden: http.StatusForbidden,
	fault.NotFound: http.StatusNotFound, fault.Conflict: http.StatusConflict, fault.Gone: http.StatusGone,
	fault.TooLarge: http.StatusRequestEntityTooLarge, fault.UnsupportedMedia: http.StatusUnsupportedMediaType,
	fault.Unprocessable: http.StatusUnprocessableEntity, fault.TooMany: http.StatusTooManyRequests,
	fault.Upstream: http.StatusBadGateway, fault.Unavailable: http.StatusServiceUnavailable,
	fault.UpstreamTimeout: http.StatusGatewayTimeout,
}

// NewProblem returns the answer of a fault. No other function makes one.
func NewProblem(e *fault.Error) *Problem {
	status := statuses[e.Kind]
	p := &Problem{
		Type:     "about:blank",
		Title:    http.StatusText(status),
		Status:   status,
		Detail:   e.Detail,
		Code:     ProblemCode(e.Code),
		Errors:   e.Errors,
		Warnings: e.Warnings,
		header:   http.Header{},
	}
	for _, f := range e.Fields {
		p.Fields = append(p.Fields, FieldFault(f))
	}
	switch e.Kind {
	case fault.Unauthenticated:
		p.header.Set("WWW-Authenticate", `Bearer realm="casehook"`)
	case fault.Unavailable, fault.TooMany:
		p.header.Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(e.RetryAfter.Seconds())))))
	}
	return p
}

// Problem returns the answer of an operation's error. It alone logs internal errors.
func (k *Kernel) Problem(ctx context.Context, err error) *Problem {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		err = fault.New(fault.TooLarge, "request.too_large",
			"The request's body is larger than %d bytes. Send a smaller one.",
			tooLarge.Limit)
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		err = fault.Cancelled(err)
	}
	e := fault.As(err)
	ExchangeOf(ctx).code = e.Code
	if e.Kind == fault.Internal {
		k.log.LogAttrs(ctx, slog.LevelError, "request failed",
			slog.String("request_id", ExchangeOf(ctx).ID), slog.Any("error", err))
	}
	return NewProblem(e)
}

// SetStatus replaces the status that the kind of the fault has.
func (p *Problem) SetStatus(status int) {
	p.Status, p.Title = status, http.StatusText(status)
}

// Write answers a request that no operation answers.
func (p *Problem) Write(w http.ResponseWriter) {
	if x, ok := w.(*Exchange); ok {
		x.code = string(p.Code)
	}
	header := w.Header()
	for name, values := range p.header {
		header[name] = values
	}
	header.Set("Content-Type", "application/problem+json")
	header.Del("Content-Length")
	w.WriteHeader(p.Status)
	Encode(jsonWriter(w), p) // an error means that the client is gone
}

// These methods make Problem an error that huma answers with.

func (p *Problem) Error() string           { return string(p.Code) + ": " + p.Detail }
func (p *Problem) GetStatus() int          { return p.Status }
func (p *Problem) GetHeaders() http.Header { return p.header }

// ContentType returns the type of problems, whichever format the client accepts.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// setUpHuma makes huma answer its own errors with problems, and match names exactly. These settings are global.
var setUpHuma = sync.OnceFunc(func() {
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError { return fromHuma(status, errs) }
	huma.NewErrorWithContext = func(ctx huma.Context, status int, message string, errs ...error) huma.StatusError {
		p := fromHuma(status, errs)
		suggestParameters(ctx.Operation(), p.Fields)
		ExchangeOf(ctx.Context()).code = string(p.Code)
		return p
	}
	huma.ValidateStrictCasing = true
	huma.DefaultArrayNullable = false
})

// fromHuma returns the problem of huma's errors. They concern parameters alone, since huma does not read bodies.
func fromHuma(status int, errs []error) *Problem {
	if status >= http.StatusInternalServerError {
		return NewProblem(fault.As(nil))
	}
	e := fault.New(fault.Invalid, "request.invalid", "A parameter of the request is wrong: see fields.")
	e.Fields = fieldsOf(errs)
	return NewProblem(e)
}

// unknownParameter is huma's message about a query parameter that the operation does not have.
const unknownParameter = "unknown query parameter"

// suggestParameters adds the nearest parameter of the operation to the faults of unknown ones.
func suggestParameters(op *huma.Operation, wrong []FieldFault) {
	if op == nil {
		return
	}
	var known []string
	for _, p := range op.Parameters {
		if p.In == "query" {
			known = append(known, p.Name)
		}
	}
	for i, f := range wrong {
		if f.Message == unknownParameter {
			wrong[i].Message += spelling.DidYouMean(strings.TrimPrefix(f.Path, "query."), known)
		}
	}
}

// faultOf returns huma's message in our style. Huma describes an invalid time by Go's layout of times.
func faultOf(message string) string {
	if strings.HasPrefix(message, "invalid date/time for format") {
		return "is not a time of RFC 3339, such as 2026-01-31T08:00:00Z"
	}
	if name, ok := strings.CutPrefix(message, "expected required property "); ok {
		return "lacks the required member " + strings.TrimSuffix(name, " to be present")
	}
	return message
}

// fieldsOf converts huma's errors to fields, ordered by path.
func fieldsOf(errs []error) []fault.Field {
	var fields []fault.Field
	for _, err := range errs {
		var detail *huma.ErrorDetail
		if errors.As(err, &detail) {
			fields = append(fields, fault.Field{Path: pointer(detail.Location), Message: faultOf(detail.Message)})
		}
	}
	slices.SortFunc(fields, func(a, b fault.Field) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(fields)
}

var toPointer = strings.NewReplacer(".", "/", "[", "/", "]", "")

// pointer converts a location in the body, which huma writes as body.triggers[0], to a JSON Pointer. It returns the
// location of a parameter unchanged.
func pointer(location string) string {
	inBody, found := strings.CutPrefix(location, "body")
	if !found {
		return location
	}
	return toPointer.Replace(inBody)
}
