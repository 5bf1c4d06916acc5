package people

import (
	"context"
	"slices"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// CreateTenantAdministrator creates another token that may do everything in a tenant. It is for tenants in which
// nobody can sign in as an administrator any more.
func (s *Tenants) CreateTenantAdministrator(
	ctx context.Context, p access.Principal, tenantKey string, once authz.Once,
) (NewToken, error) {
	if p.Role != access.Operator {
		return NewToken{}, s.RefuseTenantOperations(ctx, p)
	}
	if !tenantKeyPattern.MatchString(tenantKey) {
		return NewToken{}, tenantMissing()
	}
	var made NewToken
	err := s.guard.Once(ctx, p, once, func() error {
		return s.store.Update(ctx, func(tx *store.Tx) error {
			t, err := tx.TenantByKey(ctx, tenantKey)
			if err != nil {
				return err
			}
			if made, err = s.tokens.createAdministrator(ctx, tx, p, t.ID, "admin"); err != nil {
				return err
			}
			return s.guard.Keep(ctx, tx, p, once, made)
		})
	})
	if err != nil {
		return NewToken{}, err
	}
	return made, nil
}

// createAdministrator saves a token that may do everything in a tenant, and records in the tenant's audit who made
// it.
func (s *Tokens) createAdministrator(
	ctx context.Context, tx *store.Tx, p access.Principal, tenant int64, name string,
) (NewToken, error) {
	admin, err := s.newToken(tenant, TokenRequest{Name: name, Role: access.Admin, Clearance: casetype.Restricted})
	if err != nil {
		return NewToken{}, err
	}
	if err := tx.CreateToken(ctx, admin.Token); err != nil {
		return NewToken{}, err
	}
	p.Tenant = tenant
	return admin, s.guard.Record(ctx, tx, authz.Note{
		Who:     p,
		What:    access.TokenCreated,
		Subject: authz.AboutToken(admin.Token.ID),
		Detail:  map[string]any{"name": admin.Token.Name},
	})
}

// keepsAnAdministrator refuses to remove the last grant of an administrator with this clearance, since nobody could
// grant it again. It locks the tenant's administrators, so that two of them can't remove each other. Without is the
// owner who loses the grant.
func (s *Tokens) keepsAnAdministrator(
	ctx context.Context, tx *store.Tx, tenant int64, lost access.Grant, without access.Owner,
) error {
	if lost.Role != access.Admin {
		return nil
	}
	if err := tx.LockAdministrators(ctx, tenant); err != nil {
		return err
	}
	others, err := tx.Administrators(ctx, tenant, without, s.now())
	if err != nil {
		return err
	}
	if slices.ContainsFunc(others, func(c casetype.Classification) bool { return c.Sees(lost.Clearance) }) {
		return nil
	}
	return fault.New(fault.Conflict, "access.last_administrator",
		"This is the tenant's last administrator with the clearance %s. Create another administrator first: a "+
			"token, or a user who can sign in.", lost.Clearance)
}
