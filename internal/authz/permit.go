package authz

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/definitions"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/input"
)

// Authorize checks whether a role permits an operation, and returns the principal with that permission. It does not
// check a principal again that has the permission already. It records a refusal in the audit.
func (g *Guard) Authorize(ctx context.Context, p access.Principal, o access.Operation) (access.Principal, error) {
	if p.Authorized(o) {
		return p, nil
	}
	g.checked(o)
	authorized, ok := p.Authorize(o)
	if !ok {
		return access.Principal{}, g.Deny(ctx, p, o, Subject{},
			Forbidden("The role %q may not do this; %s may.", p.Role, RoleNames(access.Permitted(o))))
	}
	return authorized, nil
}

// Permit is Authorize for callers that need no principal. Every use case calls it, so that it is safe for every
// caller; if it is about a case, the case's type may narrow the rights.
func (g *Guard) Permit(ctx context.Context, p access.Principal, o access.Operation) error {
	_, err := g.Authorize(ctx, p, o)
	return err
}

// PermitType is Permit for an operation on cases of a type, by its newest definition. It returns the error of a
// missing type if the caller may not read the type's cases. It returns nil for a type that is missing or above the
// clearance: the operation itself reports it missing.
func (g *Guard) PermitType(ctx context.Context, p access.Principal, o access.Operation, key string) error {
	if err := g.Permit(ctx, p, o); err != nil {
		return err
	}
	return g.PermitOfType(ctx, p, o, key, definitions.Missing(key))
}

// PermitOfType refuses callers whom a type's newest definition excludes from an operation. It returns missing to
// callers who may not even read the type's cases.
func (g *Guard) PermitOfType(
	ctx context.Context, p access.Principal, o access.Operation, key string, missing error,
) error {
	if p.Role == access.Admin || !input.Word(key) {
		return nil
	}
	t, err := g.definitions.At(ctx, g.store, p.Tenant, key, 0)
	if errors.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if !p.Clearance.Sees(t.Type.Definition.Classification) {
		return nil // the operation reports it missing
	}
	return g.denyLeftOut(ctx, onSomeCase(p, o, t.Type), o, t.Type, missing)
}

// onSomeCase returns the principal with the roles that they may be granted on cases of a type: all of them for what
// only reads, such as the definition, and that of who creates a case for what leads to one.
func onSomeCase(p access.Principal, o access.Operation, t *casetype.Type) access.Principal {
	switch {
	case o.Reads():
		p.OnCase.Roles = access.NewFurtherRoles(t.CaseRoles())
	case slices.Contains(creating, o):
		p.OnCase = AsCreator(t)
	}
	return p
}

// creating are the operations that lead to a case which does not exist yet.
var creating = []access.Operation{
	access.CreateCase, access.StartTransition, access.CheckPage, access.DryRunTransition,
}

// AsCreator returns the roles that whoever creates a case of a type has on it.
func AsCreator(t *casetype.Type) access.CaseRoles {
	if t.Roles[casetype.Creator].Of != casetype.OfCase {
		return access.CaseRoles{}
	}
	return access.CaseRoles{Roles: casetype.Creator}
}

// denyLeftOut refuses callers whom a type excludes from an operation. It returns missing to callers who may not even
// read the type's cases.
func (g *Guard) denyLeftOut(
	ctx context.Context, p access.Principal, o access.Operation, t *casetype.Type, missing error,
) error {
	refused := LeftOut(p, o, t)
	if refused == nil {
		return nil
	}
	if !p.Among(t.Access.Read) {
		refused = missing
	}
	return g.Deny(ctx, p, o, AboutType(t.Key, t.Definition.Classification), refused)
}

// LeftOut returns the refusal of a caller whom the case type excludes from an operation; nil: it does not.
func LeftOut(p access.Principal, o access.Operation, t *casetype.Type) error {
	if p.Among(t.Access.Read) && (o.Reads() || p.Among(t.Access.Write)) {
		return nil
	}
	narrowed := [][]string{t.Access.Read}
	if !o.Reads() {
		narrowed = append(narrowed, t.Access.Write)
	}
	return fault.New(fault.Forbidden, "access.denied",
		"The role %q may not do this with cases of %s; %s may.", p.Role, t.Key,
		RoleNames(access.Permitted(o, narrowed...)))
}

