package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/observe"
)

// writer is SQLite's single writing connection. It groups the transactions that
// wait into one commit, each inside a savepoint of its own.
type writer struct {
	conn     *sql.Conn
	prepared map[*statement]*sql.Stmt
	metrics  *observe.Store
	recent   *recentEntries
	appended []*event.Entry // by the group
	inserted int64          // the id of the row that was inserted last
	last     int            // jobs of the group before
	took     time.Duration  // of the group before, from its first job to its commit
}

var (
	begin      = sqliteOnly(`begin immediate`)
	commit     = sqliteOnly(`commit`)
	rollback   = sqliteOnly(`rollback`)
	savepoint  = sqliteOnly(`savepoint one`)
	release    = sqliteOnly(`release savepoint one`)
	rollbackTo = sqliteOnly(`rollback to savepoint one`)

	wordsDue  = sqliteOnly(`select coalesce(max(indexed) + 1, 0) from case_words_due`)
	wordsDrop = sqliteOnly(`delete from case_words
		where rowid in (select document from case_words_due where indexed)`)
	wordsIndex = sqliteOnly(`insert into case_words (rowid, tenant, search, search_private, search_restricted)
		select d.document, char(63743) || d.tenant, c.search || coalesce(' ' || t.search, ''),
			c.search_private || coalesce(' ' || t.search_private, ''),
			c.search_restricted || coalesce(' ' || t.search_restricted, '')
		from case_words_due w cross join case_documents d cross join cases c
			left join case_texts t on t.tenant = c.tenant and t.case_id = c.id
		where d.document = w.document and c.tenant = d.tenant and c.id = d.case_id`)
	wordsIndexed = sqliteOnly(`delete from case_words_due`)
)

// run executes jobs until the writer is closed, and then those already queued.
func (w *writer) run(ctx context.Context, jobs <-chan *job, closing <-chan struct{}) {
	defer w.close(ctx)
	for {
		select {
		case j := <-jobs:
			w.group(ctx, j, jobs)
		case <-closing:
			for {
				select {
				case j := <-jobs:
					w.group(ctx, j, jobs)
				default:
					return
				}
			}
		}
	}
}

// close moves the write-ahead log into the database file, so that the file alone is the database, and closes the
// connection.
func (w *writer) close(ctx context.Context) {
	for _, p := range w.prepared {
		_ = p.Close() // an open statement keeps the file open
	}
	_, _ = w.conn.ExecContext(ctx, `pragma wal_checkpoint(truncate)`) // the next start reads the log otherwise
	_ = w.conn.Close()
}

// group commits a job and those that come meanwhile together, and tells each how it ended.
func (w *writer) group(ctx context.Context, first *job, jobs <-chan *job) {
	started := time.Now()
	group, err := w.commitAll(ctx, first, jobs)
	w.last, w.took = len(group), time.Since(started)
	if err == nil {
		w.recent.add(w.appended...)
	}
	w.appended = nil
	for _, j := range group {
		if j.err == nil {
			j.err = err
		}
		j.result <- j.err
	}
}

func (w *writer) commitAll(ctx context.Context, first *job, jobs <-chan *job) (group []*job, err error) {
	if _, err := w.exec(ctx, begin); err != nil {
		return []*job{first}, err
	}
	waiting := time.NewTimer(min(w.took, longestWait))
	defer waiting.Stop()
	for j := first; j != nil; j = w.next(len(group), jobs, waiting.C) {
		group = append(group, j)
		var broken error
		if j.err, broken = w.one(ctx, j); broken != nil {
			return group, w.giveUp(ctx, broken)
		}
	}
	for _, last := range []func(context.Context) error{w.indexWords, w.commit} {
		if err := last(ctx); err != nil {
			return group, w.giveUp(ctx, err)
		}
	}
	w.metrics.Commit(len(group))
	return group, nil
}

// indexWords writes the words of the cases that the group has changed. The index writes a segment at each of its
// statements and at each savepoint, so the group has its own, behind all savepoints.
func (w *writer) indexWords(ctx context.Context) error {
	rows, err := w.query(ctx, wordsDue)
	due, err := one(rows, err, scanValue[int], unanswered("store.count"))
	if err != nil || due == 0 {
		return err
	}
	steps := []*statement{wordsDrop, wordsIndex, wordsIndexed}
	if due == 1 { // all are new
		steps = steps[1:]
	}
	for _, s := range steps {
		if _, err := w.exec(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) commit(ctx context.Context) error {
	_, err := w.exec(ctx, commit)
	return err
}

// longestWait bounds how long a group waits for more jobs.
const longestWait = 2 * time.Millisecond

// next returns the next job for a group of n; nil: the group is complete. A commit costs the same for one job and for
// many. So a group that is smaller than the one before waits for jobs, but no longer than that one took.
func (w *writer) next(n int, jobs <-chan *job, late <-chan time.Time) *job {
	if n >= maxGroup {
		return nil
	}
	select {
	case j := <-jobs:
		return j
	default:
	}
	if n >= w.last {
		return nil
	}
	select {
	case j := <-jobs:
		return j
	case <-late:
		return nil
	}
}

// giveUp rolls back a group that can't be saved. SQLite may have done so by itself, for example when the disk is
// full; then there is nothing to undo.
func (w *writer) giveUp(ctx context.Context, cause error) error {
	_, _ = w.exec(ctx, rollback)
	return cause
}

// one runs a job inside a savepoint. It checks the job's context only before it begins, because an interrupted
// statement would roll back the whole group. Broken reports that the transaction around the savepoint is gone.
func (w *writer) one(ctx context.Context, j *job) (err, broken error) {
	if err := j.ctx.Err(); err != nil {
		return translate(err), nil
	}
	if _, err := w.exec(ctx, savepoint); err != nil {
		return err, err
	}
	appended := len(w.appended)
	if err := protect(func() error { return j.do(w) }); err != nil {
		w.appended = w.appended[:appended]
		if _, undo := w.exec(ctx, rollbackTo); undo != nil {
			return err, errors.Join(err, undo)
		}
		_, broken := w.exec(ctx, release)
		return err, broken
	}
	_, err = w.exec(ctx, release)
	return err, err
}

// protect turns a panic into an error, so that one request can't stop the writer.
func protect(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("store: panic in a transaction: %v", p)
		}
	}()
	return do()
}

func (w *writer) stmt(ctx context.Context, s *statement) (*sql.Stmt, error) {
	if p, ok := w.prepared[s]; ok {
		return p, nil
	}
	p, err := w.conn.PrepareContext(ctx, s.text[sqlite])
	if err != nil {
		return nil, translate(err)
	}
	w.prepared[s] = p
	return p, nil
}

func (w *writer) exec(ctx context.Context, s *statement, args ...any) (int64, error) {
	p, err := w.stmt(context.WithoutCancel(ctx), s)
	if err != nil {
		return 0, err
	}
	result, err := p.ExecContext(context.WithoutCancel(ctx), args...)
	if err != nil {
		return 0, translate(err)
	}
	if w.inserted, err = result.LastInsertId(); err != nil {
		return 0, translate(err)
	}
	n, err := result.RowsAffected()
	return n, translate(err)
}

func (w *writer) query(ctx context.Context, s *statement, args ...any) (*sql.Rows, error) {
	if s.rare {
		rows, err := w.conn.QueryContext(context.WithoutCancel(ctx), s.text[sqlite], args...)
		return rows, translate(err)
	}
	p, err := w.stmt(context.WithoutCancel(ctx), s)
	if err != nil {
		return nil, err
	}
	rows, err := p.QueryContext(context.WithoutCancel(ctx), args...)
	return rows, translate(err)
}
