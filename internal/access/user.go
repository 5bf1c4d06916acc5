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
	Further   FurtherRoles
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

// Identity is a user's identity at an OpenID Connect provider.
type Identity struct {
	Issuer   string
	Subject  string
	Email    string
	Verified bool // the provider has made sure that the address is theirs
}

// NormalEmail returns an address in the form by which users are found: ASCII letters in lower case,
// everything else unchanged. Further folding would confuse two people's addresses: the Kelvin sign folds
// to k, and a dotted capital I to i.
func NormalEmail(email string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, strings.Trim(email, " \t\r\n"))
}

// FoldedEmail returns an address in a form that is equal for addresses that readers confuse: letter case does not
// matter. Two users must not have different addresses of one folded form.
func FoldedEmail(email string) string { return spelling.Key(NormalEmail(email)) }
