package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/observe"
)

// Options say which database to open.
type Options struct {
	Path string // of the SQLite file; used when URL is empty
	URL  string // postgres://...
	Key  []byte // 32 bytes; seals the secrets at rest

	Metrics *observe.Store // nil: nothing is counted
	Log     *slog.Logger   // for faults that the operator has to repair; nil: nothing is logged

	// Fail lets tests make a database fail. It is called before each statement and each commit, and after it (done).
	// If it returns an error, the store returns that instead of the outcome. Nil: nothing fails.
	Fail func(what string, done bool) error
}

// Store is an open database.
type Store struct {
	reader
	engine    engine
	counters  *counters
	wake      signal // the journal may have grown, here or on another node
	committed signal // this process appended to the journal, or assigned positions
	endpoints signal // endpoints changed, by a commit of this process
	topics    topics // of open questions
	rights    rights
	metrics   *observe.Store
	trouble   trouble
	session   atomic.Pointer[session] // of the connection that listens; nil: there is none
	closing   context.Context         // for what is left to do when it closes

	attachments string // where this process keeps contents; empty: it adds none
}

// Tx is a transaction. It has all reads of a Store, and all writes.
type Tx struct {
	reader
	counters  *counters
	apart     detachedFunc
	appended  bool           // the journal has new entries
	endpoints bool           // endpoints changed
	rights    map[int64]bool // tenants in which rights change
	known     *rights        // the store's cache
	tenants   []foundTenant
	wakes     []string // topics that the commit wakes
	session   session

	attachments string // as in Store
}

// reader has the methods that a Store and a Tx have in common.
type reader struct {
	q       querier
	seal    sealer
	dialect dialect
}

// querier runs statements, in or outside a transaction.
type querier interface {
	exec(ctx context.Context, s *statement, args ...any) (int64, error)
	query(ctx context.Context, s *statement, args ...any) (*sql.Rows, error)
}

// engine is a database engine. Queries run outside any transaction, and update runs a function in one.
type engine interface {
	querier
	update(ctx context.Context, do func(querier) error) error
	whole(ctx context.Context, s *statement, args []any, row ...any) error
	wrote(entry event.Entry) // by whole
	apart(ctx context.Context, s *statement, args ...any) (*sql.Rows, error)
	dialect() dialect
	// follow returns entries above a position from memory; false: they are not all there.
	follow(ctx context.Context, after int64, limit int) (Range, bool, error)
	forget(upTo int64) // entries that were removed
	listen(ctx context.Context, started func(session), notified func(text string)) error
	notify(ctx context.Context, text string) error
	close() error
}

// detachedFunc runs one statement that writes, as a transaction of its own on a connection of its own: the database
// finishes it even if this process stops, so that no other process waits for it. SQLite has one process, and does
// not need it.
type detachedFunc func(ctx context.Context, s *statement, args ...any) (*sql.Rows, error)

// Open opens a database and brings its schema up to date.
func Open(ctx context.Context, o Options) (*Store, error) {
	seal, err := newSealer(o.Key)
	if err != nil {
		return nil, err
	}
	var e engine
	if o.URL != "" {
		e, err = openPostgres(ctx, o.URL)
	} else {
		e, err = openSQLite(ctx, o.Path, o.Metrics)
	}
	if err != nil {
		return nil, err
	}
	if o.Fail != nil {
		e = failingEngine{e, o.Fail}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Store{
		reader: reader{q: strictQuerier{e}, seal: seal, dialect: e.dialect()}, engine: e, metrics: o.Metrics,
		trouble: trouble{log: o.Log}, closing: context.WithoutCancel(ctx),
	}
	s.counters = newCounters(s)
	for _, step := range []func(context.Context) error{s.checkKey, s.foldNames, s.foldFirstTexts} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, e.close())
		}
	}
	return s, nil
}

// longestFarewell is the time limit of the last writes of a store that closes.
const longestFarewell = 2 * time.Second

// Close releases the database. Updates under way are finished first. Closing it
// again does nothing.
func (s *Store) Close() error {
	ctx, cancel := context.WithTimeout(s.closing, longestFarewell)
	defer cancel()
	s.counters.giveBack(ctx)
	return s.engine.close()
}

// Nodes reports whether several processes may share this database.
func (s *Store) Nodes() bool { return s.dialect == postgres }

