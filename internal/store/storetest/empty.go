package storetest

import (
	"context"
	"encoding/hex"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/casehook/casehook/internal/pgtest"
	"github.com/casehook/casehook/internal/store"
)

// Migrations take a while, and each test needs its own database: all are copies of one that is migrated once.

// prepare makes the database from which the others are copied.
func prepare(ctx context.Context, o store.Options) error {
	s, err := store.Open(ctx, o)
	if err != nil {
		return err
	}
	return s.Close()
}

// Postgres returns the URL of the test's own database, an empty one of a store with the key.
func Postgres(t testing.TB, key []byte) string {
	t.Helper()
	return pgtest.Copy(t, "storetest "+hex.EncodeToString(key), func(url string) error {
		return prepare(t.Context(), store.Options{URL: url, Key: key})
	})
}

// file is the content of a database.
type file struct {
	once    sync.Once
	content []byte
	err     error
}

var files sync.Map // by key

// SQLite puts an empty database of a store with the key at path, and returns path.
func SQLite(t testing.TB, path string, key []byte) string {
	t.Helper()
	found, _ := files.LoadOrStore(string(key), new(file))
	f := found.(*file)
	f.once.Do(func() {
		first := filepath.Join(t.TempDir(), "casehook.db")
		if f.err = prepare(t.Context(), store.Options{Path: first, Key: key}); f.err == nil {
			f.content, f.err = os.ReadFile(first)
		}
	})
	if f.err != nil {
		t.Fatal(f.err)
	}
	if err := os.WriteFile(path, f.content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
