package store

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/casetype"
)

// caseListPlans are filters, and the index that a list goes along with each.
var caseListPlans = []struct {
	filter CaseFilter
	index  string
}{
	{CaseFilter{}, "cases_by_time"},
	{CaseFilter{Type: "kyc"}, "cases_by_type"},
	{CaseFilter{State: "none"}, "cases_by_state_alone"},
	{CaseFilter{Assignee: 7}, "cases_by_assignee"},
	{CaseFilter{Assignee: Unassigned}, "cases_by_assignee"},
	{CaseFilter{Label: "none"}, "case_labels_by_slug"},
	{CaseFilter{Type: "kyc", State: "none"}, "cases_by_state"},
	{CaseFilter{State: "none", Assignee: Unassigned}, "cases_by_assignee_and_state"},
	{CaseFilter{Type: "kyc", State: "none", Assignee: 7}, "cases_by_"},
	{CaseFilter{Type: "kyc", Assignee: 7}, "cases_by_"},
	{CaseFilter{Label: "none", State: "open"}, "case_labels_by_slug"},
	{CaseFilter{Label: "none", Type: "kyc", Assignee: 7}, "case_labels_by_slug"},
	{CaseFilter{Sort: "created", State: "none"}, "cases_by_state_alone"},
	{CaseFilter{State: "none", Created: aDay}, "cases_by_state_alone"},
	{CaseFilter{Label: "none", Modified: aDay}, "case_labels_by_slug"},
	{CaseFilter{Sort: "-modified"}, "cases_by_modified"},
	{CaseFilter{Sort: "modified", Type: "kyc", State: "none", Assignee: 7, Modified: aDay}, "cases_by_modified"},
	{CaseFilter{Sort: "-closed", Label: "none", Created: aDay}, "cases_by_closed"},
	{CaseFilter{Sort: "closed", Closed: aDay}, "cases_by_closed"},
	{CaseFilter{Sort: "last_activity", State: "none"}, "cases_by_last_activity"},
	{CaseFilter{Sort: "-last_activity", LastActivity: aDay}, "cases_by_last_activity"},
	{CaseFilter{Type: "kyc", Sort: "data.amount"}, "case_fields_by_value"},
	{CaseFilter{Type: "kyc", Sort: "-data.amount", Fields: amounts, State: "none"}, "case_fields_by_value"},
	{CaseFilter{Type: "kyc", Sort: "data.amount", Fields: amounts, Label: "none", Assignee: 7}, "case_fields_by_value"},
	{CaseFilter{Type: "kyc", Fields: oneAmount}, "case_fields_by_value"},
	{CaseFilter{Type: "kyc", Sort: "created", Fields: oneAmount, Created: aDay}, "case_fields_by_value"},
	{CaseFilter{Type: "kyc", Fields: amounts}, "cases_by_type"},
	{CaseFilter{Type: "kyc", Sort: "-modified", Fields: oneAmount}, "cases_by_modified"},
}

// amounts has a tenth of the amounts that fillCases saves, and oneAmount a single one.
var (
	amounts   = []casetype.IndexedRange{{Field: "amount", From: "n40", Until: "n50"}}
	oneAmount = []casetype.IndexedRange{{Field: "amount", From: "n42", Until: "n42\x01"}}
)

// aDay has a fifth of the cases that fillCases creates, and aMoment a fifth of these.
var (
	aDay    = Period{From: time.UnixMicro(40_000_000), Until: time.UnixMicro(60_000_000)}
	aMoment = Period{From: time.UnixMicro(40_000_000), Until: time.UnixMicro(44_000_000)}
)

// TestCasesAreListedAlongIndexes: a list reads a part of an index in the order of the list, whatever it selects. It
// neither reads all cases nor sorts those that a condition finds, in an empty database and in one that has many cases
// and no statistics. A search reads the index of words.
func TestCasesAreListedAlongIndexes(t *testing.T) {
	stores := openBoth(t)
	checkCaseListPlans(t, stores, "no cases")
	for _, s := range stores {
		fillCases(t, s)
	}
	checkCaseListPlans(t, stores, "many cases")
	checkSearchPlans(t, stores)
	checkLookedLists(t, stores)
	checkBoundedFacets(t, stores)
}

