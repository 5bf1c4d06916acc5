package server

import (
	"context"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/fault"
)

// readyTimeout is the time limit for the database's answer.
const readyTimeout = 2 * time.Second

// ready returns an error if the server should receive no requests now.
func (s *Server) ready(ctx context.Context) error {
	select {
	case <-s.draining:
		return fault.New(fault.Unavailable, "server.not_ready", "The server is stopping.")
	default:
	}
	limited, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	if err := s.store.Ping(limited); err != nil {
		return fault.Wrap(err, fault.Unavailable, "server.not_ready", "The database does not answer.")
	}
	if err := s.store.Trouble(limited); err != nil {
		return fault.Wrap(err, fault.Unavailable, "server.not_ready", "%s", fault.As(err).Detail)
	}
	return s.engine.Ready()
}

// shortestToken is the minimum length of a token for metrics, in bytes.
const shortestToken = 16

// metricsToken returns the token that metrics are served for, if one is configured.
func (c Config) metricsToken() (string, error) {
	token := c.MetricsToken
	if token == "" && c.MetricsTokenFile != "" {
		raw, err := os.ReadFile(c.MetricsTokenFile)
		if err != nil {
			return "", invalid("metrics_token", "The file with the token for metrics can't be read: %v.", reason(err))
		}
		token = strings.TrimSpace(string(raw))
	}
	if (token != "" || c.MetricsTokenFile != "") && len(token) < shortestToken {
		return "", invalid("metrics_token",
			"The token for metrics is shorter than %d characters. openssl rand -hex 32 makes a good one.",
			shortestToken)
	}
	return token, nil
}

// openMetrics serves metrics on MetricsListen, without a token, if it is configured.
func (s *Server) openMetrics(ctx context.Context) error {
	if s.config.MetricsListen == "" {
		return nil
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.metrics.Handler())
	base, err := s.serveBeside(ctx, s.config.MetricsListen, "metrics-listen", mux)
	if err == nil {
		s.metricsURL = base + "/metrics"
	}
	return err
}
