package api

import (
	"context"
	"net/http"
)

// Health is what /healthz answers.
type Health struct {
	Status  string `json:"status" doc:"Always ok: the process answers." example:"ok"`
	Version string `json:"version" doc:"The version of Casehook." example:"0.1.0"`
}

func (a *API) health() {
	op := operation("health", http.MethodGet, "/healthz", "server", "Is it up?", "Answers as soon as the process serves requests. Needs no token.")
	op.Security, op.Errors = nil, []int{http.StatusBadRequest, http.StatusInternalServerError}
	type out struct{ Body Health }
	handle(a, op, func(context.Context, *struct{}) (*out, error) {
		return &out{Health{Status: "ok", Version: a.config.Version}}, nil
	})
}
