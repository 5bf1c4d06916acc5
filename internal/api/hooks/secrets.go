package hooks

import (
	"github.com/casehook/casehook/internal/hooks"

	"context"
	"net/http"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/secrets"
	"github.com/casehook/casehook/internal/store"
)

// Secret describes a secret that signs the requests to an endpoint or a callback, without
// its key.
type Secret struct {
	ID        string              `json:"id" doc:"Its id." example:"sec_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	Kind      endpoint.SecretKind `json:"kind" enum:"v1,v1a" doc:"How it signs: HMAC-SHA256 (v1) or Ed25519 (v1a)." example:"v1"`
	PublicKey *string             `json:"public_key" doc:"Of v1a: what verifies its signatures. Else null." example:"whpk_..."`
	CreatedAt rest.Time           `json:"created_at" doc:"When it was made."`
	ExpiresAt rest.TimeOrNull     `json:"expires_at" doc:"From then on it signs nothing; null: it does not expire."`

	Tested      *SecretTest `json:"tested,omitempty" doc:"The last sample that it alone signed (POST /v1/endpoints/{id}/test with its secret_id); absent: none."`
	Fingerprint string      `json:"fingerprint" doc:"Identifies the secret: the first 16 hexadecimal digits of the SHA-256 of the secret (whsec_...), or of the public key (whpk_...). In a shell: printf %s \"$SECRET\" | sha256sum." example:"9f86d081884c7d65"`
}

// SecretTest is the outcome of a sample that a secret alone signed.
type SecretTest struct {
	At        rest.Time `json:"at" doc:"When it began."`
	Delivered bool      `json:"delivered" doc:"The receiver accepted it." example:"true"`
	Status    *int      `json:"status" doc:"The HTTP status; null: there was no answer." example:"200"`
	Failure   *string   `json:"failure" doc:"The class of the failure; null: there was an answer." example:"timeout"`
}

// CreatedSecret is a new secret, with its key if that may be shown.
type CreatedSecret struct {
	Secret
	Key *string `json:"secret" doc:"Of v1, where it was drawn: the secret itself, in the notation of Standard Webhooks. It is shown this once. Else null: a private key leaves the server never, and what was supplied is known." example:"whsec_..."`
}

// NewSecret is the body of a rotation of the secrets of an endpoint or a callback.
type NewSecret struct {
	Kind    *endpoint.SecretKind `json:"kind,omitempty" enum:"v1,v1a" doc:"How it is to sign: HMAC-SHA256 (v1, the default) or Ed25519 (v1a). There may be both: then each request has a signature of either." example:"v1"`
	Secret  *string              `json:"secret,omitempty" maxLength:"200" doc:"The secret itself: whsec_ and the base64 of 24 to 64 bytes, or for v1a whsk_ and the base64 of a private key. Absent: one is drawn." example:"whsec_..."`
	Overlap *string              `json:"overlap,omitempty" maxLength:"20" doc:"For how long the secrets of the same kind sign too; at most 168h, absent: 24h." example:"24h"`
}

// secretHandler has the operations on the secrets of endpoints and callbacks.
type secretHandler struct {
	kernel  *rest.Kernel
	service hooks.Services
	types   *casework.CaseTypes
}

func (h secretHandler) register() {
	h.registerCallbacks()
	h.registerCredentials()
	const path, tag = "/v1/endpoints/{id}/secrets", "endpoints"
	rest.Handle(h.kernel, rest.Operation{
		ID: access.ListEndpointSecrets, Pattern: "GET " + path, Tag: tag,
		Summary:     "List an endpoint's secrets",
		Description: "Those that sign, the newest first, without the secrets themselves.",
		Problems:    []int{http.StatusNotFound},
	}, func(ctx context.Context, in *InEndpoint) (*rest.ListAnswer[Secret], error) {
		all, err := h.service.Endpoints.EndpointSecrets(ctx, rest.PrincipalOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		return rest.List(all, showSecret)
	})
	rest.HandleBody(h.kernel, rest.Operation{
		ID:      access.RotateEndpointSecret,
		Pattern: "POST " + path,
		Tag:     tag,
		Summary: "Give an endpoint a new secret",
		Description: "The other secrets of the same kind go on signing for the overlap, so that the receiver has " +
			"time to adopt the new one. With an overlap of 0s they end at once.",
		Problems: []int{http.StatusNotFound, http.StatusConflict},
		Success:  http.StatusCreated,
	}, h.rotateSecret)
	rest.Handle(h.kernel, rest.Operation{
		ID: access.DeleteEndpointSecret, Pattern: "DELETE " + path + "/{secret_id}", Tag: tag,
		Summary:     "Delete an endpoint's secret",
		Description: "It signs nothing from now on.",
		Problems:    []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *struct {
		InEndpoint
		Secret string `path:"secret_id" maxLength:"100" doc:"The id of the secret." example:"sec_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	}) (*rest.NoContent, error) {
		return &rest.NoContent{}, h.service.Endpoints.DeleteEndpointSecret(ctx, rest.PrincipalOf(ctx), in.ID, in.Secret)
	})
}

