package store

import (
	"context"

	"github.com/casehook/casehook/internal/casetype"
)

// olderCases is the condition for what works by an older version of a type.
const olderCases = `cases where tenant = $1 and type = $2 and type_version < $3
	and created_at >= $4 and (created_at > $4 or id > $5)
	and ($6 >= 2 or classification = 'PUBLIC') and ($6 >= 3 or classification <> 'RESTRICTED') and $6 >= 1`

var (
	olderList = defineListing(PageBytes, listing{
		columns: caseRead, names: caseRead, size: lengths("data", "contacts"),
		from: olderCases, order: `created_at, id`, limit: `$7`,
	})
	olderCount = define(`select count(*) from (select 1 from ` + olderCases + ` limit $7) as counted`)
)

// OlderFilter selects the cases of a type that work by a version below another.
type OlderFilter struct {
	Type  string
	Below int64
	// After is the last case of the page before.
	After Position
	Limit int
	// Clearance is whose list it is. Cases above it are left out.
	Clearance casetype.Classification
}

func (f OlderFilter) arguments(tenant int64, limit int) []any {
	since := int64(-1)
	if !f.After.CreatedAt.IsZero() {
		since = micros(f.After.CreatedAt)
	}
	return []any{tenant, f.Type, f.Below, since, f.After.ID, f.Clearance.Level(), limit}
}

// OlderCases lists cases in the order of their creation.
func (r reader) OlderCases(ctx context.Context, tenant int64, f OlderFilter) (Page[CaseRow], error) {
	rows, err := r.q.query(ctx, olderList, f.arguments(tenant, f.Limit+1)...)
	return collectPage(rows, err, f.Limit, scanCaseRow)
}

// CountOlderCases counts the cases that a filter selects behind its position, up to
// its limit.
func (r reader) CountOlderCases(ctx context.Context, tenant int64, f OlderFilter) (int64, error) {
	rows, err := r.q.query(ctx, olderCount, f.arguments(tenant, f.Limit)...)
	return one(rows, err, scanValue[int64], notFound("store.case", "No answer."))
}
