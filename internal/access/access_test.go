package access_test

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/access"
)

func TestATokenIsValidForItsSecretUntilItExpires(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	secret, hash, err := access.NewToken(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	token := access.Token{ID: "tok_1", Hash: hash}
	id, got, ok := access.ParseBearer(access.Bearer(token.ID, secret))
	if !ok || id != token.ID || got != secret {
		t.Fatalf("ParseBearer(Bearer) = %q, %q, %v", id, got, ok)
	}
	if !token.Valid(secret, now) {
		t.Error("a token without expiry is refused")
	}
	if token.Valid(secret+"x", now) || token.Valid("", now) {
		t.Error("a wrong secret is accepted")
	}
	token.ExpiresAt = now
	if token.Valid(secret, now) || !token.Valid(secret, now.Add(-time.Second)) {
		t.Error("expiry is not respected")
	}
}

func TestParseBearerRefusesOtherShapes(t *testing.T) {
	for _, s := range []string{"", "chk_", "chk_a", "chk_.b", "chk_a.", "x_a.b"} {
		if _, _, ok := access.ParseBearer(s); ok {
			t.Errorf("%q is taken for a bearer token", s)
		}
	}
}

func TestNewTokenFailsWithoutRandomness(t *testing.T) {
	if _, _, err := access.NewToken(strings.NewReader("short")); err == nil {
		t.Error("a token was drawn from too little randomness")
	}
}
