package store

import (
	"cmp"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
)

// CaseFilter selects cases, and their order; empty fields select all.
type CaseFilter struct {
	Type  string
	State string
	// Text has words that a case has in its reference, name, data or comments, or in the names of its files and
	// contacts, however they are spelt (spelling.Key). Each is the beginning of a word, or between quotation marks a
	// phrase.
	Text string
	// Without lists what is left out, and Granted what of it is not, as [access.Reader] has them.
	Without, Granted, Holders []string
	Label                     string // a slug
	// Assignee is a user, or Unassigned.
	Assignee int64
	// Created, Modified, Closed and LastActivity bound the times of a case. A bound on Closed selects closed cases.
	Created, Modified, Closed, LastActivity Period
	// Where bounds indexed fields, as clients write it. The use case resolves it into Fields.
	Where []casetype.Condition
	// Fields has the ranges of indexed fields. They need a type.
	Fields []casetype.IndexedRange

	Sort CaseSort
	// After is where the page before ends.
	After Position
	Limit int
	// Clearance is the reader's. The list leaves out cases above it, and a search finds no text in fields above it.
	Clearance casetype.Classification
}

// Unassigned, as the assignee of a filter, selects the cases that are assigned to nobody.
const Unassigned = -1

// Period is a span of time, from its beginning up to its end, without it. A zero time does not bound it.
type Period struct{ From, Until time.Time }

// The bounds of times, in microseconds.
const earliest, latest = -1 << 62, 1 << 62

// bounds returns the period in microseconds.
func (p Period) bounds() (from, until int64) {
	from, until = earliest, latest
	if !p.From.IsZero() {
		from = nextMicro(p.From)
	}
	if !p.Until.IsZero() {
		until = nextMicro(p.Until)
	}
	return from, until
}

// nextMicro returns a time in microseconds, rounded up: cases have times in whole ones.
func nextMicro(t time.Time) int64 { return t.Add(time.Microsecond - 1).UnixMicro() }

// CaseSort is the order of a list of cases: created, modified, closed or last_activity, by that time, the oldest first,
// or with a minus before it the newest first. Closed lists closed cases alone. data.FIELD is the order by an indexed
// field; it lists the cases alone that have the field. relevance is the order of a search, the best match first. Empty,
// the list begins with the case that was created last.
type CaseSort string

// Field returns the field that a list is sorted by, or nothing.
func (s CaseSort) Field() string {
	field, _ := strings.CutPrefix(s.key(), "data.")
	if field == s.key() {
		return ""
	}
	return field
}

// key returns the time that a list is sorted by.
func (s CaseSort) key() string {
	if s == "" {
		return "created"
	}
	return strings.TrimPrefix(string(s), "-")
}

func (s CaseSort) descending() bool { return s == "" || s[0] == '-' }

// caseTimes are the times that cases are selected and sorted by.
var caseTimes = []struct {
	key    string
	period func(CaseFilter) Period
	of     func(cases.Case) time.Time
}{
	{"created", func(f CaseFilter) Period { return f.Created }, func(c cases.Case) time.Time { return c.CreatedAt }},
	{"modified", func(f CaseFilter) Period { return f.Modified }, func(c cases.Case) time.Time { return c.ModifiedAt }},
	{"closed", func(f CaseFilter) Period { return f.Closed }, func(c cases.Case) time.Time { return c.ClosedAt }},
	{"last_activity", func(f CaseFilter) Period { return f.LastActivity }, func(c cases.Case) time.Time {
		return c.LastActivity.At
	}},
}

// Position returns the position of a case in a list that is sorted like this. In a list by a field, [CaseRow.Position]
// has the value too.
func (s CaseSort) Position(c cases.Case) Position {
	for _, t := range caseTimes {
		if t.key == s.key() {
			return Position{CreatedAt: t.of(c), ID: c.ID, Sort: s}
		}
	}
	if s.Field() != "" || s == byRelevance {
		return Position{CreatedAt: c.CreatedAt, ID: c.ID, Sort: s}
	}
	return Position{}
}

