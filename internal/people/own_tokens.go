package people

import (
	"context"
	"slices"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
)

// OwnTokens lists the caller's own tokens, oldest first. A token has none.
func (s *Tokens) OwnTokens(ctx context.Context, p access.Principal) ([]access.Token, error) {
	if err := s.guard.Permit(ctx, p, access.ListOwnTokens); err != nil {
		return nil, err
	}
	return s.store.TokensOf(ctx, p.Tenant, p.Actor.UserID)
}

// CreateOwnToken adds a token of the caller, who has signed in. It never has more rights than the caller, at any later
// time: no right that an administrator takes from a user lives on in a token. No token may create one, so that whoever
// finds a token can't keep the access that it gives after it is revoked.
func (s *Tokens) CreateOwnToken(
	ctx context.Context, p access.Principal, r TokenRequest, once authz.Once,
) (NewToken, error) {
	if err := s.guard.Permit(ctx, p, access.CreateOwnToken); err != nil {
		return NewToken{}, err
	}
	if p.Actor.UserID == 0 {
		return NewToken{}, fault.New(fault.Conflict, "session.none",
			"A token can't have tokens of its own. Sign in as the user whose token it should be.")
	}
	r.owner = event.Person{UserID: p.Actor.UserID, Name: p.Actor.Name}
	return s.create(ctx, p, access.CreateOwnToken, r, once)
}

// DeleteOwnToken revokes one of the caller's own tokens at once, even if their rights are fewer since they made it.
func (s *Tokens) DeleteOwnToken(ctx context.Context, p access.Principal, tokenID string) error {
	if err := s.guard.Permit(ctx, p, access.DeleteOwnToken); err != nil {
		return err
	}
	all, err := s.store.TokensOf(ctx, p.Tenant, p.Actor.UserID)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(t access.Token) bool { return t.ID == tokenID })
	if i < 0 {
		return fault.New(fault.NotFound, "token.not_found",
			"You have no token with this id. GET /v1/own-tokens lists your tokens.")
	}
	return s.revoke(ctx, p, access.DeleteOwnToken, all[i])
}
