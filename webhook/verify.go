package webhook

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// DefaultTolerance is the largest difference between a request's timestamp and now.
const DefaultTolerance = 5 * time.Minute

// maxSignatures bounds the signatures of one request that are checked: a rotation has two or three, and each costs
// time.
const maxSignatures = 16

// Verifier tells Casehook's requests from others. Set its fields before its first use; after that it is safe for
// concurrent use.
type Verifier struct {
	Tolerance time.Duration    // zero: DefaultTolerance
	Now       func() time.Time // nil: time.Now

	secrets    [][]byte            // of v1
	publicKeys []ed25519.PublicKey // of v1a
}

// NewVerifier makes a Verifier of an endpoint's or callback's secrets ("whsec_..."), its public keys ("whpk_..."),
// or both. One that matches is enough: while a secret is rotated, pass the new one and the old one. The error is
// ErrSecret.
func NewVerifier(secrets ...string) (*Verifier, error) {
	if len(secrets) == 0 {
		return nil, fmt.Errorf("%w: there is none", ErrSecret)
	}
	v := &Verifier{}
	for i, secret := range secrets {
		if err := v.trust(strings.TrimSpace(secret)); err != nil {
			return nil, fmt.Errorf("%w: number %d %s", ErrSecret, i+1, err)
		}
	}
	return v, nil
}

func (v *Verifier) trust(secret string) error {
	if encoded, found := strings.CutPrefix(secret, publicPrefix); found {
		key, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil || len(key) != ed25519.PublicKeySize {
			return fmt.Errorf("is not %s and %d bytes in base64", publicPrefix, ed25519.PublicKeySize)
		}
		v.publicKeys = append(v.publicKeys, key)
		return nil
	}
	key, err := parseSecret(secret)
	if err == nil {
		v.secrets = append(v.secrets, key)
	}
	return err
}

// Verify checks that a request is Casehook's, by its headers and by the bytes of
// its body as they arrived. The error is ErrHeaders, ErrTimestamp or
// ErrSignature. Signatures are compared in constant time.
//
// The webhook-id, the webhook-timestamp and the body are signed. Other headers
// are not.
func (v *Verifier) Verify(header http.Header, body []byte) error {
	id, timestamp, signatures := header.Get(headerID), header.Get(headerTimestamp), header.Get(headerSignature)
	for _, name := range []string{headerID, headerTimestamp, headerSignature} {
		if header.Get(name) == "" {
			return fmt.Errorf("%w: there is no %s", ErrHeaders, name)
		}
	}
	at, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return fmt.Errorf("%w: %s is not a number of seconds", ErrHeaders, headerTimestamp)
	}
	if !v.near(time.Unix(at, 0)) {
		return ErrTimestamp
	}
	return v.anyOf(signatures, content(id, timestamp, body))
}

func (v *Verifier) near(at time.Time) bool {
	now, tolerance := v.Now, v.Tolerance
	if now == nil {
		now = time.Now
	}
	if tolerance == 0 {
		tolerance = DefaultTolerance
	}
	age := now().Sub(at) // Sub and Abs saturate
	return age <= tolerance && age >= -tolerance
}

// anyOf looks for a signature that one of the keys has made.
func (v *Verifier) anyOf(signatures string, signed []byte) error {
	var right [][]byte
	for _, key := range v.secrets {
		right = append(right, mac(key, signed))
	}
	for i, signature := range strings.Fields(signatures) {
		if i == maxSignatures {
			break
		}
		version, encoded, _ := strings.Cut(signature, ",")
		given, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			continue
		}
		switch version {
		case "v1":
			for _, want := range right {
				if hmac.Equal(given, want) {
					return nil
				}
			}
		case "v1a":
			for _, key := range v.publicKeys {
				if ed25519.Verify(key, signed, given) {
					return nil
				}
			}
		}
	}
	return ErrSignature
}

// The headers of signatures.
const (
	headerID        = "webhook-id"
	headerTimestamp = "webhook-timestamp"
	headerSignature = "webhook-signature"
)

const (
	secretPrefix = "whsec_"
	publicPrefix = "whpk_"
)

// content returns the signed bytes.
func content(id, timestamp string, body []byte) []byte {
	signed := make([]byte, 0, len(id)+len(timestamp)+len(body)+2)
	signed = append(signed, id...)
	signed = append(signed, '.')
	signed = append(signed, timestamp...)
	signed = append(signed, '.')
	return append(signed, body...)
}

func mac(key, signed []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(signed)
	return h.Sum(nil)
}

func parseSecret(secret string) ([]byte, error) {
	encoded, found := strings.CutPrefix(secret, secretPrefix)
	key, err := base64.StdEncoding.DecodeString(encoded)
	if !found || err != nil || len(key) == 0 {
		return nil, fmt.Errorf("is not %s and a key in base64", secretPrefix)
	}
	return key, nil
}
