// Package testworld has what the tests of all three wings of use cases need: databases, tenants, a clock that tests
// move, and checks of refusals.
package testworld

import (
	"bytes"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/store/storetest"
)

// Key encrypts the secrets of every test's database.
var Key = bytes.Repeat([]byte{1}, 32)

// CheapPasswords is a cost of passwords for tests that are about something else.
var CheapPasswords = access.PasswordCost{Memory: 8, Passes: 1, Threads: 1}

// Engines runs a test on SQLite and on PostgreSQL, at the same time as other tests. The URL is that of a new PostgreSQL
// database, or empty.
func Engines(t *testing.T, test func(t *testing.T, url string)) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, "")
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, storetest.Postgres(t, Key))
	})
}

// Open opens a store and closes it at the end of the test. Without a URL it is a new SQLite database.
func Open(t testing.TB, o store.Options) *store.Store {
	t.Helper()
	o.Key = Key
	if o.URL == "" {
		o.Path = storetest.SQLite(t, filepath.Join(t.TempDir(), "db"), Key)
	}
	st, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		storetest.CheckRecent(t, st)
		st.Close()
	})
	return st
}

// Tenant creates a tenant whose callbacks may use the variables CALLBACKS and NOWHERE, and returns its administrator.
func Tenant(t testing.TB, st *store.Store, key string) access.Principal {
	t.Helper()
	p := access.Principal{
		Role: access.Admin, Clearance: casetype.Restricted,
		Actor: event.Actor{Source: event.API, Name: key + "'s program", TokenID: "tok_" + key, Address: "192.0.2.1"},
	}
	err := st.Update(t.Context(), func(tx *store.Tx) (err error) {
		if p.Tenant, err = tx.CreateTenant(t.Context(), key, key, time.Now()); err != nil {
			return err
		}
		return tx.UpdateTenant(t.Context(),
			store.Tenant{ID: p.Tenant, Name: key, Reach: store.Reach{Variables: []string{"CALLBACKS", "NOWHERE"}}})
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// WithRole returns somebody of a tenant with a role.
func WithRole(tenant int64, role access.Role) access.Principal {
	return access.Principal{
		Tenant: tenant, Role: role, Clearance: casetype.Restricted,
		Actor: event.Actor{Source: event.API, Name: string(role), TokenID: "tok_" + string(role), Address: "192.0.2.3"},
	}
}

// Clock is a clock that tests move. The zero Clock shows the time. It is safe for concurrent use.
type Clock struct {
	mu      sync.Mutex
	skew    time.Duration
	stopped time.Time // zero: the clock runs
}

// Now returns the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stopped.IsZero() {
		return c.stopped.Add(c.skew)
	}
	return time.Now().Add(c.skew)
}

// Stop stops the clock: from now on it moves by Later alone, however busy the machine is.
func (c *Clock) Stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = time.Now()
}

// Later moves the clock forward.
func (c *Clock) Later(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.skew += d
}

// Items returns the items of a page.
func Items[T any](p store.Page[T], err error) ([]T, error) { return p.Items, err }

// Audited returns all records of a tenant's audit, newest first.
func Audited(t testing.TB, guard *authz.Guard, p access.Principal) (all []access.Record) {
	t.Helper()
	for q := (authz.RecordQuery{Limit: 200}); ; {
		records, next, err := guard.Records(t.Context(), p, q)
		if err != nil {
			t.Fatal(err)
		}
		if all = append(all, records...); next == 0 {
			return all
		}
		q.Before = next
	}
}

// WantFault fails unless err is a fault of this kind and code.
func WantFault(t testing.TB, err error, kind fault.Kind, code string) *fault.Error {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %s", code)
	}
	f := fault.As(err)
	if f.Kind != kind || f.Code != code {
		t.Fatalf("kind %q, code %q, want %q, %q: %v", f.Kind, f.Code, kind, code, err)
	}
	return f
}

// WantFields fails unless a fault is about these fields.
func WantFields(t testing.TB, f *fault.Error, paths ...string) {
	t.Helper()
	var got []string
	for _, field := range f.Fields {
		got = append(got, field.Path)
	}
	if diff := cmp.Diff(paths, got); diff != "" {
		t.Errorf("fields: %s", diff)
	}
}
