package store

import (
	"context"
	"time"

	"github.com/casehook/casehook/internal/fault"
)

// The row of the last scheduled backup, whose value is the time at which it began. Nodes that share the database take
// turns by it.
const backupTurn = "backup_turn"

var (
	backupTake = define(`insert into installation (name, value) values ($1, cast({{now}} as text))
		on conflict (name) do update set value = excluded.value
			where cast(installation.value as bigint) <= {{now}} - $2
		returning value`)
	backupAgain = define(`update installation set value = cast({{now}} - $2 as text) where name = $1`)
)

// TakeBackupTurn reports whether this process is to make the backup that is made every so often: none of the nodes has
// begun one for that time.
func (s *Store) TakeBackupTurn(ctx context.Context, every time.Duration) (mine bool, err error) {
	err = s.Update(ctx, func(tx *Tx) error {
		rows, err := tx.q.query(ctx, backupTake, backupTurn, every.Microseconds())
		taken, err := collect(rows, err, scanValue[string])
		mine = len(taken) > 0
		return err
	})
	return mine, err
}

// RepeatBackup makes the next turn one that comes after a shorter time, because the backup failed.
func (s *Store) RepeatBackup(ctx context.Context, every, after time.Duration) error {
	return s.Update(ctx, func(tx *Tx) error {
		n, err := tx.q.exec(ctx, backupAgain, backupTurn, (every - after).Microseconds())
		if err == nil && n == 0 {
			err = fault.New(fault.NotFound, "store.backup_turn", "No backup was begun.")
		}
		return err
	})
}
