package authz

import (
	"context"
	"errors"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
)

// Again returns the principal of an earlier request as it may act now: with the present rights of its user or token,
// and at most those that it had. Sessions may end meanwhile.
func (g *Guard) Again(ctx context.Context, p access.Principal) (access.Principal, error) {
	rights := g.store.Rights()
	p.Credential = access.Credential{At: rights.Looked, Moment: rights.Moment}
	var grant access.Grant
	var err error
	if p.Actor.UserID != 0 {
		var u access.User
		u, err = g.store.User(ctx, p.Tenant, p.Actor.UserID)
		grant, p.Credential.Epoch = u.Grant(), u.Epoch
	} else {
		var t access.Token
		if t, err = g.store.Token(ctx, p.Actor.TokenID); err == nil && t.Tenant == p.Tenant {
			grant = t.Grant().AsOf(g.now())
		}
	}
	if err != nil && !errors.Is(err, fault.NotFound) {
		return access.Principal{}, err
	}
	if grant.Role == "" {
		return access.Principal{}, over(p)
	}
	if !grant.Role.Includes(p.Role) {
		p.Role = grant.Role
	}
	p.Further = p.Further.Within(grant.Further)
	p.Clearance, p.Credential.Expires = casetype.Lower(p.Clearance, grant.Clearance), grant.Expires
	return p, nil
}
