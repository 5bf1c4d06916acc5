package observe

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Tracer begins spans. A nil Tracer begins none, and costs nothing.
type Tracer struct{ tracer trace.Tracer }

// NewTracer makes a Tracer whose spans go to a provider.
func NewTracer(p trace.TracerProvider) *Tracer {
	return &Tracer{p.Tracer("github.com/casehook/casehook")}
}

// Span is a part of a trace. The zero value is none.
type Span struct{ span trace.Span }

// Request begins the span of a request that came in, in the trace that its
// traceparent header names, if it does.
func (t *Tracer) Request(ctx context.Context, traceparent, name string) (context.Context, Span) {
	if t == nil {
		return ctx, Span{}
	}
	return t.start(Continue(ctx, traceparent), name, trace.SpanKindServer)
}

// Step begins a span for a step of what we do.
func (t *Tracer) Step(ctx context.Context, name string) (context.Context, Span) {
	if t == nil {
		return ctx, Span{}
	}
	return t.start(ctx, name, trace.SpanKindInternal)
}

// Callback begins the span of a request to a callback.
func (t *Tracer) Callback(ctx context.Context, name string) (context.Context, Span) {
	if t == nil {
		return ctx, Span{}
	}
	return t.start(ctx, "callback "+name, trace.SpanKindClient)
}

// Delivery begins the span of an attempt, in the trace of the commit that it
// tells, however long ago that was and wherever.
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

// Named renames the span, once more is known.
func (s Span) Named(name string) {
	if s.span != nil {
		s.span.SetName(name)
	}
}

// Text notes something of the span. Nothing of a case, and no secret.
func (s Span) Text(key, value string) {
	if s.span != nil {
		s.span.SetAttributes(attribute.String(key, value))
	}
}

// Number notes something of the span.
func (s Span) Number(key string, value int) {
	if s.span != nil {
		s.span.SetAttributes(attribute.Int(key, value))
	}
}

// Failed marks the span as one of a failure: a word for it, and not what was
// said, which may quote a case.
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

// Traceparent names the span that ctx is in, as the header of that name does;
// empty when there is none.
func Traceparent(ctx context.Context) string {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return ""
	}
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier["traceparent"]
}

// TraceID names the trace that ctx is in; empty when there is none.
func TraceID(ctx context.Context) string {
	c := trace.SpanContextFromContext(ctx)
	if !c.HasTraceID() {
		return ""
	}
	return c.TraceID().String()
}

// Continue puts ctx into the span that a traceparent names. An invalid traceparent
// changes nothing.
func Continue(ctx context.Context, traceparent string) context.Context {
	if traceparent == "" {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": traceparent})
}
