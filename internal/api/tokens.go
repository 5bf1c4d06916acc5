package api

import (
	"context"
	"net/http"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/store"
)

// Token is a named bearer token.
type Token struct {
	ID        string     `json:"id" doc:"Its id." example:"tok_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	Name      string     `json:"name" doc:"Its name, which receivers and the history show." example:"crm"`
	CreatedAt Time       `json:"created_at" doc:"When it was created."`
	ExpiresAt TimeOrNull `json:"expires_at" doc:"When it ends; null: never."`
	Role      string     `json:"role" enum:"admin,manager,caseworker,viewer" doc:"What it may do." example:"caseworker"`
	Clearance string     `json:"clearance" enum:"PUBLIC,PRIVATE,RESTRICTED" doc:"The highest classification that it may see." example:"PRIVATE"`
	Allowed   []string   `json:"allowed_addresses" doc:"The addresses it may be used from; none: all." example:"[\"192.0.2.0/24\"]"`
	LastUsed  TimeOrNull `json:"last_used_at" doc:"When it was last used, at most a minute behind; null: never."`
}

// CreatedToken is a token that was just created, with its bearer value.
type CreatedToken struct {
	Token
	Bearer string `json:"token" doc:"What to send as Authorization: Bearer. It is shown this once." example:"chk_..."`
}

// NewToken is the body that creates a token.
type NewToken struct {
	Name      string     `json:"name" minLength:"1" maxLength:"100" doc:"Its name, which receivers and the history show." example:"crm"`
	ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"When it ends; absent: never." example:"2031-01-01T00:00:00Z"`
	Role      string     `json:"role,omitempty" enum:"admin,manager,caseworker,viewer" doc:"What it may do, at most what you may; absent: that." example:"caseworker"`
	Clearance string     `json:"clearance,omitempty" enum:"PUBLIC,PRIVATE,RESTRICTED" doc:"The highest classification that it may see, at most yours; absent: that." example:"PRIVATE"`
	Allowed   []string   `json:"allowed_addresses,omitempty" maxItems:"100" doc:"The addresses, or ranges of them, that it may be used from; absent: all." example:"[\"192.0.2.0/24\"]"`
}

func (a *API) tokens() {
	const path, tag = "/v1/tokens", "tokens"
	handleBody(a, status(http.StatusCreated, operation("create-token", http.MethodPost, path, tag, "Create a token",
		"For a program. It is shown this once, and can do at most what you can.", http.StatusConflict)), a.createToken)
	handle(a, operation("list-tokens", http.MethodGet, path, tag, "List the tokens", "The oldest first."),
		func(ctx context.Context, in *InList) (*listed[Token], error) {
			all, err := a.service.Tokens(ctx, principalOf(ctx))
			if err != nil {
				return nil, err
			}
			return ordered(a, "tokens", *in, all, showToken, func(t access.Token) string { return t.ID })
		})
	handle(a, operation("delete-token", http.MethodDelete, path+"/{id}", tag, "Revoke a token", "It ends at once. Nobody revokes a token that may do or see more than they do, nor the last of the administrators.", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in *struct {
			ID string `path:"id" maxLength:"100" doc:"The id of the token." example:"tok_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
		}) (*noContent, error) {
			return &noContent{}, a.service.DeleteToken(ctx, principalOf(ctx), in.ID)
		})
}

func (a *API) createToken(ctx context.Context, in *Idempotent, body NewToken) (*created[CreatedToken], error) {
	var expires time.Time
	set(&expires, body.ExpiresAt)
	return create[CreatedToken](ctx, "create-token", *in, func(t casework.NewToken) (store.Answer, error) {
		return answer(http.StatusCreated, CreatedToken{showToken(t.Token), t.Bearer}, "Location", "/v1/tokens/"+t.Token.ID)
	}, func(o casework.Once) (casework.NewToken, error) {
		return a.service.CreateToken(ctx, principalOf(ctx), casework.TokenRequest{
			Name: body.Name, Role: access.Role(body.Role), Clearance: casetype.Classification(body.Clearance),
			Allowed: body.Allowed, Expires: expires,
		}, o)
	})
}

func showToken(t access.Token) Token {
	out := Token{
		ID: t.ID, Name: t.Name, CreatedAt: Time(t.CreatedAt), Role: string(t.Role), Clearance: string(t.Clearance),
		Allowed: make([]string, len(t.Allowed)), ExpiresAt: TimeOrNull(t.ExpiresAt), LastUsed: TimeOrNull(t.LastUsed),
	}
	for i, p := range t.Allowed {
		out.Allowed[i] = p.String()
	}
	return out
}
