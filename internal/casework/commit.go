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

// commit saves a plan: the case, the journal entry and the answer. Without a fact nothing has changed, and only the
// answer is saved, unless there is a note.
func (s *Submissions) commit(ctx context.Context, pl *plan, once authz.Once) (View, error) {
	ctx, span := s.tracer.Step(ctx, "commit")
	defer span.End()
	m := authz.NewMandate(pl.p, pl.in.operation())
	m.Roles, m.Waited = pl.roles(), pl.asked
	m.Concerns(pl.typ)
	if pl.creates() {
		return s.commitNew(ctx, pl, m, once)
	}
	if pl.more.any() {
		view, err := s.commitMore(ctx, pl, m, once)
		return view, committed(err)
	}
	for range maxMoves {
		view, err := s.commitOn(ctx, pl, m, once)
		if !errors.Is(err, store.ErrCaseMoved) {
			return view, err
		}
		current, err := s.store.Case(ctx, pl.p.Tenant, pl.before.ID)
		if err == nil {
			err = pl.follow(current)
		}
		if err != nil {
			return View{}, err
		}
	}
	return s.commitLocked(ctx, pl, m, once)
}

// maxMoves bounds how often a submission follows concurrent changes outside the content of its case before it locks the
// case.
const maxMoves = 3

// commitNew saves a new case under the next numbers.
func (s *Submissions) commitNew(ctx context.Context, pl *plan, m *authz.Mandate, once authz.Once) (View, error) {
	pl.after.ResolveStatus(pl.typ, "", cases.Activity{At: pl.at, By: pl.p.Actor.UserID})
	if pl.typ.Outcome != "" {
		var err error
		if pl.after.OutcomeInstance, err = s.store.Next(ctx, pl.p.Tenant, "outcome/"+pl.typ.Outcome); err != nil {
			return View{}, err
		}
	}
	for range maxSkipped {
		seq, err := s.store.Next(ctx, pl.p.Tenant, "reference/"+pl.typ.Key)
		if err != nil {
			return View{}, err
		}
		pl.after.Reference = pl.typ.FormatReference(seq)
		pl.rename()
		facts := cases.Created(pl.after, pl.typ, pl.tr.Key)
		keyed := once
		along := pl.more.any() || pl.p.OnCase.Roles != ""
		if along {
			keyed = authz.Once{} // the answer is kept later
		}
		change, view, err := s.change(ctx, pl, pl.after, facts, keyed)
		if err != nil {
			return View{}, err
		}
		if along {
			view, err = s.createMore(ctx, pl, m, once, change)
		} else {
			err = s.guard.Commit(ctx, m, change)
		}
		if !errors.Is(err, store.ErrReferenceTaken) {
			return view, committed(err)
		}
	}
	return View{}, noReference(pl.typ)
}

// commitOn saves a change of the case as it was loaded.
func (s *Submissions) commitOn(ctx context.Context, pl *plan, m *authz.Mandate, once authz.Once) (View, error) {
	after, facts, err := pl.updated(s.core.activity(pl.p))
	if err != nil {
		return View{}, err
	}
	if len(facts) == 0 && pl.in.Note == (event.Note{}) {
		return s.commitNothing(ctx, pl, m, once)
	}
	change, view, err := s.change(ctx, pl, after, facts, once)
	if err == nil {
		change.From = pl.before.Version
		err = committed(s.guard.Commit(ctx, m, change))
	}
	return view, err
}

// updated returns the case to save, and its facts. Without one, its content stays as it is.
func (pl *plan) updated(by cases.Activity) (cases.Case, []event.Fact, error) {
	after := pl.after
	after.ResolveStatus(pl.typ, pl.before.State, by)
	facts, err := cases.Updated(pl.before, after, pl.typ, pl.typ, pl.tr.Key)
	if len(facts) == 0 && after.Classification != pl.before.Classification {
		facts = []event.Fact{event.CaseChanged.New(event.Changes{Changes: []event.Change{}})}
	}
	after.Version, after.Revision = pl.before.Version+1, pl.before.Revision+1
	if len(facts) == 0 {
		after.Revision, after.ModifiedAt = pl.before.Revision, pl.before.ModifiedAt
	}
	return after, facts, err
}

// follow adopts concurrent changes outside the content of the case. A changed content is a conflict.
func (pl *plan) follow(current cases.Case) error {
	if current.Revision != pl.before.Revision {
		return versionConflict()
	}
	for _, c := range []*cases.Case{&pl.before, &pl.after} {
		c.Version, c.Labels, c.Contacts = current.Version, current.Labels, current.Contacts
		c.Assignee, c.AssignedAt, c.LastActivity = current.Assignee, current.AssignedAt, current.LastActivity
	}
	return nil
}

