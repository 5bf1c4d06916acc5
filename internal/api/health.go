package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/fault"
)

// Health is the answer of /healthz.
type Health struct {
	Status  string `json:"status" doc:"Always ok: the process answers." example:"ok"`
	Version string `json:"version" doc:"The version of Casehook." example:"0.1.0"`
}

// Readiness is the answer of /readyz.
type Readiness struct {
	Status string `json:"status" doc:"Always ready; otherwise the answer is a problem." example:"ready"`
	Held   bool   `json:"held" doc:"The server was started with --hold: it sends nothing to endpoints, and asks no callback." example:"false"`
}

// registerServer registers the operations on the process itself.
func registerServer(k *rest.Kernel, c Config) {
	registerHealth(k, c)
	registerReadiness(k, c)
	registerMetrics(k, c)
}

func registerHealth(k *rest.Kernel, c Config) {
	op := rest.Operation{
		ID: access.GetHealth, Pattern: "GET /healthz", Tag: "server", Callers: rest.Anybody,
		Summary:     "Is it up?",
		Description: "Answers as soon as the process serves requests. Needs no token.",
	}
	type out struct{ Body Health }
	rest.Handle(k, op, func(context.Context, *struct{}) (*out, error) {
		return &out{Health{Status: "ok", Version: c.Version}}, nil
	})
}

func registerReadiness(k *rest.Kernel, c Config) {
	op := rest.Operation{
		ID:      access.GetReadiness,
		Pattern: "GET /readyz",
		Tag:     "server",
		Callers: rest.Anybody,
		Summary: "Should it get requests?",
		Description: "For load balancers: whether the database answers, deliveries go out and are saved, and the " +
			"server is not about to stop. Needs no token.",
		Problems: []int{http.StatusServiceUnavailable},
	}
	type out struct{ Body Readiness }
	rest.Handle(k, op, func(ctx context.Context, _ *struct{}) (*out, error) {
		if c.Ready != nil {
			if err := c.Ready(ctx); err != nil {
				return nil, err
			}
		}
		return &out{Readiness{Status: "ready", Held: c.Hold}}, nil
	})
}

// registerMetrics registers /metrics. Metrics cover all tenants, so they need a token of their own, for those who run
// the server.
func registerMetrics(k *rest.Kernel, c Config) {
	k.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		if err := mayReadMetrics(c, r); err != nil {
			k.Problem(r.Context(), err).Write(w)
			return
		}
		c.Metrics.ServeHTTP(w, r)
	})
}

func mayReadMetrics(c Config, r *http.Request) error {
	if c.MetricsToken == "" || c.Metrics == nil {
		return fault.New(fault.NotFound, "metrics.off",
			"Metrics are off here. Start the server with CASEHOOK_METRICS_TOKEN, or with --metrics-listen for a port "+
				"of their own.")
	}
	scheme, bearer, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	got, want := sha256.Sum256([]byte(strings.TrimSpace(bearer))), sha256.Sum256([]byte(c.MetricsToken))
	if !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
		return fault.New(fault.Unauthenticated, "metrics.token_invalid",
			"Send the token for metrics: Authorization: Bearer ...")
	}
	return nil
}
