package store

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

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

// caseConditions are the conditions in the order of their bits.
var caseConditions = []string{
	`c.type = :type`,
	`c.state = :state`,
	`c.assignee = :assignee`, // nobody's cases have 0
	`c.words @@ cast(:text as tsquery)`,
	`l.slug = :label`,
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

// caseShape is all that the text of a list's statements depends on.
type caseShape struct {
	dialect   dialect
	selection caseSelection
	sort      CaseSort
	dated     bool // the filter bounds times
	field     bool // the list goes along the index of a field
	fields    int  // how many fields are bounded besides
	granted   bool // cases may be read by roles that are granted on them
}

// plain reports whether the list is in the order of creation, the newest first, whenever it was.
func (s caseShape) plain() bool {
	return s.sort == "" && !s.dated && !s.field && s.fields == 0 && !s.granted
}

// caseSource is the table that a list of cases goes along.
type caseSource struct {
	from      string // with the condition that joins it to the cases
	at, id    string // the columns of the order
	value     string // before them; empty: there is none
	condition string // of its own
}

// columns returns the columns of the order, and parameters for a place in it that begin with a prefix.
func (c caseSource) columns(prefix string) (columns, place []string) {
	if columns, place = []string{c.at, c.id}, []string{prefix + `at`, prefix + `id`}; c.value != "" {
		columns, place = append([]string{c.value}, columns...), append([]string{prefix + `value`}, place...)
	}
	return columns, place
}

// index returns the index that SQLite is told to use. For a range of times it would consider that of all cases as good.
func (s caseShape) index() string {
	if s.plain() || s.dialect == postgres {
		return ``
	}
	name := `time`
	switch has := s.selection.has; {
	case s.sort.key() != "created":
		name = s.sort.key()
	case has(byType) && has(byState):
		name = `state`
	case has(byAssignee) && has(byState):
		name = `assignee_and_state`
	case has(byAssignee):
		name = `assignee`
	case has(byType):
		name = `type`
	case has(byState):
		name = `state_alone`
	}
	return ` indexed by cases_by_` + name
}

// source returns the table that a list goes along.
func (s caseShape) source() caseSource {
	switch {
	case s.selection.has(byText) && s.dialect == sqlite: // whose documents are in the order of creation
		return caseSource{from: `case_words cross join case_documents d cross join cases c
			where d.document = case_words.rowid and c.tenant = d.tenant and c.id = d.case_id and d.tenant = :tenant`}
	case s.field:
		return s.fieldSource()
	case s.selection.has(byLabel) && !s.selection.has(byText) && s.sort.key() == "created": // of the cases
		return caseSource{
			from: `case_labels l cross join cases c
				where l.tenant = :tenant and c.tenant = l.tenant and c.id = l.case_id`,
			at: `l.created_at`, id: `l.case_id`,
		}
	case s.sort.key() == "closed":
		return caseSource{from: `cases c` + s.index() + ` where c.closed_at > 0`, at: `c.closed_at`, id: `c.id`}
	}
	return caseSource{from: `cases c` + s.index() + ` where true`, at: `c.` + s.sort.key() + `_at`, id: `c.id`}
}

// fieldSource is the source of a list by a field, or of the cases with one value of it.
func (s caseShape) fieldSource() caseSource {
	source := caseSource{
		from: `case_fields f cross join cases c
			where f.tenant = :tenant and f.type = :type and f.field = :field
				and c.tenant = f.tenant and c.id = f.case_id`,
		at: `f.created_at`, id: `f.case_id`,
	}
	if s.sort.Field() != "" {
		source.value = `f.value`
	} else {
		source.from += ` and f.value = :from`
	}
	return source
}

// order returns the order of the list.
func (s caseShape) order() string {
	columns := []string{`case_words.rowid`}
	if source := s.source(); source.at != "" {
		columns, _ = source.columns(``)
	}
	if !s.sort.descending() {
		return strings.Join(columns, `, `)
	}
	return strings.Join(columns, ` desc, `) + ` desc`
}

// span returns the conditions of the places between which the page is.
func (s caseShape) span() (all []string) {
	source, near, far := s.source(), `<`, `>=`
	if !s.sort.descending() {
		near, far = `>`, `<=`
	}
	if source.at == "" { // a case that is gone since the page before leaves only its time
		gone := `(min(:at, 4503599627370494) + 1) * 2048`
		if !s.sort.descending() {
			gone = `max(:at, 0) * 2048 - 1`
		}
		return []string{`case_words.rowid ` + near + ` coalesce((
			select p.document from case_documents p where p.tenant = :tenant and p.case_id = :id), ` + gone + `)`}
	}
	columns, begin := source.columns(`:`)
	_, end := source.columns(`:far_`)
	row := func(items []string) string { return ` (` + strings.Join(items, `, `) + `) ` }
	if all = []string{row(columns) + near + row(begin)}; !s.plain() {
		all = append(all, row(columns)+far+row(end))
	}
	return all
}

// conditions returns the filter's own conditions.
func (s caseShape) conditions() (all []string) {
	for i, text := range caseConditions {
		condition := caseSelection(1 << i)
		switch {
		case !s.selection.has(condition):
			continue
		case condition == byText && s.dialect == sqlite:
			text = `case_words match :text`
		case condition == byLabel && !strings.HasPrefix(s.source().from, `case_labels`):
			text = `exists (select 1 from case_labels l
				where l.tenant = :tenant and l.case_id = c.id and l.slug = :label)`
		}
		all = append(all, text)
	}
	return all
}

// grants returns the condition of cases that are read by a role that is granted on them.
func (s caseShape) grants() string {
	if !s.granted {
		return ``
	}
	return ` or exists (select 1 from case_roles r where r.tenant = c.tenant and r.case_id = c.id
		and r.holder in (select h.holder from rows(:holders: holder text) as h)
		and c.type || '/' || c.state || '/' || r.role in (select g.role from rows(:granted: role text) as g))`
}

// fieldConditions returns the conditions on fields whose index the list does not go along.
func (s caseShape) fieldConditions() (all []string) {
	if s.field {
		all = append(all, `f.level <= :level`)
	}
	for i := range s.fields {
		all = append(all, fmt.Sprintf(`exists (select 1 from case_fields w
			where w.tenant = :tenant and w.case_id = c.id and w.field = :field_%[1]d and w.level <= :level
				and w.value >= :from_%[1]d and w.value < :until_%[1]d)`, i))
	}
	return all
}

// along returns the conditions of the part of an index that the list reads, and the others. A list by another time than
// that of the creation, or by a field, goes along the index of that alone.
func (s caseShape) along() (index, others []string) {
	index = append([]string{s.source().from, `c.tenant = :tenant`}, s.span()...)
	others = []string{
		`(:level >= 2 or c.classification = 'PUBLIC')`,
		`(:level >= 3 or c.classification <> 'RESTRICTED') and :level >= 1`,
		`(c.type not in (select w.type from rows(:without: type text) as w)
			and c.type || '/' || c.state not in (select w.type from rows(:without: type text) as w)` + s.grants() + `)`,
	}
	others = append(others, s.fieldConditions()...)
	if s.sort.key() == "created" && !s.field {
		index = append(index, s.conditions()...)
	} else {
		others = append(others, s.conditions()...)
	}
	if s.dated {
		for _, t := range caseTimes {
			others = append(others, fmt.Sprintf(`c.%[1]s_at >= :%[1]s_from and c.%[1]s_at < :%[1]s_until`, t.key))
		}
	}
	return index, others
}

const and = "\nand "

// list returns the statement of the list. Where it is not plain, no engine is tempted to another index by the
// conditions that are not of the list's.
func (s caseShape) list() listing {
	index, others := s.along()
	where := strings.Join(others, and)
	if !s.plain() {
		where = `case when ` + where + ` then true end`
	}
	columns := caseColumns
	if s.sort.Field() != "" {
		columns = sortedColumns
	}
	return listing{
		columns: columns.of("c"), names: columns.names(), size: lengths("data", "contacts"),
		from:  strings.Join(append(index, where), and),
		order: s.order(), limit: `:limit`,
	}
}

// ahead returns the statement that finds the place so many cases ahead, of those that the list reads of its index.
func (s caseShape) ahead() string {
	index, _ := s.along()
	source := s.source()
	value := `''`
	if source.value != "" {
		value = source.value
	}
	return `select ` + value + `, ` + source.at + `, ` + source.id + ` from ` + strings.Join(index, and) +
		` order by ` + s.order() + ` limit 1 offset :ahead`
}

// caseQuery is a statement about cases. Its parameters have names.
type caseQuery struct {
	statement  *statement
	parameters []string
}

var caseParameter = regexp.MustCompile(`:[a-z]\w*`)

// query makes a query of SQL with parameters such as :type.
func (s caseShape) query(text string) caseQuery {
	var q caseQuery
	text = caseParameter.ReplaceAllStringFunc(text, func(name string) string {
		i := slices.Index(q.parameters, name[1:])
		if i < 0 {
			i = len(q.parameters)
			q.parameters = append(q.parameters, name[1:])
		}
		return fmt.Sprint("$", i+1)
	})
	q.statement = &statement{rare: true}
	q.statement.text[s.dialect] = s.dialect.render(text)
	return q
}

func (q caseQuery) args(values map[string]any) []any {
	args := make([]any, len(q.parameters))
	for i, name := range q.parameters {
		args[i] = values[name]
	}
	return args
}

// caseLists are the plain lists, by engine and selection. Other lists are made when they are asked for.
var caseLists = func() (all [2][caseSelections]caseQuery) {
	for d := range all {
		for selection := range caseSelections {
			q := caseShape{dialect: dialect(d), selection: selection}.listQuery()
			q.statement.rare = false
			statements = append(statements, q.statement)
			all[d][selection] = q
		}
	}
	return all
}()

func (s caseShape) listQuery() caseQuery { return s.query(s.list().text(s.dialect, PageBytes)) }

// values returns the parameters of the filter's queries.
func (f CaseFilter) values(tenant int64) (map[string]any, error) {
	without, err := keyRows(f.Without)
	if err != nil {
		return nil, err
	}
	holders, err := keyRows(f.Holders)
	if err != nil {
		return nil, err
	}
	granted, err := keyRows(f.Granted)
	if err != nil {
		return nil, err
	}
	near, far := f.span()
	values := map[string]any{
		"tenant": tenant, "limit": f.Limit + 1, "level": f.Clearance.Level(), "without": without,
		"holders": holders, "granted": granted,
		"at": near.at, "id": near.id, "far_at": far.at, "far_id": far.id,
		"type": f.Type, "state": f.State, "assignee": max(f.Assignee, 0), "text": f.Text, "label": f.Label,
	}
	values["value"], values["far_value"] = near.value, far.value
	field, others := f.along()
	if field != nil {
		values["field"], values["from"] = field.Field, field.From
	}
	for i, r := range others {
		of := func(name string) string { return fmt.Sprint(name, "_", i) }
		values[of("field")], values[of("from")], values[of("until")] = r.Field, r.From, r.Until
	}
	for _, t := range caseTimes {
		from, until := t.period(f).bounds()
		if t.key == "closed" && t.period(f) != (Period{}) {
			from = max(from, 1) // 0: it is open
		}
		values[t.key+"_from"], values[t.key+"_until"] = from, until
	}
	return values, nil
}

func (f CaseFilter) shape(d dialect) caseShape {
	dated, _ := f.dated()
	field, others := f.along()
	return caseShape{
		dialect: d, selection: f.selection(), sort: f.Sort, dated: dated, field: field != nil, fields: len(others),
		granted: len(f.Granted) > 0,
	}
}

// lookedAt bounds the cases that a page reads where the list's index does not have all conditions of the filter.
const lookedAt = 10_000

// looks reports whether the list reads cases that do not meet the filter.
func (f CaseFilter) looks() bool {
	_, others := f.dated()
	field, fields := f.along()
	selection := f.selection()
	if field != nil {
		selection &^= byType // the index of a field is of a type
	}
	return f.Text == "" && (others || len(f.Granted) > 0 || len(fields) > 0 ||
		selection != 0 && (field != nil || f.Sort.key() != "created"))
}

// CasePage is a page of a list of cases.
type CasePage struct {
	Page[CaseRow]
	// To is the last case that the page has looked at, if that is as far as it goes; zero: it ends with its last item.
	To Position
}

// Cases lists cases in the order of the filter. A page may have fewer than the limit, or none, although there are more.
func (r reader) Cases(ctx context.Context, tenant int64, f CaseFilter) (p CasePage, err error) {
	if err := f.check(); err != nil {
		return p, err
	}
	if err := r.checkFields(ctx, tenant, f); err != nil {
		return p, err
	}
	text := f.Text
	if searched, err := r.searched(tenant, &f); err != nil || !searched {
		return p, err
	}
	if f.Sort == byRelevance {
		return r.casesByRelevance(ctx, tenant, f, phrases(text))
	}
	values, err := f.values(tenant)
	if err != nil {
		return p, err
	}
	shape := f.shape(r.dialect)
	if f.looks() {
		if p.To, err = r.aheadOf(ctx, shape, values); err != nil {
			return p, err
		}
	}
	list := caseLists[r.dialect][shape.selection]
	if !shape.plain() {
		list = shape.listQuery()
	}
	rows, err := r.q.query(ctx, list.statement, list.args(values)...)
	scan := scanCaseRow()
	if f.Sort.Field() != "" {
		scan = scanSortedRow()
	}
	if p.Page, err = collectPage(rows, err, f.Limit, scan); p.More {
		p.To = Position{}
	}
	p.More = p.More || p.To != Position{}
	return p, err
}

// searched makes the engine's query of the filter's text; false: there is no such word, or none that the reader may
// find.
func (r reader) searched(tenant int64, f *CaseFilter) (bool, error) {
	if f.Text == "" {
		return true, nil
	}
	if err := checkSearch(f.Text); err != nil {
		return false, err
	}
	all := phrases(f.Text)
	if len(all) == 0 || f.Clearance.Level() == 0 {
		return false, nil
	}
	f.Text = r.dialect.wordQuery(fmt.Sprint(tenant), all, f.Clearance)
	return true, nil
}

// aheadOf returns the last case that a list may look at, and bounds the list's parameters by it; zero: there are fewer.
func (r reader) aheadOf(ctx context.Context, s caseShape, values map[string]any) (to Position, err error) {
	values["ahead"] = lookedAt - 1
	q := s.query(s.ahead())
	rows, err := r.q.query(ctx, q.statement, q.args(values)...)
	found, err := collect(rows, err, func(rows *sql.Rows) (p listPlace, err error) {
		return p, rows.Scan(&p.value, &p.at, &p.id)
	})
	if err != nil || len(found) == 0 {
		return Position{}, err
	}
	last := found[0]
	values["far_value"], values["far_at"], values["far_id"] = last.value, last.at, last.id
	return Position{CreatedAt: time.UnixMicro(last.at).UTC(), ID: last.id, Sort: s.sort, Value: last.value}, nil
}
