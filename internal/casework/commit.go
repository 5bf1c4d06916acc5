package casework

import (
	"context"
	"errors"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// commit saves a plan in one transaction: the case, the journal entry and the
// answer. Without a fact nothing has changed, and the answer alone is kept.
func (s *Submissions) commit(ctx context.Context, pl *plan, once authz.Once) (View, error) {
	ctx, span := s.tracer.Step(ctx, "commit")
	defer span.End()
	var view View
	m := authz.NewMandate(pl.p, pl.in.operation())
	m.Roles, m.Waited = pl.tr.Roles, pl.asked
	err := s.guard.Update(ctx, m, func(tx *store.Tx) error {
		m.Concerns(pl.typ) // also where nothing changes
		saved, facts, err := s.save(ctx, tx, *pl)
		if err != nil {
			return err
		}
		if len(facts) > 0 {
			if err := s.core.record(ctx, tx, m, commit{saved, pl.typ, pl.callback, facts}); err != nil {
				return err
			}
		}
		if view, err = s.core.view(ctx, tx, pl.p, saved, pl.typ); err != nil {
			return err
		}
		return s.guard.Keep(ctx, tx, pl.p, once, view)
	})
	if err != nil {
		return View{}, err
	}
	return view, nil
}

// save writes the case and says what became true.
func (s *Submissions) save(ctx context.Context, tx *store.Tx, pl plan) (cases.Case, []event.Fact, error) {
	if pl.creates() {
		pl.after.ResolveStatus(pl.typ, cases.Activity{At: pl.at, By: pl.p.Actor.UserID})
		saved, err := insert(ctx, tx, pl)
		return saved, cases.Created(saved, pl.typ, pl.tr.Key), err
	}
	pl.after.ResolveStatus(pl.typ, s.core.activity(pl.p))
	facts, err := cases.Updated(pl.before, pl.after, pl.typ, pl.typ, pl.tr.Key)
	if err != nil {
		return cases.Case{}, nil, err
	}
	if len(facts) > 0 {
		saved, err := tx.UpdateCase(ctx, pl.after, pl.typ)
		return saved, facts, err
	}
	current, err := tx.Case(ctx, pl.p.Tenant, pl.before.ID)
	if err == nil && current.Revision != pl.before.Revision {
		err = versionConflict() // it changes nothing of what is no longer there
	}
	return current, nil, err
}

// activity is what the caller does now.
func (s *core) activity(p access.Principal) cases.Activity {
	return cases.Activity{At: s.now(), By: p.Actor.UserID}
}

// insert sets the numbers and the name of a new case, and saves it.
func insert(ctx context.Context, tx *store.Tx, pl plan) (cases.Case, error) {
	var err error
	if pl.typ.Outcome != "" {
		pl.after.OutcomeInstance, err = tx.Next(ctx, pl.p.Tenant, "outcome/"+pl.typ.Outcome)
		if err != nil {
			return cases.Case{}, err
		}
	}
	for range maxSkipped {
		if pl.after.Reference, err = reference(ctx, tx, pl.p.Tenant, pl.typ); err != nil {
			return cases.Case{}, err
		}
		pl.rename()
		if err = tx.InsertCase(ctx, pl.after, pl.typ); !errors.Is(err, store.ErrReferenceTaken) {
			return pl.after, err
		}
	}
	return cases.Case{}, noReference(pl.typ)
}

// maxSkipped bounds how many references in a row may be taken: a definition may
// change its pattern into one that meets references of before.
const maxSkipped = 1000

// reference draws the type's next reference. It may be taken.
func reference(ctx context.Context, tx *store.Tx, tenant int64, t *casetype.Type) (string, error) {
	seq, err := tx.Next(ctx, tenant, "reference/"+t.Key)
	return t.FormatReference(seq), err
}

func noReference(t *casetype.Type) error {
	return fault.New(fault.Conflict, "case.reference_taken",
		"The next %d references of %s are taken. Change the reference pattern of the case type.", maxSkipped, t.Key)
}

// commit is what one commit is about: the case as it has become, its type, what the
// callback answered (nil: none was asked), and the facts.
type commit struct {
	after    cases.Case
	typ      *casetype.Type
	callback *event.Callback
	facts    []event.Fact
}

// record appends the entry of a commit to the journal. The mandate has to allow for the
// type of the case.
func (s *core) record(ctx context.Context, tx *store.Tx, m *authz.Mandate, done commit) error {
	m.Concerns(done.typ)
	c := done.after
	publicURL, err := s.publicURL(ctx, tx, c.Tenant)
	if err != nil {
		return err
	}
	snapshot, err := c.Snapshot(done.typ, publicURL)
	if err != nil {
		return err
	}
	_, err = tx.Append(ctx, event.Entry{
		Tenant:   c.Tenant,
		Subject:  event.CaseSubject(c.ID),
		Version:  c.Version,
		At:       s.now(),
		Actor:    m.Actor,
		Facts:    done.facts,
		Snapshot: snapshot,
		Callback: done.callback,
	})
	return err
}

// touch sets the next version of a case, for what does not change its content, and
// lets add say what was added.
func (s *core) touch(
	ctx context.Context, tx *store.Tx, m *authz.Mandate, id int64, add func(cases.Case) (event.Fact, error),
) error {
	c, err := tx.TouchCase(ctx, m.Tenant, id, s.activity(m.Principal))
	if err != nil {
		return err
	}
	t, err := s.definitions.At(ctx, tx, m.Tenant, c.Type, c.TypeVersion)
	if err != nil {
		return err
	}
	if _, visible := c.As(m.Clearance, t.Type); !visible {
		return authz.CaseMissing(id)
	}
	fact, err := add(c)
	if err != nil {
		return err
	}
	return s.record(ctx, tx, m, commit{c, t.Type, nil, []event.Fact{fact}})
}

// change changes what is around the content of a case, in one commit: with a fact
// there is an entry, and without one nothing has changed.
func (s *core) change(
	ctx context.Context, p access.Principal, o access.Operation, caseID int64,
	apply func(*store.Tx) (cases.Case, []event.Fact, error),
) (View, error) {
	if err := s.guard.PermitCase(ctx, p, o, caseID); err != nil {
		return View{}, err
	}
	var view View
	m := authz.NewMandate(p, o)
	err := s.guard.Update(ctx, m, func(tx *store.Tx) error {
		if err := tx.LockCase(ctx, p.Tenant, caseID); err != nil {
			return err
		}
		if _, _, err := s.find(ctx, tx, p, caseID); err != nil {
			return err
		}
		c, facts, err := apply(tx)
		if err == nil {
			view, err = s.changed(ctx, tx, m, c, facts)
		}
		return err
	})
	if err != nil {
		return View{}, err
	}
	return view, nil
}

func (s *core) changed(
	ctx context.Context, tx *store.Tx, m *authz.Mandate, c cases.Case, facts []event.Fact,
) (View, error) {
	t, err := s.definitions.At(ctx, tx, m.Tenant, c.Type, c.TypeVersion)
	if err != nil {
		return View{}, err
	}
	view, err := s.view(ctx, tx, m.Principal, c, t.Type)
	if err != nil || len(facts) == 0 {
		return view, err
	}
	return view, s.record(ctx, tx, m, commit{c, t.Type, nil, facts})
}