// RoleNames joins the names of roles: "caseworker, manager and admin".
func RoleNames(roles []string) string {
	var b strings.Builder
	for i, r := range roles {
		switch {
		case i > 0 && i == len(roles)-1:
			b.WriteString(" and ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(r)
	}
	return b.String()
}

// Hides reports whether a caller may not know of a case type at all.
func Hides(p access.Principal, t *casetype.Type) bool {
	knows := onSomeCase(p, access.GetCaseType, t).Among(t.Access.Read)
	return !p.Clearance.Sees(t.Definition.Classification) || !knows
}

// PermitCase is PermitType for the type of a case. It returns the caller with the roles that they were granted on the
// case, and the error of a missing case if the caller may not read it. It permits one that does not exist: the
// operation itself reports it missing.
func (g *Guard) PermitCase(
	ctx context.Context, p access.Principal, o access.Operation, id int64,
) (access.Principal, error) {
	if err := g.Permit(ctx, p, o); err != nil || p.Role == access.Admin {
		return p, err
	}
	c, err := g.store.Case(ctx, p.Tenant, id)
	if errors.Is(err, fault.NotFound) {
		return p, nil
	}
	if err != nil {
		return p, err
	}
	return g.PermitFound(ctx, p, o, c)
}

// PermitFound is PermitCase for a case that was found. The case may be of a lower classification than its type.
func (g *Guard) PermitFound(
	ctx context.Context, p access.Principal, o access.Operation, c cases.Case,
) (access.Principal, error) {
	if !p.Clearance.Sees(c.Classification) {
		return p, nil // the operation reports it missing
	}
	if p.Role == access.Admin {
		return p, nil
	}
	t, err := g.definitions.At(ctx, g.store, p.Tenant, c.Type, 0)
	if errors.Is(err, fault.NotFound) {
		return p, nil
	}
	if err == nil && len(t.Type.CaseRoles()) > 0 {
		p.OnCase, err = caseRoles(ctx, g.store, p, c.ID)
	}
	if err != nil {
		return p, err
	}
	if !p.Among(t.Type.Access.States[c.State].Read) {
		return p, g.Deny(ctx, p, o, AboutType(t.Type.Key, t.Type.Definition.Classification), CaseMissing(c.ID))
	}
	return p, g.denyLeftOut(ctx, p, o, t.Type, CaseMissing(c.ID))
}

// caseRoles looks up the roles that a caller was granted on a case.
func caseRoles(
	ctx context.Context, r caseRoleReader, p access.Principal, id int64,
) (access.CaseRoles, error) {
	roles, err := r.CaseRoles(ctx, p.Tenant, id, p.Holders())
	return access.CaseRoles{Case: id, Roles: access.NewFurtherRoles(roles)}, err
}

// caseRoleReader reads the roles that are granted on cases; store.Store and store.Tx implement it.
type caseRoleReader interface {
	CaseRoles(ctx context.Context, tenant, id int64, holders []string) ([]string, error)
}

// Reader returns the caller's present rights to read; a receiver's are those of the maker of the link.
func (g *Guard) Reader(ctx context.Context, p access.Principal) (access.Reader, error) {
	narrowed, err := g.store.Narrowing(ctx, p.Tenant)
	return narrowed.Reader(p.Unscoped()), err
}

// Deny records that an operation was refused, and returns the refusal.
func (g *Guard) Deny(ctx context.Context, p access.Principal, o access.Operation, of Subject, refused error) error {
	g.NoteDenied(ctx, p, of, map[string]any{"operation": o, "role": p.Role})
	return refused
}

// Forbidden returns the refusal of an operation that the caller may not carry out.
func Forbidden(detail string, args ...any) error {
	return fault.New(fault.Forbidden, "access.denied", detail, args...)
}

// CaseMissing returns the error of a case that does not exist, or that the caller may not see.
func CaseMissing(id int64) error {
	return fault.New(fault.NotFound, "case.not_found", "There is no case %d.", id)
}

// OwnersReader returns the present rights to read of an endpoint's owner; the endpoint receives no more.
func (s *Guard) OwnersReader(ctx context.Context, e endpoint.Endpoint) (access.Reader, error) {
	r, err := s.store.Reader(ctx, e.Tenant, access.Owner(e.Owner))
	r.Clearance = casetype.Lower(r.Clearance, e.Clearance)
	return r, err
}
