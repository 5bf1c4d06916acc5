package casework

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// CaseRoles are the roles that a user, or all that have a further role, are granted on a case.
type CaseRoles struct {
	UserID int64  // 0: a group
	Group  string // a further role
	Roles  []string
}

// Holder returns what stands for whom the roles are granted.
func (r CaseRoles) Holder() string {
	if r.UserID != 0 {
		return string(access.User{ID: r.UserID}.Owner())
	}
	return access.GroupHolder(r.Group)
}

// CaseRoles lists the roles that are granted on a case. Those that a program has by creating the case are left out.
func (s *Cases) CaseRoles(ctx context.Context, p access.Principal, id int64) (all []CaseRoles, err error) {
	if p, err = s.guard.PermitCase(ctx, p, access.ListCaseRoles, id); err != nil {
		return nil, err
	}
	if _, _, err := s.core.find(ctx, s.store, p, id); err != nil {
		return nil, err
	}
	granted, err := s.store.CaseGrants(ctx, p.Tenant, id)
	for _, g := range granted {
		group, isGroup := strings.CutPrefix(g.Holder, access.GroupHolder(""))
		one := CaseRoles{UserID: access.Owner(g.Holder).User()}
		if isGroup {
			one.Group = group
		} else if one.UserID == 0 {
			continue
		}
		last := len(all) - 1
		if last < 0 || all[last].Holder() != one.Holder() {
			all, last = append(all, one), last+1
		}
		all[last].Roles = append(all[last].Roles, g.Role)
	}
	return all, err
}

// SetCaseRoles sets all roles that a user, or all that have a further role, are granted on a case. None revokes them.
func (s *Cases) SetCaseRoles(ctx context.Context, p access.Principal, id int64, in CaseRoles) (err error) {
	if p, err = s.guard.PermitCase(ctx, p, access.SetCaseRoles, id); err != nil {
		return err
	}
	c, _, err := s.core.find(ctx, s.store, p, id)
	if err != nil {
		return err
	}
	newest, err := s.definitions.At(ctx, s.store, p.Tenant, c.Type, 0)
	if err != nil {
		return err
	}
	if wrong := in.problems(newest.Type.CaseRoles()); len(wrong) > 0 {
		return caseRolesInvalid(wrong...)
	}
	return s.guard.Update(ctx, authz.NewMandate(p, access.SetCaseRoles), func(tx *store.Tx) error {
		if in.UserID != 0 {
			if _, err := assignee(ctx, tx, p.Tenant, in.UserID); err != nil {
				return caseRolesInvalid(fault.Field{
					Path: "/user_id", Message: "is not the id of a user who may sign in; GET /v1/users lists the users",
				})
			}
		}
		if err := tx.LockCase(ctx, p.Tenant, id); err != nil {
			return err
		}
		if err := tx.SetCaseRoles(ctx, p.Tenant, id, in.Holder(), in.Roles); err != nil {
			return err
		}
		granted, err := tx.CaseGrants(ctx, p.Tenant, id)
		if err == nil && len(granted) > store.MaxCaseGrants {
			err = caseRolesInvalid(fault.Field{
				Path: "/roles", Message: fmt.Sprintf("would be more than %d on the case", store.MaxCaseGrants),
			})
		}
		if err != nil {
			return err
		}
		return s.guard.Record(ctx, tx, authz.Note{
			Who: p, What: access.CaseRolesSet, Subject: authz.AboutCase(c),
			Detail: map[string]any{"holder": in.Holder(), "roles": append([]string{}, in.Roles...)},
		})
	})
}

// problems lists what is wrong with roles of which a type has these.
func (r CaseRoles) problems(known []string) (wrong []fault.Field) {
	if (r.UserID == 0) == (r.Group == "") {
		wrong = append(wrong, fault.Field{Path: "/user_id", Message: "or group: send one of them"})
	}
	if r.Group != "" && !access.ValidFurtherRole(r.Group) {
		wrong = append(wrong, fault.Field{Path: "/group", Message: "is not a further role: letters, digits, _ and -"})
	}
	for i, role := range r.Roles {
		if slices.Contains(known, role) {
			continue
		}
		message := "is not a role that the case type grants case by case; it has none"
		if len(known) > 0 {
			message = "is not a role that the case type grants case by case; there are " + strings.Join(known, ", ")
		}
		wrong = append(wrong, fault.Field{Path: "/roles/" + strconv.Itoa(i), Message: message})
	}
	return wrong
}

func caseRolesInvalid(wrong ...fault.Field) error {
	return fault.In("case.roles_invalid", "The roles were not granted: see fields.", wrong...)
}
