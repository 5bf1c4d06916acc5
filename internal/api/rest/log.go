package rest

import (
	"log/slog"
	"math"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/observe"
)

// ended counts and logs an answered request, and ends its span.
func (k *Kernel) ended(x *Exchange, span observe.Span, start time.Time) {
	duration, operation := time.Since(start), k.operationOf(x.Request)
	k.config.Requests.Answered(operation, x.status, duration)
	span.Named(operation)
	span.Text("http.request.method", x.Request.Method)
	span.Text("casehook.request", x.ID)
	span.Number("http.response.status_code", x.status)
	if x.status >= http.StatusInternalServerError {
		span.Failed(http.StatusText(x.status))
	}
	span.End()
	k.logged(x, operation, duration)
}

func (k *Kernel) logged(x *Exchange, operation string, duration time.Duration) {
	attrs := []slog.Attr{
		slog.String("method", x.Request.Method),
		slog.String("path", shortened(pathOf(x.Request))),
		slog.String("operation", operation),
		slog.Int("status", x.status),
		slog.Float64("duration_ms", math.Round(duration.Seconds()*1e6)/1e3),
		slog.String("request_id", x.ID),
		slog.String("address", x.Address()),
		slog.String("client", shortened(x.Request.UserAgent())),
		slog.Int64("tenant", x.Principal.Tenant),
		slog.String("token_id", x.Principal.Actor.TokenID),
		slog.Int64("user_id", x.Principal.Actor.UserID),
	}
	if x.code != "" {
		attrs = append(attrs, slog.String("code", x.code))
	}
	if trace := observe.TraceID(x.Request.Context()); trace != "" {
		attrs = append(attrs, slog.String("trace_id", trace))
	}
	k.log.LogAttrs(x.Request.Context(), slog.LevelInfo, "request", attrs...)
}

// mostLogged bounds each text from a client in a line of the log, in bytes.
const mostLogged = 200

func shortened(text string) string {
	if len(text) > mostLogged {
		return strings.ToValidUTF8(text[:mostLogged], "") + "..."
	}
	return text
}

// ids matches the values in paths that the server generated.
var ids = regexp.MustCompile(`^([0-9]+|(att|cmt|doc|fdoc|ep|msg|prf|rpl|sec|tok)_[0-9A-Za-z_-]+)$`)

// pathOf returns the path of a request for the log. It keeps ids that the server generated, and replaces names that
// people chose, such as labels and roles, by placeholders: these are data. It returns a path without a route as
// requested.
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

// operationOf returns the name of a request's operation; "page" for the description of
// the API, and "none" for an unknown path.
func (k *Kernel) operationOf(r *http.Request) string {
	if name, ok := k.names[r.Pattern]; ok {
		return string(name)
	}
	if r.Pattern != "" {
		return "page"
	}
	return "none"
}
