package casework

import (
	"context"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/wire"
)

// Claim returns a case of the kind claim as events to an endpoint with the caller's clearance have it, and its
// revision. A case of another kind is not found.
func (s *Cases) Claim(
	ctx context.Context, p access.Principal, id int64,
) (claim wire.Claim, revision int64, err error) {
	p, err = s.guard.PermitCase(ctx, p, access.GetClaim, id)
	if err != nil {
		return claim, 0, err
	}
	c, t, err := s.core.find(ctx, s.store, p, id)
	if err != nil {
		return claim, 0, err
	}
	if t.Type.Kind != casetype.Claim {
		return claim, 0, fault.New(fault.NotFound, "claim.not_found",
			"The case %d is not a claim: its type %s is of the kind %s. GET /v1/cases/%d shows it.", id, c.Type,
			t.Type.Kind, id)
	}
	kept, err := c.Snapshot(t.Type, "") // the object has no URL
	if err != nil {
		return claim, 0, err
	}
	shown, visible := kept.As(p.Sight().SeesClass)
	if !visible {
		return claim, 0, authz.CaseMissing(id)
	}
	if has := shown.Case.Assignee; has != nil {
		who := p.RedactPerson(*has)
		shown.Case.Assignee = &who
	}
	claim, err = wire.NewClaim(shown.Case, s.now())
	return claim, c.Revision, err
}
