package store

import (
	"context"
)

// The statements that assign dense positions to PostgreSQL's entries. On SQLite an entry's id is its position, and a
// view replaces the table.
var (
	sequenceMove = postgresOnly(`select journal_sequence($1, $2)`)
	// Transactions that create a cursor share this lock, which keeps retention from removing the entries at which the
	// cursor starts.
	beginLock = postgresOnly(`select pg_advisory_xact_lock_shared(4707280042)`)
)

// journalAppend defines the insertion of an entry. On PostgreSQL it also inserts the entry's id into journal_pending,
// so that the entry gets a position.
func journalAppend(insert, values string) *statement {
	s := define(insert)
	s.text[postgres] = "with appended as (" + values + " returning id)" +
		" insert into journal_pending (entry) select id from appended returning entry"
	return s
}

const sequenceBatch = 1000

// Sequence assigns positions to committed entries, and returns how many. If another node is doing so, it returns at
// once; that node notifies this one when it is done.
func (s *Store) Sequence(ctx context.Context) (int, error) {
	if s.dialect == sqlite {
		return 0, nil
	}
	return s.sequence(ctx, false)
}

// CatchUp assigns positions to all entries that were committed before the call. It waits while another node does so.
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

// CatchUp assigns positions to all entries that were committed before the call, and keeps retention from removing
// entries until the transaction ends. The positions are assigned outside of the transaction, which would block others.
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

// sequence assigns positions in batches until no committed entry is left without one.
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
