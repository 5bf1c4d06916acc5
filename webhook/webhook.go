// Package webhook receives Casehook's requests: webhooks about cases, claims, contacts and endpoints, and the
// questions of AboutToSubmit callbacks.
//
// A [Verifier] has the secrets. [Handler] and [Callback] make an http.Handler of a function: they limit the body,
// verify the signature, decode into typed payloads and answer with the right status. Programs with a router or a
// queue of their own use [Verifier.Parse], [Verifier.Verify] and [Decode].
//
// Webhooks are delivered at least once. Drop duplicates by [Event.ID], which is
// the same on every attempt, and messages that are older than the newest one by
// [Event.Sequence].
package webhook

import "errors"

// The faults of a request. They are wrapped: match them with errors.Is.
var (
	// ErrSecret means that a secret or public key can't be read. It does not quote it.
	ErrSecret = errors.New("webhook: the secret can't be read")
	// ErrHeaders means that webhook-id, webhook-timestamp or webhook-signature is missing, or that the timestamp is
	// not a number.
	ErrHeaders = errors.New("webhook: a header is missing or wrong")
	// ErrTimestamp means that the request was signed too long ago, or too far ahead.
	ErrTimestamp = errors.New("webhook: the timestamp is too far from now")
	// ErrSignature means that no signature was made with a secret of the verifier.
	ErrSignature = errors.New("webhook: no signature is valid")
	// ErrTooLarge means that the body is over the limit.
	ErrTooLarge = errors.New("webhook: the body is too large")
	// ErrBody means that the body does not have the published shape.
	ErrBody = errors.New("webhook: the body can't be read")
)
