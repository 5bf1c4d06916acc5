package casework

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// Case finds a case.
func (s *Service) Case(ctx context.Context, p access.Principal, id int64) (View, error) {
	if err := s.permitCase(ctx, p, "get-case", id); err != nil {
		return View{}, err
	}
	c, err := s.store.Case(ctx, p.Tenant, id)
	if err != nil {
		return View{}, err
	}
	t, err := s.typeAt(ctx, s.store, p.Tenant, c.Type, c.TypeVersion)
	return s.view(c, t.Type), err
}

// Cases lists cases, newest first.
func (s *Service) Cases(ctx context.Context, p access.Principal, f store.CaseFilter) ([]View, error) {
	if err := s.Permit(ctx, p, "list-cases"); err != nil {
		return nil, err
	}
	if !utf8.ValidString(f.Text) || strings.ContainsRune(f.Text, 0) || utf8.RuneCountInString(f.Text) > maxQuery {
		return nil, fault.New(fault.Invalid, "filter.invalid", "The text to search for is 1 to %d characters, without NUL.", maxQuery)
	}
	if !word(f.Type) || !word(f.State) || !word(f.Label) {
		return nil, nil // no case type, state or label has such a key
	}
	f.Limit = page(f.Limit)
	var err error
	if f.Without, err = s.unreadable(ctx, p); err != nil {
		return nil, err
	}
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
		views[i] = s.view(c, t.Type)
	}
	return views, nil
}

// History lists a case's entries with ids below before, newest first; 0 begins
// at the newest. What happened to a case outlives it.
func (s *Service) History(ctx context.Context, p access.Principal, id, before int64, limit int) ([]*event.Entry, error) {
	if err := s.permitCase(ctx, p, "get-history", id); err != nil {
		return nil, err
	}
	entries, err := s.store.History(ctx, p.Tenant, event.CaseSubject(id), newest(before), page(limit))
	if err != nil {
		return nil, err
	}
	if len(entries) > 0 {
		if last := entries[0].Snapshot.Case; last != nil { // the case may be gone
			err = s.permitType(ctx, p, "get-history", last.Type)
		}
		if err != nil {
			return nil, err
		}
		return entries, nil
	}
	_, err = s.store.Case(ctx, p.Tenant, id)
	return nil, err
}

// DeleteCase removes a case with its comments and attachments. The journal keeps
// what happened to it. IfRevision is as in a Submission.
func (s *Service) DeleteCase(ctx context.Context, p access.Principal, id, ifRevision int64) error {
	if err := s.permitCase(ctx, p, "delete-case", id); err != nil {
		return err
	}
	var blobs []string
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		c, err := tx.Case(ctx, p.Tenant, id)
		if err != nil {
			return err
		}
		if ifRevision != 0 && ifRevision != c.Revision {
			return versionConflict()
		}
		t, err := s.typeAt(ctx, tx, p.Tenant, c.Type, c.TypeVersion)
		if err != nil {
			return err
		}
		if blobs, err = tx.CaseBlobs(ctx, p.Tenant, id); err != nil {
			return err
		}
		if c, err = tx.DeleteCase(ctx, c); err != nil {
			return err
		}
		c.LastActivityAt = s.now()
		return s.record(ctx, tx, p, c, t.Type, nil, event.CaseDeleted.New(event.None{}))
	})
	if err != nil {
		return err
	}
	for _, blob := range blobs {
		s.discard(ctx, blob)
	}
	return nil
}
