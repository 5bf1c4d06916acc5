package store

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
)

// postgresEngine runs each transaction on its own connection. Statements that run apart have a second pool, so that
// transactions that wait for them can't occupy all its connections.
type postgresEngine struct {
	pool *pgxpool.Pool
	db   *sql.DB // over the pool
	side *sql.DB // for statements that run apart
	kept *recentEntries
}

const sideConnections = 2

const applicationName = "application_name"

const idleTimeout = "idle_in_transaction_session_timeout"

// oldestPostgres is the first version that we are tested against.
const oldestPostgres = 140000

func openPostgres(ctx context.Context, url string) (engine, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errURL()
	}
	settings := config.ConnConfig.RuntimeParams
	if settings[applicationName] != loaderName {
		settings[applicationName] = "casehook"
	}
	settings["default_transaction_isolation"] = "read committed" // each statement sees what was committed before it
	// A process that hangs inside a transaction must not keep its locks for longer than its leases, because no other
	// process can take over before.
	if settings[idleTimeout] == "" {
		settings[idleTimeout] = "5s"
	}
	noticeDeadConnections(config.ConnConfig)
	if !strings.Contains(url, "pool_max_conns") {
		config.MaxConns = max(16, config.MaxConns)
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, translate(err)
	}
	e := &postgresEngine{
		pool: pool, db: stdlib.OpenDBFromPool(pool), side: stdlib.OpenDB(*config.ConnConfig), kept: new(recentEntries),
	}
	e.side.SetMaxOpenConns(sideConnections)
	e.side.SetMaxIdleConns(sideConnections)
	e.db.SetMaxIdleConns(0) // the pool keeps them
	if err := e.prepare(ctx); err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

// errURL returns the error for a URL that can't be read. It has none of the URL, which may contain a password.
func errURL() error {
	return fault.New(fault.Invalid, "store.url_invalid",
		"The database URL can't be read. It looks like postgres://user:password@host:5432/database?sslmode=require.")
}

// The limits by which a connection without an answer is noticed, whatever waits for it.
const (
	connectWithin  = 5 * time.Second  // unless the URL has connect_timeout
	unacknowledged = 15 * time.Second // packets that were sent
	keepAliveIdle  = 15 * time.Second // then a silent connection is probed
	keepAliveEvery = 5 * time.Second
	keepAliveTries = 3
)

// noticeDeadConnections limits connecting, and makes the system end connections whose other side is gone: a database
// whose machine fails closes none, and the system's own limits are minutes to hours.
func noticeDeadConnections(c *pgx.ConnConfig) {
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connectWithin
	}
	dialer := &net.Dialer{
		Timeout: c.ConnectTimeout,
		KeepAliveConfig: net.KeepAliveConfig{
			Enable: true, Idle: keepAliveIdle, Interval: keepAliveEvery, Count: keepAliveTries,
		},
	}
	c.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		if network == "unix" {
			return new(net.Dialer).DialContext(ctx, network, address)
		}
		return dialer.DialContext(ctx, network, address)
	}
	dialer.Control = endUnanswered
}

func (e *postgresEngine) prepare(ctx context.Context) error {
	var version int
	if err := e.db.QueryRowContext(ctx,
		`select current_setting('server_version_num')::int`).Scan(&version); err != nil {
		return translate(err)
	}
	if version < oldestPostgres {
		return fault.New(fault.Invalid, "store.version",
			"The database is PostgreSQL %d, and Casehook needs version 14 or newer. Upgrade the database.",
			version/10000)
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300)) // tries each second
	if err != nil {
		return err
	}
	return migrate(ctx, e.db, goose.DialectPostgres, "postgres", goose.WithSessionLocker(locker))
}

func (e *postgresEngine) forget(int64) {} // removed entries have no position any more

func (e *postgresEngine) dialect() dialect { return postgres }

func (e *postgresEngine) query(ctx context.Context, s *statement, args ...any) (*sql.Rows, error) {
	ctx, ended := patient(ctx)
	rows, err := e.db.QueryContext(ctx, s.text[postgres], args...)
	ended(err)
	return rows, translate(err)
}

