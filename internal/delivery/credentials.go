package delivery

import (
	"context"
	"encoding/base64"
	"log/slog"
	"net/http"
	"time"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/outbound"
)

// sender makes one signed request. It is all that delivery uses of the client.
type sender interface {
	Post(context.Context, outbound.Request) outbound.Result
}

// credentials authenticate an endpoint's requests to the destination, besides their signatures.
type credentials struct {
	sender   sender
	fixed    string             // the Authorization header; empty: there is none, or tokens returns it
	tokens   *tokenSource       // nil: no OAuth2
	identity *outbound.Identity // nil: the default one
}

// newCredentials returns the credentials of an endpoint, whose settings were checked when they were saved.
func newCredentials(client *outbound.Client, e endpoint.Endpoint) (*credentials, error) {
	c := &credentials{sender: client}
	switch e.Auth.Kind {
	case endpoint.BearerAuth:
		c.fixed = "Bearer " + e.Auth.Token
	case endpoint.BasicAuth:
		c.fixed = "Basic " + base64.StdEncoding.EncodeToString([]byte(e.Auth.Username+":"+e.Auth.Password))
	case endpoint.OAuth2Auth:
		c.tokens = newTokenSource(client.Plain(e.Tenant, maxTokenAnswer), e.Auth)
	}
	if e.TLS == (endpoint.TLS{}) {
		return c, nil
	}
	var err error
	c.identity, err = client.Identity([]byte(e.TLS.Certificate), []byte(e.TLS.Key), []byte(e.TLS.CA))
	return c, err
}

// expirySoon is how long before its expiry a client certificate is reported.
const expirySoon = 14 * 24 * time.Hour

// warnOfExpiry logs a certificate that has expired or expires soon.
func warnOfExpiry(log *slog.Logger, t endpoint.TLS, now time.Time) {
	if ends, there := t.CertificateEnds(); there && now.After(ends.Add(-expirySoon)) {
		log.Warn("the endpoint's client certificate expires soon, or has expired; set a new one", "expires_at", ends)
	}
}

// close closes the endpoint's own connections.
func (c *credentials) close() {
	if c.identity != nil {
		c.identity.Close()
	}
}

// post makes one attempt, and returns the request as it was sent. If the destination refuses a cached token, post
// gets a new one and sends the request once more, because a token may be revoked before it expires.
func (c *credentials) post(ctx context.Context, r outbound.Request) (outbound.Request, outbound.Result) {
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
