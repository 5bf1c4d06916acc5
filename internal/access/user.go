package access

import (
	"strings"
	"time"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/spelling"
)

// User is a person of a tenant.
type User struct {
	ID        int64
	Tenant    int64
	Email     string // in lower case; unique in the tenant
	Name      string
	Role      Role
	Clearance casetype.Classification
	Password  string // its hash, as [HashPassword] makes it; empty: none
	Issuer    string // of the OpenID Connect identity that signs in as this user; empty: none yet
	Subject   string // with Issuer
	Disabled  bool
	Epoch     int64 // sessions that began in another epoch are over
	Revision  int64 // grows by 1 with each change
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Identity is who an OpenID Connect provider says somebody is.
type Identity struct {
	Issuer   string
	Subject  string
	Email    string
	Verified bool // the provider has made sure that the address is theirs
}

// NormalEmail returns an address as users are found by it: letters of ASCII in lower
// case, and nothing else changed. Folding more would take one person's address for
// another's: the Kelvin sign folds to k, and a dotted capital I to i.
func NormalEmail(email string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, strings.Trim(email, " \t\r\n"))
}

// FoldedEmail returns an address as a reader may take it for another: as text is
// compared where letter case does not matter. Addresses that are equal so, and differ
// otherwise, must not belong to two users.
func FoldedEmail(email string) string { return spelling.Key(NormalEmail(email)) }
