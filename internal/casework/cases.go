package casework

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/definitions"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/input"
	"github.com/casehook/casehook/internal/store"
)

// Cases are the cases of tenants: they are read, claimed, assigned and deleted. It is safe for
// concurrent use.
type Cases struct {
	store       *store.Store
	guard       *authz.Guard
	now         func() time.Time
	definitions *definitions.Catalog
	core        *core
	questioner  *questioner
	contents    *contents
	large       chan struct{} // has room for as many large cases as lists may decode at once
	searches    chan struct{} // has room for as many searches as may look at cases at once

	mostSearched int // cases
}

// Case finds a case.
func (s *Cases) Case(ctx context.Context, p access.Principal, id int64) (View, error) {
	p, err := s.guard.PermitCase(ctx, p, access.GetCase, id)
	if err != nil {
		return View{}, err
	}
	return s.caseView(ctx, p, id)
}

// caseView is Case for an operation that is permitted already.
func (s *Cases) caseView(ctx context.Context, p access.Principal, id int64) (View, error) {
	c, t, err := s.core.find(ctx, s.store, p, id)
	if err != nil {
		return View{}, err
	}
	return s.core.view(ctx, s.store, p, c, t.Type)
}

// CaseList is a page of a list of cases.
type CaseList struct {
	More bool           // there are more behind the last
	To   store.Position // where the next page begins; zero: behind the last

	cases *Cases
	p     access.Principal
	rows  []store.CaseRow
	sort  store.CaseSort

	moves map[string]bool // by type: whether the reader may submit transitions
	used  int             // steps, to evaluate their conditions
}

// Cases lists cases in the order of the filter.
func (s *Cases) Cases(ctx context.Context, p access.Principal, f store.CaseFilter) (*CaseList, error) {
	if err := s.guard.Permit(ctx, p, access.ListCases); err != nil {
		return nil, err
	}
	some, err := s.restrict(ctx, p, &f)
	if err != nil || !some {
		return &CaseList{}, err
	}
	found, err := s.store.Cases(ctx, p.Tenant, f)
	if err != nil {
		return nil, err
	}
	return &CaseList{
		More: found.More, To: found.To, cases: s, p: p, rows: found.Items, sort: f.Sort,
		moves: map[string]bool{},
	}, nil
}

// Facets counts the cases that a filter selects.
func (s *Cases) Facets(ctx context.Context, p access.Principal, f store.CaseFilter) (store.CaseFacets, error) {
	if err := s.guard.Permit(ctx, p, access.CountCases); err != nil {
		return store.CaseFacets{}, err
	}
	some, err := s.restrict(ctx, p, &f)
	if err != nil || !some {
		return store.CaseFacets{Complete: true}, err
	}
	return s.store.CaseFacets(ctx, p.Tenant, f)
}

// restrict limits a filter to the cases that the caller may read; false: it selects none.
func (s *Cases) restrict(ctx context.Context, p access.Principal, f *store.CaseFilter) (some bool, err error) {
	if err := checkQuery(f.Text); err != nil {
		return false, err
	}
	label, ok := slugOf(f.Label)
	if f.Label = label; !ok || !input.Word(f.Type) || !input.Word(f.Type) || !input.Word(f.State) {
		return false, nil // no case type, state or label has such a key
	}
	reader, err := s.guard.Reader(ctx, p)
	f.Limit, f.Clearance = input.Page(f.Limit), p.Clearance
	f.Without, f.Granted, f.Holders = reader.Without, reader.Granted, reader.Holders
	if err == nil {
		err = s.resolveFields(ctx, p, f)
	}
	return err == nil, err
}

// All returns the cases. It decodes one at a time, and may be called once. If the evaluation of their conditions
// exceeds the budget, it ends early with [ErrPageEnds].
func (l *CaseList) All(ctx context.Context) iter.Seq2[View, error] {
	return func(yield func(View, error) bool) {
		for i := range l.rows {
			if l.used >= maxPageSteps {
				yield(View{}, ErrPageEnds)
				return
			}
			if !l.yield(ctx, &l.rows[i], yield) {
				return
			}
		}
	}
}

// Lists decode the data of a large case, which take several times their size, a few at once.
const (
	leastLarge = 1 << 20 // bytes
	mostLarge  = 2
)

// yield yields the case of a row, and reports whether to go on.
func (l *CaseList) yield(ctx context.Context, row *store.CaseRow, yield func(View, error) bool) bool {
	if row.Size() >= leastLarge {
		select {
		case l.cases.large <- struct{}{}:
			defer func() { <-l.cases.large }()
		case <-ctx.Done(): // which view reports
		}
	}
	view, err := l.view(ctx, row)
	return yield(view, err) && err == nil
}

func (l *CaseList) view(ctx context.Context, row *store.CaseRow) (View, error) {
	if err := cancelled(ctx); err != nil {
		return View{}, err
	}
	position := row.Position(l.sort)
	c, err := row.Case()
	if err != nil {
		return View{}, err
	}
	t, err := l.cases.definitions.At(ctx, l.cases.store, l.p.Tenant, c.Type, c.TypeVersion)
	if err != nil {
		return View{}, err
	}
	moves, known := l.moves[c.Type]
	if !known {
		if moves, err = l.cases.core.mayMove(ctx, l.cases.store, l.p, c.Type); err != nil {
			return View{}, err
		}
		l.moves[c.Type] = moves
	}
	view, err := l.cases.core.plainView(ctx, l.cases.store, l.p, c, t.Type)
	view.Position = position
	if err == nil && moves {
		l.used += view.offer(ctx, l.p, c)
	}
	return view, err
}

