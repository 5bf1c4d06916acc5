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

// The bounds of one call. No index has the versions, so a call also reads cases of the newest version.
const (
	lookedAtOlder = 10_000  // cases of the type that are read for a page
	countedOlder  = 100_000 // cases of the type that are read for a count
)

// typesCases is the condition for the cases of a type after a position.
const typesCases = `cases where tenant = $1 and type = $2 and created_at >= $3 and (created_at > $3 or id > $4)`

// older is the condition for cases with a version below $5 that a clearance may see.
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
	// caseAhead selects the case that is $5 + 1 cases further. It reads an index alone.
	caseAhead = define(`select created_at, id from ` + typesCases + ` order by created_at, id limit 1 offset $5`)
)

// alongType makes SQLite use the index by type. For a range of times it would rate the index of all cases as equally
// good.
func alongType(s *statement) *statement {
	s.text[sqlite] = strings.Replace(s.text[sqlite], "from cases where", "from cases indexed by cases_by_type where", 1)
	return s
}

// OlderFilter selects the cases of a type with a version below another.
type OlderFilter struct {
	Type  string
	Below int64
	// After is the last case of the previous page.
	After Position
	Limit int
	// Clearance is the reader's. Cases above it are left out.
	Clearance casetype.Classification
}

// from returns the parameters of typesCases.
func (f OlderFilter) from(tenant int64) []any {
	since := int64(-1)
	if !f.After.CreatedAt.IsZero() {
		since = micros(f.After.CreatedAt)
	}
	return []any{tenant, f.Type, since, f.After.ID}
}

// arguments returns the parameters of typesCases and older, followed by others.
func (f OlderFilter) arguments(tenant int64, others ...any) []any {
	return slices.Concat(f.from(tenant), []any{f.Below, f.Clearance.Level()}, others)
}

// ahead returns the position of the last of the next cases of the type, of any version; zero: there are fewer.
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

// OlderCases lists cases in the order of their creation. It reads a bounded number of the type's cases, and returns
// the last of them in to: more may follow it, even if the page is empty. If to is zero, none follow.
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

// CountOlderCases counts the cases that a filter selects among the next countedOlder cases of the type after its
// position.
func (r reader) CountOlderCases(ctx context.Context, tenant int64, f OlderFilter) (int64, error) {
	rows, err := r.q.query(ctx, olderCount, f.arguments(tenant, countedOlder)...)
	return one(rows, err, scanValue[int64], unanswered("store.case"))
}
