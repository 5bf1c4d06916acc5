package store_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
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

// Each commit costs a flush, so waiting transactions share one.
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
	errs := make(chan error, 4)
	all.Go(func() {
		errs <- s.Update(t.Context(), func(*store.Tx) error { close(held); <-goOn; return nil })
	})
	<-held
	kyc, err := casetype.Parse("", []byte(`{"key": "kyc", "fields": {"type": "object", "properties": {}},
		"states": [{"key": "open"}], "transitions": [{"key": "create", "to": "open"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	lost := store.Change{Case: cases.Case{ID: 1, Tenant: id, Type: "kyc", Reference: "R"}, Type: kyc}
	for i := range 3 {
		all.Go(func() {
			if i == 2 {
				errs <- s.Commit(t.Context(), &lost)
				return
			}
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
	for range 4 {
		if err := <-errs; err == nil {
			t.Error("reported as saved")
		}
	}
	update(t, s, func(tx *store.Tx) error {
		if n, err := tx.Next(t.Context(), id, "n"); n != 1 || err != nil {
			t.Errorf("counted %d, %v: something of the group is left", n, err)
		}
		return nil
	})
	if _, err := s.Case(t.Context(), id, lost.Case.ID); !errors.Is(err, fault.NotFound) {
		t.Errorf("a change of the group is left: %v", err)
	}
}

// After a clean end the database file is complete, so that a copy of it is a backup.
func TestSQLiteIsOneFileOnceItIsClosed(t *testing.T) {
	o := engines["sqlite"](t)
	s, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	id := tenant(t, s)
	if _, err := s.TenantByKey(t.Context(), "acme"); err != nil { // prepares statements on a reader
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"-wal", "-shm"} {
		if _, err := os.Stat(o.Path + suffix); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there: %v", suffix, err)
		}
	}
	raw, err := os.ReadFile(o.Path)
	if err != nil {
		t.Fatal(err)
	}
	backup := o
	backup.Path = filepath.Join(t.TempDir(), "backup")
	if err := os.WriteFile(backup.Path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := tenant(t, open(t, backup)); got != id {
		t.Errorf("the copy has the tenant %d, want %d", got, id)
	}
}

// A copy made during a write, a truncated file, and a file that is no database are refused.
func TestSQLiteRefusesADamagedFile(t *testing.T) {
	o := engines["sqlite"](t)
	s, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	tenant(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(o.Path)
	if err != nil {
		t.Fatal(err)
	}
	const page = 4096
	for name, damage := range map[string]func([]byte) []byte{
		"a page of nothing": func(b []byte) []byte { return append(append(b[:5*page:5*page], make([]byte, page)...), b[6*page:]...) },
		"pages exchanged": func(b []byte) []byte {
			swapped := bytes.Clone(b)
			copy(swapped[2*page:], b[7*page:8*page])
			copy(swapped[7*page:], b[2*page:3*page])
			return swapped
		},
		"cut off":     func(b []byte) []byte { return b[:len(b)/2/page*page] },
		"no database": func(b []byte) []byte { return bytes.Repeat([]byte("casehook"), 2*page) },
	} {
		for where, path := range map[string]string{
			"a copy": filepath.Join(t.TempDir(), "copy"), "the file itself": o.Path,
		} {
			if err := os.WriteFile(path, damage(whole), 0o600); err != nil {
				t.Fatal(err)
			}
			damaged := o
			damaged.Path = path
			s, err := store.Open(t.Context(), damaged)
			if fault.As(err).Code != "store.damaged" {
				t.Errorf("%s, %s: Open = %v, want store.damaged", name, where, err)
			}
			if err == nil {
				s.Close()
			}
		}
	}
}

// Trouble lasts until a change is saved. Each call of Trouble tries to save one.
func TestTroubleLastsUntilAChangeIsSaved(t *testing.T) {
	for _, engine := range engines {
		o := engine(t)
		full := false
		var log bytes.Buffer
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
		o.Fail = func(what string, _ bool) error {
			if full && strings.HasPrefix(what, "commit") {
				return fault.New(fault.Unavailable, "store.full", "The disk is full.")
			}
			return nil
		}
		s := open(t, o)
		full = true
		for range 3 {
			if err := s.Update(t.Context(), func(tx *store.Tx) error { return nil }); err == nil {
				t.Fatal("it does not fail")
			}
			if err := s.Trouble(t.Context()); fault.As(err).Code != "store.full" {
				t.Errorf("Trouble = %v", err)
			}
		}
		if full = false; s.Trouble(t.Context()) != nil {
			t.Error("Trouble lasts")
		}
		if n := strings.Count(log.String(), "level=ERROR"); n != 1 {
			t.Errorf("it is logged %d times:\n%s", n, log.String())
		}
	}
}

// A full disk fails each change, and is logged once. Trouble ends when there is room
// again, even if no other caller writes.
func TestSQLiteSurvivesAFullDisk(t *testing.T) {
	o := engines["sqlite"](t)
	var log bytes.Buffer
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	s := open(t, o)
	id := tenant(t, s)
	if err := s.Trouble(t.Context()); err != nil {
		t.Errorf("Trouble = %v at first", err)
	}
	update(t, s, func(tx *store.Tx) error { return tx.Exec("pragma max_page_count = 1") }) // no more than now
	for range 3 {
		err := s.Update(t.Context(), func(tx *store.Tx) error {
			return tx.Exec("insert into installation (name, value) values ('big', hex(zeroblob(1000000)))")
		})
		if got := fault.As(err); err == nil || got.Code != "store.full" || !errors.Is(err, fault.Unavailable) {
			t.Errorf("Update = %v, want store.full", err)
		}
	}
	if n := strings.Count(log.String(), "level=ERROR"); n != 1 || !strings.Contains(log.String(), "free some space") {
		t.Errorf("it is logged %d times:\n%s", n, log.String())
	}
	if err := s.Trouble(t.Context()); err != nil {
		t.Errorf("Trouble = %v, although changes that need no room are saved", err)
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

// tenant returns the id of a tenant, which it creates if need be.
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
