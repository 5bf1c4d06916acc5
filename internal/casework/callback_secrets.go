package casework

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/definitions"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/input"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/secrets"
	"github.com/casehook/casehook/internal/store"
)

// makeSecrets makes the missing secrets of the type's callbacks: one for each callback, or one for all of them. If that
// has changed, the previous secrets go on signing for the usual overlap.
func (s *CaseTypes) makeSecrets(ctx context.Context, tx *store.Tx, tenant int64, put *PutType) error {
	have, err := tx.SecretsOfCallbacks(ctx, tenant, put.Type.Key)
	if err != nil {
		return err
	}
	m := secretMaker{types: s, tx: tx, tenant: tenant, put: put, have: have, now: s.now()}
	if put.Type.CallbackSecret == casetype.SecretPerType {
		return m.forType(ctx)
	}
	return m.forEach(ctx)
}

// secretMaker makes the secrets of a version that is put.
type secretMaker struct {
	types  *CaseTypes
	tx     *store.Tx
	tenant int64
	put    *PutType
	have   map[string]store.CallbackSecrets // by callback
	now    time.Time
}

// forEach draws a secret for each callback that has none without an end. The one that it
// shared with others until now is its own for the overlap.
func (m *secretMaker) forEach(ctx context.Context) error {
	shared := m.retired(m.have[casetype.TypeSecret].Secrets)
	for _, name := range m.put.Type.CallbackNames() {
		own := m.have[name].Secrets
		if endpoint.Lasting(own) {
			continue
		}
		if err := m.draw(ctx, name, distinct(append(endpoint.Signing(own, m.now), shared...))); err != nil {
			return err
		}
	}
	return nil
}

// forType draws the secret that all callbacks share, unless the version before shares one
// without an end, and ends those that are callbacks' own. One from longer ago never comes
// back by itself: who had it may be why it was left.
func (m *secretMaker) forType(ctx context.Context) error {
	if len(m.put.Type.Callbacks()) == 0 {
		return nil
	}
	if shared := m.have[casetype.TypeSecret].Secrets; !m.put.shares || !endpoint.Lasting(shared) {
		if err := m.draw(ctx, casetype.TypeSecret, shared); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.have)) {
		own := m.have[name]
		if name == casetype.TypeSecret || !endpoint.Lasting(own.Secrets) {
			continue
		}
		own.Secrets = m.retired(own.Secrets)
		if err := m.tx.PutCallbackSecrets(ctx, m.callback(name), own, m.now); err != nil {
			return err
		}
	}
	return nil
}

// retired returns those of some secrets that sign, each with the end of the overlap.
func (m *secretMaker) retired(secrets []endpoint.Secret) []endpoint.Secret {
	return endpoint.Retire(endpoint.Signing(secrets, m.now), m.now.Add(endpoint.DefaultOverlap))
}

// draw adds a new secret in front of a callback's, to be shown once. If there are too many, the oldest go.
func (m *secretMaker) draw(ctx context.Context, name string, before []endpoint.Secret) error {
	made, err := secrets.Draw(m.types.random, endpoint.V1, m.now)
	if err != nil {
		return err
	}
	rotated := endpoint.Rotate(before, made, endpoint.DefaultOverlap)
	if m.put.Secrets == nil {
		m.put.Secrets = map[string]string{}
	}
	m.put.Secrets[name] = outbound.FormatKey(made.Key)
	if len(rotated) > endpoint.MaxSecrets {
		rotated = rotated[:endpoint.MaxSecrets]
	}
	all := store.CallbackSecrets{Secrets: rotated, Revision: m.have[name].Revision}
	return m.tx.PutCallbackSecrets(ctx, m.callback(name), all, m.now)
}

func (m *secretMaker) callback(name string) store.CallbackRef {
	return store.CallbackRef{Tenant: m.tenant, CaseType: m.put.Type.Key, Callback: name}
}

