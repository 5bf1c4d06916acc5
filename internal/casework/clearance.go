package casework

import (
	"context"
	"slices"
	"strings"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
)

// caseReader reads cases and their types; a store.Store does, and so does a
// store.Tx.
type caseReader interface {
	typeReader
	Case(ctx context.Context, tenant, id int64) (cases.Case, error)
}

// find returns a case, all of it, and the type that it works by. A case above the
// caller's clearance is not there.
func (s *Service) find(ctx context.Context, r caseReader, p access.Principal, id int64) (cases.Case, TypeVersion, error) {
	c, err := r.Case(ctx, p.Tenant, id)
	if err != nil {
		return cases.Case{}, TypeVersion{}, err
	}
	t, err := s.typeAt(ctx, r, p.Tenant, c.Type, c.TypeVersion)
	if err != nil {
		return cases.Case{}, TypeVersion{}, err
	}
	if !p.Clearance.Sees(c.Classification) {
		return cases.Case{}, TypeVersion{}, caseMissing(id)
	}
	return c, t, nil
}

// view is the case as the caller sees it.
func (s *Service) view(
	ctx context.Context, r tenantReader, p access.Principal, c cases.Case, t *casetype.Type,
) (View, error) {
	shown, visible := c.As(p.Clearance, t)
	if !visible {
		return View{}, caseMissing(c.ID)
	}
	shown.Assignee = p.SeesPerson(shown.Assignee)
	publicURL, err := s.publicURL(ctx, r, c.Tenant)
	return View{Case: shown, Definition: t, URL: c.URL(publicURL)}, err
}

// caseMissing says the same of a case that the caller may not see and of one that
// does not exist.
func caseMissing(id int64) error {
	return fault.New(fault.NotFound, "case.not_found", "There is no case %d.", id)
}

// tellable returns the faults as the caller may read them. What is about fields
// that they don't see becomes one fault of the data as a whole: neither the name
// of such a field nor what is in it is told.
func (pl *plan) tellable(wrong []fault.Field) []fault.Field {
	if pl.p.Clearance.Sees(pl.typ.Highest()) {
		return wrong
	}
	told := slices.DeleteFunc(slices.Clone(wrong), func(f fault.Field) bool { return !pl.mayRead(f) })
	if len(told) < len(wrong) {
		told = append(told, fault.Field{Path: "/data", Message: "does not fit what you are not cleared to see; ask somebody who is"})
	}
	return told
}

func (pl *plan) mayRead(f fault.Field) bool {
	if rest, inData := strings.CutPrefix(f.Path, "/data/"); inData {
		field, _, _ := strings.Cut(rest, "/")
		_, submitted := pl.in.Data[field]
		if !pl.typ.Shows(field, pl.p.Clearance) && (!submitted || slices.Contains(pl.typ.FieldNames(), field)) {
			return false
		}
	}
	for name := range pl.typ.Marks() {
		if !pl.typ.Shows(name, pl.p.Clearance) && strings.Contains(f.Message, name) {
			return false
		}
	}
	return true
}
