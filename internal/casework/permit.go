package casework

import (
	"context"
	"errors"
	"strconv"

	"github.com/casehook/casehook/internal/access"
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
	if a := t.Access; !p.Role.Among(a.Read) || !o.Reads() && !p.Role.Among(a.Write) {
		return s.deny(ctx, p, o, "case_type/"+key, "The role %q may not do this (%s) with cases of %s. Ask an administrator.", p.Role, o, key)
	}
	return nil
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

// unreadable lists the case types whose cases somebody may not read.
func (s *Service) unreadable(ctx context.Context, p access.Principal) ([]string, error) {
	if p.Role == access.Admin {
		return nil, nil
	}
	all, err := s.store.CaseTypes(ctx, p.Tenant)
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, stored := range all {
		t, err := s.typeOf(p.Tenant, stored)
		if err != nil {
			return nil, err
		}
		if !p.Role.Among(t.Access.Read) {
			keys = append(keys, t.Key)
		}
	}
	return keys, nil
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
	s.note(ctx, p, access.Denied, subject, map[string]any{"operation": o, "role": p.Role})
	return fault.New(fault.Forbidden, "access.denied", detail, args...)
}
