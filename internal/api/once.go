package api

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/store"
)

// Idempotent is embedded in the parameters of every POST.
type Idempotent struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" doc:"Makes it safe to repeat the request: within 24 hours, the same key gives the first answer again, and while the first request is under way waits for it. The same key with another request is refused." example:"b3f1c1f0-order-17"`
}

// created is the answer to a POST.
type created[T any] struct {
	Status   int
	Location string `header:"Location" doc:"Where it is now."`
	Replayed string `header:"Idempotency-Replayed" doc:"true: this is the answer to an earlier request with the same Idempotency-Key."`
	Body     reply[T]
}

// reply is a T in JSON.
type reply[T any] []byte

// MarshalJSON passes on what was encoded once.
func (r reply[T]) MarshalJSON() ([]byte, error) { return r, nil }

// Schema is that of T.
func (reply[T]) Schema(r huma.Registry) *huma.Schema { return r.Schema(reflect.TypeFor[T](), true, "") }

// answer makes the answer of a status and a body, with headers in pairs.
func answer(status int, body any, header ...string) (store.Answer, error) {
	var b bytes.Buffer
	if err := encode(&b, body); err != nil {
		return store.Answer{}, err
	}
	a := store.Answer{Status: status, Header: map[string]string{}, Body: b.Bytes()}
	for i := 0; i+1 < len(header); i += 2 {
		a.Header[header[i]] = header[i+1]
	}
	return a, nil
}

// once carries out an operation under the client's key, if it sent one, and
// makes its answer. Extra is what the request said outside of its first line and
// its body as read.
func once[T any](ctx context.Context, operation string, in Idempotent, render func(T) (store.Answer, error),
	do func(casework.Once) (T, error), extra ...string) (store.Answer, string, error) {
	var rendered store.Answer
	key := casework.Once{Operation: access.Operation(operation), Key: in.IdempotencyKey, Request: exchangeOf(ctx).fingerprint(extra)}
	key.Render = func(result any) (store.Answer, error) {
		of, ok := result.(T)
		if !ok {
			return store.Answer{}, errors.New("api: " + operation + " rendered a " + reflect.TypeOf(result).String())
		}
		var err error
		rendered, err = render(of)
		rendered.Request = key.Request
		return rendered, err
	}
	result, err := do(key)
	var replayed *casework.Replayed
	switch {
	case errors.As(err, &replayed):
		return replayed.Answer, "true", nil
	case err != nil:
		return store.Answer{}, "", err
	case rendered.Status == 0:
		rendered, err = render(result)
	}
	return rendered, "", err
}

// create is once for the operations that answer with created.
func create[V, T any](ctx context.Context, operation string, in Idempotent, render func(T) (store.Answer, error),
	do func(casework.Once) (T, error), extra ...string) (*created[V], error) {
	a, replayed, err := once(ctx, operation, in, render, do, extra...)
	if err != nil {
		return nil, err
	}
	return &created[V]{Status: a.Status, Location: a.Header["Location"], Replayed: replayed, Body: a.Body}, nil
}

// fingerprint is a keyed hash of all that the request says: a password is part
// of it, and can't be guessed from what is stored.
func (x *exchange) fingerprint(extra []string) string {
	h := hmac.New(sha256.New, x.key)
	part := func(s []byte) {
		h.Write([]byte(strconv.Itoa(len(s)) + ":"))
		h.Write(s)
	}
	part([]byte(x.request.Method))
	part([]byte(x.request.URL.EscapedPath()))
	part([]byte(x.request.URL.RawQuery))
	part(x.raw)
	for _, s := range extra {
		part([]byte(s))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// noContent is the answer of a deletion.
type noContent struct{}
