package cases

import (
	"context"
	"net/http"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/casework"
)

// GrantedRoles are the roles that somebody is granted on a case.
type GrantedRoles struct {
	UserID *int64   `json:"user_id" doc:"The user; null: a group." example:"7"`
	Group  *string  `json:"group" doc:"The further role of all who are granted the roles; null: a user." example:"town-officer"`
	Roles  []string `json:"roles" doc:"Roles that the case type grants case by case." example:"[\"[OWNER]\"]"`
}

// RolesToGrant is the body that grants roles on a case.
type RolesToGrant struct {
	UserID int64    `json:"user_id,omitempty" minimum:"1" doc:"The user; absent: a group." example:"7"`
	Group  string   `json:"group,omitempty" maxLength:"70" doc:"A further role: all who have it are granted the roles; absent: a user." example:"town-officer"`
	Roles  []string `json:"roles" maxItems:"100" doc:"All roles on the case; none revokes them." example:"[\"[OWNER]\"]"`
}

// registerRoles registers the operations on roles that are granted on a case.
func (h caseHandler) registerRoles() {
	const path, tag = "/v1/cases/{id}/case-roles", "cases"
	rest.Handle(h.kernel, rest.Operation{
		ID: access.ListCaseRoles, Pattern: "GET " + path, Tag: tag,
		Summary:     "List the roles that are granted on a case",
		Description: "Those of users and of groups. A program that creates a case is not listed.",
		Problems:    []int{http.StatusNotFound},
	}, func(ctx context.Context, in *struct {
		rest.InCase
		rest.InList
	}) (*rest.PageAnswer[GrantedRoles], error) {
		id, err := in.CaseID()
		if err != nil {
			return nil, err
		}
		all, err := h.service.Cases.CaseRoles(ctx, rest.PrincipalOf(ctx), id)
		if err != nil {
			return nil, err
		}
		return rest.PageBehind(rest.NewPager(h.kernel, "case roles", showGranted, func(r casework.CaseRoles) string {
			return r.Holder()
		}), in.Cursor, all)
	})
	rest.HandleBody(h.kernel, rest.Operation{
		ID: access.SetCaseRoles, Pattern: "PUT " + path, Tag: tag,
		Summary: "Grant roles on a case",
		Description: "Sets all roles of a user, or of all who have a further role, on the case: those of its type " +
			"with of: case.",
		Problems: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *rest.InCase, body RolesToGrant) (*rest.NoContent, error) {
		id, err := in.CaseID()
		if err != nil {
			return nil, err
		}
		return &rest.NoContent{}, h.service.Cases.SetCaseRoles(ctx, rest.PrincipalOf(ctx), id,
			casework.CaseRoles{UserID: body.UserID, Group: body.Group, Roles: body.Roles})
	})
}

func showGranted(r casework.CaseRoles) GrantedRoles {
	return GrantedRoles{UserID: rest.OrNull(r.UserID), Group: rest.OrNull(r.Group), Roles: r.Roles}
}
