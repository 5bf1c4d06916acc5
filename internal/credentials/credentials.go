// Package credentials authenticates requests to their destination, besides their signatures: with headers, tokens and
// client certificates.
package credentials

import (
	"context"
	"encoding/base64"
	"net/http"
	"time"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/outbound"
)

// sender makes one signed request.
type sender interface {
	Post(context.Context, outbound.Request) outbound.Result
}

// Credentials authenticate requests to one destination. They are safe for concurrent use.
type Credentials struct {
	sender   sender
	fixed    string             // the Authorization header; empty: there is none, or tokens returns it
	tokens   *tokenSource       // nil: no OAuth2
	identity *outbound.Identity // nil: the default one
}

// New returns credentials with the settings of a tenant, which were checked when they were saved.
func New(client *outbound.Client, tenant int64, auth endpoint.Auth, certificates endpoint.TLS) (*Credentials, error) {
	c := &Credentials{sender: client}
	switch auth.Kind {
	case endpoint.BearerAuth:
		c.fixed = "Bearer " + auth.Token
	case endpoint.BasicAuth:
		c.fixed = "Basic " + base64.StdEncoding.EncodeToString([]byte(auth.Username+":"+auth.Password))
	case endpoint.OAuth2Auth:
		c.tokens = newTokenSource(client.Plain(tenant, maxTokenAnswer), auth)
	}
	if certificates == (endpoint.TLS{}) {
		return c, nil
	}
	var err error
	own, key, roots := []byte(certificates.Certificate), []byte(certificates.Key), []byte(certificates.CA)
	c.identity, err = client.Identity(own, key, roots)
	return c, err
}

// Close closes idle connections.
func (c *Credentials) Close() {
	if c.identity != nil {
		c.identity.Close()
	}
}

// Post makes one attempt, and returns the request as it was sent. If the destination refuses a cached token, Post
// gets a new one and sends the request once more, because a token may be revoked before it expires.
func (c *Credentials) Post(ctx context.Context, r outbound.Request) (outbound.Request, outbound.Result) {
	r.Identity = c.identity
	if c.tokens == nil {
		r = authorized(r, c.fixed)
		return r, c.sender.Post(ctx, r)
	}
	start := time.Now()
	token, fresh, err := c.tokens.get(ctx, r.Timeout, "")
	if err != nil {
		return r, outbound.Result{Class: err.class, Err: err, Duration: time.Since(start)}
	}
	sent := authorized(r, "Bearer "+token)
	result := c.sender.Post(ctx, sent)
	if result.Status == http.StatusUnauthorized && !fresh {
		if token, _, err = c.tokens.get(ctx, r.Timeout, token); err == nil {
			sent = authorized(r, "Bearer "+token)
			result = c.sender.Post(ctx, sent)
		}
	}
	result.Duration = time.Since(start)
	return sent, result
}

// authorized returns a request with an Authorization header, which is not recorded.
func authorized(r outbound.Request, authorization string) outbound.Request {
	if authorization == "" {
		return r
	}
	header := append([]outbound.Header{}, r.Private...)
	r.Private = append(header, outbound.Header{Name: "Authorization", Value: authorization})
	return r
}
