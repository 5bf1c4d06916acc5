package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgconn"
	driversqlite "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"github.com/casehook/casehook/internal/fault"
)

// translate turns a driver's error into a fault by its code.
func translate(err error) error {
	var known *fault.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	var lite *driversqlite.Error
	var pg *pgconn.PgError
	var connect *pgconn.ConnectError
	var network net.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return silent(err)
	case errors.Is(err, context.Canceled), errors.Is(err, sql.ErrTxDone):
		return cancelled(err)
	case errors.As(err, &lite):
		return translateSQLite(lite)
	case errors.As(err, &pg):
		return translatePostgres(pg)
	case errors.As(err, &connect), errors.As(err, &network), errors.Is(err, driver.ErrBadConn),
		errors.Is(err, sql.ErrConnDone), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		pgconn.SafeToRetry(err):
		return unreachable(err)
	}
	return err
}

func cancelled(err error) error {
	return fault.Wrap(err, fault.Unavailable, codeCancelled,
		"The request was cancelled before the database answered. Send it again.")
}

// silent is the error of a database that did not answer in time.
func silent(err error) error {
	return fault.Wrap(err, fault.Unavailable, codeUnreachable, "The database does not answer. Try again shortly.")
}

func unreachable(err error) error {
	return fault.Wrap(err, fault.Unavailable, codeUnreachable, "The database can't be reached. Try again shortly.")
}

// commitError translates the error of a commit. Nothing was saved if the database refused the commit, or if the
// transaction had already ended: then database/sql returns the context's own error. pgconn.SafeToRetry is no help
// here: it also reports true when a connection broke while the answer was read.
func commitError(err error) error {
	if err == context.Canceled || err == context.DeadlineExceeded || errors.Is(err, sql.ErrTxDone) {
		return translate(err)
	}
	return outcomeUnknown(translate(err))
}

// outcomeUnknown turns a lost connection or a cancelled request into the error of a commit whose outcome is unknown:
// the database may have carried it out.
func outcomeUnknown(err error) error {
	if code := fault.As(err).Code; err == nil || code != codeUnreachable && code != codeCancelled {
		return err
	}
	return fault.Wrap(err, fault.Unavailable, OutcomeUnknown,
		"The connection to the database was lost while the change was being saved; it may have been saved or not. "+
			"Repeat the request with the same Idempotency-Key to find out. If it had none, look whether the change "+
			"is there before you repeat it.")
}

// OutcomeUnknown is the code of the error of a commit that may have been carried out.
const OutcomeUnknown = "store.outcome_unknown"

const (
	codeCancelled   = "store.cancelled"
	codeUnreachable = "store.unreachable"
	codeFull        = "store.full"
	codeDisk        = "store.disk"
)

func translateSQLite(err *driversqlite.Error) error {
	switch err.Code() {
	case codes.SQLITE_CONSTRAINT_UNIQUE, codes.SQLITE_CONSTRAINT_PRIMARYKEY:
		return duplicate(err)
	case codes.SQLITE_CONSTRAINT_FOREIGNKEY:
		return referenced(err)
	case codes.SQLITE_FULL:
		return fault.Wrap(err, fault.Unavailable, codeFull,
			"The disk that holds the database is full. Nothing was saved; free some space there, and try again.")
	}
	switch err.Code() & 0xff {
	case codes.SQLITE_CORRUPT, codes.SQLITE_NOTADB:
		return damaged(err)
	case codes.SQLITE_BUSY:
		return fault.Wrap(err, fault.Unavailable, "store.busy",
			"Another process has locked the database. Try again shortly.")
	case codes.SQLITE_CANTOPEN, codes.SQLITE_NOMEM:
		return fault.Wrap(err, fault.Unavailable, "store.exhausted",
			"The server has run out of open files or memory for its database. Nothing was saved; raise its limits, "+
				"and try again.")
	case codes.SQLITE_IOERR, codes.SQLITE_READONLY:
		return fault.Wrap(err, fault.Unavailable, codeDisk,
			"The disk that holds the database fails, or does not let its files grow. Repair it, and try again.")
	case codes.SQLITE_INTERRUPT:
		return cancelled(err)
	}
	return err
}

func translatePostgres(err *pgconn.PgError) error {
	switch err.Code {
	case "23505": // unique_violation
		return duplicate(err)
	case "23503": // foreign_key_violation
		return referenced(err)
	case "57014": // query_canceled
		return cancelled(err)
	case "40001", "40P01": // serialization_failure, deadlock_detected
		return fault.Wrap(err, fault.Unavailable, "store.contention",
			"Too many requests changed the same data at once. Try again.")
	}
	switch err.Code[:2] {
	case "08", "57": // connection exception, operator intervention
		return unreachable(err)
	case "53": // insufficient resources
		return fault.Wrap(err, fault.Unavailable, codeFull,
			"The database has run out of space or connections. Nothing was saved; add some, and try again.")
	}
	return err
}

// referenced returns the error of a violated foreign key: a row refers to one that does not exist, or that was to be
// deleted.
func referenced(err error) error {
	return fault.Wrap(err, fault.Conflict, "store.referenced",
		"Another record refers to this one, or a record that this one refers to was deleted. Load them again and "+
			"repeat the change.")
}

// duplicate returns the error of a violated unique key.
func duplicate(err error) error {
	return fault.Wrap(err, fault.Conflict, "store.duplicate",
		"A record with this key exists already. Choose another key, or change that record.")
}

func isReferenced(err error) bool {
	return errors.Is(err, fault.Conflict) && fault.As(err).Code == "store.referenced"
}

func isDuplicate(err error) bool {
	return errors.Is(err, fault.Conflict) && fault.As(err).Code == "store.duplicate"
}
