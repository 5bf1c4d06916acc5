package outbound

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

const (
	privateKeyPrefix = "whsk_"
	publicKeyPrefix  = "whpk_"
)

// SignV1a returns a Standard Webhooks signature of version 1a: "v1a," and the
// base64 of the Ed25519 signature over id, at in seconds, and body.
func SignV1a(key ed25519.PrivateKey, id string, at time.Time, body []byte) string {
	return "v1a," + base64.StdEncoding.EncodeToString(ed25519.Sign(key, append(signedHead(id, at), body...)))
}

// NewSeed returns a random seed of a private key. It reads from r, normally crypto/rand.Reader.
func NewSeed(r io.Reader) ([]byte, error) {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(r, seed); err != nil {
		return nil, fmt.Errorf("drawing a private key: %w", err)
	}
	return seed, nil
}

// FormatPublicKey returns the public key of a seed as receivers configure it:
// "whpk_" and its base64.
func FormatPublicKey(seed []byte) string {
	public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	return publicKeyPrefix + base64.StdEncoding.EncodeToString(public)
}

// ParsePrivateKey reads "whsk_" and the base64 of a private key: of its seed
// alone, or of seed and public key. It returns the seed. Its errors never quote it.
func ParsePrivateKey(s string) ([]byte, error) {
	encoded, found := strings.CutPrefix(s, privateKeyPrefix)
	if !found {
		return nil, errors.New("a private key begins with " + privateKeyPrefix)
	}
	key, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return nil, errors.New("a private key is base64 after " + privateKeyPrefix)
	}
	switch len(key) {
	case ed25519.SeedSize:
		return key, nil
	case ed25519.PrivateKeySize:
		if seed := key[:ed25519.SeedSize]; ed25519.NewKeyFromSeed(seed).Equal(ed25519.PrivateKey(key)) {
			return seed, nil
		}
		return nil, errors.New("the public half of the private key does not belong to the other")
	}
	return nil, fmt.Errorf("a private key has %d or %d bytes, not %d", ed25519.SeedSize,
		ed25519.PrivateKeySize, len(key))
}
