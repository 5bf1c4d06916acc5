package authz

import (
	"github.com/casehook/casehook/internal/access"
)

// RightsChanged returns a channel that is closed when somebody's rights may have changed.
func (g *Guard) RightsChanged(p access.Principal) <-chan struct{} {
	return g.store.RightsChanged(p.Tenant)
}

// RightsHeld reports whether somebody's rights are surely the same as when they were authenticated.
func (g *Guard) RightsHeld(p access.Principal) bool {
	return g.store.RightsHeld(p.Tenant, p.Credential.Moment, p.Credential.At)
}
