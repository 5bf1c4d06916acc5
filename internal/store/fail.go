package store

import (
	"context"
	"database/sql"
	"errors"
)

// failingEngine is an engine that fails where a test wants it to.
type failingEngine struct {
	engine
	fail func(what string, done bool) error
}

func (f failingEngine) query(ctx context.Context, s *statement, args ...any) (*sql.Rows, error) {
	return f.queryBy(ctx, f.engine, s, args)
}

func (f failingEngine) apart(ctx context.Context, s *statement, args ...any) (*sql.Rows, error) {
	what := s.name(f.dialect())
	if err := f.fail(what, false); err != nil {
		return nil, err
	}
	rows, err := f.engine.apart(ctx, s, args...)
	if err != nil {
		return nil, err
	}
	if err := f.fail(what, true); err != nil {
		return nil, errors.Join(err, rows.Close())
	}
	return rows, nil
}

// update fails before the commit, so that nothing is saved, or after it. The name of a commit includes the last
// statement of its transaction.
func (f failingEngine) update(ctx context.Context, do func(querier) error) error {
	what := "commit"
	err := f.engine.update(ctx, func(q querier) error {
		tx := &failingTx{querier: q, failingEngine: f}
		if err := do(tx); err != nil {
			return err
		}
		what += " after " + tx.last
		return f.fail(what, false)
	})
	if err != nil {
		return err
	}
	return outcomeUnknown(f.fail(what, true))
}

func (f failingEngine) whole(ctx context.Context, s *statement, args []any, row ...any) error {
	what := "commit after " + s.name(f.dialect())
	if err := f.fail(what, false); err != nil {
		return err
	}
	if err := f.engine.whole(ctx, s, args, row...); err != nil {
		return err
	}
	return outcomeUnknown(f.fail(what, true))
}

func (f failingEngine) notify(ctx context.Context, text string) error {
	if err := f.fail("notify", false); err != nil {
		return err
	}
	return errors.Join(f.engine.notify(ctx, text), f.fail("notify", true))
}

// failingTx is a transaction of a failing engine.
type failingTx struct {
	querier
	failingEngine
	last string // statement
}

func (t *failingTx) query(ctx context.Context, s *statement, args ...any) (*sql.Rows, error) {
	t.last = s.name(t.dialect())
	return t.queryBy(ctx, t.querier, s, args)
}

func (t *failingTx) exec(ctx context.Context, s *statement, args ...any) (int64, error) {
	t.last = s.name(t.dialect())
	if err := t.fail(t.last, false); err != nil {
		return 0, err
	}
	n, err := t.querier.exec(ctx, s, args...)
	if err != nil {
		return n, err
	}
	return n, t.fail(t.last, true)
}

func (f failingEngine) queryBy(ctx context.Context, q querier, s *statement, args []any) (*sql.Rows, error) {
	what := s.name(f.dialect())
	if err := f.fail(what, false); err != nil {
		return nil, err
	}
	rows, err := q.query(ctx, s, args...)
	if err != nil {
		return nil, err
	}
	if err := f.fail(what, true); err != nil {
		return nil, errors.Join(err, rows.Close())
	}
	return rows, nil
}
