package casework

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/input"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/store"
)

// SecretRequest says which secret an endpoint or a callback is to get.
type SecretRequest struct {
	Kind    endpoint.SecretKind
	Key     []byte        // empty: one is drawn
	Overlap time.Duration // how long the secrets of before sign too
}

// ParseSecret reads a secret that a caller supplies, in the notation of Standard
// Webhooks: whsec_ is of kind v1, whsk_ of v1a. The fault has the code, and never
// quotes the secret.
func ParseSecret(code, text string) (endpoint.SecretKind, []byte, error) {
	kind, parse := endpoint.V1, outbound.ParseKey
	if len(text) > 5 && text[:5] == "whsk_" {
		kind, parse = endpoint.V1a, outbound.ParsePrivateKey
	}
	key, err := parse(text)
	if err != nil {
		return "", nil, fault.In(code, "The secret can't be taken.",
			fault.Field{Path: "/secret", Message: "can't be taken: " + err.Error()})
	}
	return kind, key, nil
}

// secretHolder is what has secrets, in the words of refusals.
type secretHolder struct{ noun, invalid, tooMany, missing, last string }

var (
	ofEndpoints = secretHolder{
		"endpoint", InvalidEndpoint, "endpoint.too_many_secrets", "endpoint.secret_not_found", "endpoint.last_secret",
	}
	ofCallbacks = secretHolder{
		"callback", InvalidCallbackSecret, "callback.too_many_secrets", "callback.secret_not_found",
		"callback.last_secret",
	}
)

// The codes of requests for secrets that can't be had.
const (
	InvalidEndpoint       = "endpoint.invalid"
	InvalidCallbackSecret = "callback.secret_invalid"
)

// check refuses an overlap that is out of bounds.
func (h secretHolder) check(q SecretRequest) error {
	if q.Overlap < 0 || q.Overlap > endpoint.MaxOverlap {
		return fault.In(h.invalid, "The secret can't be rotated.",
			fault.Field{Path: "/overlap", Message: "is not between 0s and " + endpoint.MaxOverlap.String()})
	}
	return nil
}

// rotate puts a new secret before those that there are. It may be one that is about to
// expire: then it does not.
func (h secretHolder) rotate(
	secrets []endpoint.Secret, made endpoint.Secret, overlap time.Duration,
) ([]endpoint.Secret, error) {
	same := func(s endpoint.Secret) bool { return bytes.Equal(s.Key, made.Key) }
	if slices.ContainsFunc(secrets, func(s endpoint.Secret) bool { return same(s) && s.ExpiresAt.IsZero() }) {
		return nil, fault.In(h.invalid, "The secret can't be rotated.",
			fault.Field{Path: "/secret", Message: "is in use already; supply another one, or none"})
	}
	rotated := endpoint.Rotate(slices.DeleteFunc(slices.Clone(secrets), same), made, overlap)
	if len(rotated) > endpoint.MaxSecrets {
		return nil, fault.New(fault.Conflict, h.tooMany,
			"The %s has %d secrets that sign. Delete one that no receiver needs any more, "+
				"or wait until one expires.", h.noun, len(rotated)-1)
	}
	return rotated, nil
}

// remove takes away a secret. The last one that has no end stays.
func (h secretHolder) remove(secrets []endpoint.Secret, id string, now time.Time) ([]endpoint.Secret, error) {
	signing := endpoint.Signing(secrets, now)
	left := slices.DeleteFunc(slices.Clone(signing), func(s endpoint.Secret) bool { return s.ID == id })
	switch {
	case len(left) == len(signing):
		return nil, fault.New(fault.NotFound, h.missing, "The %s has no such secret.", h.noun)
	case !endpoint.Lasting(left):
		return nil, fault.New(fault.Conflict, h.last,
			"It is the last secret that does not expire. Add another one first.")
	}
	return left, nil
}

// describe lists secrets for the audit.
func describe(secrets []endpoint.Secret) []string {
	ids := make([]string, len(secrets))
	for i, secret := range secrets {
		ids[i] = fmt.Sprintf("%s (%s)", secret.ID, secret.Kind)
	}
	return ids
}

// EndpointSecrets lists an endpoint's secrets that sign, the newest first.
func (s *Service) EndpointSecrets(ctx context.Context, p access.Principal, endpointID string) ([]endpoint.Secret, error) {
	if err := s.guard.Permit(ctx, p, access.ListEndpointSecrets); err != nil {
		return nil, err
	}
	if !input.Word(endpointID) {
		return nil, endpointMissing()
	}
	e, err := findEndpoint(ctx, s.store, p, endpointID)
	if err != nil {
		return nil, err
	}
	return e.Signing(s.now()), nil
}

