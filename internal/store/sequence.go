package store

import (
	"context"
)

// The statements that give PostgreSQL's entries their dense positions. SQLite
// has them already; there a view stands in for the table.
var (
	sequenceLock = postgresOnly(`select pg_try_advisory_xact_lock(4707280041)`)
	sequenceWait = postgresOnly(`select pg_advisory_xact_lock(4707280041)`)
	sequenceHead = postgresOnly(`select seq from journal_head`)
	sequenceMove = postgresOnly(`with moved as (
			delete from journal_pending where entry in (select entry from journal_pending order by entry limit $2) returning entry
		)
		insert into journal_seq (seq, entry) select $1 + row_number() over (order by entry), entry from moved`)
	sequenceAdvance = postgresOnly(`update journal_head set seq = seq + $1`)
)

// journalAppend defines the insertion of an entry, which on PostgreSQL notes that
// the entry wants a position.
func journalAppend(insert string) *statement {
	s := define(insert)
	s.text[postgres] = "with appended as (" + insert + ") insert into journal_pending (entry) select id from appended returning entry"
	return s
}

const sequenceBatch = 1000

// Sequence gives committed entries their positions and returns how many. Any
// node may call it at any time; one at a time does the work, the others return
// at once, and hear when it is done. The lock ends with the transaction, however
// its process ends.
func (s *Store) Sequence(ctx context.Context) (int, error) {
	if s.dialect == sqlite {
		return 0, nil
	}
	total := 0
	for {
		n, err := s.sequenceBatch(ctx)
		total += n
		if n > 0 {
			s.committed.broadcast()
		}
		if err != nil || n < sequenceBatch {
			return total, err
		}
	}
}

func (s *Store) sequenceBatch(ctx context.Context) (n int, err error) {
	err = s.engine.update(ctx, func(q querier) error {
		rows, err := q.query(ctx, sequenceLock)
		mine, err := one(rows, err, scanValue[bool], notFound("store.sequence", "No answer."))
		if err != nil || !mine {
			return err
		}
		n, err = moveBatch(ctx, q)
		return err
	})
	return n, err
}

// CatchUp gives all that is committed its position before the transaction goes
// on, and lets nobody else do so until it ends.
func (tx *Tx) CatchUp(ctx context.Context) error {
	if tx.dialect == sqlite {
		return nil
	}
	if _, err := tx.q.exec(ctx, sequenceWait); err != nil {
		return err
	}
	for {
		n, err := moveBatch(ctx, tx.q)
		if err != nil || n < sequenceBatch {
			return err
		}
	}
}

// moveBatch gives the next entries their positions. Its caller holds the lock.
func moveBatch(ctx context.Context, q querier) (int, error) {
	rows, err := q.query(ctx, sequenceHead)
	head, err := one(rows, err, scanValue[int64], notFound("store.sequence", "The journal's head is missing."))
	if err != nil {
		return 0, err
	}
	moved, err := q.exec(ctx, sequenceMove, head, sequenceBatch)
	if err != nil || moved == 0 {
		return 0, err
	}
	_, err = q.exec(ctx, sequenceAdvance, moved)
	return int(moved), err
}
