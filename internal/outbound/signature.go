package outbound

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// The lengths of signing keys, in bytes.
const (
	keySize = 32 // of new keys
	minKey  = 24
	maxKey  = 64
)

const keyPrefix = "whsec_"

// Sign returns a Standard Webhooks signature of version 1: "v1," and the base64 of
// the HMAC-SHA256 over id, at in seconds, and body.
func Sign(key []byte, id string, at time.Time, body []byte) string {
	const version = "v1,"
	head := signedHead(id, at)
	mac := hmac.New(sha256.New, key)
	mac.Write(head)
	mac.Write(body)
	sum := mac.Sum(head[:0])
	var signature [len(version) + 44]byte // 32 bytes are 44 in base64
	copy(signature[:], version)
	base64.StdEncoding.Encode(signature[len(version):], sum)
	return string(signature[:])
}

// signedHead returns the signed bytes before the body.
func signedHead(id string, at time.Time) []byte {
	head := make([]byte, 0, 128)
	head = append(head, id...)
	head = append(head, '.')
	head = strconv.AppendInt(head, at.Unix(), 10)
	return append(head, '.')
}

// NewKey returns a random signing key. It reads from r, normally crypto/rand.Reader.
func NewKey(r io.Reader) ([]byte, error) {
	key := make([]byte, keySize)
	if _, err := io.ReadFull(r, key); err != nil {
		return nil, fmt.Errorf("drawing a signing key: %w", err)
	}
	return key, nil
}

// FormatKey returns a key as receivers configure it: "whsec_" and its base64.
func FormatKey(key []byte) string { return keyPrefix + base64.StdEncoding.EncodeToString(key) }

// ParseKey parses a key in the form of FormatKey. Its errors never quote the key.
func ParseKey(s string) ([]byte, error) {
	encoded, found := strings.CutPrefix(s, keyPrefix)
	if !found {
		return nil, errors.New("a signing key begins with " + keyPrefix)
	}
	key, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return nil, errors.New("a signing key is base64 after " + keyPrefix)
	}
	if len(key) < minKey || len(key) > maxKey {
		return nil, fmt.Errorf("a signing key has %d to %d bytes, not %d", minKey, maxKey, len(key))
	}
	return key, nil
}

// Fingerprint identifies a secret without revealing it: it returns the first 16 digits of the SHA-256 of the
// receiver's signing key or public key. It reveals no more than a signed message does: secrets have at least
// 24 bytes, and a guess at one that is not random can be tried on a signature just as well.
func Fingerprint(given string) string {
	sum := sha256.Sum256([]byte(given))
	return hex.EncodeToString(sum[:8])
}
