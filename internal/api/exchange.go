package api

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/inbound"
	"github.com/casehook/casehook/internal/observe"
)

// exchange is one request and what is known about it while it is answered.
type exchange struct {
	id        string
	arrived   context.Context // of the request before it had a session
	request   *http.Request
	principal access.Principal // once authenticated
	status    int              // 0: nothing has been answered yet
	code      string           // of the problem that it was answered with
	raw       []byte           // the body, where it was read as a whole
	key       []byte           // of fingerprints
	pretty    bool             // JSON is answered in lines
	held      hold             // of the answer, while it is sent
	http.ResponseWriter
}

type exchangeKey struct{}

func exchangeOf(ctx context.Context) *exchange {
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	return x
}

// principalOf says who a request comes from. All of /v1 is authenticated.
func principalOf(ctx context.Context) access.Principal { return exchangeOf(ctx).principal }

// WriteHeader notes the status.
func (x *exchange) WriteHeader(status int) {
	if x.status == 0 {
		x.status = status
	}
	x.ResponseWriter.WriteHeader(status)
}

// Write notes that the status is 200 if no other was set.
func (x *exchange) Write(b []byte) (int, error) {
	if x.status == 0 {
		x.status = http.StatusOK
	}
	return x.ResponseWriter.Write(b)
}

// cut ends the connection of a client that does not read its answer.
func (x *exchange) cut() {
	http.NewResponseController(x.ResponseWriter).SetWriteDeadline(time.Unix(1, 0)) // fails where it is gone
}

// Unwrap is for http.ResponseController.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

// wrap puts around the operations what all requests have in common.
func (a *API) wrap(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &exchange{id: id.New("req"), key: a.config.Key, ResponseWriter: w}
		x.arrived = r.Context()
		ctx, span := a.config.Tracer.Request(r.Context(), r.Header.Get("Traceparent"), r.Method)
		x.request = r.WithContext(context.WithValue(ctx, exchangeKey{}, x))
		x.pretty = takePretty(x.request)
		joinLists(x.request.Header)
		secure(w.Header())
		w.Header().Set("X-Request-Id", x.id)
		a.config.Requests.Begin()
		defer a.ended(x, span, time.Now())
		defer x.held.end()
		defer a.recovered(x)
		a.serve(x, mux)
	})
}

// serve authenticates, and answers what no operation does.
func (a *API) serve(x *exchange, mux *http.ServeMux) {
	r := x.request
	if a.cors(x) {
		return
	}
	if r.URL.Path == "/v1" || strings.HasPrefix(r.URL.Path, "/v1/") {
		x.Header().Set("Cache-Control", "no-store")
		if err := a.authenticate(x); err != nil {
			a.problem(r.Context(), err).write(x)
			return
		}
		if x.principal.Role != "" {
			inbound.Authenticated(r.Context())
		}
	}
	if handler, pattern := mux.Handler(r); pattern == "" {
		unrouted(handler, r).write(x)
		return
	}
	mux.ServeHTTP(x, x.request) // with its session
}

// address is the IP address that the request comes from.
func (x *exchange) address() string { return inbound.Address(x.request) }

func (a *API) authenticate(x *exchange) error {
	if a.opened[x.request.Method+" "+x.request.URL.Path] {
		return a.loadSession(x)
	}
	if x.request.Header.Get("Authorization") == "" {
		if err := a.authenticateSession(x); err != nil {
			return err
		}
		if forOperators(x.request.URL.Path) {
			return a.service.RefuseTenantOperations(x.request.Context(), x.principal)
		}
		return nil
	}
	scheme, bearer, _ := strings.Cut(x.request.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || bearer == "" {
		return fault.New(fault.Unauthenticated, "token.missing", "Send a token: Authorization: Bearer chk_...")
	}
	bearer = strings.TrimSpace(bearer)
	if access.IsOperator(bearer) {
		x.principal = casework.Operator(x.address())
		return a.authenticateOperator(bearer, x.request.URL.Path)
	}
	if err := a.byToken(x, bearer); err != nil {
		return err
	}
	if forOperators(x.request.URL.Path) {
		return a.service.RefuseTenantOperations(x.request.Context(), x.principal)
	}
	return nil
}

// byToken finds out whose token a request carries.
func (a *API) byToken(x *exchange, bearer string) (err error) {
	if x.principal, err = a.service.Authenticate(x.request.Context(), bearer, x.address()); err != nil {
		return err
	}
	return a.service.CheckHost(x.request.Context(), x.principal, x.request.Host)
}

// reauthenticate says who a request that takes its time comes from as of now: a
// token may have been revoked meanwhile, and a session ended. It keeps no session
// from ending.
func (a *API) reauthenticate(x *exchange) (access.Principal, error) {
	now := &exchange{id: x.id, request: x.request.WithContext(x.arrived)}
	if header := x.request.Header.Get("Authorization"); header != "" {
		_, bearer, _ := strings.Cut(header, " ")
		err := a.byToken(now, strings.TrimSpace(bearer))
		return now.principal, err
	}
	if err := a.loadSession(now); err != nil {
		return access.Principal{}, err
	}
	err := a.inSession(now)
	return now.principal, err
}

// unrouted says what is wrong with a request that no operation takes: its path,
// or only its method. The router knows.
func unrouted(handler http.Handler, r *http.Request) *Problem {
	answer := discard{header: http.Header{}}
	handler.ServeHTTP(&answer, r)
	if answer.status != http.StatusMethodNotAllowed {
		return newProblem(fault.New(fault.NotFound, "route.not_found", "There is nothing at this path; /docs lists what there is."))
	}
	allowed := answer.header.Get("Allow")
	p := newProblem(fault.New(fault.Invalid, "route.method_not_allowed", "This path takes %s.", allowed))
	p.Status, p.Title = answer.status, http.StatusText(answer.status)
	p.header.Set("Allow", allowed)
	return p
}

// discard keeps status and header of an answer.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(status int)      { d.status = status }

// secure sets the headers that make browsers careful. Documentation, which is
// a page, sets its own policy.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
}

