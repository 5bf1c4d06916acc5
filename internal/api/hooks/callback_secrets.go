package hooks

import (
	"context"
	"net/http"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/secrets"
	"github.com/casehook/casehook/internal/store"
)

// CallbackSecret is a new secret of a callback.
type CallbackSecret struct {
	Transition string `json:"transition" doc:"The callback: the key of its transition, or an operation such as @delete; or @type." example:"submit"`
	CreatedSecret
}

// InCallback names a callback.
type InCallback struct {
	Key        string `path:"key" maxLength:"100" doc:"The key of the case type." example:"kyc"`
	Transition string `path:"transition" maxLength:"100" doc:"The callback: the key of its transition, or an operation such as @delete; @type is all callbacks of a type that share one secret (callback_secret: type)." example:"submit"`
}

// registerCallbacks registers the operations on the secrets of callbacks.
func (h secretHandler) registerCallbacks() {
	const path, tag = "/v1/case-types/{key}/callbacks/{transition}/secret", "case types"
	rest.Handle(h.kernel, rest.Operation{
		ID: access.ListCallbackSecrets, Pattern: "GET " + path + "s", Tag: tag,
		Summary: "List a callback's secrets",
		Description: "The secrets that sign its questions, the newest first, without the secrets themselves. Where the " +
			"callbacks of the type share one secret, that is among them.",
		Problems: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *InCallback) (*rest.ListAnswer[Secret], error) {
		all, err := h.types.CallbackSecrets(ctx, rest.PrincipalOf(ctx), in.Key, in.Transition)
		if err != nil {
			return nil, err
		}
		return rest.List(all, showSecret)
	})
	rest.HandleBody(h.kernel, rest.Operation{
		ID: access.RotateCallbackSecret, Pattern: "POST " + path, Tag: tag,
		Summary: "Rotate a callback's secret",
		Description: "Makes a new secret for a callback. Its other secrets of the same kind go on signing for the " +
			"overlap, so that the callback's service has time to adopt the new one; meanwhile each question has a " +
			"signature of each. With an overlap of 0s they end at once.",
		Problems: []int{http.StatusNotFound, http.StatusConflict},
	}, h.rotateCallbackSecret)
	rest.Handle(h.kernel, rest.Operation{
		ID: access.DeleteCallbackSecret, Pattern: "DELETE " + path + "s/{secret_id}", Tag: tag,
		Summary:     "Delete a callback's secret",
		Description: "It signs nothing from now on. The last one that does not expire can't be deleted.",
		Problems:    []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *struct {
		InCallback
		Secret string `path:"secret_id" maxLength:"100" doc:"The id of the secret." example:"sec_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	}) (*rest.NoContent, error) {
		return &rest.NoContent{}, h.types.DeleteCallbackSecret(ctx, rest.PrincipalOf(ctx), in.Key, in.Transition,
			in.Secret)
	})
}

func (h secretHandler) rotateCallbackSecret(ctx context.Context, in *struct {
	InCallback
	rest.IdempotencyHeader
}, body NewSecret) (*rest.PostAnswer[CallbackSecret], error) {
	q, err := body.read(secrets.InvalidCallback)
	if err != nil {
		return nil, err
	}
	return rest.Create[CallbackSecret](ctx, in.IdempotencyHeader, func(s endpoint.Secret) (store.Answer, error) {
		return rest.Answer(http.StatusOK,
			CallbackSecret{Transition: in.Transition, CreatedSecret: showCreated(s, body)})
	}, func(o authz.Once) (endpoint.Secret, error) {
		rotation := casework.CallbackRotation{CaseType: in.Key, Callback: in.Transition, Secret: q}
		return h.types.RotateCallbackSecret(ctx, rest.PrincipalOf(ctx), rotation, o)
	})
}
