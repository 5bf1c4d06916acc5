package casework

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/definitions"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/input"
	"github.com/casehook/casehook/internal/schema"
	"github.com/casehook/casehook/internal/store"
)

// A search selects cases of a type by conditions that no index has. It looks at the cases that a list would show,
// within these bounds.
const (
	mostSearched      = 10_000     // cases
	mostSearchedBytes = 64 << 20   // of their data
	mostFoundBytes    = 16 << 20   // of the data of a page
	mostSearchSteps   = 50_000_000 // of the evaluation of its conditions, 100 ns each
	mostSearches      = 2          // at once
)

// Search is a search as its caller makes it of the type's newest definition.
type Search struct {
	// Filter selects what indexes know of the conditions, and the order if Orders is empty.
	Filter store.CaseFilter
	// Matches reports whether a case, as its reader sees it, meets the conditions; nil: all do.
	Matches func(View, *schema.Budget) (bool, error)
	Orders  []SearchOrder
	Skip    int // cases before the page
	Size    int // of the page
}

// SearchOrder sorts cases by a key. Those without one, "", come last.
type SearchOrder struct {
	Key        func(View) string
	Descending bool
}

// Found is a page of what a search found.
type Found struct {
	Cases    []View
	Count    int64 // of all that match
	Complete bool  // false: there are more
}

// match is a case that a search has found.
type match struct {
	id   int64
	size int
	keys []string
}

// Search finds cases of a type. Prepare makes the search of the type's newest definition.
func (s *Cases) Search(
	ctx context.Context, p access.Principal, key string, prepare func(*casetype.Type) (Search, error),
) (none Found, err error) {
	if err := s.guard.Permit(ctx, p, access.ListCases); err != nil {
		return none, err
	}
	if !input.Word(key) {
		return none, definitions.Missing(key)
	}
	t, err := s.definitions.At(ctx, s.store, p.Tenant, key, 0)
	if err == nil && authz.Hides(p, t.Type) {
		err = definitions.Missing(key)
	}
	if err != nil {
		return none, err
	}
	search, err := prepare(t.Type)
	if err != nil {
		return none, err
	}
	search.Filter.Type = key
	some, err := s.restrict(ctx, p, &search.Filter)
	if err != nil || !some {
		return Found{Complete: true}, err
	}
	if search.Matches == nil && len(search.Orders) == 0 {
		return s.listed(ctx, p, search)
	}
	select {
	case s.searches <- struct{}{}:
		defer func() { <-s.searches }()
	case <-ctx.Done():
		return none, cancelled(ctx)
	}
	matches, err := s.matches(ctx, p, search)
	if err != nil {
		return none, err
	}
	search.sort(matches)
	page := matches[min(search.Skip, len(matches)):min(search.Skip+search.Size, len(matches))]
	found := Found{Count: int64(len(matches)), Complete: true}
	found.Cases, err = s.views(ctx, p, page)
	return found, err
}

// listed finds the cases of a search that a list finds.
func (s *Cases) listed(ctx context.Context, p access.Principal, search Search) (none Found, err error) {
	counts, err := s.store.CaseFacets(ctx, p.Tenant, search.Filter)
	if err != nil {
		return none, err
	}
	found := Found{Count: counts.Cases, Complete: counts.Complete}
	var page []match
	place := 0
	err = s.walk(ctx, p.Tenant, search.Filter, func(row *store.CaseRow) (bool, error) {
		if place++; place > search.Skip {
			page = append(page, match{id: row.ID(), size: row.Size()})
		}
		return len(page) < search.Size, nil
	})
	if err != nil && !errors.Is(err, errTooBroad) {
		return none, err
	}
	found.Cases, err = s.views(ctx, p, page)
	return found, err
}

