package delivery

import (
	"time"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/outbound"
)

// request is what goes out for a message now.
func (w *worker) request(msg *message, now time.Time) outbound.Request {
	return requestOf(w.endpoint, w.gate.policy, msg, now)
}

// requestOf is what the format says of a message, and what the endpoint's settings
// add.
func requestOf(e endpoint.Endpoint, p endpoint.Policy, msg *message, now time.Time) outbound.Request {
	r := outbound.Request{
		Tenant: e.Tenant, URL: e.URL, Body: msg.body.Body, Timeout: p.Timeout, MaxResponse: keptResponse, Truncate: true,
		ID: msg.Message, Attempt: msg.tries, At: now,
	}
	for _, s := range e.Signing(now) {
		if s.Kind == endpoint.V1a {
			r.Seeds = append(r.Seeds, s.Key)
		} else {
			r.Keys = append(r.Keys, s.Key)
		}
	}
	for _, h := range msg.body.HeaderFor(e.AtfinityVersion) {
		r.Header = append(r.Header, outbound.Header(h))
	}
	for _, h := range e.Headers {
		r.Private = append(r.Private, outbound.Header(h))
	}
	return r
}
