package hooks_test

import (
	"context"
	"testing"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/definitions"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/hooks"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/testworld"
)

// world has the use cases of endpoints on a real database, with a tenant and without cases.
type world struct {
	t         testing.TB
	store     *store.Store
	p         access.Principal
	guard     *authz.Guard
	tokens    *people.Tokens
	endpoints *hooks.Endpoints
	messages  *hooks.Messages
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
	st := testworld.Open(t, store.Options{URL: url})
	guard := authz.New(st, definitions.NewCatalog(st), authz.Config{})
	services := hooks.New(hooks.Config{
		Store: st, Guard: guard,
		Cases: hooks.Cases{KnownCase: func(context.Context, access.Principal, int64) error { return nil }},
	})
	return &world{
		t: t, store: st, guard: guard, p: testworld.Tenant(t, st, "first"),
		tokens:    people.New(people.Config{Store: st, Guard: guard}).Tokens,
		endpoints: services.Endpoints, messages: services.Messages,
	}
}

// engines runs a test on SQLite and on PostgreSQL.
func engines(t *testing.T, test func(t *testing.T, w *world)) {
	testworld.Engines(t, func(t *testing.T, url string) { test(t, startAt(t, url)) })
}

func (w *world) tenant(key string) access.Principal { return testworld.Tenant(w.t, w.store, key) }

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
