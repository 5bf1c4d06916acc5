package store_test

import (
	"path/filepath"
	"testing"

	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/store/storetest"
)

var key = []byte("0123456789abcdef0123456789abcdef")

// engines are the ways to name an empty database.
var engines = map[string]func(t testing.TB) store.Options{
	"sqlite": func(t testing.TB) store.Options {
		return store.Options{Path: storetest.SQLite(t, filepath.Join(t.TempDir(), "casehook.db"), key), Key: key}
	},
	"postgres": func(t testing.TB) store.Options { return store.Options{URL: storetest.Postgres(t, key), Key: key} },
}

func open(t testing.TB, o store.Options) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestStore(t *testing.T) {
	for name, options := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, func(t *testing.T) *store.Store { return open(t, options(t)) })
		})
	}
}
