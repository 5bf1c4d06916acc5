package server

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/casehook/casehook/internal/observe"
)

// lastSpans is the time limit for exporting the last spans.
const lastSpans = 5 * time.Second

// openTracing returns the tracer, which is nil if no collector is configured. The operator chooses
// the collector, so its address is not restricted. The OTEL_ variables configure headers, sampling
// and the resource.
func (s *Server) openTracing(ctx context.Context, node string) (*observe.Tracer, error) {
	c := s.config
	if c.OTLPEndpoint == "" {
		return nil, nil
	}
	collector, err := tracesURL(c.OTLPEndpoint)
	if err != nil {
		return nil, err
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(collector))
	if err != nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	about, err := resource.New(ctx,
		resource.WithTelemetrySDK(), resource.WithAttributes(attribute.String("service.name", "casehook"),
			attribute.String("service.version", c.Version), attribute.String("service.instance.id", node)),
		resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	provider := trace.NewTracerProvider(trace.WithResource(about),
		trace.WithBatcher(&loggedExporter{SpanExporter: exporter, log: c.Log}))
	s.opened.add(closer(func() error {
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastSpans)
		defer cancel()
		if err := provider.Shutdown(limited); err != nil {
			c.Log.Warn("the last spans could not be exported", "error", err)
		}
		return nil // an error of tracing does not make the shutdown fail
	}))
	return observe.NewTracer(provider), nil
}

// tracesURL returns the URL for spans: with the path of the collector's URL, or the standard path if it
// has none.
func tracesURL(endpoint string) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", invalid("otlp_endpoint",
			"The collector %q is not a URL. It looks like http://127.0.0.1:4318.", endpoint)
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = "/v1/traces"
	}
	return u.String(), nil
}

// complainEvery is the shortest time between two reports of lost spans in the log.
const complainEvery = time.Minute

// loggedExporter logs failures of an exporter, at most every complainEvery.
type loggedExporter struct {
	trace.SpanExporter
	log *slog.Logger

	said time.Time // only one goroutine exports
}

// ExportSpans exports spans. It logs an error and returns nil, so that there is no retry.
func (e *loggedExporter) ExportSpans(ctx context.Context, spans []trace.ReadOnlySpan) error {
	if err := e.SpanExporter.ExportSpans(ctx, spans); err != nil && time.Since(e.said) >= complainEvery {
		e.said = time.Now()
		e.log.Warn("spans are lost: the collector does not take them", "error", err)
	}
	return nil
}
