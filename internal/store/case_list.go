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
	// Text has words that a case has in its reference, name or data, however they are spelt (spelling.Key). Each is
	// the beginning of a word, or between quotation marks a phrase.
	Text string
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
	{`c.words @@ cast(? as tsquery)`, func(f CaseFilter) any { return f.Text }},
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

// caseSource is the table that a list of cases goes along.
type caseSource struct {
	from  string // with the condition that joins it to the cases
	after string // the condition of the position
	order string
}

var (
	alongCases  = caseSource{`cases c where`, `(c.created_at, c.id) < ($2, $3)`, `c.created_at desc, c.id desc`}
	alongLabels = caseSource{ // which have the times of their cases
		`case_labels l cross join cases c where l.tenant = $1 and c.tenant = l.tenant and c.id = l.case_id and`,
		`(l.created_at, l.case_id) < ($2, $3)`, `l.created_at desc, l.case_id desc`,
	}
	// alongWords reads SQLite's documents, whose order is that of the list. A case that is gone since the page before
	// leaves only its time.
	alongWords = caseSource{
		`case_words cross join case_documents d cross join cases c
			where d.document = case_words.rowid and c.tenant = d.tenant and c.id = d.case_id and d.tenant = $1 and`,
		`case_words.rowid < coalesce((select p.document from case_documents p where p.tenant = $1 and p.case_id = $3),
			(min($2, 4503599627370494) + 1) * 2048)`,
		`case_words.rowid desc`,
	}
)

// list defines the list with these conditions. Its parameters are the tenant, the time and id of the position, the
// limit, the level of the clearance and the types to leave out, and then those of the conditions.
func (s caseSelection) list() *statement {
	list := defineListing(PageBytes, s.listing(postgres))
	list.text[sqlite] = sqlite.render(s.listing(sqlite).plain())
	return list
}

// source returns the table that an engine goes along.
func (s caseSelection) source(d dialect) caseSource {
	switch {
	case s.has(byText) && d == sqlite:
		return alongWords
	case s.has(byLabel) && !s.has(byText):
		return alongLabels
	}
	return alongCases
}

func (s caseSelection) listing(d dialect) listing {
	source := s.source(d)
	conditions := []string{
		`c.tenant = $1`, source.after,
		`($5 >= 2 or c.classification = 'PUBLIC')`,
		`($5 >= 3 or c.classification <> 'RESTRICTED') and $5 >= 1`,
		`c.type not in (select w.type from rows($6: type text) as w)`,
	}
	parameter := 7
	for i, condition := range caseConditions {
		if s.has(1 << i) {
			text := condition.sql
			switch c := caseSelection(1 << i); {
			case c == byText && d == sqlite:
				text = `case_words match ?`
			case c == byLabel && s.has(byText):
				text = `exists (select 1 from case_labels l where l.tenant = $1 and l.case_id = c.id and l.slug = ?)`
			}
			conditions = append(conditions, strings.Replace(text, "?", fmt.Sprint("$", parameter), 1))
			parameter++
		}
	}
	return listing{
		columns: caseColumns.of("c"), names: caseColumns.names(), size: lengths("data", "contacts"),
		from:  source.from + " " + strings.Join(conditions, "\nand "),
		order: source.order, limit: `$4`,
	}
}

// Cases lists cases, newest first.
func (r reader) Cases(ctx context.Context, tenant int64, f CaseFilter) (p Page[CaseRow], err error) {
	if f.Text != "" {
		if err := checkSearch(f.Text); err != nil {
			return p, err
		}
		searched := phrases(f.Text)
		if len(searched) == 0 || f.Clearance.Level() == 0 {
			return p, nil // there is no such word, or none that the reader may find
		}
		f.Text = r.dialect.wordQuery(fmt.Sprint(tenant), searched, f.Clearance)
	}
	list, args, err := f.query(tenant)
	if err != nil {
		return p, err
	}
	rows, err := r.q.query(ctx, list, args...)
	return collectPage(rows, err, f.Limit, scanCaseRow())
}

// query returns the filter's statement and its arguments. The filter's text is a query of the engine (wordQuery).
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
