// Package observe has the metrics that Prometheus collects, and the traces that OpenTelemetry
// carries from a request through its commit to each delivery.
//
// A package that counts has a set of collectors, such as [Delivery], in its configuration. A nil set counts
// nothing, and
// a nil [Tracer] traces nothing, at the cost of a comparison. There is no global registry.
//
// The labels of metrics have few values, which are known beforehand: outcomes, formats, operations. Tenants, endpoints,
// cases and other things whose number grows are never labels. Queries for metrics of all tenants run every five seconds
// at most. Spans may name endpoints and messages, and never contain case data, tokens or secrets.
//
// A commit's span is kept in its journal entry, and every attempt to deliver it continues from there, days later and on
// another node. A test compares docs/watching.md with the registry.
package observe
