package casework

import (
	"context"
	"slices"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// Credentials returns the credentials of a callback, with their secrets. The callback's name may be
// casetype.TypeSecret: these are of all callbacks of the type that have none of their own.
func (s *CaseTypes) Credentials(
	ctx context.Context, p access.Principal, key, name string,
) (endpoint.Credentials, error) {
	if _, err := s.typeWithSecrets(ctx, p, access.GetCallbackCredentials, key, name); err != nil {
		return endpoint.Credentials{}, err
	}
	at := store.CallbackRef{Tenant: p.Tenant, CaseType: key, Callback: name}
	all, err := s.store.CallbackCredentials(ctx, at, name)
	if have, ok := all[name]; ok || err != nil {
		return have, err
	}
	return endpoint.Credentials{}, noCredentials(key, name)
}

// SetCredentials replaces the credentials of a callback. Secrets that are endpoint.Hidden stay as they are.
func (s *CaseTypes) SetCredentials(
	ctx context.Context, p access.Principal, at store.CallbackRef, c endpoint.Credentials,
) (endpoint.Credentials, error) {
	t, err := s.typeWithSecrets(ctx, p, access.SetCallbackCredentials, at.CaseType, at.Callback)
	if err != nil {
		return endpoint.Credentials{}, err
	}
	if at.Callback != casetype.TypeSecret && !slices.Contains(t.Type.CallbackNames(), at.Callback) {
		return endpoint.Credentials{}, noCallback(at.CaseType, at.Callback)
	}
	origin, fields := s.originOf(ctx, p.Tenant, c)
	m := authz.NewMandate(p, access.SetCallbackCredentials)
	err = s.guard.Update(ctx, m, func(tx *store.Tx) error {
		all, err := tx.CallbackCredentials(ctx, at, at.Callback)
		if err != nil {
			return err
		}
		c = c.Over(all[at.Callback])
		if wrong := append(fields, c.Check(origin)...); len(wrong) > 0 {
			return fault.In("callback.credentials_invalid", "The credentials were not set: see fields.", wrong...)
		}
		if err := tx.PutCallbackCredentials(ctx, at, c, s.now()); err != nil {
			return err
		}
		return s.guard.Record(ctx, tx, credentialsNote(m, t.Type, access.CallbackCredentialsSet, at.Callback))
	})
	return c, err
}

// originOf returns a URL at the origin of credentials, and the faults of that.
func (s *CaseTypes) originOf(ctx context.Context, tenant int64, c endpoint.Credentials) (string, []fault.Field) {
	url, err := s.expand(ctx, tenant, c.Origin)
	if err != nil || endpoint.Origin(url) == "" {
		return "", []fault.Field{{
			Path:    "/origin",
			Message: "is neither a URL such as https://callbacks.example.com nor a variable that is set to one",
		}}
	}
	return url, nil
}

// expand returns a URL with its variable replaced.
func (s *CaseTypes) expand(ctx context.Context, tenant int64, url string) (string, error) {
	lookup, err := s.tenants.Variables(ctx, tenant)
	if err != nil {
		return "", err
	}
	return casetype.ExpandURL(url, lookup)
}

// DeleteCredentials removes the credentials of a callback.
func (s *CaseTypes) DeleteCredentials(ctx context.Context, p access.Principal, key, name string) error {
	t, err := s.typeWithSecrets(ctx, p, access.DeleteCallbackCredentials, key, name)
	if err != nil {
		return err
	}
	m := authz.NewMandate(p, access.DeleteCallbackCredentials)
	return s.guard.Update(ctx, m, func(tx *store.Tx) error {
		at := store.CallbackRef{Tenant: p.Tenant, CaseType: key, Callback: name}
		had, err := tx.DeleteCallbackCredentials(ctx, at)
		if err != nil {
			return err
		}
		if !had {
			return noCredentials(key, name)
		}
		return s.guard.Record(ctx, tx, credentialsNote(m, t.Type, access.CallbackCredentialsRemoved, name))
	})
}

func credentialsNote(m *authz.Mandate, t *casetype.Type, what access.Action, callback string) authz.Note {
	return authz.Note{
		Who:     m.Principal,
		What:    what,
		Subject: authz.AboutType(t.Key, t.Definition.Classification),
		Detail:  map[string]any{"transition": callback},
	}
}

func noCredentials(key, name string) error {
	return fault.New(fault.NotFound, "callback.no_credentials",
		"The callback %q of %s has no credentials. PUT sets them; those of all callbacks are those of %s.",
		name, key, casetype.TypeSecret)
}

// credentialsFor returns the credentials of a question: those of its callback, or else of the type. They are sent to
// their origin alone. nil: there are none.
func (s *CaseTypes) credentialsFor(
	ctx context.Context, at store.CallbackRef, url string,
) (*endpoint.Credentials, error) {
	all, err := s.store.CallbackCredentials(ctx, at, casetype.TypeSecret)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	found, ok := all[at.Callback]
	if !ok {
		found = all[casetype.TypeSecret]
	}
	origin, err := s.expand(ctx, at.Tenant, found.Origin)
	if err != nil || endpoint.Origin(origin) == "" || endpoint.Origin(origin) != endpoint.Origin(url) {
		return nil, nil
	}
	return &found, nil
}
