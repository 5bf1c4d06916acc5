package store

import (
	"context"
	"database/sql"
)

// CaseGrant is a role that a holder was granted on a case.
type CaseGrant struct {
	Holder string // "user/7", "token/tok_..." or "group/<further role>"
	Role   string
}

var (
	caseRolesOf = define(`select distinct role from case_roles
		where tenant = $1 and case_id = $2 and holder in (select r.holder from rows($3: holder text) as r)
		order by role`)
	caseGrants = define(`select holder, role from case_roles where tenant = $1 and case_id = $2
		order by holder, role limit $3`)
	caseRoleAdd = define(`insert into case_roles (tenant, case_id, holder, role) values ($1, $2, $3, $4)
		on conflict do nothing`)
	caseRolesDrop = define(`delete from case_roles where tenant = $1 and case_id = $2 and holder = $3`)
	caseRolesGone = define(`delete from case_roles where tenant = $1 and case_id = $2`)
)

// CaseRoles lists the roles that any of the holders was granted on a case.
func (r reader) CaseRoles(ctx context.Context, tenant, id int64, holders []string) ([]string, error) {
	list, err := keyRows(holders)
	if err != nil {
		return nil, err
	}
	rows, err := r.q.query(ctx, caseRolesOf, tenant, id, list)
	return collect(rows, err, scanValue[string])
}

// MaxCaseGrants is how many roles can be granted on a case, to all holders together.
const MaxCaseGrants = 1000

// CaseGrants lists all roles that are granted on a case, by holder.
func (r reader) CaseGrants(ctx context.Context, tenant, id int64) ([]CaseGrant, error) {
	rows, err := r.q.query(ctx, caseGrants, tenant, id, MaxCaseGrants+1)
	return collect(rows, err, func(rows *sql.Rows) (g CaseGrant, err error) {
		return g, rows.Scan(&g.Holder, &g.Role)
	})
}

// SetCaseRoles sets all roles that a holder is granted on a case.
func (tx *Tx) SetCaseRoles(ctx context.Context, tenant, id int64, holder string, roles []string) error {
	tx.regrant(tenant) // those who lose one may have a request under way
	if _, err := tx.q.exec(ctx, caseRolesDrop, tenant, id, holder); err != nil {
		return err
	}
	return tx.AddCaseRoles(ctx, tenant, id, holder, roles)
}

// AddCaseRoles grants a holder roles on a case.
func (tx *Tx) AddCaseRoles(ctx context.Context, tenant, id int64, holder string, roles []string) error {
	for _, role := range roles {
		if _, err := tx.q.exec(ctx, caseRoleAdd, tenant, id, holder, role); err != nil {
			return err
		}
	}
	return nil
}