// check refuses orders that no list has, and the position of a list in another order.
func (f CaseFilter) check() error {
	known := f.Sort.Field() != "" && f.Type != "" || f.Sort == byRelevance
	for _, t := range caseTimes {
		known = known || t.key == f.Sort.key()
	}
	switch {
	case len(f.Where) > 0 || f.Type == "" && len(f.Fields) > 0:
		return errUnresolved
	case !known:
		return refusedSort("is not an order of cases")
	case f.Text == "" && f.Sort == byRelevance:
		return refusedSort("needs q; only a search is sorted by relevance")
	case f.Text != "" && f.Sort.key() != "created" && f.Sort != byRelevance:
		return refusedSort("can't be combined with q; a search is sorted by created, -created or relevance")
	case f.After != Position{} && f.After.Sort != f.Sort:
		return otherList()
	}
	return nil
}

func otherList() error {
	return &fault.Error{
		Kind: fault.Invalid, Code: "request.cursor_invalid",
		Detail: "The cursor is from a list in another order. Send the sort of that list, or start again without " +
			"the cursor.",
		Fields: []fault.Field{{Path: "query.cursor", Message: "is from a list in another order"}},
	}
}

func refusedSort(message string) error {
	return &fault.Error{
		Kind: fault.Invalid, Code: "case.sort_invalid", Detail: "The list can't be sorted like this: see fields.",
		Fields: []fault.Field{{Path: "query.sort", Message: message}},
	}
}

// listPlace is a place between the cases of a list: the value of the field that it is sorted by, a time, in
// microseconds, and an id.
type listPlace struct {
	value  string
	at, id int64
}

func (p listPlace) before(o listPlace) bool {
	return cmp.Or(cmp.Compare(p.value, o.value), cmp.Compare(p.at, o.at), cmp.Compare(p.id, o.id)) < 0
}

// span returns the places between which the list's page is: it begins behind near, and ends before far or with it.
func (f CaseFilter) span() (near, far listPlace) {
	var from, until int64
	for _, t := range caseTimes {
		if t.key == f.Sort.key() {
			from, until = t.period(f).bounds()
		}
	}
	near, far = listPlace{at: until}, listPlace{at: from}
	if field := f.Sort.Field(); field != "" {
		near, far = listPlace{value: f.rangeOf(field).Until}, listPlace{value: f.rangeOf(field).From}
	}
	if !f.Sort.descending() {
		near, far = far, near
	}
	if f.After == (Position{}) {
		return near, far
	}
	after := listPlace{f.After.Value, micros(f.After.CreatedAt), f.After.ID}
	if after.before(near) == f.Sort.descending() {
		near = after
	}
	return near, far
}

// rangeOf returns the range of a field.
func (f CaseFilter) rangeOf(field string) casetype.IndexedRange {
	for _, r := range f.Fields {
		if r.Field == field {
			return r
		}
	}
	return casetype.AnyIndexed(field)
}

// fieldNames lists the fields that the filter bounds, and the one that it sorts by.
func (f CaseFilter) fieldNames() (names []string) {
	for _, r := range f.Fields {
		names = append(names, r.Field)
	}
	if field := f.Sort.Field(); field != "" {
		names = append(names, field)
	}
	return names
}

// along returns the range whose index the list goes along, and the others. It is that of the field that the list is
// sorted by, or a single value: the index has the cases with that in the order of creation.
func (f CaseFilter) along() (field *casetype.IndexedRange, others []casetype.IndexedRange) {
	if name := f.Sort.Field(); name != "" {
		of := f.rangeOf(name)
		field = &of
	}
	for _, r := range f.Fields {
		switch {
		case field != nil && r.Field == field.Field:
		case field == nil && r.Single() && f.Text == "" && f.Sort.key() == "created":
			field = &r
		default:
			others = append(others, r)
		}
	}
	return field, others
}

// dated reports whether the filter bounds times: any, and others than the one that the list is sorted by.
func (f CaseFilter) dated() (dated, others bool) {
	for _, t := range caseTimes {
		if t.period(f) != (Period{}) {
			dated, others = true, others || t.key != f.Sort.key()
		}
	}
	return dated, others
}
