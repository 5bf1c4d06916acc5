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

// PasswordCost holds the parameters of argon2id.
type PasswordCost struct {
	Memory, Passes uint32 // of KiB; over the memory
	Threads        uint8
}

// DefaultPasswordCost returns the cost in use: 19 MiB and two passes, about 30 ms of one core.
func DefaultPasswordCost() PasswordCost { return PasswordCost{Memory: 19 << 10, Passes: 2, Threads: 1} }

const (
	passwordSalt = 16 // bytes
	passwordKey  = 32 // bytes
)

// The bounds of a password, in characters.
const (
	MinPassword = 12
	MaxPassword = 200
)

// PasswordProblem returns why a password is not accepted, or "".
func PasswordProblem(password string) string {
	switch n := utf8.RuneCountInString(password); {
	case !utf8.ValidString(password):
		return "is not UTF-8"
	case n < MinPassword:
		return fmt.Sprintf("is shorter than %d characters; a password has %[1]d to %d", MinPassword, MaxPassword)
	case n > MaxPassword:
		return fmt.Sprintf("is longer than %d characters; a password has %d to %[1]d", MaxPassword, MinPassword)
	}
	return ""
}

// HashPassword hashes a password with a salt drawn from r. The result is in PHC form and records its cost.
func HashPassword(r io.Reader, cost PasswordCost, password string) (string, error) {
	salt := make([]byte, passwordSalt)
	if _, err := io.ReadFull(r, salt); err != nil {
		return "", fmt.Errorf("drawing a salt: %w", err)
	}
	return formatHash(salt, cost.key(password, salt, passwordKey), cost), nil
}

// PasswordIs reports whether a hash is of this password. A malformed or empty hash is of no password, and
// the comparison takes as long as one of this cost.
func PasswordIs(hash string, cost PasswordCost, password string) bool {
	salt, key, made, ok := parseHash(hash)
	if !ok {
		salt, key, made = make([]byte, passwordSalt), make([]byte, passwordKey), cost
	}
	return subtle.ConstantTimeCompare(made.key(password, salt, uint32(len(key))), key) == 1 && ok
}

func (c PasswordCost) key(password string, salt []byte, length uint32) []byte {
	return argon2.IDKey([]byte(password), salt, c.Passes, c.Memory, c.Threads, length)
}

func formatHash(salt, key []byte, c PasswordCost) string {
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.Memory, c.Passes, c.Threads,
		encode(salt), encode(key))
}

func parseHash(hash string) (salt, key []byte, c PasswordCost, ok bool) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return nil, nil, c, false
	}
	_, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.Memory, &c.Passes, &c.Threads)
	if err != nil || c.Memory > 1<<20 || c.Passes < 1 || c.Passes > 20 || c.Threads < 1 {
		return nil, nil, c, false
	}
	salt, err = base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return nil, nil, c, false
	}
	key, err = base64.RawStdEncoding.DecodeString(parts[5])
	return salt, key, c, err == nil && len(key) >= 16 && len(key) <= 64
}
