package people_test

import (
	"testing"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/definitions"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/testworld"
)

// world has the use cases of people on a real database, with a tenant.
type world struct {
	t       testing.TB
	store   *store.Store
	p       access.Principal
	guard   *authz.Guard
	users   *people.Users
	tokens  *people.Tokens
	tenants *people.Tenants
	portal  *people.Portal
	clock   testworld.Clock
	url     string // of the PostgreSQL database; empty: it is SQLite
}

// start makes a world on SQLite.
func start(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	return startAt(t, "")
}

// startAt makes a world on SQLite, or on the PostgreSQL database at url.
func startAt(t testing.TB, url string) *world {
	t.Helper()
	w := worldOn(t, testworld.Open(t, store.Options{URL: url}))
	w.url = url
	return w
}

// worldOn makes a world on a store.
func worldOn(t testing.TB, st *store.Store) *world {
	t.Helper()
	w := &world{t: t, store: st, p: testworld.Tenant(t, st, "first")}
	w.guard = authz.New(st, definitions.NewCatalog(st), authz.Config{Now: w.clock.Now})
	services := people.New(people.Config{
		Store: st, Guard: w.guard, PublicURL: "https://casehook.example", PasswordCost: testworld.CheapPasswords,
	})
	w.users, w.tokens, w.tenants, w.portal = services.Users, services.Tokens, services.Tenants, services.Portal
	return w
}

// engines runs a test on SQLite and on PostgreSQL.
func engines(t *testing.T, test func(t *testing.T, w *world)) {
	testworld.Engines(t, func(t *testing.T, url string) { test(t, startAt(t, url)) })
}

func (w *world) now() time.Time { return w.clock.Now() }

// later moves the world's clock.
func (w *world) later(d time.Duration) { w.clock.Later(d) }

func (w *world) tenant(key string) access.Principal { return testworld.Tenant(w.t, w.store, key) }

// as returns somebody of the world's tenant with a role.
func (w *world) as(role access.Role) access.Principal { return testworld.WithRole(w.p.Tenant, role) }

// audited returns the audit of the world's tenant, newest first.
func (w *world) audited(t *testing.T) []access.Record { return testworld.Audited(t, w.guard, w.p) }

func items[T any](p store.Page[T], err error) ([]T, error) { return testworld.Items(p, err) }

func wantFault(t testing.TB, err error, kind fault.Kind, code string) *fault.Error {
	t.Helper()
	return testworld.WantFault(t, err, kind, code)
}

func wantFields(t testing.TB, f *fault.Error, paths ...string) {
	t.Helper()
	testworld.WantFields(t, f, paths...)
}
