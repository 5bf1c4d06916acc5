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

// Each migration takes a while, and each test wants a database of its own: they are
// copied from one that was migrated once.

// prepare makes the database that others are copied from.
func prepare(ctx context.Context, o store.Options) error {
	s, err := store.Open(ctx, o)
	if err != nil {
		return err
	}
	return s.Close()
}

// Postgres returns the URL of a database of the test's own, which a store with the
// key left behind empty.
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

// SQLite puts a database at path, which a store with the key left behind empty, and
// returns path.
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
