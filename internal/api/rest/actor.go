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
	TokenID string       `json:"token_id,omitempty" doc:"The id of the token, or of the portal link that was opened; only managers, administrators and the token itself see it." example:"tok_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	Address string       `json:"address,omitempty" doc:"The IP address that the request came from; only managers, administrators and the actor see it." example:"192.0.2.7"`
}

// ShowActor returns an actor as the caller may see them.
func ShowActor(p access.Principal, a event.Actor) Actor { return Actor(p.Redact(a)) }
