package authz

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/definitions"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

func Unauthenticated() error {
	return fault.New(fault.Unauthenticated, "token.invalid",
		"The request carries no valid token. Send one as Authorization: Bearer chk_...")
}

func SessionOver() error {
	return fault.New(fault.Unauthenticated, "session.over", "The session is over. Sign in again: POST /v1/session.")
}

// Mandate is the right to make a change. Minutes may pass between its first check and the commit, while a callback is
// asked, a document is made or a file comes in. So the commit's transaction checks it again.
type Mandate struct {
	access.Principal
	operation access.Operation
	types     []string   // of the cases that change; known by the end of the transaction
	Roles     [][]string // lists of which each has a role of the caller's, such as those of a transition
	Waited    bool       // for another system: another node may have committed anything meanwhile
}

func NewMandate(p access.Principal, o access.Operation) *Mandate {
	return &Mandate{Principal: p, operation: o}
}

// Concerns records the type of a case that changes.
func (m *Mandate) Concerns(t *casetype.Type) {
	if !slices.Contains(m.types, t.Key) {
		m.types = append(m.types, t.Key)
	}
}

// Update runs do in one transaction, and then checks the mandate again, since do may have waited, for a lock for
// example. It saves nothing if the check fails. It locks no rights, so that a revocation never waits: a right that is
// revoked during the commit itself is revoked after it.
func (g *Guard) Update(ctx context.Context, m *Mandate, do func(*store.Tx) error) error {
	var refused error
	err := g.store.Update(ctx, func(tx *store.Tx) error {
		m.types, refused = nil, nil
		if err := do(tx); err != nil {
			return err
		}
		refused = g.stillMay(ctx, tx, m)
		return refused
	})
	if refused != nil {
		return g.refuse(ctx, m, refused)
	}
	return err
}

// Commit saves a change after a check of its mandate. If rights in the tenant change between the check and the
// commit, it checks again, in the end within the transaction.
func (g *Guard) Commit(ctx context.Context, m *Mandate, c *store.Change) error {
	for range MaxRaces {
		if err := g.stillMay(ctx, g.store, m); err != nil {
			return g.refuse(ctx, m, err)
		}
		c.Rights = store.Rights{Moment: m.Credential.Moment, Looked: m.Credential.At}
		if err := g.store.Commit(ctx, c); err != store.ErrRightsChanged {
			return err
		}
	}
	types := m.types
	return g.Update(ctx, m, func(tx *store.Tx) error {
		m.types = types
		return tx.Commit(ctx, c)
	})
}

// refuse returns the error of a check, and records a denial.
func (g *Guard) refuse(ctx context.Context, m *Mandate, err error) error {
	if errors.Is(err, fault.Forbidden) {
		return g.Deny(ctx, m.Principal, m.operation, Subject{}, err)
	}
	return err
}

// standings looks up the rights of credentials. Both store.Store and store.Tx do.
type standings interface {
	definitions.Reader
	caseRoleReader
	Standing(ctx context.Context, p access.Principal, caseType string, now time.Time) (access.Standing, error)
}

// stillMay checks a mandate again. It asks the database only if rights in the tenant may have changed since the
// principal was authenticated.
func (g *Guard) stillMay(ctx context.Context, r standings, m *Mandate) error {
	c, now := m.Credential, g.now()
	if c.At.IsZero() {
		return nil
	}
	if !c.Expires.IsZero() && !now.Before(c.Expires) {
		return over(m.Principal)
	}
	if elsewhere := m.Waited && g.store.Nodes(); !elsewhere && g.store.RightsUnchanged(m.Tenant, c.Moment, c.At) {
		return nil
	}
	rights := g.store.Rights()
	types := append(m.types, "")
	standing, err := r.Standing(ctx, m.Principal, types[0], now)
	if err != nil {
		return err
	}
	p := m.Principal
	if standing.Role == "" {
		return over(p)
	}
	p.Role, p.Further, p.Clearance = standing.Role, standing.Further, standing.Clearance
	if p.OnCase.Case != 0 {
		if p.OnCase, err = caseRoles(ctx, r, p, p.OnCase.Case); err != nil {
			return err
		}
	}
	switch {
	case !p.Clearance.Sees(m.Clearance):
		return meanwhile("Your clearance became %s", p.Clearance)
	case !p.Role.Permits(m.operation) || slices.ContainsFunc(m.Roles, func(l []string) bool { return !p.Among(l) }):
		return meanwhile("Your role became %q, which may not do this", strings.Join(p.RoleNames(), ", "))
	}
	for i, key := range m.types {
		version := standing.TypeAt // of the first
		if i > 0 {
			version = 0
		}
		t, err := g.definitions.At(ctx, r, p.Tenant, key, version)
		if err != nil && !errors.Is(err, fault.NotFound) {
			return err
		}
		if err == nil && LeftOut(p, m.operation, t.Type) != nil {
			return meanwhile("The case type %s was narrowed to other roles", key)
		}
	}
	m.Credential.At, m.Credential.Moment, m.Waited = rights.Looked, rights.Moment, false
	return nil
}

func meanwhile(what string, args ...any) error {
	return Forbidden(what+" while the request was under way. Nothing was saved.", args...)
}

// over returns the refusal of a credential that was revoked or has expired; nil: it is valid.
func over(p access.Principal) error {
	if p.Actor.UserID != 0 || p.Role == access.Receiver {
		return SessionOver()
	}
	return Unauthenticated()
}
