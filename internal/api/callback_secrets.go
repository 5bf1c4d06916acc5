package api

import (
	"context"
	"net/http"

	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/store"
)

// CallbackSecret is a new secret of a callback.
type CallbackSecret struct {
	Transition string `json:"transition" doc:"The callback: the key of its transition, @switch or @delete; or @type." example:"submit"`
	CreatedSecret
}

// InCallback names a callback.
type InCallback struct {
	InCaseType
	Transition string `path:"transition" maxLength:"100" doc:"The callback: the key of its transition, @switch or @delete; @type is all callbacks of a type that share one secret (callback_secret: type)." example:"submit"`
}

func (a *API) callbackSecrets() {
	const path, tag = "/v1/case-types/{key}/callbacks/{transition}/secret", "case types"
	handle(a, operation("list-callback-secrets", http.MethodGet, path+"s", tag, "List a callback's secrets",
		"Those that sign what it is asked, the newest first, without the secrets themselves. Where the callbacks "+
			"of the type share one secret, that is among them.", http.StatusNotFound),
		func(ctx context.Context, in *InCallback) (*short[Secret], error) {
			all, err := a.service.CallbackSecrets(ctx, principalOf(ctx), in.Key, in.Transition)
			if err != nil {
				return nil, err
			}
			return list(all, showSecret)
		})
	handleBody(a, operation("rotate-callback-secret", http.MethodPost, path, tag, "Rotate a callback's secret",
		"Gives a callback a new secret. Those of the same kind go on signing for the overlap, so that the "+
			"callback's service has time to learn the new one: meanwhile each question carries a signature of "+
			"either. With an overlap of 0s they end at once.",
		http.StatusNotFound, http.StatusConflict), a.rotateCallbackSecret)
	handle(a, operation("delete-callback-secret", http.MethodDelete, path+"s/{secret_id}", tag,
		"Delete a callback's secret",
		"It signs nothing from now on. The last one that does not expire can't be deleted.", http.StatusNotFound,
		http.StatusConflict),
		func(ctx context.Context, in *struct {
			InCallback
			Secret string `path:"secret_id" maxLength:"100" doc:"The id of the secret." example:"sec_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
		}) (*noContent, error) {
			return &noContent{}, a.service.DeleteCallbackSecret(ctx, principalOf(ctx), in.Key, in.Transition, in.Secret)
		})
}

func (a *API) rotateCallbackSecret(ctx context.Context, in *struct {
	InCallback
	Idempotent
}, body NewSecret) (*created[CallbackSecret], error) {
	q, err := body.read(casework.InvalidCallbackSecret)
	if err != nil {
		return nil, err
	}
	return create[CallbackSecret](ctx, "rotate-callback-secret", in.Idempotent,
		func(s endpoint.Secret) (store.Answer, error) {
			return answer(http.StatusOK, CallbackSecret{Transition: in.Transition, CreatedSecret: showCreated(s, body)})
		}, func(o casework.Once) (endpoint.Secret, error) {
			return a.service.RotateCallbackSecret(ctx, principalOf(ctx), in.Key, in.Transition, q, o)
		})
}
