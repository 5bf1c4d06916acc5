package hooks

import (
	"context"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/input"
	"github.com/casehook/casehook/internal/secrets"
	"github.com/casehook/casehook/internal/store"
)

// EndpointSecrets lists the secrets with which an endpoint's requests are signed, newest first.
func (s *Endpoints) EndpointSecrets(
	ctx context.Context, p access.Principal, endpointID string,
) ([]endpoint.Secret, error) {
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

// RotateEndpointSecret generates a secret for an endpoint, and returns it to be shown once. The secrets of the same
// kind go on signing for the overlap.
func (s *Endpoints) RotateEndpointSecret(
	ctx context.Context, p access.Principal, endpointID string, q secrets.Request, once authz.Once,
) (endpoint.Secret, error) {
	if err := s.guard.Permit(ctx, p, access.RotateEndpointSecret); err != nil {
		return endpoint.Secret{}, err
	}
	r, err := secrets.OfEndpoints.NewRotation(q, s.random, s.now())
	if err != nil {
		return endpoint.Secret{}, err
	}
	err = s.guard.Once(ctx, p, once, func() error {
		m := authz.NewMandate(p, access.RotateEndpointSecret)
		return s.changeSecrets(ctx, m, endpointID, access.EndpointSecretAdded,
			func(tx *store.Tx, e endpoint.Endpoint) ([]endpoint.Secret, error) {
				rotated, err := r.Apply(e.Secrets)
				if err != nil {
					return nil, err
				}
				return rotated, s.guard.Keep(ctx, tx, p, once, r.Made)
			})
	})
	if err != nil {
		return endpoint.Secret{}, err
	}
	return r.Made, nil
}

// DeleteEndpointSecret ends a secret at once. The last secret that does not expire can't be deleted.
func (s *Endpoints) DeleteEndpointSecret(ctx context.Context, p access.Principal, endpointID, secretID string) error {
	if err := s.guard.Permit(ctx, p, access.DeleteEndpointSecret); err != nil {
		return err
	}
	m := authz.NewMandate(p, access.DeleteEndpointSecret)
	return s.changeSecrets(ctx, m, endpointID, access.EndpointSecretRemoved,
		func(_ *store.Tx, e endpoint.Endpoint) ([]endpoint.Secret, error) {
			return secrets.OfEndpoints.Remove(e.Secrets, secretID, s.now())
		})
}

// changeSecrets replaces an endpoint's secrets by those that change returns.
func (s *Endpoints) changeSecrets(ctx context.Context, m *authz.Mandate, endpointID string, action access.Action,
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
			return s.guard.Record(ctx, tx, authz.Note{
				Who:     m.Principal,
				What:    action,
				Subject: authz.AboutEndpoint(e),
				Detail:  map[string]any{"secrets": secrets.Describe(e.Secrets)},
			})
		})
	})
}
