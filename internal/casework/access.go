package casework

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/store"
)

// NewToken is the result of creating a token. The bearer value is shown once.
type NewToken struct {
	Token  access.Token
	Bearer string
}

const maxBearer = 300 // bytes

// Authenticate says who comes with a bearer value from an address. Whatever is
// wrong with it, the answer is the same.
func (s *Service) Authenticate(ctx context.Context, bearer, address string) (access.Principal, error) {
	tokenID, secret, ok := access.ParseBearer(bearer)
	if !ok || len(bearer) > maxBearer || !word(tokenID) {
		return access.Principal{}, unauthenticated()
	}
	token, err := s.store.Token(ctx, tokenID)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return access.Principal{}, err
	}
	if valid := token.Valid(secret, s.now()); err != nil || !valid { // an unknown token takes as long as a wrong one
		return access.Principal{}, unauthenticated()
	}
	return access.Principal{
		Tenant: token.Tenant, Role: token.Role, Clearance: token.Clearance,
		Actor: event.Actor{Source: event.API, Name: token.Name, TokenID: token.ID, Address: address},
	}, nil
}

func unauthenticated() error {
	return fault.New(fault.Unauthenticated, "token.invalid",
		"The request carries no valid token. Send one as Authorization: Bearer chk_...")
}

// CreateToken adds a token to the caller's tenant. Expires may be zero: never.
func (s *Service) CreateToken(ctx context.Context, p access.Principal, name string, expires time.Time, once Once) (access.Token, string, error) {
	var made NewToken
	err := s.once(ctx, p, once, func() (err error) {
		if made, err = s.newToken(p.Tenant, name, expires); err != nil {
			return err
		}
		return s.store.Update(ctx, func(tx *store.Tx) error {
			if err := tx.CreateToken(ctx, made.Token); err != nil {
				return err
			}
			return s.keep(ctx, tx, p, once, made)
		})
	})
	if err != nil {
		return access.Token{}, "", err
	}
	return made.Token, made.Bearer, nil
}

func (s *Service) newToken(tenant int64, name string, expires time.Time) (NewToken, error) {
	now := s.now()
	expires = expires.UTC().Truncate(time.Microsecond) // as it is kept
	var wrong []fault.Field
	if message := lineProblem(name, 100); message != "" || name == "" {
		wrong = append(wrong, fault.Field{Path: "/name", Message: cmp.Or(message, "is empty")})
	}
	if !expires.IsZero() && !expires.After(now) {
		wrong = append(wrong, fault.Field{Path: "/expires_at", Message: "is in the past"})
	}
	if len(wrong) > 0 {
		return NewToken{}, fault.In("token.unusable", "The token can't be made.", wrong...)
	}
	secret, hash, err := access.NewToken(s.Random)
	token := access.Token{
		ID: id.New("tok"), Tenant: tenant, Name: name, Hash: hash, Role: access.Admin, Clearance: casetype.Restricted, CreatedAt: now, ExpiresAt: expires,
	}
	return NewToken{Token: token, Bearer: access.Bearer(token.ID, secret)}, err
}

// Tokens lists the tenant's tokens, oldest first.
func (s *Service) Tokens(ctx context.Context, p access.Principal) ([]access.Token, error) {
	return s.store.Tokens(ctx, p.Tenant)
}

// DeleteToken revokes a token at once.
func (s *Service) DeleteToken(ctx context.Context, p access.Principal, tokenID string) error {
	if !word(tokenID) {
		return fault.New(fault.NotFound, "token.not_found", "There is no such token.")
	}
	return s.store.Update(ctx, func(tx *store.Tx) error { return tx.DeleteToken(ctx, p.Tenant, tokenID) })
}

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
		admin, err := s.newToken(tenant, "admin", time.Time{})
		if err != nil {
			return err
		}
		bearer = admin.Bearer
		return tx.CreateToken(ctx, admin.Token)
	})
	switch {
	case err == nil:
		return bearer, nil
	case fault.As(err).Code == "store.duplicate":
		return "", nil
	}
	return "", err
}
