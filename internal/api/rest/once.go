package rest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/store"
)

// IdempotencyHeader is embedded in the parameters of every POST.
type IdempotencyHeader struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" doc:"Makes it safe to repeat the request: for 24 hours, a request with the same key gets the first answer again, and waits for it while the first request is under way. Another request with the same key is refused." example:"b3f1c1f0-order-17"`
}

// PostAnswer is the answer to a POST.
type PostAnswer[T any] struct {
	Status   int
	Location string `header:"Location" doc:"The address of what was created."`
	Repeated string `header:"Idempotency-Replayed" doc:"true: this is the answer to an earlier request with the same Idempotency-Key."`
	Body     Reply[T]
}

// Reply is a T in JSON.
type Reply[T any] []byte

// MarshalJSON returns the encoded value.
func (r Reply[T]) MarshalJSON() ([]byte, error) { return r, nil }

// Schema describes T.
func (Reply[T]) Schema(r huma.Registry) *huma.Schema { return r.Schema(reflect.TypeFor[T](), true, "") }

// Answer returns an answer with a status, a body, and headers in pairs.
func Answer(status int, body any, header ...string) (store.Answer, error) {
	var b bytes.Buffer
	if err := Encode(&b, body); err != nil {
		return store.Answer{}, err
	}
	a := store.Answer{Status: status, Header: map[string]string{}, Body: b.Bytes()}
	for i := 0; i+1 < len(header); i += 2 {
		a.Header[header[i]] = header[i+1]
	}
	return a, nil
}

// Once carries out an operation, once per key if the client sent one, and renders its answer. Extra has the parts of
// the request that are neither in its first line nor in the body that was read.
func Once[T any](
	ctx context.Context, in IdempotencyHeader, render func(T) (store.Answer, error),
	do func(authz.Once) (T, error), extra ...string,
) (a store.Answer, repeated string, err error) {
	x := ExchangeOf(ctx)
	key := authz.Once{
		Operation: x.operation, Key: in.IdempotencyKey, Request: x.fingerprint(extra),
	}
	key.Render = func(result any) (store.Answer, error) {
		of, ok := result.(T)
		if !ok {
			return store.Answer{}, fmt.Errorf("rest: %s rendered a %T", x.operation, result)
		}
		var err error
		a, err = render(of)
		a.Request = key.Request
		return a, err
	}
	result, err := do(key)
	var before *authz.RepeatError
	switch {
	case errors.As(err, &before):
		return before.Answer, "true", nil
	case err != nil:
		return store.Answer{}, "", err
	case a.Status == 0:
		a, err = render(result)
	}
	return a, "", err
}

// Create is Once for the operations that answer with a PostAnswer.
func Create[V, T any](
	ctx context.Context, in IdempotencyHeader, render func(T) (store.Answer, error),
	do func(authz.Once) (T, error), extra ...string,
) (*PostAnswer[V], error) {
	a, repeated, err := Once(ctx, in, render, do, extra...)
	if err != nil {
		return nil, err
	}
	return &PostAnswer[V]{Status: a.Status, Location: a.Header["Location"], Repeated: repeated, Body: a.Body}, nil
}

// fingerprint returns a keyed hash of the whole request. Since it is keyed, a password
// in the request can't be guessed from the stored hash.
func (x *Exchange) fingerprint(extra []string) string {
	h := hmac.New(sha256.New, x.key)
	part := func(s []byte) {
		h.Write([]byte(strconv.Itoa(len(s)) + ":"))
		h.Write(s)
	}
	part([]byte(x.Request.Method))
	part([]byte(x.Request.URL.EscapedPath()))
	part([]byte(x.Request.URL.RawQuery))
	part(x.raw)
	for _, s := range extra {
		part([]byte(s))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// NoContent is the answer of a deletion.
type NoContent struct{}
