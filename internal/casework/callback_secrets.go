package casework

import (
	"context"
	"strings"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/store"
)

// makeSecrets draws a secret for each callback that has none without an end.
func (s *Service) makeSecrets(ctx context.Context, tx *store.Tx, tenant int64, put *TypeVersion) error {
	have, err := tx.SecretsOfCallbacks(ctx, tenant, put.Key)
	if err != nil {
		return err
	}
	for _, c := range put.Callbacks() {
		if endpoint.Lasting(have[c.Name].Secrets) {
			continue
		}
		if err := s.makeSecret(ctx, tx, tenant, put, c.Name, have[c.Name]); err != nil {
			return err
		}
	}
	return nil
}

// makeSecret draws a secret for a callback, and notes it as one to be shown.
func (s *Service) makeSecret(ctx context.Context, tx *store.Tx, tenant int64, put *TypeVersion, name string, have store.CallbackSecrets) error {
	made, err := s.drawSecret(endpoint.V1, s.now())
	if err != nil {
		return err
	}
	have.Secrets = endpoint.Rotate(have.Secrets, made, endpoint.DefaultOverlap)
	if put.Secrets == nil {
		put.Secrets = map[string]string{}
	}
	put.Secrets[name] = outbound.FormatKey(made.Key)
	return tx.PutCallbackSecrets(ctx, tenant, put.Key, name, have, made.CreatedAt)
}

// keysOfCallback splits a callback's secrets that sign now by their kind.
func (s *Service) keysOfCallback(ctx context.Context, tenant int64, key, name string) (keys, seeds [][]byte, err error) {
	have, err := s.store.CallbackSecrets(ctx, tenant, key, name)
	if err != nil {
		return nil, nil, err
	}
	signing := endpoint.Signing(have.Secrets, s.now())
	if len(signing) == 0 {
		return nil, nil, fault.New(fault.NotFound, "callback.no_secret", "The callback of %s/%s has no secret.", key, name)
	}
	for _, secret := range signing {
		if secret.Kind == endpoint.V1a {
			seeds = append(seeds, secret.Key)
		} else {
			keys = append(keys, secret.Key)
		}
	}
	return keys, seeds, nil
}

// CallbackSecrets lists the secrets that sign what a callback is asked, the newest
// first.
func (s *Service) CallbackSecrets(ctx context.Context, p access.Principal, key, name string) ([]endpoint.Secret, error) {
	if _, err := s.typeWithSecrets(ctx, p, "list-callback-secrets", key, name); err != nil {
		return nil, err
	}
	have, err := s.store.CallbackSecrets(ctx, p.Tenant, key, name)
	if err != nil {
		return nil, err
	}
	if len(have.Secrets) == 0 {
		return nil, noCallback(key, name)
	}
	return endpoint.Signing(have.Secrets, s.now()), nil
}

// RotateCallbackSecret gives a callback a new secret, to be shown once. Those of the
// same kind go on signing for the overlap.
func (s *Service) RotateCallbackSecret(ctx context.Context, p access.Principal, key, name string, q SecretRequest, once Once) (endpoint.Secret, error) {
	t, err := s.typeWithSecrets(ctx, p, "rotate-callback-secret", key, name)
	if err != nil {
		return endpoint.Secret{}, err
	}
	if err := ofCallbacks.check(q); err != nil {
		return endpoint.Secret{}, err
	}
	made, err := s.requested(q)
	if err != nil {
		return endpoint.Secret{}, err
	}
	err = s.once(ctx, p, once, func() error {
		return s.changeCallbackSecrets(ctx, mandateOf(p, "rotate-callback-secret"), t, name, access.SecretRotated,
			func(tx *store.Tx, have []endpoint.Secret) ([]endpoint.Secret, error) {
				rotated, err := ofCallbacks.rotate(have, made, q.Overlap)
				if err != nil {
					return nil, err
				}
				return rotated, s.keep(ctx, tx, p, once, made)
			})
	})
	if err != nil {
		return endpoint.Secret{}, err
	}
	return made, nil
}

// DeleteCallbackSecret ends a secret at once. The last one that has no end stays.
func (s *Service) DeleteCallbackSecret(ctx context.Context, p access.Principal, key, name, secretID string) error {
	t, err := s.typeWithSecrets(ctx, p, "delete-callback-secret", key, name)
	if err != nil {
		return err
	}
	return s.changeCallbackSecrets(ctx, mandateOf(p, "delete-callback-secret"), t, name, access.CallbackSecretRemoved,
		func(_ *store.Tx, have []endpoint.Secret) ([]endpoint.Secret, error) {
			return ofCallbacks.remove(have, secretID, s.now())
		})
}

// typeWithSecrets finds the case type of a callback for somebody who may see all of the
// type.
func (s *Service) typeWithSecrets(ctx context.Context, p access.Principal, o access.Operation, key, name string) (TypeVersion, error) {
	t, err := s.wholeType(ctx, p, o, key)
	if err != nil {
		return TypeVersion{}, err
	}
	if !word(strings.TrimPrefix(name, "@")) {
		return TypeVersion{}, noCallback(key, name)
	}
	return t, nil
}

// changeCallbackSecrets replaces a callback's secrets by what change makes of them.
func (s *Service) changeCallbackSecrets(ctx context.Context, m *mandate, t TypeVersion, name string, action access.Action,
	change func(*store.Tx, []endpoint.Secret) ([]endpoint.Secret, error)) error {
	tenant := m.Principal.Tenant
	return retry(store.SecretsConflict, func() error {
		return s.update(ctx, m, func(tx *store.Tx) error {
			have, err := tx.CallbackSecrets(ctx, tenant, t.Key, name)
			if err != nil {
				return err
			}
			if len(have.Secrets) == 0 {
				return noCallback(t.Key, name)
			}
			if have.Secrets, err = change(tx, have.Secrets); err != nil {
				return err
			}
			if err := tx.PutCallbackSecrets(ctx, tenant, t.Key, name, have, s.now()); err != nil {
				return err
			}
			return s.audit(ctx, tx, m.Principal, action, aboutType(t.Key, t.Definition.Classification),
				map[string]any{"transition": name, "secrets": describe(have.Secrets)})
		})
	})
}

func noCallback(key, name string) error {
	return fault.New(fault.NotFound, "transition.not_found", "%s has no callback %q.", key, name)
}
