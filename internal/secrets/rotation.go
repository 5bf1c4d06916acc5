package secrets

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/outbound"
)

// Request asks for a new secret of an endpoint or a callback.
type Request struct {
	Kind    endpoint.SecretKind
	Key     []byte        // empty: a random one
	Overlap time.Duration // how long the former secrets also sign
}

// Parse parses a secret that a caller supplies, in the notation of Standard Webhooks: whsec_ is of kind v1, whsk_ of
// v1a. Its error has the code, and never quotes the secret.
func Parse(code, text string) (endpoint.SecretKind, []byte, error) {
	kind, parse := endpoint.V1, outbound.ParseKey
	if len(text) > 5 && text[:5] == "whsk_" {
		kind, parse = endpoint.V1a, outbound.ParsePrivateKey
	}
	key, err := parse(text)
	if err != nil {
		return "", nil, fault.In(code, "The secret can't be used: see fields.",
			fault.Field{Path: "/secret", Message: "can't be taken: " + err.Error()})
	}
	return kind, key, nil
}

// Holder is a kind of resource that has secrets, as named in error messages.
type Holder struct{ noun, invalid, tooMany, missing, last string }

var (
	OfEndpoints = Holder{
		"endpoint", InvalidEndpoint, "endpoint.too_many_secrets", "endpoint.secret_not_found", "endpoint.last_secret",
	}
	OfCallbacks = Holder{
		"callback", InvalidCallback, "callback.too_many_secrets", "callback.secret_not_found",
		"callback.last_secret",
	}
)

// The codes of invalid requests for secrets.
const (
	InvalidEndpoint = "endpoint.invalid"
	InvalidCallback = "callback.secret_invalid"
)

// check returns an error if the overlap is out of bounds.
func (h Holder) check(q Request) error {
	if q.Overlap < 0 || q.Overlap > endpoint.MaxOverlap {
		return fault.In(h.invalid, "The secret was not rotated: see fields.",
			fault.Field{Path: "/overlap", Message: "is not between 0s and " + endpoint.MaxOverlap.String()})
	}
	return nil
}

// rotate puts a new secret before the others. If it is already one of them, and about to expire, it no longer expires.
func (h Holder) rotate(
	secrets []endpoint.Secret, made endpoint.Secret, overlap time.Duration,
) ([]endpoint.Secret, error) {
	same := func(s endpoint.Secret) bool { return bytes.Equal(s.Key, made.Key) }
	if slices.ContainsFunc(secrets, func(s endpoint.Secret) bool { return same(s) && s.ExpiresAt.IsZero() }) {
		return nil, fault.In(h.invalid, "The secret was not rotated: see fields.",
			fault.Field{Path: "/secret", Message: "is in use already; supply another one, or none"})
	}
	rotated := endpoint.Rotate(slices.DeleteFunc(slices.Clone(secrets), same), made, overlap)
	if len(rotated) > endpoint.MaxSecrets {
		return nil, fault.New(fault.Conflict, h.tooMany,
			"The %s has %d secrets that sign. Delete one that no receiver needs any more, "+
				"or wait until one expires.", h.noun, len(rotated)-1)
	}
	return rotated, nil
}

// Remove removes a secret. The last secret that does not expire can't be removed.
func (h Holder) Remove(secrets []endpoint.Secret, id string, now time.Time) ([]endpoint.Secret, error) {
	signing := endpoint.Signing(secrets, now)
	left := slices.DeleteFunc(slices.Clone(signing), func(s endpoint.Secret) bool { return s.ID == id })
	switch {
	case len(left) == len(signing):
		return nil, fault.New(fault.NotFound, h.missing,
			"The %s has no secret with this id. List its secrets for their ids.", h.noun)
	case !endpoint.Lasting(left):
		return nil, fault.New(fault.Conflict, h.last,
			"This is the last secret that does not expire. Add another one before you delete it.")
	}
	return left, nil
}

// Describe returns descriptions of secrets for the audit.
func Describe(secrets []endpoint.Secret) []string {
	ids := make([]string, len(secrets))
	for i, secret := range secrets {
		ids[i] = fmt.Sprintf("%s (%s)", secret.ID, secret.Kind)
	}
	return ids
}

// Rotation is a secret that was made for a request.
type Rotation struct {
	Made   endpoint.Secret
	holder Holder
	q      Request
}

// NewRotation returns the rotation for a request, with its secret.
func (h Holder) NewRotation(q Request, random io.Reader, now time.Time) (Rotation, error) {
	if err := h.check(q); err != nil {
		return Rotation{}, err
	}
	if len(q.Key) > 0 {
		made := endpoint.Secret{ID: id.New("sec"), Kind: q.Kind, Key: q.Key, CreatedAt: now}
		return Rotation{Made: made, holder: h, q: q}, nil
	}
	made, err := Draw(random, q.Kind, now)
	return Rotation{Made: made, holder: h, q: q}, err
}

// Apply puts the secret before the others.
func (r Rotation) Apply(have []endpoint.Secret) ([]endpoint.Secret, error) {
	return r.holder.rotate(have, r.Made, r.q.Overlap)
}

// Draw returns a random secret of a kind.
func Draw(random io.Reader, kind endpoint.SecretKind, now time.Time) (endpoint.Secret, error) {
	draw := outbound.NewKey
	if kind == endpoint.V1a {
		draw = outbound.NewSeed
	}
	key, err := draw(random)
	return endpoint.Secret{ID: id.New("sec"), Kind: kind, Key: key, CreatedAt: now}, err
}
