package access

import (
	"slices"
	"strings"

	"github.com/casehook/casehook/internal/casetype"
)

// FurtherRoles are the roles of a user or a token besides their Role, by which case types know them: names in order,
// with a space between two of them. They permit nothing that the Role does not.
type FurtherRoles string

// MaxFurtherRoles is how many further roles a user or a token can have.
const MaxFurtherRoles = 100

// NewFurtherRoles returns further roles by their names, of which none has a space.
func NewFurtherRoles(names []string) FurtherRoles {
	names = slices.Clone(names)
	slices.Sort(names)
	return FurtherRoles(strings.Join(slices.Compact(names), " "))
}

// Names lists the roles in order.
func (f FurtherRoles) Names() []string { return strings.Fields(string(f)) }

// Includes reports whether f has all that other has.
func (f FurtherRoles) Includes(other FurtherRoles) bool { return other.Within(f) == other }

// Within returns those of the roles that bound has as well.
func (f FurtherRoles) Within(bound FurtherRoles) FurtherRoles {
	outside := func(name string) bool { return !slices.Contains(bound.Names(), name) }
	return NewFurtherRoles(slices.DeleteFunc(f.Names(), outside))
}

// among reports whether a list of roles has one of f.
func (f FurtherRoles) among(roles []string) bool {
	return f != "" && slices.ContainsFunc(f.Names(), func(name string) bool { return slices.Contains(roles, name) })
}

// Among reports whether a list of roles has one of the principal's. An absent list has all of them, and every list has
// the administrators.
func (p Principal) Among(roles []string) bool { return p.Role.Among(roles) || p.Further.among(roles) }

// Sight returns the principal's clearance with their roles: what they see of cases. The clearance alone sees no field
// that only some roles may read.
func (p Principal) Sight() casetype.Classification {
	switch {
	case p.Role == Admin:
		return p.Clearance.WithAllRoles()
	case p.Further == "":
		return p.Clearance.WithRoles(string(p.Role))
	}
	return p.Clearance.WithRoles(string(p.Role), string(p.Further))
}

// RoleNames lists the principal's roles.
func (p Principal) RoleNames() []string {
	return append([]string{string(p.Role)}, p.Further.Names()...)
}
