package access_test

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/crypto/argon2"

	"github.com/casehook/casehook/internal/access"
)

func TestAPasswordIsKnownByItsHash(t *testing.T) {
	cost := access.DefaultPasswordCost()
	hash, err := access.HashPassword(rand.Reader, cost, "correct horse")
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") || strings.Contains(hash, "horse") {
		t.Fatalf("the hash is %q, %v", hash, err)
	}
	if again, _ := access.HashPassword(rand.Reader, cost, "correct horse"); again == hash {
		t.Error("two hashes have the same salt")
	}
	if !access.PasswordIs(hash, cost, "correct horse") || access.PasswordIs(hash, cost, "correct horsE") ||
		access.PasswordIs(hash, cost, "") {
		t.Error("the wrong password is accepted, or the right one is not")
	}
	zero := "AAAAAAAAAAAAAAAAAAAAAA"
	for _, none := range []string{
		"", "x", "$argon2id$v=19$m=1$a$b", "$argon2i$v=19$m=19456,t=2,p=1$" + zero + "$" + zero,
		"$argon2id$v=19$m=99999999,t=2,p=1$" + zero + "$" + zero, "$argon2id$v=19$m=8,t=1,p=1$" + zero + "$",
	} {
		if access.PasswordIs(none, cost, "") || access.PasswordIs(none, cost, "x") {
			t.Errorf("%q is the hash of a password", none)
		}
	}
}

// A hash must not cost the server much, and must be long enough to be safe.
func TestAHashHasBounds(t *testing.T) {
	const password = "correct horse"
	salt, encode := make([]byte, 16), base64.RawStdEncoding.EncodeToString
	for name, test := range map[string]struct {
		passes, memory uint32
		threads        uint8
		key            int // bytes
		good           bool
	}{
		"the least":       {passes: 1, memory: 8, threads: 1, key: 16, good: true},
		"the longest":     {passes: 20, memory: 8, threads: 2, key: 64, good: true},
		"no passes":       {passes: 0, memory: 8, threads: 1, key: 16},
		"too many passes": {passes: 21, memory: 8, threads: 1, key: 16},
		"no threads":      {passes: 1, memory: 8, threads: 0, key: 16},
		"too much memory": {passes: 1, memory: 1<<20 + 1, threads: 1, key: 16},
		"too short a key": {passes: 1, memory: 8, threads: 1, key: 15},
		"too long a key":  {passes: 1, memory: 8, threads: 1, key: 65},
		"no key":          {passes: 1, memory: 8, threads: 1},
	} {
		key := make([]byte, test.key)
		if test.key > 0 && test.passes > 0 && test.threads > 0 && test.memory == 8 {
			key = argon2.IDKey([]byte(password), salt, test.passes, test.memory, test.threads, uint32(test.key))
		}
		hash := fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s",
			test.memory, test.passes, test.threads, encode(salt), encode(key))
		if good := access.PasswordIs(hash, access.PasswordCost{Memory: 8, Passes: 1, Threads: 1},
			password); good != test.good {
			t.Errorf("%s: %v", name, good)
		}
	}
}

func TestPasswordsHaveBounds(t *testing.T) {
	for password, ok := range map[string]bool{
		"": false, "eleven char": false, "twelve chars": true, strings.Repeat("ü", 200): true,
		strings.Repeat("x", 201): false, "\xffxxxxxxxxxxxxxxx": false,
	} {
		if message := access.PasswordProblem(password); (message == "") != ok {
			t.Errorf("%q: %q", password, message)
		}
	}
}
