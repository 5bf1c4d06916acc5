package store

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
)

// CaseFacets counts the cases that a filter selects, by what narrows a list down further.
type CaseFacets struct {
	Cases    int64
	Complete bool // false: there are cases behind those that were looked at, so that all counts are lower bounds
	// The counts by the value of a filter. Cases that nobody has are counted under assignee 0.
	Types, States, Labels, Assignees map[string]int64
}

// facets returns the statement that counts the first cases of the list's index.
func (s caseShape) facets() string {
	index, others := s.along()
	return `select selected, type, state, assignee, labels, count(*) from (
		select case when ` + strings.Join(others, and) + ` then 1 else 0 end as selected,
			c.type, c.state, c.assignee, c.labels
		from ` + strings.Join(index, and) + `
		order by ` + s.order() + ` limit :looked
	) as looked group by selected, type, state, assignee, labels`
}

// facetSort returns the order in which the cases are counted: a filter by a field goes along the index of it, and a
// filter by one time alone along that of the time.
func (f CaseFilter) facetSort() CaseSort {
	if len(f.Fields) > 0 && f.Text == "" {
		return CaseSort("-data." + f.Fields[0].Field)
	}
	if f.selection() != 0 {
		return ""
	}
	for _, t := range caseTimes {
		if t.period(f) != (Period{}) {
			return CaseSort("-" + t.key)
		}
	}
	return ""
}

// CaseFacets counts cases. It looks at lookedAt cases at most, the newest.
func (r reader) CaseFacets(ctx context.Context, tenant int64, f CaseFilter) (CaseFacets, error) {
	found := CaseFacets{
		Complete: true, Types: map[string]int64{}, States: map[string]int64{},
		Labels: map[string]int64{}, Assignees: map[string]int64{},
	}
	shape, values, err := r.counted(ctx, tenant, f)
	if err != nil || values == nil {
		return found, err
	}
	q := shape.query(shape.facets())
	rows, err := r.q.query(ctx, q.statement, q.args(values)...)
	var looked int64
	_, err = collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		n, err := found.count(rows)
		looked += n
		return none, err
	})
	found.Complete = looked <= lookedAt
	return found, err
}

// counted returns the shape and the parameters of a statement that looks at the first cases of the filter's index; no
// parameters: the filter selects nothing.
func (r reader) counted(
	ctx context.Context, tenant int64, f CaseFilter,
) (s caseShape, values map[string]any, err error) {
	f.Sort, f.After = f.facetSort(), Position{}
	if err := f.check(); err != nil {
		return s, nil, err
	}
	if err := r.checkFields(ctx, tenant, f); err != nil {
		return s, nil, err
	}
	if searched, err := r.searched(tenant, &f); err != nil || !searched {
		return s, nil, err
	}
	if values, err = f.values(tenant); err != nil {
		return s, nil, err
	}
	values["looked"] = lookedAt + 1
	return f.shape(r.dialect), values, nil
}

// count adds the cases of a row, and returns how many there are, selected or not.
func (f *CaseFacets) count(rows *sql.Rows) (n int64, err error) {
	var selected, assignee int64
	var kind, state string
	var labels wordsTarget
	if err := rows.Scan(&selected, &kind, &state, &assignee, &labels, &n); err != nil || selected == 0 {
		return n, err
	}
	f.Cases += n
	f.Types[kind] += n
	f.States[state] += n
	f.Assignees[strconv.FormatInt(assignee, 10)] += n
	for _, label := range labels {
		f.Labels[label] += n
	}
	return n, nil
}
