package access_test

import (
	"crypto/rand"
	"strings"
	"testing"

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
		t.Error("the wrong password is taken, or the right one is not")
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
