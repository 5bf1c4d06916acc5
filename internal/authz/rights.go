package authz

import (
	"github.com/casehook/casehook/internal/access"
)

// RightsChanged returns a channel that is closed when what somebody may read, or do, may
// have changed.
func (g *Guard) RightsChanged(p access.Principal) <-chan struct{} {
	return g.store.RightsChanged(p.Tenant)
}

// RightsHeld reports whether somebody may surely do what they could when they were
// authenticated.
func (g *Guard) RightsHeld(p access.Principal) bool {
	return g.store.RightsHeld(p.Tenant, p.Credential.Moment, p.Credential.At)
}