// matches returns all cases that a search finds.
func (s *Cases) matches(ctx context.Context, p access.Principal, search Search) (all []match, err error) {
	work := schema.NewBudget(ctx, mostSearchSteps)
	bytes := 0
	err = s.walk(ctx, p.Tenant, search.Filter, func(row *store.CaseRow) (bool, error) {
		size := row.Size()
		if bytes += size; bytes > mostSearchedBytes {
			return false, errTooBroad
		}
		view, err := s.searched(ctx, p, row)
		if err != nil {
			return false, err
		}
		matches := true
		if search.Matches != nil {
			if matches, err = search.Matches(view, work); err != nil {
				return false, cmp.Or(cancelled(ctx), errTooBroad)
			}
		}
		if matches {
			all = append(all, match{view.ID, size, search.keys(view)})
		}
		return true, nil
	})
	if errors.Is(err, errTooBroad) {
		return nil, fault.In("case.search_too_broad",
			"The search would look at too many cases. Add a condition on the state, or on an indexed field.",
			fault.Field{Path: "/query", Message: "selects too many cases by what is indexed"})
	}
	return all, err
}

// errTooBroad ends a walk over more cases than a search may look at.
var errTooBroad = errors.New("the search looks at too many cases")

// walk calls see with the rows of a list until it returns false.
func (s *Cases) walk(
	ctx context.Context, tenant int64, f store.CaseFilter, see func(*store.CaseRow) (more bool, err error),
) error {
	f.Limit = input.MaxPage
	for looked := 0; ; {
		found, err := s.store.Cases(ctx, tenant, f)
		if err != nil {
			return err
		}
		for i := range found.Items {
			row := &found.Items[i]
			if looked++; looked > s.mostSearched {
				return errTooBroad
			}
			f.After = row.Position(f.Sort)
			if more, err := see(row); err != nil || !more {
				return err
			}
		}
		switch {
		case !found.More:
			return nil
		case found.To != store.Position{}: // it has looked at as many cases as a page may
			return errTooBroad
		}
	}
}

// searched returns a case as its reader sees it.
func (s *Cases) searched(ctx context.Context, p access.Principal, row *store.CaseRow) (View, error) {
	if err := cancelled(ctx); err != nil {
		return View{}, err
	}
	c, err := row.Case()
	if err != nil {
		return View{}, err
	}
	return s.seen(ctx, p, c)
}

func (s *Cases) seen(ctx context.Context, p access.Principal, c cases.Case) (View, error) {
	t, err := s.definitions.At(ctx, s.store, p.Tenant, c.Type, c.TypeVersion)
	if err != nil {
		return View{}, err
	}
	return s.core.plainView(ctx, s.store, p, c, t.Type)
}

// views loads the cases of a page. Those that are gone since they were found are left out.
func (s *Cases) views(ctx context.Context, p access.Principal, page []match) (all []View, err error) {
	bytes := 0
	for i, m := range page {
		if bytes += m.size; bytes > mostFoundBytes && i > 0 {
			return nil, fault.In("case.search_page_too_large",
				"The cases of the page have too much data. Ask for a smaller page.",
				fault.Field{Path: "/page/size", Message: "makes too large a page"})
		}
	}
	for _, m := range page {
		c, err := s.store.Case(ctx, p.Tenant, m.id)
		if err == nil {
			var view View
			if view, err = s.seen(ctx, p, c); err == nil {
				all = append(all, view)
			}
		}
		if err != nil && !errors.Is(err, fault.NotFound) {
			return nil, err
		}
	}
	return all, nil
}

// keys returns the keys of a case by which the search is sorted.
func (s Search) keys(v View) []string {
	keys := make([]string, len(s.Orders))
	for i, order := range s.Orders {
		keys[i] = order.Key(v)
	}
	return keys
}

// sort sorts what was found. Cases with equal keys stay in the order of the list.
func (s Search) sort(all []match) {
	slices.SortStableFunc(all, func(a, b match) int {
		for i, order := range s.Orders {
			c := cmp.Compare(a.keys[i], b.keys[i])
			switch {
			case c == 0:
				continue
			case a.keys[i] == "" || b.keys[i] == "": // the last
				return -c
			case order.Descending:
				return -c
			}
			return c
		}
		return 0
	})
}

// cancelled returns the error of a request that has ended; nil: it has not.
func cancelled(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fault.Cancelled(err)
	}
	return nil
}
