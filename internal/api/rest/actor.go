package rest

import (
	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/event"
)

// Actor is a person or a program that did something.
type Actor struct {
	Source  event.Source `json:"source" enum:"ui,api,system" doc:"A person in the console, a program with a token, or Casehook itself." example:"api"`
	Name    string       `json:"name" doc:"Of the person or the token." example:"crm"`
	UserID  int64        `json:"user_id,omitempty" doc:"The person's id." example:"7"`
	TokenID string       `json:"token_id,omitempty" doc:"The id of the token, or of the portal link that was opened; only managers, administrators, the token itself and the user whose own it is see it." example:"tok_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	Owner   *TokenOwner  `json:"owner,omitempty" doc:"The user whose own token it was, as of then; absent: the token was the tenant's, or it was none."`
	Address string       `json:"address,omitempty" doc:"The IP address that the request came from; only managers, administrators and the actor see it." example:"192.0.2.7"`
}

// TokenOwner is the user whose own a token is.
type TokenOwner struct {
	UserID int64  `json:"user_id" doc:"The user's id." example:"7"`
	Name   string `json:"name" doc:"The user's name." example:"Ada Lovelace"`
}

// ShowActor returns an actor as the caller may see them.
func ShowActor(p access.Principal, a event.Actor) Actor {
	a = p.Redact(a)
	return Actor{
		Source: a.Source, Name: a.Name, UserID: a.UserID, TokenID: a.TokenID, Owner: ShowTokenOwner(a.Owner),
		Address: a.Address,
	}
}

// ShowTokenOwner returns the owner of a token; nil: it is the tenant's.
func ShowTokenOwner(owner event.Person) *TokenOwner {
	if owner.UserID == 0 {
		return nil
	}
	return &TokenOwner{owner.UserID, owner.Name}
}
