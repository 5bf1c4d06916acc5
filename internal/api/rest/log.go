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

// ended counts a request, ends its span and logs it.
func (k *Kernel) ended(x *Exchange, span observe.Span, start time.Time) {
	took, operation := time.Since(start), k.operationOf(x.Request)
	k.config.Requests.End(operation, x.status, took)
	span.Named(operation)
	span.Text("http.request.method", x.Request.Method)
	span.Text("casehook.request", x.ID)
	span.Number("http.response.status_code", x.status)
	if x.status >= http.StatusInternalServerError {
		span.Failed(http.StatusText(x.status))
	}
	span.End()
	k.logged(x, operation, took)
}

func (k *Kernel) logged(x *Exchange, operation string, took time.Duration) {
	attrs := []slog.Attr{
		slog.String("method", x.Request.Method), slog.String("path", shortened(pathOf(x.Request))), slog.String("operation", operation),
		slog.Int("status", x.status), slog.Float64("duration_ms", math.Round(took.Seconds()*1e6)/1e3), slog.String("request_id", x.ID),
		slog.String("address", x.Address()), slog.String("client", shortened(x.Request.UserAgent())),
		slog.Int64("tenant", x.Principal.Tenant),
		slog.String("token_id", x.Principal.Actor.TokenID), slog.Int64("user_id", x.Principal.Actor.UserID),
	}
	if x.code != "" {
		attrs = append(attrs, slog.String("code", x.code))
	}
	if trace := observe.TraceID(x.Request.Context()); trace != "" {
		attrs = append(attrs, slog.String("trace_id", trace))
	}
	k.log.LogAttrs(x.Request.Context(), slog.LevelInfo, "request", attrs...)
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

// operationOf names the operation of a request: "page" for what describes the
// API, "none" for what there is not.
func (k *Kernel) operationOf(r *http.Request) string {
	if name, ok := k.names[r.Pattern]; ok {
		return string(name)
	}
	if r.Pattern != "" {
		return "page"
	}
	return "none"
}
