package rest

import (
	"net/http"
	"slices"
	"strings"
)

// The methods and headers that pages of other origins may send, and the headers that
// they may read.
var (
	corsMethods = strings.Join([]string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
	}, ", ")
	corsSends = strings.Join([]string{
		"Authorization", "Content-Type", "Content-Encoding", "If-Match", "If-None-Match", "Idempotency-Key",
		"Last-Event-ID", "Range", "Traceparent", "Client-Context",
	}, ", ")
	corsReads = strings.Join([]string{
		"ETag", "Location", "Retry-After", "Idempotency-Replayed", "Link", "Content-Disposition", "Content-Range",
		"WWW-Authenticate", "X-Request-Id", "Client-Context",
	}, ", ")
)

const corsLasts = "7200" // seconds; Chrome caches a preflight no longer

// cors allows pages of the configured origins to use the API, and reports whether it has answered the request. The
// pages may send tokens but not sessions: cors does not allow credentials, so a browser does not show a page the
// answer to a request with cookies.
func (k *Kernel) cors(x *Exchange) (answered bool) {
	if len(k.config.CORSOrigins) == 0 {
		return false
	}
	r, header := x.Request, x.Header()
	header.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if !slices.Contains(k.config.CORSOrigins, origin) {
		return false
	}
	header.Set("Access-Control-Allow-Origin", origin)
	header.Set("Access-Control-Expose-Headers", corsReads)
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	header.Add("Vary", "Access-Control-Request-Method")
	header.Add("Vary", "Access-Control-Request-Headers")
	header.Set("Access-Control-Allow-Methods", corsMethods)
	header.Set("Access-Control-Allow-Headers", corsSends)
	header.Set("Access-Control-Max-Age", corsLasts)
	x.WriteHeader(http.StatusNoContent)
	return true
}
