package rest

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/inbound"
	"github.com/casehook/casehook/internal/store"
)

// Handler returns the handler that serves the operations and pages. It adds an id, headers, a span and a line in the
// log to each request.
func (k *Kernel) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &Exchange{ID: id.New("req"), key: k.config.Key, ResponseWriter: w}
		x.arrived = store.WithPatience(r.Context())
		ctx, span := k.config.Tracer.Request(x.arrived, r.Header.Get("Traceparent"), r.Method)
		x.Request = r.WithContext(context.WithValue(ctx, exchangeKey{}, x))
		x.pretty = cutPretty(x.Request)
		joinLists(x.Request.Header)
		secure(w.Header())
		w.Header().Set("X-Request-Id", x.ID)
		k.config.Requests.Received()
		defer k.ended(x, span, time.Now())
		defer x.end()
		defer k.recovered(x)
		k.serve(x)
	})
}

// serve authenticates a request and routes it. It answers a request without an operation itself.
func (k *Kernel) serve(x *Exchange) {
	r := x.Request
	if k.cors(x) {
		return
	}
	if r.URL.Path == "/v1" || strings.HasPrefix(r.URL.Path, "/v1/") {
		x.Header().Set("Cache-Control", "no-store")
		if err := k.Authenticate(x); err != nil {
			k.Problem(r.Context(), err).Write(x)
			return
		}
	}
	if handler, pattern := k.mux.Handler(r); pattern == "" {
		if k.missing != nil && k.missing(x) {
			return
		}
		unrouted(handler, r).Write(x)
		return
	}
	k.mux.ServeHTTP(x, x.Request) // with its session
}

// Authenticate sets the principal of a request, or refuses it. Requests below /v1 were authenticated already.
func (k *Kernel) Authenticate(x *Exchange) error {
	pattern := x.Request.Method + " " + x.Request.URL.Path
	x.Open, x.Asks = k.open[pattern], k.asks[pattern]
	if err := k.config.Authenticate(x); err != nil {
		return err
	}
	if x.Principal.Role != "" {
		inbound.Authenticated(x.Request.Context())
	}
	return nil
}

// Authorize adds the permission of an operation to the caller of a request, or refuses it. Those that are registered
// with [Handle] need no call.
func (k *Kernel) Authorize(x *Exchange, o access.Operation) error {
	x.operation = o
	authorized, err := k.config.Authorize(x.Request.Context(), x.Principal, o)
	if err == nil {
		x.Principal = authorized
	}
	return err
}

// Reauthenticate authenticates a long request again and returns its principal: a token
// may have been revoked meanwhile, and a session ended. It does not extend a session.
func (k *Kernel) Reauthenticate(ctx context.Context) (access.Principal, error) {
	x := ExchangeOf(ctx)
	now := &Exchange{ID: x.ID, Request: x.Request.WithContext(x.arrived), Open: x.Open}
	err := k.config.Reauthenticate(now)
	return now.Principal, err
}

// unrouted returns the problem of a request without an operation: its path, or only its method, is unknown. The
// router's own answer shows which.
func unrouted(handler http.Handler, r *http.Request) *Problem {
	answer := discard{header: http.Header{}}
	handler.ServeHTTP(&answer, r)
	if answer.status != http.StatusMethodNotAllowed {
		return NewProblem(fault.New(fault.NotFound, "route.not_found",
			"There is nothing at this path; /docs lists all operations."))
	}
	allowed := answer.header.Get("Allow")
	p := NewProblem(fault.New(fault.Invalid, "route.method_not_allowed", "This path accepts %s.", allowed))
	p.SetStatus(answer.status)
	p.header.Set("Allow", allowed)
	return p
}

// discard records the status and header of an answer, and drops its body.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(status int)      { d.status = status }

// secure sets the headers that restrict browsers. The documentation, which is a page,
// sets a policy of its own.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
}

// recovered answers a panic with a problem that does not show its cause, and logs it.
func (k *Kernel) recovered(x *Exchange) {
	cause := recover()
	if cause == nil {
		return
	}
	if cause == http.ErrAbortHandler {
		panic(cause)
	}
	k.log.LogAttrs(x.Request.Context(), slog.LevelError, "panic", slog.String("request_id", x.ID),
		slog.String("panic", fmt.Sprint(cause)), slog.String("stack", string(debug.Stack())))
	if x.status != 0 {
		panic(http.ErrAbortHandler) // a part of the answer is sent: only the connection can still be closed
	}
	NewProblem(fault.As(nil)).Write(x)
}
