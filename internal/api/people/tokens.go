package people

import (
	"context"
	"net/http"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/store"
)

// Token is a named bearer token.
type Token struct {
	ID        string          `json:"id" doc:"Its id." example:"tok_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	Name      string          `json:"name" doc:"Its name, which receivers and the history show." example:"crm"`
	CreatedAt rest.Time       `json:"created_at" doc:"When it was created."`
	ExpiresAt rest.TimeOrNull `json:"expires_at" doc:"When it ends; null: never."`
	Role      string          `json:"role" enum:"admin,manager,caseworker,viewer" doc:"Its role." example:"caseworker"`
	Further   []string        `json:"further_roles" doc:"Its further roles, by which case types know it." example:"[\"town-officer\"]"`
	Clearance string          `json:"clearance" enum:"PUBLIC,PRIVATE,RESTRICTED" doc:"The highest classification that it may see." example:"PRIVATE"`
	Allowed   []string        `json:"allowed_addresses" doc:"The addresses it may be used from; none: all." example:"[\"192.0.2.0/24\"]"`
	LastUsed  rest.TimeOrNull `json:"last_used_at" doc:"When it was last used, at most a minute behind; null: never."`

	Owner *rest.TokenOwner `json:"owner,omitempty" doc:"The user whose own token it is: at no time may it do or see more than they; absent: it is the tenant's."`
}

// CreatedToken is a token that was just created, with its bearer value.
type CreatedToken struct {
	Token
	Bearer string `json:"token" doc:"The value for Authorization: Bearer. It is shown this once." example:"chk_..."`
}

// NewToken is the body that creates a token.
type NewToken struct {
	Name      string     `json:"name" minLength:"1" maxLength:"100" doc:"Its name, which receivers and the history show." example:"crm"`
	ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"When it ends; absent: never." example:"2031-01-01T00:00:00Z"`
	Role      string     `json:"role,omitempty" enum:"admin,manager,caseworker,viewer" doc:"Its role, at most yours, which is the default." example:"caseworker"`
	Further   []string   `json:"further_roles,omitempty" maxItems:"100" doc:"Further roles, by which case types know it: those of a type, or those in its role_map. They permit nothing that the role does not. Administrators may give any, others their own; absent: yours." example:"[\"town-officer\"]"`
	Clearance string     `json:"clearance,omitempty" enum:"PUBLIC,PRIVATE,RESTRICTED" doc:"The highest classification that it may see, at most yours; absent: that." example:"PRIVATE"`
	Allowed   []string   `json:"allowed_addresses,omitempty" maxItems:"100" doc:"The addresses, or ranges of them, that it may be used from; absent: all." example:"[\"192.0.2.0/24\"]"`
}

// tokenHandler has the operations on tokens.
type tokenHandler struct {
	kernel  *rest.Kernel
	service people.Services
}

func (h tokenHandler) register() {
	const path, tag = "/v1/tokens", "tokens"
	rest.HandleBody(h.kernel, rest.Operation{
		ID:      access.CreateToken,
		Pattern: "POST " + path,
		Tag:     tag,
		Summary: "Create a token",
		Description: "For a program. The token is shown this once, and may do and see at most what you may now. It " +
			"is the tenant's, and stays when you leave; POST /v1/own-tokens makes one of your own.",
		Problems: []int{http.StatusConflict},
		Success:  http.StatusCreated,
	}, h.createToken)
	rest.Handle(h.kernel, rest.Operation{
		ID: access.ListTokens, Pattern: "GET " + path, Tag: tag,
		Summary:     "List the tokens",
		Description: "Those of users too, with their owners. The oldest first.",
	}, func(ctx context.Context, in *rest.InList) (*rest.PageAnswer[Token], error) {
		all, err := h.service.Tokens.Tokens(ctx, rest.PrincipalOf(ctx))
		if err != nil {
			return nil, err
		}
		return rest.PageBehind(rest.NewPager(h.kernel, "tokens", showToken,
			func(t access.Token) string { return t.ID }), in.Cursor, all)
	})
	rest.Handle(h.kernel, rest.Operation{
		ID: access.DeleteToken, Pattern: "DELETE " + path + "/{id}", Tag: tag,
		Summary: "Revoke a token",
		Description: "It ends at once. You can revoke neither a token that may do or see more than you, nor the " +
			"last administrator.",
		Problems: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *struct {
		ID string `path:"id" maxLength:"100" doc:"The id of the token." example:"tok_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	}) (*rest.NoContent, error) {
		return &rest.NoContent{}, h.service.Tokens.DeleteToken(ctx, rest.PrincipalOf(ctx), in.ID)
	})
}

func (h tokenHandler) createToken(ctx context.Context, in *rest.IdempotencyHeader,
	body NewToken) (*rest.PostAnswer[CreatedToken], error) {
	return body.create(ctx, in, "/v1/tokens/", h.service.Tokens.CreateToken)
}

// create answers a request for a token that one of the use cases makes.
func (body NewToken) create(ctx context.Context, in *rest.IdempotencyHeader, path string,
	do func(context.Context, access.Principal, people.TokenRequest, authz.Once) (people.NewToken, error),
) (*rest.PostAnswer[CreatedToken], error) {
	var expires time.Time
	rest.Set(&expires, body.ExpiresAt)
	return rest.Create[CreatedToken](ctx, *in, func(t people.NewToken) (store.Answer, error) {
		return rest.Answer(http.StatusCreated, CreatedToken{showToken(t.Token), t.Bearer}, "Location",
			path+t.Token.ID)
	}, func(o authz.Once) (people.NewToken, error) {
		return do(ctx, rest.PrincipalOf(ctx), people.TokenRequest{
			Name: body.Name, Role: access.Role(body.Role), Further: body.Further,
			Clearance: casetype.Classification(body.Clearance), Allowed: body.Allowed, Expires: expires,
		}, o)
	})
}

func showToken(t access.Token) Token {
	out := Token{
		ID:        t.ID,
		Name:      t.Name,
		CreatedAt: rest.Time(t.CreatedAt),
		Role:      string(t.Role),
		Further:   append([]string{}, t.Further.Names()...),
		Clearance: string(t.Clearance),
		Allowed:   make([]string, len(t.Allowed)),
		ExpiresAt: rest.TimeOrNull(t.ExpiresAt),
		LastUsed:  rest.TimeOrNull(t.LastUsed),
		Owner:     rest.ShowTokenOwner(t.User),
	}
	for i, p := range t.Allowed {
		out.Allowed[i] = p.String()
	}
	return out
}