// checkBoundedFacets checks that facets look at a bounded part of the cases, and say so.
func checkBoundedFacets(t *testing.T, stores map[string]*Store) {
	t.Helper()
	for name, s := range stores {
		for _, c := range []struct {
			filter   CaseFilter
			cases    int64
			complete bool
		}{
			{CaseFilter{}, lookedAt + 1, false},
			{CaseFilter{Assignee: 10}, 2000, true},
			{CaseFilter{Type: "loan", Closed: Period{Until: time.UnixMicro(90_000_000)}}, 5001, false},
			{CaseFilter{Modified: aMoment}, 4000, true},
			{CaseFilter{Text: "ada", Label: "urgent"}, 8000, true},
			{CaseFilter{State: "none"}, 0, true},
			{CaseFilter{Type: "kyc", Fields: oneAmount, Assignee: Unassigned}, 500, true},
			{CaseFilter{Type: "kyc", Fields: amounts}, 5000, true},
		} {
			c.filter.Clearance = casetype.Restricted
			got, err := s.CaseFacets(t.Context(), 1, c.filter)
			if err != nil || got.Cases != c.cases || got.Complete != c.complete {
				t.Errorf("%s, %+v: %d cases, complete: %t, %v", name, c.filter, got.Cases, got.Complete, err)
			}
		}
	}
}

// searchPlans are filters with a text.
var searchPlans = []CaseFilter{
	{Text: "missing"}, {Text: `kyc "ada"`}, {Text: "missing", Type: "kyc"}, {Text: "missing", State: "open"},
	{Text: "missing", Assignee: Unassigned}, {Text: "missing", Label: "urgent"},
}

func checkSearchPlans(t *testing.T, stores map[string]*Store) {
	t.Helper()
	for _, filter := range searchPlans {
		filter.Clearance, filter.Limit = casetype.Restricted, 50
		text := filter.Text
		for name, s := range stores {
			filter.Text = s.dialect.wordQuery("1", phrases(text), filter.Clearance)
			list, args := planned(t, s, filter)
			ranked, rankedArgs := plannedRanks(t, s, filter)
			if name == "sqlite" {
				for _, plan := range []string{sqlitePlan(t, s, list, args), sqlitePlan(t, s, ranked, rankedArgs)} {
					if !strings.Contains(plan, "SCAN case_words VIRTUAL TABLE INDEX") ||
						strings.Contains(plan, "SCAN c\n") || strings.Contains(plan, "SCAN d\n") ||
						strings.Contains(plan, "SCAN a\n") || strings.Contains(plan, "TEMP B-TREE FOR") {
						t.Errorf("sqlite, %+v:\n%s", filter, plan)
					}
				}
				continue
			}
			plan := preparedPlan(t, s, ranked, "force_generic_plan", rankedArgs)
			if strings.Contains(plan, "Seq Scan on case") {
				t.Errorf("postgres, %+v:\n%s", filter, plan)
			}
			for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
				plan := preparedPlan(t, s, list, mode, args)
				if !strings.Contains(plan, "_by_") || strings.Contains(plan, "Seq Scan on case") {
					t.Errorf("postgres, %s, %+v:\n%s", mode, filter, plan)
				}
				if filter.selection() == byText && !strings.Contains(plan, "cases_by_word") {
					t.Errorf("postgres, %s, %+v:\n%s", mode, filter, plan)
				}
			}
		}
	}
}

// planned returns the statement of a filter's list, and its arguments.
func planned(t *testing.T, s *Store, f CaseFilter) (*statement, []any) {
	t.Helper()
	values, err := f.values(1)
	if err != nil {
		t.Fatal(err)
	}
	list := f.shape(s.dialect).listQuery()
	return list.statement, list.args(values)
}

// plannedRanks returns the statement that reads what a search by relevance ranks, and its arguments.
func plannedRanks(t *testing.T, s *Store, f CaseFilter) (*statement, []any) {
	t.Helper()
	f.Limit = mostRanked
	values, err := f.values(1)
	if err != nil {
		t.Fatal(err)
	}
	shape := f.shape(s.dialect)
	q := shape.query(shape.ranked())
	return q.statement, q.args(values)
}