// distinct leaves out duplicates.
func distinct(secrets []endpoint.Secret) (all []endpoint.Secret) {
	for _, secret := range secrets {
		if !slices.ContainsFunc(all, func(s endpoint.Secret) bool { return bytes.Equal(s.Key, secret.Key) }) {
			all = append(all, secret)
		}
	}
	return all
}

// signing finds the secrets that sign questions to a callback now, newest first: its own, and unless one of these has
// no end, those of its type.
func (s *CaseTypes) signing(ctx context.Context, tenant int64, key, name string) ([]endpoint.Secret, error) {
	own, err := s.store.CallbackSecrets(ctx, tenant, key, name)
	if err != nil {
		return nil, err
	}
	signing := endpoint.Signing(own.Secrets, s.now())
	if endpoint.Lasting(signing) {
		return signing, nil
	}
	shared, err := s.store.CallbackSecrets(ctx, tenant, key, casetype.TypeSecret)
	return distinct(append(endpoint.Signing(shared.Secrets, s.now()), signing...)), err
}

// keysOfCallback returns the keys that sign questions to a callback, by their kind.
func (s *CaseTypes) keysOfCallback(
	ctx context.Context, tenant int64, key, name string,
) (keys, seeds [][]byte, err error) {
	signing, err := s.signing(ctx, tenant, key, name)
	if err == nil && len(signing) == 0 {
		err = fault.New(fault.NotFound, "callback.no_secret",
			"The callback of %s/%s has no secret. Put the case type again: that creates one.", key, name)
	}
	for _, secret := range signing {
		if secret.Kind == endpoint.V1a {
			seeds = append(seeds, secret.Key)
		} else {
			keys = append(keys, secret.Key)
		}
	}
	return keys, seeds, err
}

// CallbackSecrets lists the secrets that sign questions to a callback, newest first. The callback's name may be
// casetype.TypeSecret.
func (s *CaseTypes) CallbackSecrets(
	ctx context.Context, p access.Principal, key, name string,
) ([]endpoint.Secret, error) {
	t, err := s.typeWithSecrets(ctx, p, access.ListCallbackSecrets, key, name)
	if err != nil {
		return nil, err
	}
	have, err := s.store.CallbackSecrets(ctx, p.Tenant, key, name)
	if err != nil {
		return nil, err
	}
	if asks := slices.Contains(t.Type.CallbackNames(), name); !asks && len(have.Secrets) == 0 {
		return nil, noCallback(key, name)
	}
	return s.signing(ctx, p.Tenant, key, name)
}

// CallbackRotation asks for a new secret of a callback.
type CallbackRotation struct {
	CaseType string // its key
	Callback string // its name; casetype.TypeSecret is the secret of the type
	Secret   secrets.Request
}

// RotateCallbackSecret makes a new secret for a callback, and returns it to be shown once.
// Secrets of the same kind go on signing for the overlap.
func (s *CaseTypes) RotateCallbackSecret(
	ctx context.Context, p access.Principal, q CallbackRotation, once authz.Once,
) (endpoint.Secret, error) {
	t, err := s.typeWithSecrets(ctx, p, access.RotateCallbackSecret, q.CaseType, q.Callback)
	if err != nil {
		return endpoint.Secret{}, err
	}
	r, err := secrets.OfCallbacks.NewRotation(q.Secret, s.random, s.now())
	if err != nil {
		return endpoint.Secret{}, err
	}
	err = s.guard.Once(ctx, p, once, func() error {
		m := authz.NewMandate(p, access.RotateCallbackSecret)
		return s.changeCallbackSecrets(ctx, m, secretsChange{t, q.Callback, access.SecretRotated,
			func(tx *store.Tx, have []endpoint.Secret) ([]endpoint.Secret, error) {
				rotated, err := r.Apply(have)
				if err != nil {
					return nil, err
				}
				return rotated, s.guard.Keep(ctx, tx, p, once, r.Made)
			}})
	})
	if err != nil {
		return endpoint.Secret{}, err
	}
	return r.Made, nil
}

