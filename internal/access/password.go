package access

import (
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// What argon2id costs: 19 MiB and two passes, some 30 ms of one core.
const (
	passwordMemory  = 19 << 10 // KiB
	passwordPasses  = 2
	passwordThreads = 1
	passwordSalt    = 16 // bytes
	passwordKey     = 32 // bytes
)

// The bounds of a password, in characters.
const (
	MinPassword = 12
	MaxPassword = 200
)

// PasswordProblem says why a password can't be one; empty: it can.
func PasswordProblem(password string) string {
	switch n := utf8.RuneCountInString(password); {
	case !utf8.ValidString(password):
		return "is not UTF-8"
	case n < MinPassword:
		return fmt.Sprintf("is shorter than %d characters", MinPassword)
	case n > MaxPassword:
		return fmt.Sprintf("is longer than %d characters", MaxPassword)
	}
	return ""
}

// HashPassword hashes a password with argon2id and a salt drawn from r. The
// result is in PHC form and says how it was made.
func HashPassword(r io.Reader, password string) (string, error) {
	salt := make([]byte, passwordSalt)
	if _, err := io.ReadFull(r, salt); err != nil {
		return "", fmt.Errorf("drawing a salt: %w", err)
	}
	key := argon2.IDKey([]byte(password), salt, passwordPasses, passwordMemory, passwordThreads, passwordKey)
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, passwordMemory, passwordPasses, passwordThreads, encode(salt), encode(key)), nil
}

// decoy is what a password is held against when there is no hash of one, so that
// it takes as long to learn nothing.
var decoy = fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, passwordMemory, passwordPasses, passwordThreads,
	base64.RawStdEncoding.EncodeToString(make([]byte, passwordSalt)), base64.RawStdEncoding.EncodeToString(make([]byte, passwordKey)))

// PasswordIs reports whether a hash is of this password. A hash that is none, the
// empty one too, is of no password, and takes as long to say so.
func PasswordIs(hash, password string) bool {
	salt, key, h, ok := parseHash(hash)
	if !ok {
		salt, key, h, _ = parseHash(decoy)
	}
	got := argon2.IDKey([]byte(password), salt, h.passes, h.memory, h.threads, uint32(len(key)))
	return subtle.ConstantTimeCompare(got, key) == 1 && ok
}

// cost is how a hash was made.
type cost struct {
	memory, passes uint32
	threads        uint8
}

func parseHash(hash string) (salt, key []byte, c cost, ok bool) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return nil, nil, c, false
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.memory, &c.passes, &c.threads); err != nil || c.memory > 1<<20 || c.passes < 1 || c.passes > 20 || c.threads < 1 {
		return nil, nil, c, false
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return nil, nil, c, false
	}
	key, err = base64.RawStdEncoding.DecodeString(parts[5])
	return salt, key, c, err == nil && len(key) >= 16 && len(key) <= 64
}
