package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/casehook/casehook/internal/fault"
)

// checkFile returns an error if the database is damaged, because it was copied while it was in use, or because the
// disk fails. The check takes a while for a large file, and is skipped if the last process shut down cleanly and the
// file is unchanged since. A copy is another file, and is checked.
func checkFile(ctx context.Context, db *sql.DB, path string) error {
	marked, err := os.ReadFile(markPath(path))
	if err == nil && logEmpty(path) {
		if now, err := identity(path); err == nil && now == string(marked) {
			return unmark(path)
		}
	}
	var found string
	if err := db.QueryRowContext(ctx, `pragma quick_check(1)`).Scan(&found); err != nil {
		return translate(err)
	}
	if found != "ok" {
		return damaged(errors.New(strings.ReplaceAll(found, "\n", " ")))
	}
	return unmark(path)
}

func damaged(err error) error {
	return fault.Wrap(err, fault.Internal, "store.damaged",
		"The database file is damaged. Stop the server, keep the damaged files, and restore a backup: "+
			"casehook restore.")
}

// markClosed saves the file's identity in a mark beside it, which shows that it was closed cleanly.
func markClosed(path string) error {
	now, err := identity(path)
	if errors.Is(err, errors.ErrUnsupported) || !logEmpty(path) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("closing the database: %w", err)
	}
	if err := os.WriteFile(markPath(path), []byte(now), 0o600); err != nil {
		return fmt.Errorf("closing the database: %w", err)
	}
	return nil
}

// unmark removes the mark. It is called before anything is written.
func unmark(path string) error {
	if err := os.Remove(markPath(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("opening the database: %w", err)
	}
	return nil
}

// logEmpty reports whether the write-ahead log is empty or missing, so that the file is the whole database.
func logEmpty(path string) bool {
	info, err := os.Stat(path + "-wal")
	return errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0
}

func markPath(path string) string { return path + "-closed" }
