package casework

import (
	"context"
	"slices"
	"strings"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/definitions"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// caseReader reads cases and their types; store.Store and store.Tx implement it.
type caseReader interface {
	definitions.Reader
	Case(ctx context.Context, tenant, id int64) (cases.Case, error)
}

// find returns the whole case and the type that it works by. A case above the caller's clearance is not found.
func (s *core) find(
	ctx context.Context, r caseReader, p access.Principal, id int64,
) (cases.Case, definitions.TypeVersion, error) {
	c, err := r.Case(ctx, p.Tenant, id)
	if err != nil {
		return cases.Case{}, definitions.TypeVersion{}, err
	}
	t, err := s.definitions.At(ctx, r, p.Tenant, c.Type, c.TypeVersion)
	if err != nil {
		return cases.Case{}, definitions.TypeVersion{}, err
	}
	if !p.Sight().Sees(c.Classification) {
		return cases.Case{}, definitions.TypeVersion{}, authz.CaseMissing(id)
	}
	return c, t, nil
}

// view returns the case as the caller sees it, with the transitions that they may submit.
func (s *core) view(
	ctx context.Context, r viewReader, p access.Principal, c cases.Case, t *casetype.Type,
) (View, error) {
	moves, err := s.mayMove(ctx, r, p, c.Type)
	if err != nil {
		return View{}, err
	}
	view, err := s.plainView(ctx, r, p, c, t)
	if err == nil && moves {
		view.offer(ctx, p, c)
	}
	return view, err
}

// plainView is view without transitions.
func (s *core) plainView(
	ctx context.Context, r tenantReader, p access.Principal, c cases.Case, t *casetype.Type,
) (View, error) {
	shown, visible := c.As(p.Sight(), t)
	if !visible {
		return View{}, authz.CaseMissing(c.ID)
	}
	shown.Assignee = p.RedactPerson(shown.Assignee)
	publicURL, err := s.publicURL(ctx, r, c.Tenant)
	return View{Case: shown, Definition: t, URL: c.URL(publicURL)}, err
}

// offer adds the transitions that the caller may submit to the view of a case, and
// returns the steps that evaluating their conditions took.
func (v *View) offer(ctx context.Context, p access.Principal, c cases.Case) (used int) {
	v.Transitions, v.Blocked, used = available(ctx, p, c, v.Definition)
	return used
}

// readable returns the faults as the caller may read them. Faults about fields that they don't see
// become one fault of the data as a whole, which names neither such a field nor its value.
func (pl *plan) readable(wrong []fault.Field) []fault.Field {
	if pl.p.Sight().Sees(pl.typ.Highest()) {
		return wrong
	}
	var last string // the last message, which several faults share
	names := false
	readable := slices.DeleteFunc(slices.Clone(wrong), func(f fault.Field) bool {
		if f.Message != last {
			last, names = f.Message, pl.namesUnseen(f.Message)
		}
		return names || !pl.mayRead(f.Path)
	})
	if len(readable) < len(wrong) {
		readable = append(readable, fault.Field{
			Path:    "/data",
			Message: "does not fit data above your clearance; ask a user with a higher clearance",
		})
	}
	return readable
}

// mayRead reports whether the caller may know a place in a request.
func (pl *plan) mayRead(path string) bool {
	if rest, inData := strings.CutPrefix(path, "/data/"); inData {
		field, _, _ := strings.Cut(rest, "/")
		_, submitted := pl.in.Data[field]
		if !pl.typ.Shows(field, pl.p.Sight()) && (!submitted || slices.Contains(pl.typ.FieldNames(), field)) {
			return false
		}
	}
	return true
}

// namesUnseen reports whether a message has the name of a field that the caller does not see.
func (pl *plan) namesUnseen(message string) bool {
	return slices.ContainsFunc(pl.typ.Unseen(pl.p.Sight()),
		func(name string) bool { return strings.Contains(message, name) })
}

// tenantReader reads tenants; store.Store and store.Tx implement it.
type tenantReader interface {
	Tenant(ctx context.Context, id int64) (store.Tenant, error)
}

// publicURL returns a tenant's present public URL.
func (s *core) publicURL(ctx context.Context, r tenantReader, tenant int64) (string, error) {
	t, err := r.Tenant(ctx, tenant)
	return s.tenants.PublicURLOf(t), err
}