// History lists a case's entries with ids below before, newest first; 0 begins at the newest. The
// history outlives the case. Each entry shows what the caller may see by the classifications of its
// time; those above are left out, and those from when the case was of a type that they may not
// read.
func (s *Cases) History(ctx context.Context, p access.Principal, id, before int64,
	limit int) (none store.Page[*event.Entry], err error) {
	p, err = s.guard.PermitCase(ctx, p, access.GetHistory, id)
	if err != nil {
		return none, err
	}
	if err := s.KnownCase(ctx, p, id); err != nil {
		return none, err
	}
	reader, err := s.guard.Reader(ctx, p)
	if err != nil {
		return none, err
	}
	return authz.FillPage(input.Page(limit), store.PageBytes,
		(*event.Entry).Size, func(limit int) (store.Page[*event.Entry], error) {
			found, err := s.store.History(ctx, p.Tenant, event.CaseSubject(id), input.Newest(before), limit)
			shown := make([]*event.Entry, 0, len(found.Items))
			for _, e := range found.Items {
				before = e.ID
				if e, visible := e.As(p.Sight().SeesClass); visible && reader.Reads(e) {
					shown = append(shown, e)
				}
			}
			return store.Page[*event.Entry]{Items: shown, More: found.More}, err
		})
}

// KnownCase returns nil if the caller sees a case with this id, or saw its deletion. It checks no role.
func (s *Cases) KnownCase(ctx context.Context, p access.Principal, id int64) error {
	_, _, err := s.core.find(ctx, s.store, p, id)
	if !errors.Is(err, fault.NotFound) {
		return err
	}
	deleted, err := s.deleted(ctx, p, id)
	if err != nil || !deleted {
		return cmp.Or(err, authz.CaseMissing(id))
	}
	return nil
}

// deleted reports whether the caller saw the deletion of a case with this id.
func (s *Cases) deleted(ctx context.Context, p access.Principal, id int64) (bool, error) {
	last, err := s.store.History(ctx, p.Tenant, event.CaseSubject(id), input.Newest(0), 1)
	if err != nil || len(last.Items) == 0 {
		return false, err
	}
	e, visible := last.Items[0].As(p.Sight().SeesClass)
	if !visible || e.Snapshot.Case == nil || !slices.ContainsFunc(e.Facts, event.CaseDeleted.Is) {
		return false, nil
	}
	reader, err := s.guard.Reader(ctx, p)
	return err == nil && reader.Reads(e), err
}

// Deletion is a request to delete a case.
type Deletion struct {
	CaseID        int64
	IfRevision    Revisions // the content revisions it may be based on; nil: whichever is current
	IgnoreWarning bool      // the callback's warnings do not stop it
}

// DeleteCase removes a case with its comments and attachments. The journal keeps
// what happened to it. The case's type may ask a callback about it; only errors
// and warnings of the answer count.
func (s *Cases) DeleteCase(ctx context.Context, p access.Principal, in Deletion) error {
	p, err := s.guard.PermitCase(ctx, p, access.DeleteCase, in.CaseID)
	if err != nil {
		return err
	}
	asked, err := s.askDeletion(ctx, p, in)
	if err == nil {
		err = s.deleteAsked(ctx, p, in, asked)
	}
	if asked != nil {
		s.questioner.keepUnsaved(ctx, asked, err)
	}
	return err
}

// deleteAsked deletes a case. Asked is the plan by which its callback was asked; nil: it has none.
func (s *Cases) deleteAsked(ctx context.Context, p access.Principal, in Deletion, asked *plan) error {
	var blobs, documents []string
	m := authz.NewMandate(p, access.DeleteCase)
	m.Waited = asked != nil
	err := s.guard.Update(ctx, m, func(tx *store.Tx) error {
		c, t, err := s.core.find(ctx, tx, p, in.CaseID)
		if err != nil {
			return err
		}
		if !in.IfRevision.Allow(c.Revision) || asked != nil && asked.before.Revision != c.Revision {
			return versionConflict()
		}
		if blobs, err = tx.CaseBlobs(ctx, p.Tenant, in.CaseID); err != nil {
			return err
		}
		if c, err = tx.DeleteCase(ctx, c); err != nil {
			return err
		}
		if documents, err = tx.DropCaseDocuments(ctx, p.Tenant, in.CaseID); err != nil {
			return err
		}
		c.LastActivity = s.core.activity(p)
		var answered *event.Callback
		if asked != nil {
			answered = asked.callback
			if err := tx.AddQuestions(ctx, asked.kept(c, c.Version)); err != nil {
				return err
			}
		}
		deleted := event.CaseDeleted.New(event.NoDetails{})
		return s.core.record(ctx, tx, m, commit{c, t.Type, answered, []event.Fact{deleted}})
	})
	if err != nil {
		return err
	}
	s.contents.discard(ctx, append(blobs, documents...)...)
	return nil
}

// askDeletion asks the callback of the case's type about a deletion; nil: it has none.
func (s *Cases) askDeletion(ctx context.Context, p access.Principal, in Deletion) (*plan, error) {
	c, t, err := s.core.find(ctx, s.store, p, in.CaseID)
	if err != nil || t.Type.Delete == nil {
		return nil, err
	}
	if !in.IfRevision.Allow(c.Revision) {
		return nil, versionConflict()
	}
	pl := &plan{
		p: p, in: Submission{CaseID: c.ID, IgnoreWarning: in.IgnoreWarning},
		typ: t.Type, maker: t.Clearance, at: s.now(), before: c, after: c,
	}
	guards := guardsAt(t.Type, t.Clearance, submits(casetype.DeleteCallback), t.Type.Delete.AboutToSubmit)
	return pl, s.questioner.askWhether(ctx, pl, authz.Once{}, guards)
}
