package delivery

import (
	"time"

	"github.com/casehook/casehook/internal/delivery/machine"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/outbound"
)

// requestOf returns the request for a message, according to its format and the endpoint's current settings.
func requestOf(e endpoint.Endpoint, p endpoint.Policy, msg *machine.Message, now time.Time) outbound.Request {
	r := outbound.Request{
		Tenant:      e.Tenant,
		URL:         e.URL,
		Body:        msg.Body.Body,
		Timeout:     p.Timeout,
		MaxResponse: keptResponse,
		Truncate:    true,
		ID:          msg.ID,
		Attempt:     msg.Tries,
		At:          now,
	}
	for _, s := range e.Secrets {
		switch {
		case !s.Signs(now):
		case s.Kind == endpoint.V1a:
			r.Seeds = append(r.Seeds, s.Key)
		default:
			r.Keys = append(r.Keys, s.Key)
		}
	}
	header := msg.Body.HeaderFor(e.AtfinityVersion)
	r.Header = make([]outbound.Header, 0, len(header)+1) // a test adds one
	for _, h := range header {
		r.Header = append(r.Header, outbound.Header(h))
	}
	for _, h := range e.Headers {
		r.Private = append(r.Private, outbound.Header(h))
	}
	return r
}
