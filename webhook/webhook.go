// Package webhook receives what Casehook sends: webhooks about cases, claims,
// contacts and endpoints, and the questions of AboutToSubmit callbacks.
//
// A [Verifier] knows the secrets. [Handler] and [Callback] make an http.Handler
// of a function: they limit the body, verify the signature, decode into typed
// payloads and answer with the right status. Programs with a router
// or a queue of their own use [Verifier.Parse], [Verifier.Verify] and [Decode].
//
// Webhooks are delivered at least once. Drop duplicates by [Event.ID], which is
// the same on every attempt, and messages that are older than the newest one by
// [Event.Sequence].
package webhook

import "errors"

// The faults of a request. They are wrapped: match them with errors.Is.
var (
	// ErrSecret says that a secret or public key can't be read. It never quotes it.
	ErrSecret = errors.New("webhook: the secret can't be read")
	// ErrHeaders says that webhook-id, webhook-timestamp or webhook-signature is
	// missing, or that the timestamp is no number.
	ErrHeaders = errors.New("webhook: a header is missing or wrong")
	// ErrTimestamp says that the request was signed too long ago, or too far ahead.
	ErrTimestamp = errors.New("webhook: the timestamp is too far from now")
	// ErrSignature says that no signature was made by a secret of the verifier's.
	ErrSignature = errors.New("webhook: no signature is right")
	// ErrTooLarge says that the body is over the limit.
	ErrTooLarge = errors.New("webhook: the body is too large")
	// ErrBody says that the body is not of the published shape.
	ErrBody = errors.New("webhook: the body can't be read")
)
