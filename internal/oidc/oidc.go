// Package oidc signs people in with an OpenID Connect provider. It uses the authorization code flow with PKCE, a
// state that binds the answer to the browser that asked, and a nonce that binds the ID token to the request. It
// trusts claims that the provider has signed, and knows nothing about users of Casehook.
package oidc

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"net/http"
	"sync"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"

	"github.com/casehook/casehook/internal/fault"
)

// Config identifies the provider and this client of it.
type Config struct {
	Issuer       string // https://id.example.com; empty: there is none
	ClientID     string
	ClientSecret string
	RedirectURL  string // the URL to which the provider sends people back, unless StartAt names another
	Now          func() time.Time
}

// answerIn bounds the time of one request to the provider.
const answerIn = 10 * time.Second

// transport is for providers alone, so that nothing else closes its connections.
var transport = http.DefaultTransport.(*http.Transport).Clone()

// Provider is an OpenID Connect provider. It is safe for concurrent use.
type Provider struct {
	config Config
	client *http.Client

	finding singleflight.Group // finds the provider, for all callers that wait

	mu    sync.Mutex
	found *gooidc.Provider // set once the provider was reached
}

// New returns a Provider. It sends nothing before the first sign-in.
func New(c Config) *Provider {
	return &Provider{config: c, client: &http.Client{Transport: transport, Timeout: answerIn}}
}

// AuthRequest is the state of a sign-in, which the caller keeps between Start and Finish.
type AuthRequest struct{ State, Nonce, Verifier, RedirectURL string }

// Identity is the person that the provider has signed in.
type Identity struct {
	Issuer   string
	Subject  string
	Email    string
	Verified bool // the provider has verified the address
}

// Start returns the provider's address for signing in. The provider sends people back to the configured
// URL.
func (p *Provider) Start(ctx context.Context) (string, AuthRequest, error) { return p.StartAt(ctx, "") }

// StartAt is Start with another URL to which the provider sends people back; empty: the configured
// one.
func (p *Provider) StartAt(ctx context.Context, redirectURL string) (string, AuthRequest, error) {
	client, _, err := p.discover(ctx, redirectURL)
	if err != nil {
		return "", AuthRequest{}, err
	}
	pending := AuthRequest{
		State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), RedirectURL: redirectURL,
	}
	return client.AuthCodeURL(pending.State, gooidc.Nonce(pending.Nonce), oauth2.S256ChallengeOption(pending.Verifier)),
		pending, nil
}

// Finish checks the parameters with which the provider sent somebody back, and returns their
// identity.
func (p *Provider) Finish(ctx context.Context, pending AuthRequest, state, code string) (Identity, error) {
	if pending.State == "" || subtle.ConstantTimeCompare([]byte(pending.State), []byte(state)) != 1 {
		return Identity{}, fault.New(fault.Invalid, "oidc.state",
			"This answer belongs to no sign-in that was started here. Start again: GET /v1/oidc/login.")
	}
	client, verifier, err := p.discover(ctx, pending.RedirectURL)
	if err != nil {
		return Identity{}, err
	}
	token, err := client.Exchange(gooidc.ClientContext(ctx, p.client), code, oauth2.VerifierOption(pending.Verifier))
	var refusal *oauth2.RetrieveError
	switch {
	case errors.As(err, &refusal) && refusal.Response != nil &&
		refusal.Response.StatusCode < http.StatusInternalServerError:
		return Identity{}, fault.New(fault.Invalid, "oidc.refused",
			"The provider refused the sign-in: %s. Start again: GET /v1/oidc/login.",
			cmp.Or(refusal.ErrorCode, "no reason"))
	case err != nil:
		return Identity{}, unreachable(err)
	}
	raw, _ := token.Extra("id_token").(string)
	signed, err := verifier.Verify(ctx, raw)
	if err != nil {
		return Identity{}, unusable(err)
	}
	if subtle.ConstantTimeCompare([]byte(signed.Nonce), []byte(pending.Nonce)) != 1 {
		return Identity{}, unusable(errors.New("the nonce does not match"))
	}
	return p.identity(ctx, client, token, signed)
}

// identity returns the person whom the provider has signed in. If the ID token has no email
// address, it requests one: OpenID Connect Core, section 5.4, lets the provider choose where to put
// it.
func (p *Provider) identity(
	ctx context.Context, client *oauth2.Config, token *oauth2.Token, signed *gooidc.IDToken,
) (Identity, error) {
	var claims struct {
		Email    string `json:"email"`
		Verified bool   `json:"email_verified"`
	}
	if err := signed.Claims(&claims); err != nil {
		return Identity{}, unusable(err)
	}
	if claims.Email == "" && p.provider().UserInfoEndpoint() != "" {
		ctx = gooidc.ClientContext(ctx, p.client)
		info, err := p.provider().UserInfo(ctx, client.TokenSource(ctx, token))
		switch {
		case err != nil:
			return Identity{}, unreachable(err)
		case info.Subject != signed.Subject:
			return Identity{}, unusable(errors.New("the user information is about another user"))
		}
		claims.Email, claims.Verified = info.Email, info.EmailVerified
	}
	return Identity{Issuer: signed.Issuer, Subject: signed.Subject, Email: claims.Email, Verified: claims.Verified}, nil
}

// provider returns the provider that discover has found.
func (p *Provider) provider() *gooidc.Provider {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.found
}

// discover returns the provider, and the OAuth configuration for it.
func (p *Provider) discover(ctx context.Context, redirectURL string) (*oauth2.Config, *gooidc.IDTokenVerifier, error) {
	found := p.provider()
	if found == nil {
		var err error
		if found, err = p.find(ctx); err != nil {
			return nil, nil, unreachable(err)
		}
	}
	return &oauth2.Config{
		ClientID: p.config.ClientID, ClientSecret: p.config.ClientSecret, Endpoint: found.Endpoint(),
		RedirectURL: cmp.Or(redirectURL, p.config.RedirectURL),
		Scopes:      []string{gooidc.ScopeOpenID, "email", "profile"},
	}, found.Verifier(&gooidc.Config{ClientID: p.config.ClientID, Now: p.config.Now}), nil
}

// find reads the provider's discovery document. It does so once for all callers that wait, and each
// waits no longer than its own request lasts.
func (p *Provider) find(ctx context.Context) (*gooidc.Provider, error) {
	asking := p.finding.DoChan("", func() (any, error) {
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerIn)
		defer cancel()
		found, err := gooidc.NewProvider(gooidc.ClientContext(limited, p.client), p.config.Issuer)
		if err != nil {
			return nil, err
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.found = found
		return found, nil
	})
	select {
	case result := <-asking:
		found, _ := result.Val.(*gooidc.Provider)
		return found, result.Err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func unreachable(err error) error {
	return fault.Wrap(err, fault.Upstream, "oidc.unreachable",
		"The OpenID Connect provider sent no valid answer. Try again later.")
}

func unusable(err error) error {
	return fault.Wrap(err, fault.Upstream, "oidc.token_invalid",
		"The OpenID Connect provider's answer can't be trusted.")
}
