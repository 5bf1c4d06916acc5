package endpoint

import (
	"slices"
	"time"
)

// Secret is a key that signs an endpoint's messages.
type Secret struct {
	ID        string
	Kind      SecretKind
	Key       []byte // of V1 the key itself, of V1a the seed of the private key
	CreatedAt time.Time
	ExpiresAt time.Time // when it stops signing; zero: never
	Tested    SecretTest
}

// SecretTest is the outcome of the last sample that a secret alone signed. The zero value: there was none.
type SecretTest struct {
	At        time.Time
	Status    int    // of the answer; 0: there was none
	Class     string // of a failure without an answer
	Delivered bool
}

// SecretKind is the algorithm of a secret, as signatures name it.
type SecretKind string

// The kinds of secrets.
const (
	V1  SecretKind = "v1"  // HMAC-SHA256: the receiver has the same secret
	V1a SecretKind = "v1a" // Ed25519: the receiver has the public key
)

// The bounds of rotation.
const (
	DefaultOverlap = 24 * time.Hour // in which the earlier secrets sign too
	MaxOverlap     = 7 * 24 * time.Hour
	MaxSecrets     = 8 // that sign at once: each is a signature in a header
)

// Signs reports whether a secret signs requests at a time.
func (s Secret) Signs(at time.Time) bool { return s.ExpiresAt.IsZero() || at.Before(s.ExpiresAt) }

// Signing returns the secrets that sign requests at a time, the newest first.
func (e Endpoint) Signing(at time.Time) []Secret { return Signing(e.Secrets, at) }

// Signing returns the secrets that sign requests at a time, in their order.
func Signing(secrets []Secret, at time.Time) []Secret {
	return slices.DeleteFunc(slices.Clone(secrets), func(s Secret) bool { return !s.Signs(at) })
}

// Lasting reports whether some secret never expires.
func Lasting(secrets []Secret) bool {
	return slices.ContainsFunc(secrets, func(s Secret) bool { return s.ExpiresAt.IsZero() })
}

// Retire lets secrets expire at a time, unless they expire before it.
func Retire(secrets []Secret, until time.Time) []Secret {
	retired := slices.Clone(secrets)
	for i, s := range retired {
		if s.Signs(until) {
			retired[i].ExpiresAt = until
		}
	}
	return retired
}

// Rotate puts a new secret first. Those of the same kind sign on for the overlap, or until they expire, if that is
// earlier; expired ones are removed.
func Rotate(secrets []Secret, newest Secret, overlap time.Duration) []Secret {
	now := newest.CreatedAt
	rotated := []Secret{newest}
	for _, s := range secrets {
		if until := now.Add(overlap); s.Kind == newest.Kind && s.Signs(until) {
			s.ExpiresAt = until
		}
		if s.Signs(now) {
			rotated = append(rotated, s)
		}
	}
	return rotated
}
