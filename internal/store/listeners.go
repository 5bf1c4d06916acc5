package store

import (
	"context"
	"time"

	"github.com/casehook/casehook/internal/access"
)

var (
	listenerSet = define(`insert into listeners (tenant, owner, until) values ($1, $2, {{now}} + $3)
		on conflict (tenant, owner) do update set until = excluded.until`)
	listenerFind   = define(`select owner from listeners where tenant = $1 and owner = $2 and until >= {{now}}`)
	listenerDrop   = define(`delete from listeners where tenant = $1 and owner = $2`)
	listenersPurge = define(`delete from listeners where (tenant, owner) in
		(select tenant, owner from listeners where until < {{now}} order by until limit $1)`)
)

// SetListener records that somebody's machine answers the questions that their submissions cause, for a time.
func (tx *Tx) SetListener(ctx context.Context, tenant int64, owner access.Owner, lasts time.Duration) error {
	_, err := tx.q.exec(ctx, listenerSet, tenant, owner, lasts.Microseconds())
	return err
}

// Listens reports whether somebody's machine answers the questions that their submissions cause.
func (r reader) Listens(ctx context.Context, tenant int64, owner access.Owner) (bool, error) {
	rows, err := r.q.query(ctx, listenerFind, tenant, owner)
	found, err := collect(rows, err, scanValue[string])
	return len(found) > 0, err
}

// DropListener records that somebody's machine is gone.
func (s *Store) DropListener(ctx context.Context, tenant int64, owner access.Owner) error {
	return s.Update(ctx, func(tx *Tx) error {
		_, err := tx.q.exec(ctx, listenerDrop, tenant, owner)
		return err
	})
}

// PurgeListeners removes a portion of the listeners whose time is over. More reports whether others may be left.
func (tx *Tx) PurgeListeners(ctx context.Context) (more bool, err error) {
	n, err := tx.q.exec(ctx, listenersPurge, purgeBatch)
	return n == purgeBatch, err
}