// commitLocked saves a change of a case that others keep changing outside its content.
func (s *Submissions) commitLocked(ctx context.Context, pl *plan, m *authz.Mandate, once authz.Once) (View, error) {
	var view View
	err := s.guard.Update(ctx, m, func(tx *store.Tx) error {
		m.Concerns(pl.typ)
		if err := tx.LockCase(ctx, pl.p.Tenant, pl.before.ID); err != nil {
			return err
		}
		current, err := tx.Case(ctx, pl.p.Tenant, pl.before.ID)
		if err == nil {
			err = pl.follow(current)
		}
		if err != nil {
			return err
		}
		after, facts, err := pl.updated(s.core.activity(pl.p))
		if err != nil {
			return err
		}
		change, made, err := s.change(ctx, pl, after, facts, once)
		if err != nil {
			return err
		}
		view, change.From = made, current.Version
		return tx.Commit(ctx, change)
	})
	return view, committed(err)
}

// commitNothing saves the answer to a submission that changes nothing.
func (s *Submissions) commitNothing(ctx context.Context, pl *plan, m *authz.Mandate, once authz.Once) (View, error) {
	var view View
	err := s.guard.Update(ctx, m, func(tx *store.Tx) error {
		m.Concerns(pl.typ)
		current, err := tx.Case(ctx, pl.p.Tenant, pl.before.ID)
		if err == nil && current.Revision != pl.before.Revision {
			err = versionConflict() // the content that it is based on no longer exists
		}
		if err != nil {
			return err
		}
		if view, err = s.core.view(ctx, tx, pl.p, current, pl.typ); err != nil {
			return err
		}
		if err := s.keepNothing(ctx, tx, pl, current); err != nil {
			return err
		}
		return s.guard.Keep(ctx, tx, pl.p, once, view)
	})
	return view, err
}

// keepNothing keeps what was asked about a submission that changes nothing of the case.
func (s *Submissions) keepNothing(ctx context.Context, tx *store.Tx, pl *plan, current cases.Case) error {
	pl.saved = current
	if err := tx.AddQuestions(ctx, pl.kept(current, 0)); err != nil {
		return err
	}
	owed := s.questioner.owes(pl, current)
	if owed == nil {
		return nil
	}
	return tx.AddOwed(ctx, *owed)
}

// change makes the change that saves a case, and the view of the case that answers it.
func (s *Submissions) change(
	ctx context.Context, pl *plan, after cases.Case, facts []event.Fact, once authz.Once,
) (*store.Change, View, error) {
	entry, err := s.core.entry(ctx, s.store, pl.p.Actor, commit{after, pl.typ, pl.callback, facts})
	if err != nil {
		return nil, View{}, err
	}
	entry.Snapshot.Note = pl.in.Note
	view, err := s.core.view(ctx, s.store, pl.p, after, pl.typ)
	if err != nil {
		return nil, View{}, err
	}
	newest, err := s.core.definitions.At(ctx, s.store, pl.p.Tenant, pl.typ.Key, 0)
	if err != nil {
		return nil, View{}, err
	}
	pl.saved = after
	answer, err := s.guard.Answer(pl.p, once, view)
	return &store.Change{
		Case:      after,
		Type:      pl.typ,
		Newest:    newest.Type,
		Entry:     entry,
		Answer:    answer,
		Documents: pl.documentIDs(after.Data),
		Questions: pl.kept(after, after.Version),
		Owed:      s.questioner.owes(pl, after),
	}, view, err
}

// committed returns the error of a commit for clients.
func committed(err error) error {
	if errors.Is(err, store.ErrKeyAnswered) {
		return authz.KeyInProgress()
	}
	return err
}

// activity returns an activity of the caller now.
func (s *core) activity(p access.Principal) cases.Activity {
	return cases.Activity{At: s.now(), By: p.Actor.UserID}
}

// maxSkipped bounds how many references in a row may be taken: a new pattern may produce existing references.
const maxSkipped = 1000

func noReference(t *casetype.Type) error {
	return fault.New(fault.Conflict, "case.reference_taken",
		"The next %d references of %s are taken. Change the reference pattern of the case type.", maxSkipped, t.Key)
}

// commit is the content of one commit: the changed case, its type, the callback's answer (nil: none was asked), and the
// facts.
type commit struct {
	after    cases.Case
	typ      *casetype.Type
	callback *event.Callback
	facts    []event.Fact
}

// record appends the entry of a commit to the journal. The mandate must cover the type of the case.
func (s *core) record(ctx context.Context, tx *store.Tx, m *authz.Mandate, done commit) error {
	m.Concerns(done.typ)
	entry, err := s.entry(ctx, tx, m.Actor, done)
	if err == nil {
		_, err = tx.Append(ctx, entry)
	}
	return err
}

// entry makes the entry of a commit.
func (s *core) entry(ctx context.Context, r tenantReader, by event.Actor, done commit) (event.Entry, error) {
	c := done.after
	publicURL, err := s.publicURL(ctx, r, c.Tenant)
	if err != nil {
		return event.Entry{}, err
	}
	snapshot, err := c.Snapshot(done.typ, publicURL)
	return event.Entry{
		Tenant:   c.Tenant,
		Subject:  event.CaseSubject(c.ID),
		Version:  c.Version,
		At:       s.now(),
		Actor:    by,
		Facts:    done.facts,
		Snapshot: snapshot,
		Callback: done.callback,
	}, err
}
