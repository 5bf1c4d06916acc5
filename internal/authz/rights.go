package authz

import (
	"github.com/casehook/casehook/internal/access"
)

// RightsChanged returns a channel that is closed when the rights of any user or token may have changed.
func (g *Guard) RightsChanged(p access.Principal) <-chan struct{} {
	return g.store.RightsChanged(p.Tenant)
}

// RightsUnchanged reports whether a principal's rights are certain to be the same as when they were authenticated.
func (g *Guard) RightsUnchanged(p access.Principal) bool {
	return g.store.RightsUnchanged(p.Tenant, p.Credential.Moment, p.Credential.At)
}