// recovered turns a panic into an answer that shows nothing of it.
func (a *API) recovered(x *exchange) {
	cause := recover()
	if cause == nil {
		return
	}
	if cause == http.ErrAbortHandler {
		panic(cause)
	}
	a.log.LogAttrs(x.request.Context(), slog.LevelError, "panic", slog.String("request_id", x.id),
		slog.String("panic", fmt.Sprint(cause)), slog.String("stack", string(debug.Stack())))
	if x.status != 0 {
		panic(http.ErrAbortHandler) // a part is sent: all that is left is to cut the connection
	}
	newProblem(fault.As(nil)).write(x)
}

// ended counts a request, ends its span and logs it.
func (a *API) ended(x *exchange, span observe.Span, start time.Time) {
	took, operation := time.Since(start), a.operationOf(x.request)
	a.config.Requests.End(operation, x.status, took)
	span.Named(operation)
	span.Text("http.request.method", x.request.Method)
	span.Text("casehook.request", x.id)
	span.Number("http.response.status_code", x.status)
	if x.status >= http.StatusInternalServerError {
		span.Failed(http.StatusText(x.status))
	}
	span.End()
	a.logged(x, operation, took)
}

func (a *API) logged(x *exchange, operation string, took time.Duration) {
	attrs := []slog.Attr{
		slog.String("method", x.request.Method), slog.String("path", shortened(pathOf(x.request))), slog.String("operation", operation),
		slog.Int("status", x.status), slog.Float64("duration_ms", math.Round(took.Seconds()*1e6)/1e3), slog.String("request_id", x.id),
		slog.String("address", x.address()), slog.String("client", shortened(x.request.UserAgent())),
		slog.Int64("tenant", x.principal.Tenant),
		slog.String("token_id", x.principal.Actor.TokenID), slog.Int64("user_id", x.principal.Actor.UserID),
	}
	if x.code != "" {
		attrs = append(attrs, slog.String("code", x.code))
	}
	if trace := observe.TraceID(x.request.Context()); trace != "" {
		attrs = append(attrs, slog.String("trace_id", trace))
	}
	a.log.LogAttrs(x.request.Context(), slog.LevelInfo, "request", attrs...)
}

// mostLogged is how much of what a client sent a line of the log has, in bytes.
const mostLogged = 200

func shortened(text string) string {
	if len(text) > mostLogged {
		return strings.ToValidUTF8(text[:mostLogged], "") + "..."
	}
	return text
}

// ids are the values in paths that people did not choose.
var ids = regexp.MustCompile(`^([0-9]+|(att|cmt|doc|ep|msg|prf|rpl|sec|tok)_[0-9A-Za-z_-]+)$`)

// pathOf returns the path of a request, with the ids that are in it. What people chose,
// such as a label or a role, is data, and stays out of the log. A path that nothing
// answers is none of ours, and is what was asked for.
func pathOf(r *http.Request) string {
	_, pattern, _ := strings.Cut(r.Pattern, " ")
	if pattern == "" {
		return r.URL.Path
	}
	parts, asked := strings.Split(pattern, "/"), strings.Split(r.URL.Path, "/")
	for i := range parts {
		if strings.HasPrefix(parts[i], "{") && i < len(asked) && ids.MatchString(asked[i]) {
			parts[i] = asked[i]
		}
	}
	return strings.Join(parts, "/")
}