func (h secretHandler) rotateSecret(ctx context.Context, in *struct {
	InEndpoint
	rest.IdempotencyHeader
}, body NewSecret) (*rest.PostAnswer[CreatedSecret], error) {
	q, err := body.read(secrets.InvalidEndpoint)
	if err != nil {
		return nil, err
	}
	return rest.Create[CreatedSecret](ctx, in.IdempotencyHeader, func(s endpoint.Secret) (store.Answer, error) {
		return rest.Answer(http.StatusCreated, showCreated(s, body))
	}, func(o authz.Once) (endpoint.Secret, error) {
		return h.service.Endpoints.RotateEndpointSecret(ctx, rest.PrincipalOf(ctx), in.ID, q, o)
	})
}

// showCreated returns a secret that a body asked for, with its key if the server generated it.
func showCreated(s endpoint.Secret, body NewSecret) CreatedSecret {
	out := CreatedSecret{Secret: showSecret(s)}
	if s.Kind == endpoint.V1 && body.Secret == nil {
		key := outbound.FormatKey(s.Key)
		out.Key = &key
	}
	return out
}

// read parses the body. Its faults have the given code.
func (n NewSecret) read(code string) (q secrets.Request, err error) {
	q = secrets.Request{Kind: endpoint.V1, Overlap: endpoint.DefaultOverlap}
	rest.Set(&q.Kind, n.Kind)
	if n.Secret != nil {
		kind, key, err := secrets.Parse(code, *n.Secret)
		if err != nil {
			return q, err
		}
		if n.Kind != nil && kind != *n.Kind {
			return q, fault.In(code, "The secret is not valid.",
				fault.Field{Path: "/kind", Message: "differs from the kind of the secret"})
		}
		q.Kind, q.Key = kind, key
	}
	if n.Overlap != nil {
		if q.Overlap, err = time.ParseDuration(*n.Overlap); err != nil {
			return q, fault.In(code, "The secret was not rotated: see fields.",
				fault.Field{Path: "/overlap", Message: "is not a length of time; write 0s, 90m or 24h"})
		}
	}
	return q, nil
}

func showSecret(s endpoint.Secret) Secret {
	out := Secret{ID: s.ID, Kind: s.Kind, CreatedAt: rest.Time(s.CreatedAt), ExpiresAt: rest.TimeOrNull(s.ExpiresAt)}
	given := outbound.FormatKey(s.Key)
	if s.Kind == endpoint.V1a {
		given = outbound.FormatPublicKey(s.Key)
		out.PublicKey = &given
	}
	out.Fingerprint = outbound.Fingerprint(given)
	if t := s.Tested; !t.At.IsZero() {
		out.Tested = &SecretTest{rest.Time(t.At), t.Delivered, rest.OrNull(t.Status), rest.OrNull(t.Class)}
	}
	return out
}

// setSupplied sets the secret of a new endpoint to the supplied one, if there is one.
func setSupplied(e *endpoint.Endpoint, text *string) error {
	if text == nil {
		return nil
	}
	kind, key, err := secrets.Parse(secrets.InvalidEndpoint, *text)
	e.Secrets = []endpoint.Secret{{Kind: kind, Key: key}}
	return err
}

// drawn returns the generated secret of a new endpoint; empty: it was supplied.
func drawn(e endpoint.Endpoint, supplied *string) string {
	if supplied != nil {
		return ""
	}
	return secretOf(e)
}

// secretOf returns the newest secret in the notation of receivers; empty: there is none that may be shown.
func secretOf(e endpoint.Endpoint) string {
	if len(e.Secrets) == 0 || e.Secrets[0].Kind != endpoint.V1 {
		return ""
	}
	return outbound.FormatKey(e.Secrets[0].Key)
}
