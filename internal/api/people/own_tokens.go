package people

import (
	"context"
	"net/http"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/people"
)

// ownTokenHandler has the operations on the caller's own tokens.
type ownTokenHandler struct {
	kernel *rest.Kernel
	tokens *people.Tokens
}

func (h ownTokenHandler) register() {
	const path, tag = "/v1/own-tokens", "tokens"
	rest.HandleBody(h.kernel, rest.Operation{
		ID:      access.CreateOwnToken,
		Pattern: "POST " + path,
		Tag:     tag,
		Summary: "Create a token of your own",
		Description: "For a program that works for you. The token is shown this once. It never may do or see more " +
			"than you, also when your role or clearance becomes less, and it is refused while your account is " +
			"disabled. You need a session, and can have 20 tokens.",
		Problems: []int{http.StatusConflict},
		Success:  http.StatusCreated,
	}, h.create)
	rest.Handle(h.kernel, rest.Operation{
		ID: access.ListOwnTokens, Pattern: "GET " + path, Tag: tag,
		Summary:     "List your own tokens",
		Description: "The oldest first. A token has none.",
	}, func(ctx context.Context, in *rest.InList) (*rest.PageAnswer[Token], error) {
		all, err := h.tokens.OwnTokens(ctx, rest.PrincipalOf(ctx))
		if err != nil {
			return nil, err
		}
		return rest.PageBehind(rest.NewPager(h.kernel, "own tokens", showToken,
			func(t access.Token) string { return t.ID }), in.Cursor, all)
	})
	rest.Handle(h.kernel, rest.Operation{
		ID: access.DeleteOwnToken, Pattern: "DELETE " + path + "/{id}", Tag: tag,
		Summary:     "Revoke a token of your own",
		Description: "It ends at once.",
		Problems:    []int{http.StatusNotFound},
	}, func(ctx context.Context, in *struct {
		ID string `path:"id" maxLength:"100" doc:"The id of the token." example:"tok_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	}) (*rest.NoContent, error) {
		return &rest.NoContent{}, h.tokens.DeleteOwnToken(ctx, rest.PrincipalOf(ctx), in.ID)
	})
}

func (h ownTokenHandler) create(ctx context.Context, in *rest.IdempotencyHeader,
	body NewToken) (*rest.PostAnswer[CreatedToken], error) {
	return body.create(ctx, in, "/v1/own-tokens/", h.tokens.CreateOwnToken)
}
