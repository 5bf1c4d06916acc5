// Package access defines principals, their roles and clearances, and the operations that they permit. It is pure:
// the store keeps the tokens, the API reads the header.
package access

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
)

// Token is a named bearer token. Only its hash is kept.
type Token struct {
	ID        string
	Tenant    int64
	Name      string
	Hash      []byte // SHA-256 of the secret half
	Role      Role
	Further   FurtherRoles
	Clearance casetype.Classification
	Allowed   []netip.Prefix // addresses it may be used from; none: all
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never
	LastUsed  time.Time // at most a minute behind; zero: never used

	User  event.Person // whose own token it is, by their present name; zero: it is the tenant's
	Bound Grant        // of an own token: the user's present rights; zero: the user is disabled or gone
}

// Own reports whether the token is a user's own.
func (t Token) Own() bool { return t.User.UserID != 0 }

// From reports whether the token may be used from an address.
func (t Token) From(address string) bool {
	if len(t.Allowed) == 0 {
		return true
	}
	a, err := netip.ParseAddr(address)
	return err == nil && slices.ContainsFunc(t.Allowed, func(p netip.Prefix) bool {
		return p.Contains(a.Unmap().WithZone(""))
	})
}

// Principal is the authenticated sender of a request.
type Principal struct {
	Tenant     int64
	Actor      event.Actor
	Role       Role
	Further    FurtherRoles
	OnCase     CaseRoles
	Clearance  casetype.Classification // the highest that may be seen
	Scope      Scope                   // of a receiver: their endpoints; others have none
	Credential Credential

	permission permission
}

// Redact returns an actor as the principal may see it. All see the name of an actor, and the whole of their own
// record, which for a user includes those of their own tokens. The address and the token of a colleague's request are
// for managers and administrators, and so is an e-mail address that serves as a name.
func (p Principal) Redact(a event.Actor) event.Actor {
	user := p.Actor.UserID
	self := user != 0 && (a.UserID == user || a.Owner.UserID == user) ||
		a.TokenID != "" && a.TokenID == p.Actor.TokenID
	if !self && !p.Role.Includes(Manager) {
		a.TokenID, a.Address = "", ""
		a.Name, a.Owner.Name = withoutAddresses(a.Name), withoutAddresses(a.Owner.Name)
	}
	return a
}

// RedactPerson returns a user of the tenant as the principal may see them: an e-mail address in the name
// is for managers, administrators and the user alone.
func (p Principal) RedactPerson(who event.Person) event.Person {
	who.Name = p.Redact(event.Actor{UserID: who.UserID, Name: who.Name}).Name
	return who
}

var emailAddress = regexp.MustCompile(`([^\s<>()\[\],;:"@]+)@[^\s<>()\[\],;:"@]+`)

// withoutAddresses reduces each e-mail address in a name to the part before the @.
func withoutAddresses(name string) string { return emailAddress.ReplaceAllString(name, "$1") }

const prefix = "chk_"

// NewToken draws a token's secret from r and returns it with its hash. The
// bearer value is [Bearer] of the token's id and this secret, shown once.
func NewToken(r io.Reader) (secret string, hash []byte, err error) {
	var b [32]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return "", nil, fmt.Errorf("drawing a token: %w", err)
	}
	secret = base64.RawURLEncoding.EncodeToString(b[:])
	return secret, digest(secret), nil
}

// Bearer returns the value that a client sends: chk_<id>.<secret>. The id finds the row, so that the
// secret is compared in constant time and never searched for.
func Bearer(id, secret string) string { return prefix + id + "." + secret }

// ParseBearer splits a bearer value into its parts.
func ParseBearer(bearer string) (id, secret string, ok bool) { return parseSecret(bearer, prefix) }

// parseSecret splits a value of the form <prefix><id>.<secret>.
func parseSecret(value, prefix string) (id, secret string, ok bool) {
	rest, ok := strings.CutPrefix(value, prefix)
	if !ok {
		return "", "", false
	}
	id, secret, ok = strings.Cut(rest, ".")
	return id, secret, ok && id != "" && secret != ""
}

// Valid reports whether secret is the token's and the token has not expired.
func (t Token) Valid(secret string, now time.Time) bool {
	same := subtle.ConstantTimeCompare(t.Hash, digest(secret)) == 1
	return same && (t.ExpiresAt.IsZero() || now.Before(t.ExpiresAt))
}

func digest(secret string) []byte {
	sum := sha256.Sum256([]byte(secret)) // 256 random bits need no slow hash
	return sum[:]
}
