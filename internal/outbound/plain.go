package outbound

import (
	"bytes"
	"io"
	"net/http"
)

// Failure is the error of a plain request without a usable answer. It is safe to show.
type Failure struct {
	Class Class
	Err   error
}

func (f *Failure) Error() string { return string(f.Class) + ": " + f.Err.Error() }
func (f *Failure) Unwrap() error { return f.Err }

// Plain returns a transport for a tenant's requests that are not webhooks, such as those for tokens.
// It adds the User-Agent, changes nothing else, and uses the same guard. An answer of more than limit
// bytes is a failure. The request's context must have a deadline. Errors are of type *Failure.
func (c *Client) Plain(tenant, limit int64) http.RoundTripper {
	return plainTransport{c, tenant, limit}
}

type plainTransport struct {
	client *Client
	tenant int64
	limit  int64
}

func (p plainTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	target, failure := parseURL(r.URL.String())
	if failure != nil {
		return nil, failure
	}
	out := r.Clone(ctx)
	out.URL, out.Host = target, target.Host
	out.Header.Set("User-Agent", p.client.userAgent)
	transport, err := p.client.transportFor(ctx, p.tenant, p.client.transports)
	if err != nil {
		return nil, &Failure{Cancelled, err}
	}
	response, seen, err := roundTrip(out.Context(), transport, out)
	if err != nil {
		class, err := classify(ctx, ctx, err, seen)
		return nil, &Failure{class, forPeople(class, out.URL.Hostname(), err)}
	}
	defer response.Body.Close()
	read, more, err := readBody(response, p.limit)
	if err != nil {
		class, err := classify(ctx, ctx, err, seen)
		return nil, &Failure{class, forPeople(class, out.URL.Hostname(), err)}
	}
	if more {
		return nil, &Failure{TooLarge, tooLarge(p.limit)}
	}
	response.Header.Del("Content-Encoding")
	response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(read)), int64(len(read))
	return response, nil
}
