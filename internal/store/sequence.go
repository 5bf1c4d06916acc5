package store

import (
	"context"
)

// The statements that give PostgreSQL's entries their dense positions. SQLite
// has them already; there a view stands in for the table.
var (
	sequenceMove = postgresOnly(`select journal_sequence($1, $2)`)
	// Transactions that start a cursor somewhere in the journal share this lock, and keep retention
	// from removing the entries at which the cursor starts.
	beginLock = postgresOnly(`select pg_advisory_xact_lock_shared(4707280042)`)
)

// journalAppend defines the insertion of an entry, which on PostgreSQL is another: it
// notes that the entry wants a position, and returns its id.
func journalAppend(insert, values string) *statement {
	s := define(insert)
	s.text[postgres] = "with appended as (" + values + " returning id)" +
		" insert into journal_pending (entry) select id from appended returning entry"
	return s
}

const sequenceBatch = 1000

// Sequence assigns positions to committed entries and returns how many. Any node may call it at any time; one at a
// time does the work. The others return at once, and are notified when it is done.
func (s *Store) Sequence(ctx context.Context) (int, error) {
	if s.dialect == sqlite {
		return 0, nil
	}
	return s.sequence(ctx, false)
}

// CatchUp assigns positions to all entries that were committed before the call. It waits while
// another is at work.
func (s *Store) CatchUp(ctx context.Context) error {
	if s.dialect == sqlite {
		return nil
	}
	_, err := s.sequence(ctx, true)
	return err
}

func (s *Store) sequence(ctx context.Context, waits bool) (int, error) {
	total, err := sequence(ctx, s.engine.apart, waits)
	if total > 0 {
		s.committed.broadcast()
	}
	return total, err
}

// CatchUp assigns positions to all entries that were committed before the call, and keeps it in the journal until the
// transaction ends. The positions are assigned outside of the transaction, so that nobody waits for it.
func (tx *Tx) CatchUp(ctx context.Context) error {
	if tx.dialect == sqlite {
		return nil
	}
	if _, err := tx.q.exec(ctx, beginLock); err != nil {
		return err
	}
	moved, err := sequence(ctx, tx.apart, true)
	tx.appended = tx.appended || moved > 0
	return err
}

// sequence moves one batch after the other.
func sequence(ctx context.Context, do detachedFunc, waits bool) (total int, err error) {
	for {
		rows, err := do(ctx, sequenceMove, sequenceBatch, waits)
		n, err := one(rows, err, scanValue[int], unanswered("store.sequence"))
		total += max(n, 0)
		if err != nil || n < sequenceBatch {
			return total, err
		}
	}
}
