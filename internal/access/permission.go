package access

import "github.com/casehook/casehook/internal/casetype"

// permission records that a principal's role was checked for one operation. A principal that is copied and then
// changed no longer matches it. The zero permission permits nothing.
type permission struct {
	operation Operation
	tenant    int64
	role      Role
	further   FurtherRoles
	clearance casetype.Classification
	scope     Scope
}

// Authorize checks the role for an operation. It returns the principal with the permission of this
// one operation, in place of any other; ok is false, and the principal has none, where the role
// does not permit the operation.
func (p Principal) Authorize(o Operation) (authorized Principal, ok bool) {
	p.permission = permission{}
	if !p.Role.Permits(o) {
		return p, false
	}
	p.permission = p.permissionOf(o)
	return p, true
}

// Authorized reports whether [Principal.Authorize] permitted an operation to this principal, whose
// tenant, roles, clearance and scope have not changed since.
func (p Principal) Authorized(o Operation) bool {
	return p.permission != permission{} && p.permission == p.permissionOf(o)
}

func (p Principal) permissionOf(o Operation) permission {
	return permission{
		operation: o, tenant: p.Tenant, role: p.Role, further: p.Further, clearance: p.Clearance, scope: p.Scope,
	}
}
