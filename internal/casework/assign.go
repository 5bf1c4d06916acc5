package casework

import (
	"context"
	"errors"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/wire"
)

// Assignment is a request to assign a case to a user of the tenant, or to nobody.
type Assignment struct {
	CaseID        int64
	UserID        int64 // 0: nobody
	IgnoreWarning bool  // the callback's warnings do not stop it
}

// userReader reads users; store.Store and store.Tx implement it.
type userReader interface {
	User(ctx context.Context, tenant, id int64) (access.User, error)
}

// assignee returns the user to whom a case is assigned; the zero person for nobody.
func assignee(ctx context.Context, r userReader, tenant, id int64) (event.Person, error) {
	if id == 0 {
		return event.Person{}, nil
	}
	user, err := r.User(ctx, tenant, id)
	if errors.Is(err, fault.NotFound) || user.Disabled {
		err = fault.In("case.assignee_unknown", "The case was not assigned: see fields.",
			fault.Field{
				Path:    "/user_id",
				Message: "is not the id of a user who may sign in; GET /v1/users lists the users",
			})
	}
	return event.Person{UserID: user.ID, Name: user.Name}, err
}

// Assign assigns a case. Assigning it to its present assignee changes nothing.
func (s *Cases) Assign(ctx context.Context, p access.Principal, in Assignment) (View, error) {
	may := access.AssignCase
	if in.UserID == 0 {
		may = access.UnassignCase
	}
	return s.core.change(ctx, p, operation{
		may: may, caseID: in.CaseID, callback: casetype.AssignCallback, ignoreWarning: in.IgnoreWarning,
		plan: func(c cases.Case) (*wire.Operation, error) {
			if in.UserID == c.Assignee.UserID {
				return nil, nil
			}
			to, err := assignee(ctx, s.store, p.Tenant, in.UserID)
			if in.UserID == 0 {
				return &wire.Operation{Kind: wire.Unassigns}, err
			}
			return &wire.Operation{Kind: wire.Assigns, Assignee: &wire.Assignee{UserID: to.UserID, Name: to.Name}}, err
		},
		apply: func(tx *store.Tx) (cases.Case, []event.Fact, error) {
			return s.core.assign(ctx, tx, p, in.CaseID, in.UserID)
		},
	})
}

// assign assigns a case to a user; 0: to nobody.
func (s *core) assign(
	ctx context.Context, tx *store.Tx, p access.Principal, id, user int64,
) (cases.Case, []event.Fact, error) {
	before, err := tx.Case(ctx, p.Tenant, id)
	if err != nil {
		return before, nil, err
	}
	to, err := assignee(ctx, tx, p.Tenant, user)
	if err != nil {
		return before, nil, err
	}
	c, changed, err := tx.Assign(ctx, p.Tenant, id, to, s.activity(p))
	fact := event.CaseAssigned.New(to)
	if user == 0 {
		fact = event.CaseUnassigned.New(before.Assignee)
	}
	return c, factIf(changed, fact), err
}
