package access_test

import (
	"crypto/rand"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/event"
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

func TestATokenIsUsedFromTheAddressesItIsFor(t *testing.T) {
	office := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32")}
	for _, c := range []struct {
		allowed []netip.Prefix
		address string
		want    bool
	}{
		{nil, "198.51.100.1", true},
		{nil, "", true},
		{office, "192.0.2.7", true},
		{office, "::ffff:192.0.2.7", true},
		{office, "2001:db8::1", true},
		{office, "2001:db8::1%eth0", true},
		{office, "198.51.100.1", false},
		{office, "192.0.2", false},
		{office, "", false},
	} {
		if got := (access.Token{Allowed: c.allowed}).From(c.address); got != c.want {
			t.Errorf("from %q with the addresses %v: %v", c.address, c.allowed, got)
		}
	}
}

// Colleagues see only the name of an actor, without e-mail addresses. The actor and managers see all.
func TestAnActorIsRedactedForColleagues(t *testing.T) {
	person := event.Actor{Source: event.UI, UserID: 7, Name: "ada@example.org (Ada)", Address: "192.0.2.7"}
	program := event.Actor{Source: event.API, TokenID: "tok_1", Name: "crm of ada@example.org", Address: "192.0.2.8"}
	shownPerson := event.Actor{Source: event.UI, UserID: 7, Name: "ada (Ada)"}
	shownProgram := event.Actor{Source: event.API, Name: "crm of ada"}
	for _, c := range []struct {
		name          string
		role          access.Role
		as            event.Actor
		actor, wanted event.Actor
	}{
		{"a person to themselves", access.Viewer, event.Actor{UserID: 7}, person, person},
		{"a person to a colleague", access.Caseworker, event.Actor{UserID: 8}, person, shownPerson},
		{"a person to a program", access.Caseworker, event.Actor{TokenID: "tok_1"}, person, shownPerson},
		{"a person to a manager", access.Manager, event.Actor{UserID: 8}, person, person},
		{"a person to an administrator", access.Admin, event.Actor{UserID: 8}, person, person},
		{"a program to itself", access.Viewer, event.Actor{TokenID: "tok_1"}, program, program},
		{"a program to another", access.Viewer, event.Actor{TokenID: "tok_2"}, program, shownProgram},
		{"a program to a person", access.Viewer, event.Actor{UserID: 7}, program, shownProgram},
		{"a program to a manager", access.Manager, event.Actor{UserID: 8}, program, program},
	} {
		if diff := cmp.Diff(c.wanted, access.Principal{Role: c.role, Actor: c.as}.Redact(c.actor)); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
	viewer := access.Principal{Role: access.Viewer, Actor: event.Actor{UserID: 8}}
	named := event.Person{UserID: 7, Name: "ada@example.org"}
	if got := viewer.RedactPerson(named); got != (event.Person{UserID: 7, Name: "ada"}) {
		t.Errorf("a colleague is shown as %+v", got)
	}
	viewer.Actor.UserID = 7
	if got := viewer.RedactPerson(named); got != named {
		t.Errorf("a person is shown to themselves as %+v", got)
	}
}

func TestParseBearerRefusesOtherShapes(t *testing.T) {
	for _, s := range []string{"", "chk_", "chk_a", "chk_.b", "chk_a.", "x_a.b"} {
		if _, _, ok := access.ParseBearer(s); ok {
			t.Errorf("%q is accepted as a bearer token", s)
		}
	}
}

func TestNewTokenFailsWithoutRandomness(t *testing.T) {
	if _, _, err := access.NewToken(strings.NewReader("short")); err == nil {
		t.Error("NewToken succeeded with too little randomness")
	}
}
