package store

import (
	"context"
	"database/sql"

	"github.com/casehook/casehook/internal/casetype"
)

// CaseName is what people call a case, and what decides who sees it.
type CaseName struct {
	ID             int64
	Reference      string
	Type, State    string
	Classification casetype.Classification
}

var caseNames = define(`select id, reference, type, state, classification from cases
	where tenant = $1 and id in (select r.id from rows($2: id bigint) as r)`)

// CaseNames returns what cases are called. Cases that there are not are left out.
func (r reader) CaseNames(ctx context.Context, tenant int64, ids []int64) ([]CaseName, error) {
	list := make([][]any, len(ids))
	for i, id := range ids {
		list[i] = []any{id}
	}
	parameter, err := encodeRows(list)
	if err != nil {
		return nil, err
	}
	rows, err := r.q.query(ctx, caseNames, tenant, parameter)
	return collect(rows, err, func(rows *sql.Rows) (n CaseName, err error) {
		return n, rows.Scan(&n.ID, &n.Reference, &n.Type, &n.State, &n.Classification)
	})
}
