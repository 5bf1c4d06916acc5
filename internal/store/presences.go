package store

import (
	"context"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/event"
)

// Presence tells that somebody looks at a case, or edits it.
type Presence struct {
	Owner   access.Owner
	Person  event.Person
	Editing bool
	Since   time.Time
}

// PresenceLasts is how long a presence lasts after it was last reported.
const PresenceLasts = 45 * time.Second

const mostPresences = 100 // that a list has

var presenceColumns = columns[Presence]{
	textColumn("owner", func(p *Presence) *access.Owner { return &p.Owner }),
	intColumn("user_id", func(p *Presence) *int64 { return &p.Person.UserID }),
	textColumn("name", func(p *Presence) *string { return &p.Person.Name }),
	boolColumn("editing", func(p *Presence) *bool { return &p.Editing }),
	timeColumn("since", func(p *Presence) *time.Time { return &p.Since }),
}

var (
	presenceSet = define(`insert into presences (` + presenceColumns.names() + `, tenant, case_id, until)
		values (` + presenceColumns.parameters(1) + `, $6, $7, {{now}} + 45000000)
		on conflict (tenant, case_id, owner) do update set
			since = case when presences.until < {{now}} then excluded.since else presences.since end,
			user_id = excluded.user_id, name = excluded.name, editing = excluded.editing, until = excluded.until`)
	presenceList = define(`select ` + presenceColumns.names() + ` from presences
		where tenant = $1 and case_id = $2 and until >= {{now}} order by since, owner limit $3`)
	presenceDrop   = define(`delete from presences where tenant = $1 and case_id = $2 and owner = $3`)
	presencesPurge = define(`delete from presences where (tenant, case_id, owner) in
		(select tenant, case_id, owner from presences where until < {{now}} order by until limit $1)`)
)

// SetPresence reports that somebody is at a case.
func (tx *Tx) SetPresence(ctx context.Context, tenant, caseID int64, p Presence) error {
	args, err := presenceColumns.values(&p)
	if err != nil {
		return err
	}
	_, err = tx.q.exec(ctx, presenceSet, append(args, tenant, caseID)...)
	return err
}

// Presences lists who is at a case, those who have been there longest first.
func (r reader) Presences(ctx context.Context, tenant, caseID int64) ([]Presence, error) {
	rows, err := r.q.query(ctx, presenceList, tenant, caseID, mostPresences)
	return collect(rows, err, presenceColumns.scan())
}

// DeletePresence reports that somebody has left a case.
func (tx *Tx) DeletePresence(ctx context.Context, tenant, caseID int64, owner access.Owner) error {
	_, err := tx.q.exec(ctx, presenceDrop, tenant, caseID, owner)
	return err
}

// PurgePresences removes a portion of the presences that are over. More reports whether others may be left.
func (tx *Tx) PurgePresences(ctx context.Context) (more bool, err error) {
	n, err := tx.q.exec(ctx, presencesPurge, purgeBatch)
	return n == purgeBatch, err
}
