package casework

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// Case finds a case.
func (s *Service) Case(ctx context.Context, p access.Principal, id int64) (View, error) {
	if err := s.permitCase(ctx, p, "get-case", id); err != nil {
		return View{}, err
	}
	c, t, err := s.find(ctx, s.store, p, id)
	if err != nil {
		return View{}, err
	}
	return s.view(ctx, s.store, p, c, t.Type)
}

// Cases lists cases, newest first.
func (s *Service) Cases(ctx context.Context, p access.Principal, f store.CaseFilter) ([]View, error) {
	if err := s.Permit(ctx, p, "list-cases"); err != nil {
		return nil, err
	}
	if err := checkQuery(f.Text); err != nil {
		return nil, err
	}
	label, ok := slugOf(f.Label)
	if f.Label = label; !ok || !word(f.Type) || !word(f.State) {
		return nil, nil // no case type, state or label has such a key
	}
	reader, err := s.reader(ctx, p)
	if err != nil {
		return nil, err
	}
	f.Limit, f.Clearance, f.Without = page(f.Limit), p.Clearance, reader.Without
	all, err := s.store.Cases(ctx, p.Tenant, f)
	if err != nil {
		return nil, err
	}
	views := make([]View, len(all))
	for i, c := range all {
		t, err := s.typeAt(ctx, s.store, p.Tenant, c.Type, c.TypeVersion)
		if err != nil {
			return nil, err
		}
		if views[i], err = s.view(ctx, s.store, p, c, t.Type); err != nil {
			return nil, err
		}
	}
	return views, nil
}

// History lists a case's entries with ids below before, newest first; 0 begins
// at the newest. What happened to a case outlives it. Each entry shows what the
// caller may see by the classifications of its time; those above are left out, and
// those from when the case was of a type that they may not read.
func (s *Service) History(ctx context.Context, p access.Principal, id, before int64, limit int) ([]*event.Entry, error) {
	if err := s.permitCase(ctx, p, "get-history", id); err != nil {
		return nil, err
	}
	_, _, err := s.find(ctx, s.store, p, id)
	gone := errors.Is(err, fault.NotFound)
	if err != nil && !gone {
		return nil, err
	}
	if gone {
		if deleted, err := s.deleted(ctx, p, id); err != nil || !deleted {
			return nil, cmp.Or(err, caseMissing(id))
		}
	}
	reader, err := s.reader(ctx, p)
	if err != nil {
		return nil, err
	}
	var shown []*event.Entry
	limit = page(limit)
	for before = newest(before); ; {
		entries, err := s.store.History(ctx, p.Tenant, event.CaseSubject(id), before, limit)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			before = e.ID
			if e, visible := e.As(p.Clearance.SeesMarked); visible && reader.Reads(e) && len(shown) < limit {
				shown = append(shown, e)
			}
		}
		if len(entries) < limit || len(shown) == limit {
			return shown, nil
		}
	}
}

// deleted reports whether there was a case with this id that the caller saw the
// end of.
func (s *Service) deleted(ctx context.Context, p access.Principal, id int64) (bool, error) {
	last, err := s.store.History(ctx, p.Tenant, event.CaseSubject(id), newest(0), 1)
	if err != nil || len(last) == 0 {
		return false, err
	}
	e, visible := last[0].As(p.Clearance.SeesMarked)
	if !visible || e.Snapshot.Case == nil || !slices.ContainsFunc(e.Facts, event.CaseDeleted.Is) {
		return false, nil
	}
	return true, s.permitType(ctx, p, "get-history", e.Snapshot.Case.Type)
}

// Deletion is what somebody wants to be rid of.
type Deletion struct {
	CaseID        int64
	IfRevision    Revisions // the content revisions it may be based on; nil: whichever is current
	IgnoreWarning bool      // the callback's warnings do not stop it
}

// DeleteCase removes a case with its comments and attachments. The journal keeps
// what happened to it. The case's type may ask a callback about it, of whose answer
// errors and warnings alone count.
func (s *Service) DeleteCase(ctx context.Context, p access.Principal, in Deletion) error {
	if err := s.permitCase(ctx, p, "delete-case", in.CaseID); err != nil {
		return err
	}
	asked, err := s.askDeletion(ctx, p, in)
	if err != nil {
		return err
	}
	var blobs []string
	m := mandateOf(p, "delete-case")
	m.waited = asked != nil
	err = s.update(ctx, m, func(tx *store.Tx) error {
		c, t, err := s.find(ctx, tx, p, in.CaseID)
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
		c.LastActivityAt = s.now()
		var answered *event.Callback
		if asked != nil {
			answered = asked.callback
		}
		return s.record(ctx, tx, m, c, t.Type, answered, event.CaseDeleted.New(event.None{}))
	})
	if err != nil {
		return err
	}
	s.discard(ctx, blobs...)
	return nil
}

// askDeletion asks the callback of the case's type about a deletion; nil: it has none.
func (s *Service) askDeletion(ctx context.Context, p access.Principal, in Deletion) (*plan, error) {
	c, t, err := s.find(ctx, s.store, p, in.CaseID)
	if err != nil || t.Delete == nil {
		return nil, err
	}
	if !in.IfRevision.Allow(c.Revision) {
		return nil, versionConflict()
	}
	pl := &plan{
		p: p, in: Submission{CaseID: c.ID, IgnoreWarning: in.IgnoreWarning},
		typ: t.Type, maker: t.Clearance, at: s.now(), before: c, after: c,
	}
	_, _, err = s.askOne(ctx, pl, guard{*t.Delete.AboutToSubmit, t.Key, casetype.DeleteCallback, t.Clearance})
	return pl, err
}
