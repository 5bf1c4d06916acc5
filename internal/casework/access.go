package casework

import (
	"context"
	"errors"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

const defaultTenant = "default"

// Bootstrap makes the first start's tenant "default" with its token "admin". On
// any later start, or when another node was faster, bearer is empty.
func (s *Service) Bootstrap(ctx context.Context) (bearer string, err error) {
	if _, err := s.store.TenantByKey(ctx, defaultTenant); err == nil || !errors.Is(err, fault.NotFound) {
		return "", err
	}
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		tenant, err := tx.CreateTenant(ctx, defaultTenant, "Default", s.now())
		if err != nil {
			return err
		}
		admin, err := s.newToken(tenant, TokenRequest{Name: "admin", Role: access.Admin, Clearance: casetype.Restricted})
		if err != nil {
			return err
		}
		bearer = admin.Bearer
		if err := tx.CreateToken(ctx, admin.Token); err != nil {
			return err
		}
		return s.audit(ctx, tx, itself(tenant), access.TokenCreated, "token/"+admin.Token.ID, map[string]any{"name": admin.Token.Name})
	})
	switch {
	case err == nil:
		return bearer, nil
	case fault.As(err).Code == "store.duplicate":
		return "", nil
	}
	return "", err
}

// itself is Casehook, as who acts in a tenant.
func itself(tenant int64) access.Principal {
	return access.Principal{
		Tenant: tenant, Role: access.Admin, Clearance: casetype.Restricted, Actor: event.Actor{Source: event.System, Name: "Casehook"},
	}
}