// Update runs do in one transaction. If do fails, nothing is saved. If the commit fails, the error tells whether
// nothing was saved or the outcome is unknown. Do must not wait for anything but the database, because on SQLite all
// other transactions wait for do.
func (s *Store) Update(ctx context.Context, do func(*Tx) error) error {
	var tx *Tx
	started := time.Now()
	err := s.engine.update(ctx, func(q querier) error {
		tx = &Tx{
			reader:   reader{q: strictQuerier{q}, seal: s.seal, dialect: s.dialect},
			counters: s.counters, apart: s.engine.apart, known: &s.rights,
			attachments: s.attachments,
		}
		if held := s.session.Load(); held != nil {
			tx.session = *held
		}
		return do(tx)
	})
	if tx != nil { // also after an error: the commit may have happened
		s.regranted(tx.rights)
	}
	s.ended(err, started)
	if err != nil {
		return err
	}
	for _, found := range tx.tenants {
		s.rights.of(found.ID).found(found)
	}
	if tx.appended {
		s.wake.broadcast()
		s.committed.broadcast()
	}
	if tx.endpoints {
		s.endpoints.broadcast()
	}
	s.wakeTopics(ctx, tx.wakes)
	return nil
}

// ended records the end of a transaction in the metrics and the log.
func (s *Store) ended(err error, started time.Time) {
	s.metrics.Transaction(err == nil, time.Since(started))
	s.trouble.note(err)
	switch {
	case err == ErrRightsChanged: // no failure: the caller tries again
	case err != nil:
		s.count(err)
	case s.Nodes():
		s.metrics.Commit(1)
	}
}

// count counts an error in the metrics if the database caused it.
func (s *Store) count(err error) {
	switch e := fault.As(err); {
	case errors.Is(err, context.Canceled):
	case e.Kind == fault.Unavailable:
		s.metrics.Failed("unavailable")
	case e.Kind == fault.Internal:
		s.metrics.Failed("internal")
	}
}

// Wake returns a channel that is closed at the next commit that appends to the journal, here or on another node. Call
// it before you read, so that you miss no commit.
func (s *Store) Wake() <-chan struct{} { return s.wake.channel() }

// Committed returns a channel that is closed when this process next appends to the journal or assigns positions to
// entries. Then other nodes have to be notified.
func (s *Store) Committed() <-chan struct{} { return s.committed.channel() }

// EndpointsChanged returns a channel that is closed at the next commit of this
// process that changes an endpoint.
func (s *Store) EndpointsChanged() <-chan struct{} { return s.endpoints.channel() }

// Listen passes on the notifications of other nodes until ctx ends or the connection is lost; polling is the fallback.
// The connection shows the database that the process is alive, so delivery renews its leases when the connection opens
// or closes, as after a change of endpoints. On SQLite there are no other nodes.
func (s *Store) Listen(ctx context.Context) error {
	defer s.endpoints.broadcast()
	defer s.session.Store(nil)
	return s.engine.listen(ctx, func(started session) {
		s.session.Store(&started)
		s.endpoints.broadcast()
		s.rightsChangedElsewhere(allTenants) // earlier notifications were missed
	}, s.notified)
}

// Notify notifies the other nodes that the journal has grown, and of the tenants in which rights changed. It runs
// outside of any business transaction, because a NOTIFY inside would serialise their commits.
func (s *Store) Notify(ctx context.Context) error {
	changed := s.rights.drainNotices()
	err := s.engine.notify(ctx, tenantsText(changed))
	if err != nil {
		s.rights.queueNotices(changed)
	}
	return err
}

// one reads one row. If there is none, it returns the error of missing.
func one[T any](rows *sql.Rows, err error, scan func(*sql.Rows) (T, error), missing func() error) (T, error) {
	all, err := collect(rows, err, scan)
	if err == nil && len(all) == 0 {
		err = missing()
	}
	if err != nil {
		var zero T
		return zero, err
	}
	return all[0], nil
}

// collect reads all rows.
func collect[T any](rows *sql.Rows, err error, scan func(*sql.Rows) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("reading a row: %w", translate(err))
		}
		all = append(all, v)
	}
	return all, translate(rows.Err())
}

func scanValue[T any](rows *sql.Rows) (v T, err error) {
	err = rows.Scan(&v)
	return v, err
}

func notFound(code, detail string, args ...any) func() error {
	return func() error { return fault.New(fault.NotFound, code, detail, args...) }
}

// unanswered returns a missing function, as [one] takes it, for queries that always return a row.
func unanswered(code string) func() error {
	return notFound(code, "The database returned no answer. Try again.")
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}
