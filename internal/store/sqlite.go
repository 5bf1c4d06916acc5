package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver

	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/observe"
)

// sqliteEngine has one writer, which groups transactions, and many readers.
type sqliteEngine struct {
	path     string
	readers  *sql.DB
	prepared sync.Map // *statement -> *sql.Stmt
	writers  *sql.DB  // one connection
	jobs     chan *job
	closing  chan struct{}
	once     sync.Once // closes the channel closing
	done     chan struct{}
	kept     *recentEntries
}

// job is one transaction that waits for the writer.
type job struct {
	ctx    context.Context
	do     func(querier) error
	result chan error // buffered
	err    error
}

// maxGroup bounds how many transactions share a commit.
const maxGroup = 256

func openSQLite(ctx context.Context, path string, metrics *observe.Store) (engine, error) {
	writers, err := openFile(path, "immediate", 1)
	if err != nil {
		return nil, err
	}
	for _, step := range []func() error{
		func() error { return checkFile(ctx, writers, path) },
		func() error { return migrate(ctx, writers, goose.DialectSQLite3, "sqlite") },
	} {
		if err := step(); err != nil {
			return nil, errors.Join(err, writers.Close())
		}
	}
	readers, err := openFile(path, "deferred", max(4, runtime.NumCPU()*2))
	if err != nil {
		return nil, errors.Join(err, writers.Close())
	}
	conn, err := writers.Conn(ctx)
	if err != nil {
		return nil, errors.Join(translate(err), writers.Close(), readers.Close())
	}
	e := &sqliteEngine{
		path: path, readers: readers, writers: writers,
		jobs: make(chan *job, maxGroup), closing: make(chan struct{}), done: make(chan struct{}),
		kept: new(recentEntries),
	}
	w := &writer{conn: conn, prepared: map[*statement]*sql.Stmt{}, metrics: metrics, recent: e.kept}
	go func() {
		defer close(e.done)
		w.run(context.WithoutCancel(ctx), e.jobs, e.closing)
	}()
	return e, nil
}

// The memory for pages, in KiB, of the connection that writes, and of each that reads: these have those of the system,
// too.
const (
	writerCache = "cache_size(-4000)"
	readerCache = "cache_size(-2000)"
)

// checkpoint moves the log into the database file when it has 8,000 pages (32 MB). Each group of changes writes the
// last page of every index again, so a longer log moves fewer pages: with 1,000, moving them was half of what is
// written.
const checkpoint = "wal_autocheckpoint(8000)"

func openFile(path, lock string, connections int) (*sql.DB, error) {
	pragmas := url.Values{"_pragma": {
		"busy_timeout(10000)", "journal_mode(wal)", "synchronous(full)", "foreign_keys(1)",
		"temp_store(memory)",
	}, "_txlock": {lock}}
	if lock == "deferred" {
		pragmas["_pragma"] = append(pragmas["_pragma"], "query_only(1)", readerCache)
	} else {
		pragmas["_pragma"] = append(pragmas["_pragma"], writerCache, checkpoint)
	}
	db, err := openPath(path, pragmas)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// openPath opens the file at a path, with settings for each connection.
func openPath(path string, pragmas url.Values) (*sql.DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	file := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: pragmas.Encode()}
	db, err := sql.Open("sqlite", file.String())
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	return db, nil
}

func (e *sqliteEngine) dialect() dialect { return sqlite }

func (e *sqliteEngine) forget(upTo int64) { e.kept.forget(upTo) }

// stmt prepares s once; database/sql keeps it prepared on every connection.
func (e *sqliteEngine) stmt(ctx context.Context, s *statement) (*sql.Stmt, error) {
	if p, ok := e.prepared.Load(s); ok {
		return p.(*sql.Stmt), nil
	}
	p, err := e.readers.PrepareContext(ctx, s.text[sqlite])
	if err != nil {
		return nil, translate(err)
	}
	if earlier, loaded := e.prepared.LoadOrStore(s, p); loaded {
		return earlier.(*sql.Stmt), p.Close()
	}
	return p, nil
}

func (e *sqliteEngine) query(ctx context.Context, s *statement, args ...any) (*sql.Rows, error) {
	if s.rare {
		rows, err := e.readers.QueryContext(ctx, s.text[sqlite], args...)
		return rows, translate(err)
	}
	p, err := e.stmt(ctx, s)
	if err != nil {
		return nil, err
	}
	rows, err := p.QueryContext(ctx, args...)
	return rows, translate(err)
}

func (e *sqliteEngine) exec(context.Context, *statement, ...any) (int64, error) {
	return 0, errors.New("store: a write outside of a transaction")
}

func (e *sqliteEngine) apart(context.Context, *statement, ...any) (*sql.Rows, error) {
	return nil, errors.New("store: SQLite has one transaction at a time")
}

func (e *sqliteEngine) update(ctx context.Context, do func(querier) error) error {
	j := &job{ctx: ctx, do: do, result: make(chan error, 1)}
	select {
	case <-e.closing:
		return fault.New(fault.Unavailable, "store.closed", "The server is shutting down. Try again shortly.")
	case <-ctx.Done():
		return translate(ctx.Err())
	case e.jobs <- j:
	}
	select {
	case err := <-j.result: // a queued job is always carried out; the writer never hangs
		return err
	case <-e.done:
		select {
		case err := <-j.result:
			return err
		default:
			return fault.New(fault.Unavailable, "store.closed", "The server is shutting down. Try again shortly.")
		}
	}
}

func (e *sqliteEngine) listen(ctx context.Context, _ func(session), _ func(string)) error {
	<-ctx.Done()
	return ctx.Err()
}

func (e *sqliteEngine) notify(context.Context, string) error { return nil }

func (e *sqliteEngine) close() error {
	e.once.Do(func() { close(e.closing) })
	<-e.done
	e.prepared.Range(func(_, p any) bool { return p.(*sql.Stmt).Close() == nil }) // or the file stays open
	if err := errors.Join(e.readers.Close(), e.writers.Close()); err != nil {
		return err
	}
	return markClosed(e.path)
}
