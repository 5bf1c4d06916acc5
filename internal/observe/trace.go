package observe

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Tracer starts spans. A nil Tracer starts none, and costs nothing.
type Tracer struct{ tracer trace.Tracer }

// NewTracer returns a Tracer whose spans go to a provider.
func NewTracer(p trace.TracerProvider) *Tracer {
	return &Tracer{p.Tracer("github.com/casehook/casehook")}
}

// Span is a part of a trace. The zero value is no span.
type Span struct{ span trace.Span }

// Request starts the span of an incoming request, in the trace of its traceparent header, if it has
// one.
func (t *Tracer) Request(ctx context.Context, traceparent, name string) (context.Context, Span) {
	if t == nil {
		return ctx, Span{}
	}
	return t.start(Continue(ctx, traceparent), name, trace.SpanKindServer)
}

// Step starts a span for a step of our work.
func (t *Tracer) Step(ctx context.Context, name string) (context.Context, Span) {
	if t == nil {
		return ctx, Span{}
	}
	return t.start(ctx, name, trace.SpanKindInternal)
}

// Callback starts the span of a request to a callback.
func (t *Tracer) Callback(ctx context.Context, name string) (context.Context, Span) {
	if t == nil {
		return ctx, Span{}
	}
	return t.start(ctx, "callback "+name, trace.SpanKindClient)
}

// Delivery starts the span of an attempt, in the trace of its commit, however long ago and on
// whichever node that was.
func (t *Tracer) Delivery(ctx context.Context, traceparent, trigger string) (context.Context, Span) {
	if t == nil {
		return ctx, Span{}
	}
	return t.start(Continue(ctx, traceparent), "deliver "+trigger, trace.SpanKindClient)
}

func (t *Tracer) start(ctx context.Context, name string, kind trace.SpanKind) (context.Context, Span) {
	ctx, span := t.tracer.Start(ctx, name, trace.WithSpanKind(kind))
	return ctx, Span{span}
}

// Named renames the span once its name is known.
func (s Span) Named(name string) {
	if s.span != nil {
		s.span.SetName(name)
	}
}

// Text adds a text to the span. It must be neither case data nor a secret.
func (s Span) Text(key, value string) {
	if s.span != nil {
		s.span.SetAttributes(attribute.String(key, value))
	}
}

// Number adds a number to the span.
func (s Span) Number(key string, value int) {
	if s.span != nil {
		s.span.SetAttributes(attribute.Int(key, value))
	}
}

// Failed marks the span as failed. Its argument is a word for the failure, not its message, which may contain case
// data.
func (s Span) Failed(what string) {
	if s.span != nil {
		s.span.SetStatus(codes.Error, what)
	}
}

// End ends the span.
func (s Span) End() {
	if s.span != nil {
		s.span.End()
	}
}

// Traceparent returns the traceparent header of the span that ctx is in; empty: there is none.
func Traceparent(ctx context.Context) string {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return ""
	}
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier["traceparent"]
}

// TraceID returns the id of the trace that ctx is in; empty: there is none.
func TraceID(ctx context.Context) string {
	c := trace.SpanContextFromContext(ctx)
	if !c.HasTraceID() {
		return ""
	}
	return c.TraceID().String()
}

// Continue returns a context in the span that a traceparent names. An invalid traceparent changes
// nothing.
func Continue(ctx context.Context, traceparent string) context.Context {
	if traceparent == "" {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": traceparent})
}
