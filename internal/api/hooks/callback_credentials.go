package hooks

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/store"
)

// CallbackCredentials are what questions carry besides their signature.
type CallbackCredentials struct {
	Origin  string            `json:"origin" doc:"The scheme, host and port of the callbacks that get the credentials, as a URL, or the variable that their URLs begin with." example:"https://callbacks.example.com"`
	Headers map[string]string `json:"headers" doc:"The headers that go with each question. Their values are not shown: (hidden) stands for each." example:"{\"ServiceAuthorization\": \"(hidden)\"}"`
	Auth    Auth              `json:"auth" doc:"How questions authenticate themselves, besides their signature; (hidden) stands for each secret."`
	TLS     ShownTLS          `json:"tls" doc:"The certificates for TLS connections; (hidden) stands for the key."`
}

// NewCallbackCredentials is the body that sets credentials.
type NewCallbackCredentials struct {
	Origin  string            `json:"origin" minLength:"1" maxLength:"2048" doc:"The scheme, host and port of the callbacks that get the credentials, as a URL, or the variable that their URLs begin with. Questions to others go without." example:"https://callbacks.example.com"`
	Headers map[string]string `json:"headers,omitempty" maxProperties:"40" doc:"Headers that go with each question, by name. Values are kept sealed and never shown: (hidden), which is shown in their place, leaves one as it is, unless the origin changes. At most 20 of up to 2048 bytes of printable ASCII, 6 KiB altogether. Headers that Casehook sets itself are refused." example:"{\"ServiceAuthorization\": \"s3cr3t\"}"`
	Auth    *Auth             `json:"auth,omitempty" doc:"How questions authenticate themselves, besides their signature. (hidden) leaves a secret as it is, unless the origin changes."`
	TLS     *TLS              `json:"tls,omitempty" doc:"The certificates for TLS connections. (hidden) leaves the key as it is."`
}

func (n NewCallbackCredentials) read() endpoint.Credentials {
	c := endpoint.Credentials{Origin: n.Origin}
	for _, name := range slices.Sorted(maps.Keys(n.Headers)) {
		c.Headers = append(c.Headers, endpoint.Header{Name: name, Value: n.Headers[name]})
	}
	if n.Auth != nil {
		c.Auth = n.Auth.read()
	}
	if n.TLS != nil {
		c.TLS = endpoint.TLS(*n.TLS)
	}
	return c
}

type shownCredentials struct{ Body CallbackCredentials }

func showCredentials(c endpoint.Credentials) CallbackCredentials {
	return CallbackCredentials{
		Origin: c.Origin, Headers: maskedHeaders(c.Headers), Auth: showAuth(c.Auth), TLS: showTLS(c.TLS),
	}
}

// registerCredentials registers the operations on the credentials of callbacks.
func (h secretHandler) registerCredentials() {
	const path, tag = "/v1/case-types/{key}/callbacks/{transition}/credentials", "case types"
	rest.Handle(h.kernel, rest.Operation{
		ID: access.GetCallbackCredentials, Pattern: "GET " + path, Tag: tag,
		Summary:     "Read a callback's credentials",
		Description: "Headers, authentication and certificates of its questions, without the secrets among them.",
		Problems:    []int{http.StatusNotFound},
	}, func(ctx context.Context, in *InCallback) (*shownCredentials, error) {
		c, err := h.types.Credentials(ctx, rest.PrincipalOf(ctx), in.Key, in.Transition)
		if err != nil {
			return nil, err
		}
		return &shownCredentials{showCredentials(c)}, nil
	})
	rest.HandleBody(h.kernel, rest.Operation{
		ID: access.SetCallbackCredentials, Pattern: "PUT " + path, Tag: tag,
		Summary: "Set a callback's credentials",
		Description: "Replaces them as a whole, for questions that are asked from now on. They go to their origin " +
			"alone. Those of @type are for all callbacks of the type that have none of their own.",
		Problems: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *InCallback, body NewCallbackCredentials) (*shownCredentials, error) {
		p := rest.PrincipalOf(ctx)
		at := store.CallbackRef{Tenant: p.Tenant, CaseType: in.Key, Callback: in.Transition}
		c, err := h.types.SetCredentials(ctx, p, at, body.read())
		if err != nil {
			return nil, err
		}
		return &shownCredentials{showCredentials(c)}, nil
	})
	rest.Handle(h.kernel, rest.Operation{
		ID: access.DeleteCallbackCredentials, Pattern: "DELETE " + path, Tag: tag,
		Summary:     "Remove a callback's credentials",
		Description: "Questions that are asked from now on go without, or with those of @type.",
		Problems:    []int{http.StatusNotFound},
	}, func(ctx context.Context, in *InCallback) (*rest.NoContent, error) {
		return &rest.NoContent{}, h.types.DeleteCredentials(ctx, rest.PrincipalOf(ctx), in.Key, in.Transition)
	})
}
