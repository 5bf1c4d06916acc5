package quickcase

import (
	"context"
	"strconv"

	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
)

// grantUser sets the roles of a user on a case.
func (h handler) grantUser(ctx context.Context, x *rest.Exchange) (any, error) {
	user, err := strconv.ParseInt(x.Request.PathValue("user"), 10, 64)
	if err != nil || user <= 0 {
		return nil, fault.In("case.roles_invalid", "The roles were not granted: see fields.",
			fault.Field{Path: "path.user", Message: "is not the id of a user"})
	}
	return h.grant(ctx, x, casework.CaseRoles{UserID: user})
}

// grantGroup sets the roles of all who have a further role on a case.
func (h handler) grantGroup(ctx context.Context, x *rest.Exchange) (any, error) {
	return h.grant(ctx, x, casework.CaseRoles{Group: x.Request.PathValue("group")})
}

// grant sets the roles that the body of a request lists.
func (h handler) grant(ctx context.Context, x *rest.Exchange, to casework.CaseRoles) (any, error) {
	n, err := caseID(x.Request.PathValue("id"))
	if err != nil {
		return nil, err
	}
	in, err := h.readObject(x)
	if err != nil {
		return nil, err
	}
	list, isList := in["case_roles"].([]any)
	for _, role := range list {
		name, isText := role.(string)
		isList = isList && isText
		to.Roles = append(to.Roles, name)
	}
	if !isList || len(list) > 100 {
		return nil, fault.In("case.roles_invalid", "The roles were not granted: see fields.",
			fault.Field{Path: "/case_roles", Message: "is not a list of up to 100 roles"})
	}
	return struct{}{}, h.services.Cases.SetCaseRoles(ctx, x.Principal, n, to)
}
