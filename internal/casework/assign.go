package casework

import (
	"context"
	"errors"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// Assign assigns a case to a user of the tenant. Assigning a case to its present assignee
// changes nothing.
func (s *Cases) Assign(ctx context.Context, p access.Principal, caseID, userID int64) (View, error) {
	return s.core.change(ctx, p, access.AssignCase, caseID, func(tx *store.Tx) (cases.Case, []event.Fact, error) {
		if _, err := tx.Case(ctx, p.Tenant, caseID); err != nil {
			return cases.Case{}, nil, err
		}
		user, err := tx.User(ctx, p.Tenant, userID)
		if errors.Is(err, fault.NotFound) || user.Disabled {
			err = fault.In("case.assignee_unknown", "The case was not assigned: see fields.",
				fault.Field{
					Path:    "/user_id",
					Message: "is not the id of a user who may sign in; GET /v1/users lists the users",
				})
		}
		if err != nil {
			return cases.Case{}, nil, err
		}
		to := event.Person{UserID: user.ID, Name: user.Name}
		c, changed, err := tx.Assign(ctx, p.Tenant, caseID, to, s.core.activity(p))
		return c, factIf(changed, event.CaseAssigned.New(to)), err
	})
}

// Unassign removes the assignee of a case.
func (s *Cases) Unassign(ctx context.Context, p access.Principal, caseID int64) (View, error) {
	return s.core.change(ctx, p, access.UnassignCase, caseID, func(tx *store.Tx) (cases.Case, []event.Fact, error) {
		before, err := tx.Case(ctx, p.Tenant, caseID)
		if err != nil {
			return before, nil, err
		}
		c, changed, err := tx.Assign(ctx, p.Tenant, caseID, event.Person{}, s.core.activity(p))
		return c, factIf(changed, event.CaseUnassigned.New(before.Assignee)), err
	})
}