func checkCaseListPlans(t *testing.T, stores map[string]*Store, database string) {
	t.Helper()
	for _, want := range caseListPlans {
		want.filter.Clearance, want.filter.Limit = casetype.Restricted, 50
		list, args := planned(t, stores["sqlite"], want.filter)
		if plan := sqlitePlan(t, stores["sqlite"], list, args); !strings.Contains(plan, "INDEX "+want.index) ||
			strings.Contains(plan, "SCAN c\n") || strings.Contains(plan, "TEMP B-TREE FOR") {
			t.Errorf("sqlite, %s, %+v:\n%s", database, want.filter, plan)
		}
		list, args = planned(t, stores["postgres"], want.filter)
		for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
			plan := preparedPlan(t, stores["postgres"], list, mode, args)
			ofPage := strings.Count(plan, "Sort Key: listed.row_place\n")
			sorts := strings.Count(plan, "Sort Key: ") - ofPage
			if want.filter.selection() == 0 || want.filter.Sort.key() != "created" {
				sorts = 0 // without statistics, PostgreSQL takes a tenant to have few cases
			}
			if !strings.Contains(plan, want.index) || strings.Contains(plan, "Seq Scan on case") || sorts > 0 {
				t.Errorf("postgres, %s, %s, %+v:\n%s", database, mode, want.filter, plan)
			}
		}
	}
}

// manyCases are enough for a plan to matter.
const manyCases = 100_000

