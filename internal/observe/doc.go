// Package observe is how Casehook is watched from outside: metrics that
// Prometheus collects, and traces that OpenTelemetry carries from a request
// through its commit to each delivery.
//
// Whoever counts has a set of collectors, such as [Delivery], in its
// configuration. A nil set counts nothing, and a nil [Tracer] traces nothing, at
// the cost of a comparison. There is no global registry.
//
// The labels of metrics have few values, which are known beforehand: outcomes,
// formats, operations. Tenants, endpoints, cases and whatever else somebody may
// make more of are never labels. Spans may name endpoints and messages, and never
// hold case data, tokens or secrets.
package observe
