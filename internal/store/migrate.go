package store

import (
	"context"
	"database/sql"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/casetype"
)

// The bounds of one call. No index has the versions, so that a call also reads cases of the newest one.
const (
	lookedAtOlder = 10_000  // cases of the type, for a page
	countedOlder  = 100_000 // for a count
)

// typesCases is the condition for the cases of a type behind a position.
const typesCases = `cases where tenant = $1 and type = $2 and created_at >= $3 and (created_at > $3 or id > $4)`

// older are the conditions for cases with a version below $5 that a clearance sees.
const older = `type_version < $5
	and ($6 >= 2 or classification = 'PUBLIC') and ($6 >= 3 or classification <> 'RESTRICTED') and $6 >= 1`

var (
	olderList = alongType(defineListing(PageBytes, listing{
		columns: caseColumns.names(), names: caseColumns.names(), size: lengths("data", "contacts"),
		from:  typesCases + ` and created_at <= $7 and (created_at < $7 or id <= $8) and ` + older,
		order: `created_at, id`, limit: `$9`,
	}))
	olderCount = define(`select count(*) from (
		select type_version, classification from ` + typesCases +
		` order by created_at, id limit $7) as looked where ` + older)
	// caseAhead is the case so many cases further; it reads an index alone.
	caseAhead = define(`select created_at, id from ` + typesCases + ` order by created_at, id limit 1 offset $5`)
)

// alongType makes SQLite use the index by type. For a range of times it would consider the index of all cases as
// good.
func alongType(s *statement) *statement {
	s.text[sqlite] = strings.Replace(s.text[sqlite], "from cases where", "from cases indexed by cases_by_type where", 1)
	return s
}

// OlderFilter selects the cases of a type with a version below another.
type OlderFilter struct {
	Type  string
	Below int64
	// After is the last case of the page before.
	After Position
	Limit int
	// Clearance is whose list it is. Cases above it are left out.
	Clearance casetype.Classification
}

// from is where the filter begins.
func (f OlderFilter) from(tenant int64) []any {
	since := int64(-1)
	if !f.After.CreatedAt.IsZero() {
		since = micros(f.After.CreatedAt)
	}
	return []any{tenant, f.Type, since, f.After.ID}
}

// arguments are those of the conditions, with others behind them.
func (f OlderFilter) arguments(tenant int64, others ...any) []any {
	return slices.Concat(f.from(tenant), []any{f.Below, f.Clearance.Level()}, others)
}

// ahead returns the last of so many cases of the type, of any version; zero: there are fewer.
func (r reader) ahead(ctx context.Context, tenant int64, f OlderFilter, cases int) (Position, error) {
	rows, err := r.q.query(ctx, caseAhead, append(f.from(tenant), cases-1)...)
	found, err := collect(rows, err, func(rows *sql.Rows) (p Position, err error) {
		var at int64
		err = rows.Scan(&at, &p.ID)
		p.CreatedAt = time.UnixMicro(at).UTC()
		return p, err
	})
	if err != nil || len(found) == 0 {
		return Position{}, err
	}
	return found[0], nil
}

// OlderCases lists cases in the order of their creation. It reads a bounded number of the type's cases: to is the
// last of them, after which there may be others even if the page is empty; zero: there are no others.
func (r reader) OlderCases(
	ctx context.Context, tenant int64, f OlderFilter,
) (page Page[CaseRow], to Position, err error) {
	return r.olderCases(ctx, tenant, f, lookedAtOlder)
}

func (r reader) olderCases(
	ctx context.Context, tenant int64, f OlderFilter, most int,
) (page Page[CaseRow], to Position, err error) {
	if to, err = r.ahead(ctx, tenant, f, most); err != nil {
		return page, to, err
	}
	last := int64(math.MaxInt64)
	if to.ID != 0 {
		last = micros(to.CreatedAt)
	}
	rows, err := r.q.query(ctx, olderList, f.arguments(tenant, last, to.ID, f.Limit+1)...)
	page, err = collectPage(rows, err, f.Limit, scanCaseRow())
	return page, to, err
}

// CountOlderCases counts the cases that a filter selects among the next countedOlder of
// the type behind its position.
func (r reader) CountOlderCases(ctx context.Context, tenant int64, f OlderFilter) (int64, error) {
	rows, err := r.q.query(ctx, olderCount, f.arguments(tenant, countedOlder)...)
	return one(rows, err, scanValue[int64], unanswered("store.case"))
}