// fillCases saves cases of two types in one state, a tenth of which have an assignee and a label.
func fillCases(t *testing.T, s *Store) {
	t.Helper()
	count := fmt.Sprintf(`with recursive n (i) as (select 1 union all select i + 1 from n where i < %d) `, manyCases)
	statements := []string{
		`insert into tenants (key, name, created_at) values ('acme', 'Acme', 1)`,
		`insert into labels (tenant, slug, name, color, created_at) values (1, 'urgent', '', '', 1)`,
		count + `insert into cases (id, tenant, type, type_version, reference, name, name_set, color, state,
			classification, data, version, revision, outcome_instance, created_at, modified_at, closed_at, last_activity_at, assignee,
			indexed, folding, search)
			select i, 1, case when i % 2 = 0 then 'kyc' else 'loan' end, 1, 'KYC-' || i, 'Ada', true, '', 'open',
				'PUBLIC', '{}', 1, 1, 0, 1000 * i, 1000 * i, 1000 * i * (i % 2), 1000 * i, case when i % 10 = 0 then i % 50 else 0 end,
				case when i % 2 = 0 then '[["amount", "n' || (10 + i % 200 / 2 % 100) || '", 1]]' else '' end, 2, 'kyc ' || i || ' ada'
			from n`,
		`insert into case_labels (tenant, case_id, slug) select 1, id, 'urgent' from cases where assignee > 0`,
	}
	if s.Nodes() { // autovacuum would analyse the tables at some time
		statements = append([]string{
			`alter table cases set (autovacuum_enabled = false)`,
			`alter table case_labels set (autovacuum_enabled = false)`,
			`alter table case_fields set (autovacuum_enabled = false)`,
		}, statements...)
	}
	err := s.Update(t.Context(), func(tx *Tx) error {
		for _, statement := range statements {
			if err := tx.Exec(statement); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// preparedPlan returns the plan of a prepared statement, made for the arguments (force_custom_plan) or for any
// (force_generic_plan), as PostgreSQL chooses it.
func preparedPlan(t *testing.T, s *Store, of *statement, mode string, args []any) string {
	t.Helper()
	conn, err := postgresPool(s).Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	ctx := context.WithoutCancel(t.Context())
	literals := make([]string, len(args))
	for i, arg := range args {
		literals[i] = "'" + strings.ReplaceAll(fmt.Sprint(arg), "'", "''") + "'"
	}
	for _, step := range []string{"set plan_cache_mode = " + mode, "prepare planned as " + of.text[postgres]} {
		if _, err := conn.Exec(ctx, step); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := conn.Query(ctx, "explain execute planned("+strings.Join(literals, ", ")+")")
	if err != nil {
		t.Fatal(err)
	}
	var plan strings.Builder
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&plan, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(ctx, "deallocate planned"); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}

// checkLookedLists checks that where no index has the filter and the order, a page ends after lookedAt cases, and that
// the next goes on behind them.
func checkLookedLists(t *testing.T, stores map[string]*Store) {
	t.Helper()
	for name, s := range stores {
		for _, c := range []struct {
			filter CaseFilter
			want   [3]int // cases of the first page, pages, and cases of them all
		}{
			{CaseFilter{Sort: "-modified", State: "none"}, [3]int{0, 11, 0}}, // the last page has no more to look at
			{CaseFilter{Sort: "modified", Assignee: 10}, [3]int{200, 11, 2000}},
			{CaseFilter{State: "open", Modified: Period{Until: time.UnixMicro(3000)}}, [3]int{0, 11, 2}},
			{CaseFilter{Sort: "-last_activity", Label: "urgent", Created: aDay}, [3]int{0, 11, 1600}},
			{CaseFilter{Sort: "closed", Closed: aMoment, Type: "loan"}, [3]int{2000, 1, 2000}},
			{CaseFilter{Type: "kyc", Fields: amounts}, [3]int{1000, 6, 5000}},
			{CaseFilter{Type: "kyc", Sort: "-data.amount", State: "none"}, [3]int{0, 6, 0}},
			{CaseFilter{Type: "kyc", Sort: "data.amount", Fields: oneAmount, State: "open"}, [3]int{500, 1, 500}},
		} {
			c.filter.Clearance, c.filter.Limit = casetype.Restricted, 20_000
			var got [3]int
			for more := true; more; {
				page, err := s.Cases(t.Context(), 1, c.filter)
				if err != nil {
					t.Fatal(err)
				}
				if got[1] == 0 {
					got[0] = len(page.Items)
				}
				got[1]++
				got[2] += len(page.Items)
				if more = page.More; more && page.To == (Position{}) {
					t.Fatalf("%s, %+v: a page of %d cases has the limit", name, c.filter, len(page.Items))
				}
				c.filter.After = page.To
			}
			if got != c.want {
				t.Errorf("%s, %+v: the counts are %d, want %d", name, c.filter, got, c.want)
			}
		}
	}
}

// labelledCases are cases with a label, the second older than the first, as they were before labels had the times of
// their cases.
var labelledCases = func() (all []string) {
	all = append(all, `insert into tenants (key, name, created_at) values ('acme', 'Acme', 1)`,
		`insert into labels (tenant, slug, name, color, created_at) values (1, 'urgent', '', '', 1)`)
	for _, c := range []string{`7, 9, 'A'`, `8, 5, 'B'`} {
		all = append(all, `insert into cases (id, created_at, reference,
			tenant, type, type_version, name, name_set, color,
			state, classification, data, version, revision, outcome_instance, modified_at, search, labels)
			values (`+c+`, 1, 'kyc', 1, '', false, '', 'open', 'PUBLIC', '{}', 1, 1, 0, 1, '', 'urgent')`)
	}
	return append(all, `insert into case_labels (tenant, case_id, slug) values (1, 7, 'urgent'), (1, 8, 'urgent')`)
}()

func TestLabelledCasesStayInOrderWhenLabelsGetTheirTimes(t *testing.T) {
	t.Parallel()
	afterMigration(t, 29, labelledCases, func(t *testing.T, s *Store, engine string) {
		f := CaseFilter{Label: "urgent", Clearance: casetype.Public, Limit: 1}
		for _, id := range []int64{7, 8} {
			page, err := s.Cases(t.Context(), 1, f)
			if err != nil || len(page.Items) != 1 || page.Items[0].row.ID != id {
				t.Fatalf("%s: the page is %+v, %v; want case %d", engine, page, err, id)
			}
			f.After = Position{CreatedAt: page.Items[0].row.CreatedAt, ID: id}
		}
	})
}
