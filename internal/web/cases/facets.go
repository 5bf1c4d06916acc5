package cases

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strconv"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/web/ui"
)

// facet counts the cases of a list by a filter.
type facet struct {
	Title  string
	Values []facetValue
}

// facetValue is a value of a filter.
type facetValue struct {
	Title, Color string
	Href         string // with the filter; without it if it is set
	Set          bool
	Count        string
}

const maxFacetValues = 8

// facets counts the cases that a filter selects, all of them and by what narrows them down.
func (h handler) facets(
	ctx context.Context, r *ui.Request, f store.CaseFilter, k known,
) (all []facet, count string, err error) {
	found, err := h.services.Cases.Facets(ctx, r.Principal, f)
	if err != nil {
		return nil, "", err
	}
	more := ""
	if !found.Complete {
		more = "+"
	}
	query := r.HTTP.URL.Query()
	assignees := map[string]int64{}
	for id, n := range found.Assignees {
		if id == "0" {
			id = "none"
		}
		assignees[id] = n
	}
	for _, of := range []struct {
		title, name string
		counts      map[string]int64
	}{
		{"Type", "type", found.Types}, {"State", "state", found.States}, {"Assigned to", "assignee", assignees},
		{"Label", "label", found.Labels},
	} {
		if values := k.values(query, of.name, of.counts, more); len(values) > 0 {
			all = append(all, facet{of.title, values})
		}
	}
	return append(all, times(query)), ui.Number(int(found.Cases)) + more, nil
}

// values returns the values of a facet, the most frequent first, behind the one that is set.
func (k known) values(query url.Values, name string, counts map[string]int64, more string) (all []facetValue) {
	keys := make([]string, 0, len(counts))
	for key := range counts {
		keys = append(keys, key)
	}
	set := query.Get(name)
	if name == "assignee" && set == "me" {
		set = strconv.FormatInt(k.me, 10)
	}
	slices.SortFunc(keys, func(a, b string) int {
		if (a == set) != (b == set) {
			return cmp.Compare(b, set) - cmp.Compare(a, set)
		}
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	for _, key := range keys[:min(len(keys), maxFacetValues)] {
		v := facetValue{
			Title: k.title(name, key), Set: key == set, Count: ui.Number(int(counts[key])) + more,
			Href: ui.With("/cases", query, name, key),
		}
		if v.Set {
			v.Href = ui.Without("/cases", query, name)
		}
		if name == "state" {
			v.Color = ui.Color(k.colors[key])
		}
		all = append(all, v)
	}
	return all
}

// Count counts the cases that the query of the list's address selects.
func (s Services) Count(ctx context.Context, p access.Principal, query url.Values) (string, error) {
	f, err := filterOf(query, p, s.Guard.Now())
	if err != nil {
		return "", err
	}
	found, err := s.Casework.Cases.Facets(ctx, p, f)
	return countOf(found.Cases, found), err
}

// times returns the facet of the times of the last change.
func times(query url.Values) facet {
	all := facet{Title: "Updated"}
	for _, s := range spans {
		v := facetValue{
			Title: s.title, Set: query.Get("updated") == s.key, Href: ui.With("/cases", query, "updated", s.key),
		}
		if v.Set {
			v.Href = ui.Without("/cases", query, "updated")
		}
		all.Values = append(all.Values, v)
	}
	return all
}
