package store_test

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

func TestSQLiteOptionsAreInForce(t *testing.T) {
	s := open(t, engines["sqlite"](t))
	want := map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "10000"}
	update(t, s, func(tx *store.Tx) error {
		for pragma, value := range want {
			if got, err := tx.Ask("pragma " + pragma); err != nil || got != value {
				t.Errorf("the writer has %s = %s, %v; want %s", pragma, got, err, value)
			}
		}
		return nil
	})
	want["query_only"] = "1"
	for pragma, value := range want {
		var got string
		if err := s.Readers().QueryRowContext(t.Context(), "pragma "+pragma).Scan(&got); err != nil || got != value {
			t.Errorf("a reader has %s = %s, %v; want %s", pragma, got, err, value)
		}
	}
	if _, err := s.Readers().ExecContext(t.Context(), "delete from tenants"); err == nil {
		t.Error("a reading connection writes")
	}
}

func TestSQLiteOpensAnyPath(t *testing.T) {
	for _, name := range []string{"with space", "what?", "a#b", "100%25", "Ünïcödé", "a&_pragma=b"} {
		path := filepath.Join(t.TempDir(), name+".db")
		s := open(t, store.Options{Path: path, Key: key})
		update(t, s, func(tx *store.Tx) error {
			_, err := tx.CreateTenant(t.Context(), "acme", "Acme", time.Time{})
			return err
		})
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
	t.Chdir(t.TempDir())
	open(t, store.Options{Path: "relative.db", Key: key})
	if _, err := os.Stat("relative.db"); err != nil {
		t.Error(err)
	}
}

func TestSQLiteTakesASecondStoreOfTheSameFile(t *testing.T) {
	o := engines["sqlite"](t)
	first, second := open(t, o), open(t, o)
	id := tenant(t, first)
	for i, s := range []*store.Store{first, second, first} {
		update(t, s, func(tx *store.Tx) error {
			n, err := tx.Next(t.Context(), id, "n")
			if n != int64(i+1) {
				t.Errorf("counted %d, want %d", n, i+1)
			}
			return err
		})
	}
}

// Commits cost a flush each, so those who wait share one.
func TestSQLiteGroupsTransactionsThatWait(t *testing.T) {
	o := engines["sqlite"](t)
	s := open(t, o)
	id := tenant(t, s)
	before := walCommits(t, o.Path)
	const n = 100
	held, goOn := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		update(t, s, func(*store.Tx) error { close(held); <-goOn; return nil })
	})
	<-held
	for range n {
		all.Go(func() {
			update(t, s, func(tx *store.Tx) error { _, err := tx.Next(t.Context(), id, "n"); return err })
		})
	}
	for s.Waiting() < n {
		runtime.Gosched()
	}
	close(goOn)
	all.Wait()
	if commits := walCommits(t, o.Path) - before; commits != 1 {
		t.Errorf("%d transactions took %d commits, want 1", n, commits)
	}
	update(t, s, func(tx *store.Tx) error {
		if got, err := tx.Next(t.Context(), id, "n"); got != n+1 || err != nil {
			t.Errorf("counted %d, %v", got, err)
		}
		return nil
	})
}

func TestSQLiteTellsEveryoneInAGroupWhoseCommitFails(t *testing.T) {
	s := open(t, engines["sqlite"](t))
	id := tenant(t, s)
	held, goOn := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() { update(t, s, func(*store.Tx) error { close(held); <-goOn; return nil }) })
	<-held
	errs := make(chan error, 3)
	for i := range 3 {
		all.Go(func() {
			errs <- s.Update(t.Context(), func(tx *store.Tx) error {
				if _, err := tx.Next(t.Context(), id, "n"); err != nil || i != 1 {
					return err
				}
				if err := tx.Exec("pragma defer_foreign_keys = on"); err != nil { // judged by the commit alone
					return err
				}
				return tx.Exec("insert into counters (tenant, name, value) values (4711, 'none', 1)")
			})
		})
		for s.Waiting() < i+1 {
			runtime.Gosched()
		}
	}
	close(goOn)
	all.Wait()
	for range 3 {
		if err := <-errs; err == nil {
			t.Error("told that it was saved")
		}
	}
	update(t, s, func(tx *store.Tx) error {
		if n, err := tx.Next(t.Context(), id, "n"); n != 1 || err != nil {
			t.Errorf("counted %d, %v: something of the group is left", n, err)
		}
		return nil
	})
}

func TestSQLiteSurvivesAFullDisk(t *testing.T) {
	s := open(t, engines["sqlite"](t))
	id := tenant(t, s)
	update(t, s, func(tx *store.Tx) error { return tx.Exec("pragma max_page_count = 1") }) // as many as there are
	err := s.Update(t.Context(), func(tx *store.Tx) error {
		return tx.Exec("insert into installation (name, value) values ('big', hex(zeroblob(1000000)))")
	})
	if got := fault.As(err); err == nil || got.Code != "store.full" || !errors.Is(err, fault.Unavailable) {
		t.Errorf("Update = %v, want store.full", err)
	}
	update(t, s, func(tx *store.Tx) error { return tx.Exec("pragma max_page_count = 1000000") })
	update(t, s, func(tx *store.Tx) error { _, err := tx.Next(t.Context(), id, "n"); return err })
}

// walCommits counts the commits in a write-ahead log: the frames that carry the
// size of the database.
func walCommits(t *testing.T, path string) (n int) {
	t.Helper()
	raw, err := os.ReadFile(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	const header, frame = 32, 24
	page := int(binary.BigEndian.Uint32(raw[8:]))
	for rest := raw[header:]; len(rest) >= frame+page; rest = rest[frame+page:] {
		sameLog := string(rest[8:16]) == string(raw[16:24])
		if sameLog && binary.BigEndian.Uint32(rest[4:]) > 0 {
			n++
		}
	}
	return n
}

func update(t testing.TB, s *store.Store, do func(*store.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), do); err != nil {
		t.Error(err)
	}
}

// tenant is the id of a tenant, which it makes if need be.
func tenant(t testing.TB, s *store.Store) int64 {
	t.Helper()
	known, err := s.TenantByKey(t.Context(), "acme")
	if errors.Is(err, fault.NotFound) {
		update(t, s, func(tx *store.Tx) (err error) {
			known.ID, err = tx.CreateTenant(t.Context(), "acme", "Acme", time.Time{})
			return err
		})
	} else if err != nil {
		t.Fatal(err)
	}
	return known.ID
}
