package access

import (
	"regexp"
	"slices"
	"strings"

	"github.com/casehook/casehook/internal/casetype"
)

// FurtherRoles are the roles of a user or a token besides their Role, by which case types know them: names in order,
// with a space between two of them. They permit nothing that the Role does not.
type FurtherRoles string

// MaxFurtherRoles is how many further roles a user or a token can have.
const MaxFurtherRoles = 100

var furtherRole = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,69}$`)

// ValidFurtherRole reports whether a name is one of a further role. Those in brackets are granted case by case.
func ValidFurtherRole(name string) bool {
	return furtherRole.MatchString(name) && Role(name).rank() < 0
}

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
func (p Principal) Among(roles []string) bool {
	return p.Role.Among(roles) || p.Further.among(roles) || p.OnCase.Roles.among(roles)
}

// CaseRoles are the roles that a principal was granted on the case that a request is about.
type CaseRoles struct {
	Case  int64 // 0: it does not exist yet
	Roles FurtherRoles
}

// Holders lists what stands for the principal where roles are granted on cases: the user or the token, the user whose
// own token it is, and each of their further roles as a group.
func (p Principal) Holders() (all []string) {
	if owner := p.Owner(); owner != "" {
		all = append(all, string(owner))
	}
	if id := p.Actor.Owner.UserID; id != 0 {
		all = append(all, string(User{ID: id}.Owner()))
	}
	for _, name := range p.Further.Names() {
		all = append(all, GroupHolder(name))
	}
	return all
}

// GroupHolder returns what stands for all that have a further role.
func GroupHolder(further string) string { return "group/" + further }

// Sight returns the principal's clearance with their roles: what they see of cases. The clearance alone sees no field
// that only some roles may read.
func (p Principal) Sight() casetype.Classification {
	switch {
	case p.Role == Admin:
		return p.Clearance.WithAllRoles()
	case p.Further == "" && p.OnCase.Roles == "":
		return p.Clearance.WithRoles(string(p.Role))
	}
	return p.Clearance.WithRoles(p.RoleNames()...)
}

// RoleNames lists the principal's roles.
func (p Principal) RoleNames() []string {
	return slices.Concat([]string{string(p.Role)}, p.Further.Names(), p.OnCase.Roles.Names())
}
