package access

import (
	"crypto/subtle"
	"time"

	"github.com/casehook/casehook/internal/casetype"
)

// PortalLink lets the holder of its secret see and repair the messages of some endpoints, as a [Receiver]. Only the
// hash of the secret is kept.
type PortalLink struct {
	ID        string
	Tenant    int64
	Name      string // of the endpoint, or of the value in metadata
	Scope     Scope
	Clearance casetype.Classification // at most that of the link's maker
	Hash      []byte                  // SHA-256 of the secret half
	CreatedBy string                  // the name of its maker
	CreatedAt time.Time
	ExpiresAt time.Time
}

// Scope selects endpoints: the one with an id, or else those with a value in their metadata. The zero Scope selects
// none.
type Scope struct {
	Endpoint   string
	Key, Value string

	// Role and Further are those of the link's maker: the holder sees no messages about case types that these may not
	// read.
	Role    Role
	Further FurtherRoles
}

// Selects reports whether a scope selects an endpoint, by its id and its metadata.
func (s Scope) Selects(id string, metadata map[string]string) bool {
	if s.Endpoint != "" {
		return s.Endpoint == id
	}
	value, has := metadata[s.Key]
	return s.Key != "" && has && value == s.Value
}

// InScope reports whether a principal may know of an endpoint, as far as its scope decides.
func (p Principal) InScope(id string, metadata map[string]string) bool {
	return p.Role != Receiver || p.Scope.Selects(id, metadata)
}

// Unscoped returns a receiver as its link's maker, whose rights limit what the receiver sees of messages. It returns
// others unchanged.
func (p Principal) Unscoped() Principal {
	if p.Role == Receiver {
		p.Role, p.Further, p.Scope, p.permission = p.Scope.Role, p.Scope.Further, Scope{}, permission{}
	}
	return p
}

const portalPrefix = "chp_"

// PortalSecret returns the value in a portal link: chp_<id>.<secret>.
func PortalSecret(id, secret string) string { return portalPrefix + id + "." + secret }

// ParsePortalSecret splits the value in a portal link into its parts.
func ParsePortalSecret(value string) (id, secret string, ok bool) {
	return parseSecret(value, portalPrefix)
}

// Valid reports whether secret is the link's and the link has not expired.
func (l PortalLink) Valid(secret string, now time.Time) bool {
	same := subtle.ConstantTimeCompare(l.Hash, digest(secret)) == 1
	return same && now.Before(l.ExpiresAt)
}