// RotateEndpointSecret makes a new secret for an endpoint, and returns it to be shown once.
// Those of the same kind go on signing for the overlap.
func (s *Service) RotateEndpointSecret(
	ctx context.Context, p access.Principal, endpointID string, q SecretRequest, once authz.Once,
) (endpoint.Secret, error) {
	if err := s.guard.Permit(ctx, p, access.RotateEndpointSecret); err != nil {
		return endpoint.Secret{}, err
	}
	return s.rotate(ctx, p, ofEndpoints, q, once, func(change secretsChange) error {
		return s.changeSecrets(ctx, authz.NewMandate(p, access.RotateEndpointSecret), endpointID, access.EndpointSecretAdded,
			func(tx *store.Tx, e endpoint.Endpoint) ([]endpoint.Secret, error) { return change(tx, e.Secrets) })
	})
}

// secretsChange returns what becomes of the secrets that there are.
type secretsChange func(tx *store.Tx, have []endpoint.Secret) ([]endpoint.Secret, error)

// rotate makes the secret that is asked for, and lets save put it before those that there are.
func (s *Service) rotate(
	ctx context.Context, p access.Principal, of secretHolder, q SecretRequest, once authz.Once, save func(secretsChange) error,
) (endpoint.Secret, error) {
	if err := of.check(q); err != nil {
		return endpoint.Secret{}, err
	}
	made, err := s.requested(q)
	if err != nil {
		return endpoint.Secret{}, err
	}
	err = s.guard.Once(ctx, p, once, func() error {
		return save(func(tx *store.Tx, have []endpoint.Secret) ([]endpoint.Secret, error) {
			rotated, err := of.rotate(have, made, q.Overlap)
			if err != nil {
				return nil, err
			}
			return rotated, s.guard.Keep(ctx, tx, p, once, made)
		})
	})
	if err != nil {
		return endpoint.Secret{}, err
	}
	return made, nil
}

// requested makes the secret that is asked for.
func (s *Service) requested(q SecretRequest) (endpoint.Secret, error) {
	if len(q.Key) == 0 {
		return s.drawSecret(q.Kind, s.now())
	}
	return endpoint.Secret{ID: id.New("sec"), Kind: q.Kind, Key: q.Key, CreatedAt: s.now()}, nil
}

// drawSecret makes a secret of a kind.
func (s *Service) drawSecret(kind endpoint.SecretKind, now time.Time) (endpoint.Secret, error) {
	draw := outbound.NewKey
	if kind == endpoint.V1a {
		draw = outbound.NewSeed
	}
	key, err := draw(s.Random)
	return endpoint.Secret{ID: id.New("sec"), Kind: kind, Key: key, CreatedAt: now}, err
}

// DeleteEndpointSecret ends a secret at once. The last one that has no end stays.
func (s *Service) DeleteEndpointSecret(ctx context.Context, p access.Principal, endpointID, secretID string) error {
	if err := s.guard.Permit(ctx, p, access.DeleteEndpointSecret); err != nil {
		return err
	}
	return s.changeSecrets(ctx, authz.NewMandate(p, access.DeleteEndpointSecret), endpointID, access.EndpointSecretRemoved, func(_ *store.Tx, e endpoint.Endpoint) ([]endpoint.Secret, error) {
		return ofEndpoints.remove(e.Secrets, secretID, s.now())
	})
}

// changeSecrets replaces an endpoint's secrets by what change makes of it.
func (s *Service) changeSecrets(ctx context.Context, m *authz.Mandate, endpointID string, action access.Action,
	change func(*store.Tx, endpoint.Endpoint) ([]endpoint.Secret, error)) error {
	if !input.Word(endpointID) {
		return endpointMissing()
	}
	return authz.Retry("endpoint.version_conflict", func() error {
		return s.guard.Update(ctx, m, func(tx *store.Tx) error {
			e, err := findEndpoint(ctx, tx, m.Principal, endpointID)
			if err != nil {
				return err
			}
			if e.Secrets, err = change(tx, e); err != nil {
				return err
			}
			e.UpdatedAt = s.now()
			if e, err = tx.UpdateEndpoint(ctx, e); err != nil {
				return err
			}
			return s.guard.Record(ctx, tx, m.Principal, action, authz.AboutEndpoint(e),
				map[string]any{"secrets": describe(e.Secrets)})
		})
	})
}