func (e *postgresEngine) exec(context.Context, *statement, ...any) (int64, error) {
	return 0, errors.New("store: a write outside of a transaction")
}

func (e *postgresEngine) apart(ctx context.Context, s *statement, args ...any) (*sql.Rows, error) {
	ctx, ended := patient(ctx)
	rows, err := e.side.QueryContext(ctx, s.text[postgres], args...)
	ended(err)
	return rows, translate(err)
}

func (e *postgresEngine) update(ctx context.Context, do func(querier) error) (err error) {
	ctx, ended := patient(ctx)
	defer func() { ended(err) }()
	tx, err := e.db.BeginTx(ctx, nil)
	if err != nil {
		return translate(err)
	}
	var appended []*event.Entry
	if err := protect(func() error { return do(postgresTx{tx, ctx, &appended}) }); err != nil {
		if undo := tx.Rollback(); undo != nil && !errors.Is(undo, sql.ErrTxDone) {
			return errors.Join(err, translate(undo))
		}
		return err
	}
	if err := commitError(tx.Commit()); err != nil {
		return err
	}
	e.kept.add(appended...)
	return nil
}

const channel = "casehook"

func (e *postgresEngine) listen(ctx context.Context, started func(session), notified func(text string)) error {
	conn, err := e.pool.Acquire(ctx)
	if err != nil {
		return translate(err)
	}
	raw := conn.Hijack() // a listening connection must not return to the pool
	defer raw.Close(context.WithoutCancel(ctx))
	if _, err := raw.Exec(ctx, "listen "+channel); err != nil {
		return translate(err)
	}
	var held session
	const who = `select pg_backend_pid(), cast(extract(epoch from clock_timestamp()) * 1000000 as bigint)`
	if err := raw.QueryRow(ctx, who).Scan(&held.backend, &held.at); err != nil {
		return translate(err)
	}
	started(held)
	notified("") // earlier notifications were missed
	for {
		heard, err := raw.WaitForNotification(ctx)
		if err != nil {
			return translate(err)
		}
		notified(heard.Payload)
	}
}

func (e *postgresEngine) notify(ctx context.Context, text string) error {
	ctx, ended := patient(ctx)
	_, err := e.pool.Exec(ctx, "select pg_notify($1, $2)", channel, text)
	ended(err)
	return translate(err)
}

// close first waits for the transactions under way: they may still reserve numbers, which needs a connection of the
// second pool.
func (e *postgresEngine) close() error {
	err := e.db.Close()
	e.pool.Close()
	return errors.Join(err, e.side.Close())
}

// postgresTx is a querier inside a transaction.
type postgresTx struct {
	tx       *sql.Tx
	whole    context.Context // of the transaction
	appended *[]*event.Entry
}

// within returns a context that ends with a statement's own, or with the time of the whole transaction.
func (t postgresTx) within(ctx context.Context) context.Context {
	until, limited := t.whole.Deadline()
	if !limited {
		return ctx
	}
	ctx, cancel := context.WithDeadline(ctx, until)
	context.AfterFunc(t.whole, cancel)
	return ctx
}

// record keeps an entry as it will be read, but for its position.
func (t postgresTx) record(e event.Entry) {
	if e.ID != 0 { // else it is not known
		*t.appended = append(*t.appended, asRead(e))
	}
}

func (t postgresTx) exec(ctx context.Context, s *statement, args ...any) (int64, error) {
	result, err := t.tx.ExecContext(t.within(ctx), s.text[postgres], args...)
	if err != nil {
		return 0, translate(err)
	}
	n, err := result.RowsAffected()
	return n, translate(err)
}

func (t postgresTx) query(ctx context.Context, s *statement, args ...any) (*sql.Rows, error) {
	rows, err := t.tx.QueryContext(t.within(ctx), s.text[postgres], args...)
	return rows, translate(err)
}
