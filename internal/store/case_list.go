package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/casehook/casehook/internal/casetype"
)

// CaseFilter selects cases; empty fields select all.
type CaseFilter struct {
	Type  string
	State string
	Text  string // in reference, name or data, however it is spelt (spelling.Key)
	// Without lists types whose cases are left out.
	Without []string
	Label   string // a slug
	// Assignee is a user, or Unassigned.
	Assignee int64
	// After is the last case of the page before.
	After Position
	Limit int
	// Clearance is the reader's. The list leaves out cases above it, and a search finds no text in fields above it.
	Clearance casetype.Classification
}

// Unassigned, as the assignee of a filter, selects the cases that are assigned to nobody.
const Unassigned = -1

// caseSelection is a set of the conditions that a filter may have, a bit each. Each selection has a statement of its
// own, since one text with conditions that may be empty would read all cases.
type caseSelection uint

const (
	byType caseSelection = 1 << iota
	byState
	byAssignee
	byText
	byLabel
	caseSelections // how many there are
)

// caseConditions are the conditions in the order of their bits. ? is the condition's parameter.
var caseConditions = []struct {
	sql   string
	value func(CaseFilter) any
}{
	{`c.type = ?`, func(f CaseFilter) any { return f.Type }},
	{`c.state = ?`, func(f CaseFilter) any { return f.State }},
	{`c.assignee = ?`, func(f CaseFilter) any { return max(f.Assignee, 0) }}, // nobody's cases have 0
	{`(c.search like ? escape '\'
		or $5 >= 2 and c.search_private like ? escape '\'
		or $5 >= 3 and c.search_restricted like ? escape '\')`, func(f CaseFilter) any { return f.Text }},
	{`l.slug = ?`, func(f CaseFilter) any { return f.Label }},
}

// selection returns the conditions that the filter has.
func (f CaseFilter) selection() (s caseSelection) {
	for i, set := range []bool{f.Type != "", f.State != "", f.Assignee != 0, f.Text != "", f.Label != ""} {
		if set {
			s |= 1 << i
		}
	}
	return s
}

func (s caseSelection) has(condition caseSelection) bool { return s&condition != 0 }

// caseLists are the lists of cases by their selection.
var caseLists = func() (all [caseSelections]*statement) {
	for s := range caseSelections {
		all[s] = s.list()
	}
	return all
}()

// list defines the list with these conditions. Its parameters are the tenant, the time and id of the position, the
// limit, the level of the clearance and the types to leave out, and then those of the conditions.
func (s caseSelection) list() *statement {
	from, place := "cases c where", "c"
	if s.has(byLabel) { // case_labels has the time of its case, so that its index is in the order of the list
		from = "case_labels l join cases c on c.tenant = l.tenant and c.id = l.case_id where l.tenant = $1 and"
		place = "l"
	}
	id := map[string]string{"c": "c.id", "l": "l.case_id"}[place]
	conditions := []string{
		`c.tenant = $1`,
		fmt.Sprintf(`(%s.created_at, %s) < ($2, $3)`, place, id),
		`($5 >= 2 or c.classification = 'PUBLIC')`,
		`($5 >= 3 or c.classification <> 'RESTRICTED') and $5 >= 1`,
		`c.type not in (select w.type from rows($6: type text) as w)`,
	}
	parameter := 7
	for i, condition := range caseConditions {
		if s.has(1 << i) {
			conditions = append(conditions, strings.ReplaceAll(condition.sql, "?", fmt.Sprint("$", parameter)))
			parameter++
		}
	}
	list := defineListing(PageBytes, listing{
		columns: caseColumns.of("c"), names: caseColumns.names(), size: lengths("data", "contacts"),
		from:  from + "\n" + strings.Join(conditions, "\nand "),
		order: fmt.Sprintf(`%s.created_at desc, %s desc`, place, id), limit: `$4`,
	})
	// SQLite has no statistics to tell that the label's index is in order.
	list.text[sqlite] = strings.Replace(list.text[sqlite], " join ", " cross join ", 1)
	return list
}

// Cases lists cases, newest first.
func (r reader) Cases(ctx context.Context, tenant int64, f CaseFilter) (p Page[CaseRow], err error) {
	if f.Text != "" {
		if f.Text, err = likePattern(f.Text); err != nil {
			return p, err
		}
	}
	list, args, err := f.query(tenant)
	if err != nil {
		return p, err
	}
	rows, err := r.q.query(ctx, list, args...)
	return collectPage(rows, err, f.Limit, scanCaseRow())
}

// query returns the filter's statement and its arguments.
func (f CaseFilter) query(tenant int64) (*statement, []any, error) {
	without, err := keyRows(f.Without)
	if err != nil {
		return nil, nil, err
	}
	selection := f.selection()
	args := []any{tenant, f.After.before(), f.After.ID, f.Limit + 1, f.Clearance.Level(), without}
	for i, condition := range caseConditions {
		if selection.has(1 << i) {
			args = append(args, condition.value(f))
		}
	}
	return caseLists[selection], args, nil
}
