package people

import (
	"context"
	"errors"

	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// DefaultTenant is the key of the first tenant, which the first start makes. Only this tenant may call the addresses
// and use the variables that the server is started with.
const DefaultTenant = "default"

// Bootstrap creates the default tenant and its first administrator's token, unless they exist. It calls show, which
// may be nil, with the token right before the commit: a process that dies in between has shown a token that is not
// valid, and its next start shows another, so that no valid token is lost. An error of show undoes all changes.
func (s *Tenants) Bootstrap(ctx context.Context, show func(bearer string) error) (bearer string, err error) {
	err = s.bootstrap(ctx, func(tx *store.Tx, tenant int64) error {
		admin, err := s.tokens.createAdministrator(ctx, tx, authz.System(tenant), tenant, "admin")
		if err != nil {
			return err
		}
		if bearer = admin.Bearer; show != nil {
			return show(bearer)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	return bearer, nil
}

// BootstrapWithoutToken creates the default tenant alone, unless it exists.
func (s *Tenants) BootstrapWithoutToken(ctx context.Context) error {
	return s.bootstrap(ctx, func(*store.Tx, int64) error { return nil })
}

// bootstrap creates the default tenant, unless it exists.
func (s *Tenants) bootstrap(ctx context.Context, with func(*store.Tx, int64) error) error {
	if _, err := s.store.TenantByKey(ctx, DefaultTenant); err == nil || !errors.Is(err, fault.NotFound) {
		return err
	}
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		tenant, err := tx.CreateTenant(ctx, DefaultTenant, "Default", s.now())
		if err != nil {
			return err
		}
		return with(tx, tenant)
	})
	if fault.As(err).Code == "store.duplicate" {
		return nil
	}
	return err
}

// RecoverToken creates a token that may do everything in a tenant, for an operator with access to the database.
func (s *Tenants) RecoverToken(ctx context.Context, tenant, name string) (NewToken, error) {
	t, err := s.store.TenantByKey(ctx, tenant)
	if err != nil {
		return NewToken{}, err
	}
	var made NewToken
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		made, err = s.tokens.createAdministrator(ctx, tx, authz.System(t.ID), t.ID, name)
		return err
	})
	return made, err
}
