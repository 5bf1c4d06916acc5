package outbound

import (
	"context"
	"net/http"
	"time"
)

// Probe is the outcome of a request that delivers nothing.
type Probe struct {
	Result
	Certificate time.Time // the end of the server's certificate; zero: there was no TLS connection
}

// Probe asks a server for its options, once: it takes the way of Post to it, through the same guard, resolver and TLS
// settings, and sends no body, no signature and none of the caller's headers. Of the request it uses the tenant, the
// URL, the timeout and the identity.
func (c *Client) Probe(ctx context.Context, r Request) Probe {
	start := time.Now()
	if r.Timeout <= 0 {
		r.Timeout = DefaultTimeout
	}
	limited, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	p := c.probe(ctx, limited, r)
	p.Duration = time.Since(start)
	return p
}

// probe is Probe with two contexts: ctx is the caller's, limited has the deadline.
func (c *Client) probe(ctx, limited context.Context, r Request) (p Probe) {
	target, failure := c.target(r.URL)
	if failure != nil {
		return Probe{Result: Result{Class: failure.Class, Err: failure.Err}}
	}
	transports := c.transports
	if r.Identity != nil {
		transports = r.Identity.transports
	}
	transport, err := c.transportFor(limited, r.Tenant, transports)
	if err != nil {
		return Probe{Result: Result{Class: Cancelled, Err: err}}
	}
	request := &http.Request{
		Method: http.MethodOptions, URL: target, Host: target.Host,
		Header: http.Header{"User-Agent": {c.userAgent}},
	}
	response, seen, err := roundTrip(limited, transport, request)
	if p.Address = seen.address(err); err != nil {
		class, err := classify(ctx, limited, err, seen)
		p.Class, p.Err, p.Connected = class, forPeople(class, target.Hostname(), err), seen.remote.Load() != nil
		return p
	}
	response.Body.Close()
	p.Status, p.Connected, p.Shown = response.StatusCode, true, shownAddress(target, p.Address)
	if state := response.TLS; state != nil && len(state.PeerCertificates) > 0 {
		p.Certificate = state.PeerCertificates[0].NotAfter
	}
	return p
}
