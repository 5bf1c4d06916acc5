package casework

import (
	"context"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/wire"
)

// operation is a change of a case outside its content, which the callbacks of its type may refuse.
type operation struct {
	may           access.Operation
	caseID        int64
	callback      string // casetype.AssignCallback and the like
	ignoreWarning bool

	// plan checks the request, and returns what callbacks are asked; nil: nothing would change. Without a callback it
	// is nil.
	plan func(cases.Case) (*wire.Operation, error)
	// apply carries it out, in the transaction that saves it. Without a fact nothing has changed.
	apply func(*store.Tx) (cases.Case, []event.Fact, error)
}

// change carries out an operation in one commit, after its callbacks were asked. No transaction is open meanwhile.
func (s *core) change(ctx context.Context, p access.Principal, o operation) (View, error) {
	p, err := s.guard.PermitCase(ctx, p, o.may, o.caseID)
	if err != nil {
		return View{}, err
	}
	asked, err := s.askAbout(ctx, p, o, authz.Once{})
	var view View
	if err == nil {
		view, err = s.changeAsked(ctx, p, o, asked)
	}
	if asked != nil {
		s.questioner.keepUnsaved(ctx, asked, err)
	}
	if err != nil {
		return View{}, err
	}
	return view, nil
}

// changeAsked saves an operation. Asked is the plan by which its callbacks were asked; nil: none were.
func (s *core) changeAsked(ctx context.Context, p access.Principal, o operation, asked *plan) (view View, err error) {
	m := authz.NewMandate(p, o.may)
	m.Waited = asked != nil
	err = s.guard.Update(ctx, m, func(tx *store.Tx) error {
		if err := tx.LockCase(ctx, p.Tenant, o.caseID); err != nil {
			return err
		}
		before, _, err := s.find(ctx, tx, p, o.caseID)
		if err != nil {
			return err
		}
		if asked != nil && asked.before.Revision != before.Revision {
			return versionConflict()
		}
		c, facts, err := o.apply(tx)
		if err != nil {
			return err
		}
		view, err = s.changed(ctx, tx, m, asked, commit{after: c, facts: facts})
		return err
	})
	return view, err
}

// changed records an operation that was applied, and returns the view of the case. The commit lacks the type.
func (s *core) changed(
	ctx context.Context, tx *store.Tx, m *authz.Mandate, asked *plan, done commit,
) (View, error) {
	t, err := s.definitions.At(ctx, tx, m.Tenant, done.after.Type, done.after.TypeVersion)
	if err != nil {
		return View{}, err
	}
	view, err := s.view(ctx, tx, m.Principal, done.after, t.Type)
	if err != nil {
		return view, err
	}
	done.typ = t.Type
	return view, s.recordAsked(ctx, tx, m, asked, done)
}

// recordAsked records a commit with what callbacks were asked about it; nil: none were. Without a fact nothing has
// changed.
func (s *core) recordAsked(ctx context.Context, tx *store.Tx, m *authz.Mandate, asked *plan, done commit) error {
	if asked != nil {
		version := done.after.Version
		if len(done.facts) == 0 {
			version = 0
		}
		if err := tx.AddQuestions(ctx, asked.kept(done.after, version)); err != nil {
			return err
		}
		done.callback = asked.callback
	}
	if len(done.facts) == 0 {
		return nil
	}
	return s.record(ctx, tx, m, done)
}

// touch saves and records the next version of a case without a change of its content. add returns the fact.
func (s *core) touch(
	ctx context.Context, tx *store.Tx, m *authz.Mandate, id int64, add func(cases.Case) (event.Fact, error),
) error {
	done, err := s.touched(ctx, tx, m, id, add)
	if err != nil {
		return err
	}
	return s.record(ctx, tx, m, done)
}

// touched is touch for a caller that records the commit.
func (s *core) touched(
	ctx context.Context, tx *store.Tx, m *authz.Mandate, id int64, add func(cases.Case) (event.Fact, error),
) (done commit, err error) {
	c, err := tx.TouchCase(ctx, m.Tenant, id, s.activity(m.Principal))
	if err != nil {
		return done, err
	}
	t, err := s.definitions.At(ctx, tx, m.Tenant, c.Type, c.TypeVersion)
	if err != nil {
		return done, err
	}
	if _, visible := c.As(m.Sight(), t.Type); !visible {
		return done, authz.CaseMissing(id)
	}
	fact, err := add(c)
	return commit{c, t.Type, nil, []event.Fact{fact}}, err
}

// askAbout asks the callbacks of the case's type about an operation; nil: it has none, or nothing would change.
func (s *core) askAbout(ctx context.Context, p access.Principal, o operation, once authz.Once) (*plan, error) {
	if o.callback == "" {
		return nil, nil
	}
	c, t, err := s.find(ctx, s.questioner.store, p, o.caseID)
	if err != nil {
		return nil, err
	}
	list := t.Type.OperationCallbacks(o.callback)
	if len(list) == 0 {
		return nil, nil
	}
	asks, err := o.plan(c)
	if err != nil || asks == nil {
		return nil, err
	}
	pl := &plan{
		p: p, in: Submission{CaseID: c.ID, IgnoreWarning: o.ignoreWarning}, operation: asks,
		typ: t.Type, maker: t.Clearance, at: s.now(), before: c, after: c,
	}
	return pl, s.questioner.askWhether(ctx, pl, once, guardsAt(t.Type, t.Clearance, submits(o.callback), list))
}

// askWhether asks callbacks of whose answers only errors and warnings count.
func (s *questioner) askWhether(ctx context.Context, pl *plan, once authz.Once, guards []guard) error {
	err := s.configure(ctx, pl, guards)
	if err == nil {
		err = s.claimFor(ctx, pl, once, guards)
	}
	if err != nil {
		return err
	}
	for _, g := range guards {
		if _, _, err = s.askOne(ctx, pl, g); err != nil {
			break
		}
	}
	for asked := pl.callback; asked != nil; asked = asked.Earlier {
		asked.ReplacedData, asked.Override = false, ""
	}
	for i := range pl.questions {
		pl.questions[i].Override = ""
	}
	return err
}
