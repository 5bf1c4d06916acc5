package casework

import (
	"context"
	"errors"
	"strings"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/cases"
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
	return s.deny(ctx, p, o, subject{}, "The role %q may not do this; %s may.", p.Role, who(access.Permitted(o)))
}

// permitType is Permit for an operation on cases of a type, as its newest
// definition has it. A type that may not be read is not there; one that is not
// there, or above the clearance, is the operation's own to miss.
func (s *Service) permitType(ctx context.Context, p access.Principal, o access.Operation, key string) error {
	if err := s.Permit(ctx, p, o); err != nil {
		return err
	}
	return s.permitOfType(ctx, p, o, key, typeMissing(key))
}

// permitOfType refuses whoever a type's newest definition leaves out of an operation.
// Missing is what it says where they may not even read its cases.
func (s *Service) permitOfType(
	ctx context.Context, p access.Principal, o access.Operation, key string, missing error,
) error {
	if p.Role == access.Admin || !word(key) {
		return nil
	}
	t, err := s.typeAt(ctx, s.store, p.Tenant, key, 0)
	if errors.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if !p.Clearance.Sees(t.Type.Definition.Classification) {
		return nil // it is missed as well
	}
	refused := leftOut(p, o, t.Type)
	if refused == nil {
		return nil
	}
	if !p.Role.Among(t.Type.Access.Read) {
		refused = missing
	}
	return s.denied(ctx, p, o, aboutType(key, t.Type.Definition.Classification), refused)
}

// leftOut refuses whoever the case type leaves out of an operation.
func leftOut(p access.Principal, o access.Operation, t *casetype.Type) error {
	if p.Role.Among(t.Access.Read) && (o.Reads() || p.Role.Among(t.Access.Write)) {
		return nil
	}
	narrowed := [][]string{t.Access.Read}
	if !o.Reads() {
		narrowed = append(narrowed, t.Access.Write)
	}
	return fault.New(fault.Forbidden, "access.denied",
		"The role %q may not do this with cases of %s; %s may.", p.Role, t.Key, who(access.Permitted(o, narrowed...)))
}

// who names roles for people: "caseworker, manager and admin".
func who(roles []access.Role) string {
	var b strings.Builder
	for i, r := range roles {
		switch {
		case i > 0 && i == len(roles)-1:
			b.WriteString(" and ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(string(r))
	}
	return b.String()
}

// submitters names the roles that may submit a transition.
func (pl *plan) submitters(o access.Operation, tr casetype.Transition) string {
	return who(access.Permitted(o, tr.Roles, pl.typ.Access.Read, pl.typ.Access.Write))
}

// hides reports whether somebody may not know of a case type at all.
func hides(p access.Principal, t *casetype.Type) bool {
	return !p.Clearance.Sees(t.Definition.Classification) || !p.Role.Among(t.Access.Read)
}

// permitCase is permitType for the type of a case. A case that may not be read is not
// there; one that does not exist is the operation's own to miss.
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
	return s.permitFound(ctx, p, o, c)
}

// permitFound is permitCase for a case that was found.
func (s *Service) permitFound(ctx context.Context, p access.Principal, o access.Operation, c cases.Case) error {
	if !p.Clearance.Sees(c.Classification) {
		return nil // it is missed as well
	}
	return s.permitOfType(ctx, p, o, c.Type, caseMissing(c.ID))
}

// permitTransition checks the roles that a transition lists.
func (s *Service) permitTransition(ctx context.Context, pl *plan) error {
	if pl.p.Role.Among(pl.tr.Roles) {
		return nil
	}
	of := aboutType(pl.typ.Key, pl.typ.Definition.Classification)
	if !pl.creates() {
		of = aboutCase(pl.before)
	}
	return s.deny(ctx, pl.p, pl.in.operation(), of, "The role %q may not submit the transition %q; %s may.",
		pl.p.Role, pl.tr.Key, pl.submitters(pl.in.operation(), pl.tr))
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
		return access.CreateCase
	case in.Edit:
		return access.EditCase
	}
	return access.SubmitTransition
}

// deny notes the attempt and refuses it.
func (s *Service) deny(
	ctx context.Context, p access.Principal, o access.Operation, of subject, detail string, args ...any,
) error {
	return s.denied(ctx, p, o, of, fault.New(fault.Forbidden, "access.denied", detail, args...))
}

// denied notes that something was refused.
func (s *Service) denied(ctx context.Context, p access.Principal, o access.Operation, of subject, refused error) error {
	s.noteDenied(ctx, p, of, map[string]any{"operation": o, "role": p.Role})
	return refused
}
