package delivery

import (
	"time"

	"github.com/casehook/casehook/internal/delivery/machine"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/outbound"
)

// requestOf returns a message's request, by its format and the endpoint's present settings.
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
	for _, s := range e.Signing(now) {
		if s.Kind == endpoint.V1a {
			r.Seeds = append(r.Seeds, s.Key)
		} else {
			r.Keys = append(r.Keys, s.Key)
		}
	}
	for _, h := range msg.Body.HeaderFor(e.AtfinityVersion) {
		r.Header = append(r.Header, outbound.Header(h))
	}
	for _, h := range e.Headers {
		r.Private = append(r.Private, outbound.Header(h))
	}
	return r
}