// DeleteCallbackSecret ends a secret at once. The last one that has no end stays.
func (s *CaseTypes) DeleteCallbackSecret(ctx context.Context, p access.Principal, key, name, secretID string) error {
	t, err := s.typeWithSecrets(ctx, p, access.DeleteCallbackSecret, key, name)
	if err != nil {
		return err
	}
	m := authz.NewMandate(p, access.DeleteCallbackSecret)
	return s.changeCallbackSecrets(ctx, m, secretsChange{t, name, access.CallbackSecretRemoved,
		func(_ *store.Tx, have []endpoint.Secret) ([]endpoint.Secret, error) {
			return secrets.OfCallbacks.Remove(have, secretID, s.now())
		}})
}

// typeWithSecrets finds the case type of a callback, for a caller who may see all of the type.
func (s *CaseTypes) typeWithSecrets(
	ctx context.Context, p access.Principal, o access.Operation, key, name string,
) (definitions.TypeVersion, error) {
	t, err := s.wholeType(ctx, p, o, key)
	if err != nil {
		return definitions.TypeVersion{}, err
	}
	if !input.Word(strings.TrimPrefix(name, "@")) {
		return definitions.TypeVersion{}, noCallback(key, name)
	}
	return t, nil
}

// secretsChange is a change of the secrets of a callback.
type secretsChange struct {
	typ      definitions.TypeVersion
	callback string
	action   access.Action // as the audit names it
	apply    func(*store.Tx, []endpoint.Secret) ([]endpoint.Secret, error)
}

// changeCallbackSecrets carries out a change of the secrets of a callback.
func (s *CaseTypes) changeCallbackSecrets(ctx context.Context, m *authz.Mandate, c secretsChange) error {
	tenant, key := m.Principal.Tenant, c.typ.Type.Key
	return authz.Retry(store.SecretsConflict, func() error {
		return s.guard.Update(ctx, m, func(tx *store.Tx) error {
			have, err := tx.CallbackSecrets(ctx, tenant, key, c.callback)
			if err != nil {
				return err
			}
			if err := mayHaveSecrets(c.typ, c.callback, have); err != nil {
				return err
			}
			if have.Secrets, err = c.apply(tx, have.Secrets); err != nil {
				return err
			}
			callback := store.CallbackRef{Tenant: tenant, CaseType: key, Callback: c.callback}
			if err := tx.PutCallbackSecrets(ctx, callback, have, s.now()); err != nil {
				return err
			}
			return s.guard.Record(ctx, tx, authz.Note{
				Who:     m.Principal,
				What:    c.action,
				Subject: authz.AboutType(key, c.typ.Type.Definition.Classification),
				Detail:  map[string]any{"transition": c.callback, "secrets": secrets.Describe(have.Secrets)},
			})
		})
	})
}

// mayHaveSecrets refuses to change the secrets of a callback that has none of its own
// by the newest version of its type.
func mayHaveSecrets(t definitions.TypeVersion, name string, have store.CallbackSecrets) error {
	asks := slices.Contains(t.Type.CallbackNames(), name)
	switch {
	case !asks && len(have.Secrets) == 0:
		return noCallback(t.Type.Key, name)
	case t.Type.CallbackSecret == casetype.SecretPerType && name != casetype.TypeSecret:
		return fault.New(fault.Conflict, "callback.secret_shared",
			"All callbacks of %s share one secret. Change that one, which is listed under %s.", t.Type.Key,
			casetype.TypeSecret)
	}
	return nil
}

func noCallback(key, name string) error {
	return fault.New(fault.NotFound, "transition.not_found",
		"%s has no callback %q. A callback has the key of its transition, or is @switch, @delete, @assign, @label or "+
			"@comment.", key, name)
}
