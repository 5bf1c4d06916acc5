package casework

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// The bounds of a filter by fields.
const (
	maxConditions = 10
	maxRanges     = 5 // fields
)

// resolveFields makes ranges of the conditions on fields, and checks that the caller may list cases by all of them. A
// type or a field that they may not know is refused like one that does not exist.
func (s *Cases) resolveFields(ctx context.Context, p access.Principal, f *store.CaseFilter) error {
	sorted := f.Sort.Field()
	if len(f.Where) == 0 && sorted == "" {
		return nil
	}
	place := "query.sort"
	if len(f.Where) > 0 {
		place = "query.where"
	}
	if f.Type == "" {
		return refusedFields(fault.Field{Path: place, Message: "needs the type that has the field: add type"})
	}
	t, err := s.definitions.At(ctx, s.store, p.Tenant, f.Type, 0)
	if errors.Is(err, fault.NotFound) || err == nil && (authz.Hides(p, t.Type) || leftOut(*f)) {
		return refusedFields(fault.Field{Path: "query.type", Message: "is not the key of a case type"})
	}
	if err != nil {
		return err
	}
	all, wrong := t.Type.Ranges(f.Where, p.Sight())
	if sorted != "" && !t.Type.IsIndexed(sorted, p.Sight()) {
		wrong = append(wrong, fault.Field{Path: "query.sort", Message: t.Type.NotIndexed(sorted, p.Sight())})
	}
	if len(f.Where) > maxConditions || len(all) > maxRanges {
		wrong = append(wrong, fault.Field{Path: "query.where", Message: "has more than 10 conditions, or 5 fields"})
	}
	if len(wrong) > 0 {
		return refusedFields(wrong...)
	}
	f.Where, f.Fields = nil, all
	return nil
}

// leftOut reports whether a list has no case of its type, whatever else it selects.
func leftOut(f store.CaseFilter) bool {
	granted := func(entry string) bool { return strings.HasPrefix(entry, f.Type+"/") }
	return slices.Contains(f.Without, f.Type) && !slices.ContainsFunc(f.Granted, granted)
}

func refusedFields(wrong ...fault.Field) error {
	return fault.In("case.field_not_indexed", "The cases can't be listed by these fields: see fields.", wrong...)
}

// The portions that are indexed before a definition is put, and how much later the cases are checked once more: by then
// no node knows the definition before.
const (
	indexedFirst = 10
	checkedAfter = time.Minute
)

// indexFirst indexes the first portions, so that in a small type lists are complete as soon as it is put, and leaves
// the others to IndexFields, as it does after an error.
func (s *CaseTypes) indexFirst(ctx context.Context) {
	for range indexedFirst {
		more, err := s.indexPortion(ctx)
		if err == nil && !more {
			return
		}
		if err != nil {
			break
		}
	}
	select {
	case s.unindexed <- struct{}{}:
	default:
	}
}

// Unindexed is sent to when there are cases that wait for IndexFields.
func (s *CaseTypes) Unindexed() <-chan struct{} { return s.unindexed }

// IndexFields indexes the cases of types whose newest definition marks other fields than the one before.
func (s *CaseTypes) IndexFields(ctx context.Context) error {
	for more := true; more; {
		var err error
		if more, err = s.indexPortion(ctx); err != nil {
			return err
		}
	}
	return nil
}

// indexPortion indexes some cases, and reports whether there may be more.
func (s *CaseTypes) indexPortion(ctx context.Context) (more bool, err error) {
	task, more, err := s.store.NextFieldTask(ctx, s.now().Add(-checkedAfter))
	if err != nil || !more {
		return false, err
	}
	stored, err := s.store.CaseType(ctx, task.Tenant, task.Type, 0) // other nodes may have put it
	if err != nil {
		return false, err
	}
	newest, err := s.definitions.Of(task.Tenant, stored)
	if err != nil {
		return false, err
	}
	return true, s.store.IndexPortion(ctx, task, func(c cases.Case) ([]casetype.IndexedValue, error) {
		own, err := s.definitions.At(ctx, s.store, task.Tenant, c.Type, c.TypeVersion)
		if err != nil {
			return nil, err
		}
		return newest.Type.IndexedValues(c.Data, own.Type), nil
	})
}
