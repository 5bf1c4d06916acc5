package casework

import (
	"context"
	"errors"
	"strconv"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
)

// Permit says whether somebody's role lets them carry out an operation at all.
// What is refused is noted in the audit. Every use case asks; where it is about
// a case, the case's type may narrow the answer.
func (s *Service) Permit(ctx context.Context, p access.Principal, o access.Operation) error {
	if p.Role.Permits(o) {
		return nil
	}
	return s.deny(ctx, p, o, "", "The role %q may not do this (%s). Ask an administrator.", p.Role, o)
}

// permitType is Permit for an operation on cases of a type, as its newest
// definition has it. A type that does not exist narrows nothing.
func (s *Service) permitType(ctx context.Context, p access.Principal, o access.Operation, key string) error {
	if err := s.Permit(ctx, p, o); err != nil || p.Role == access.Admin || !word(key) {
		return err
	}
	t, err := s.typeAt(ctx, s.store, p.Tenant, key, 0)
	if errors.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if !p.Clearance.Sees(t.Definition.Classification) {
		return nil // it is missed as well
	}
	if err := leftOut(p, o, t.Type); err != nil {
		return s.denied(ctx, p, o, "case_type/"+key, err)
	}
	return nil
}

// leftOut refuses whoever the case type leaves out of an operation.
func leftOut(p access.Principal, o access.Operation, t *casetype.Type) error {
	if p.Role.Among(t.Access.Read) && (o.Reads() || p.Role.Among(t.Access.Write)) {
		return nil
	}
	return fault.New(fault.Forbidden, "access.denied", "The role %q may not do this (%s) with cases of %s. Ask an administrator.", p.Role, o, t.Key)
}

// permitCase is permitType for the type of a case. A case that does not exist
// is the operation's own to miss.
func (s *Service) permitCase(ctx context.Context, p access.Principal, o access.Operation, id int64) error {
	if err := s.Permit(ctx, p, o); err != nil || p.Role == access.Admin {
		return err
	}
	c, err := s.store.Case(ctx, p.Tenant, id)
	if errors.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if !p.Clearance.Sees(c.Classification) {
		return nil // it is missed as well
	}
	return s.permitType(ctx, p, o, c.Type)
}

// permitTransition checks the roles that a transition lists.
func (s *Service) permitTransition(ctx context.Context, pl *plan) error {
	if pl.p.Role.Among(pl.tr.Roles) {
		return nil
	}
	subject := "case_type/" + pl.typ.Key
	if !pl.creates() {
		subject = "case/" + strconv.FormatInt(pl.before.ID, 10)
	}
	return s.deny(ctx, pl.p, pl.in.operation(), subject, "The role %q may not submit the transition %q. Ask an administrator.", pl.p.Role, pl.tr.Key)
}

// reader says what somebody may read now.
func (s *Service) reader(ctx context.Context, p access.Principal) (access.Reader, error) {
	narrowed, err := s.store.Narrowing(ctx, p.Tenant)
	return narrowed.Reader(p.Role, p.Clearance), err
}

// ownersReader says what an endpoint's owner may read now, and is told of by it.
func (s *Service) ownersReader(ctx context.Context, e endpoint.Endpoint) (access.Reader, error) {
	r, err := s.store.Reader(ctx, e.Tenant, access.Owner(e.Owner))
	r.Clearance = casetype.Lower(r.Clearance, e.Clearance)
	return r, err
}

func (in Submission) operation() access.Operation {
	switch {
	case in.CaseID == 0:
		return "create-case"
	case in.Edit:
		return "edit-case"
	}
	return "submit-transition"
}

// deny notes the attempt and refuses it.
func (s *Service) deny(ctx context.Context, p access.Principal, o access.Operation, subject, detail string, args ...any) error {
	return s.denied(ctx, p, o, subject, fault.New(fault.Forbidden, "access.denied", detail, args...))
}

// denied notes that something was refused.
func (s *Service) denied(ctx context.Context, p access.Principal, o access.Operation, subject string, refused error) error {
	s.noteDenied(ctx, p, subject, map[string]any{"operation": o, "role": p.Role})
	return refused
}
