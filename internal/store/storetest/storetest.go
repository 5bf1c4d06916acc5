// Package storetest tests the promises of a store. Every engine runs it.
package storetest

import (
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/store"
)

// Run runs the suite, several tests at a time, since they wait for the disk. open returns an empty store, and closes it
// with t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) *store.Store) {
	for _, group := range []map[string]func(*fixture){
		transactions, changeTests, owedTests, casesTests, fieldTests, labelTests, attachmentTests, tenantTests, userTests,
		auditTests, sessionTests, caseTypeTests, idempotencyTests, endpointTests, journalTests,
		positionTests, deliveryTests, healthTests, attemptTests, retentionTests, replayTests,
		repairTests, leaseTests, contactTests, backlogTests, sameIDTests, pageTests, questionTests, viewTests,
		countTests, portalLinkTests, jobTests, presenceTests, openQuestionTests,
		listenerTests, fieldDocumentTests, shadowTests, caseRoleTests, backupTurnTests, attachmentPlaceTests,
		certificateTests,
	} {
		for name, test := range group {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				f := &fixture{t: t, store: open(t)}
				f.tenant, f.other = f.newTenant("acme"), f.newTenant("other")
				test(f)
			})
		}
	}
}

// fixture is a store with two tenants.
type fixture struct {
	t             *testing.T
	store         *store.Store
	tenant, other int64
}

var start = time.Date(2026, 3, 1, 9, 0, 0, 123456000, time.UTC)

// once is an activity of user 42 at start.
var once = cases.Activity{At: start, By: 42}

// update runs a transaction that must succeed.
func (f *fixture) update(do func(*store.Tx) error) {
	f.t.Helper()
	if err := f.store.Update(f.t.Context(), do); err != nil {
		f.t.Fatal(err)
	}
}

// refused runs a transaction that must fail.
func (f *fixture) refused(kind fault.Kind, code string, do func(*store.Tx) error) {
	f.t.Helper()
	f.wantFault(f.store.Update(f.t.Context(), do), kind, code)
}

func (f *fixture) wantFault(err error, kind fault.Kind, code string) {
	f.t.Helper()
	if err == nil {
		f.t.Errorf("no error; want %s", code)
	} else if got := fault.As(err); !errors.Is(err, kind) || got.Code != code {
		f.t.Errorf("error %v; want %v with code %s", err, kind, code)
	}
}

func (f *fixture) noError(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Error(err)
	}
}

// equal compares two values; empty and nil lists are equal.
func (f *fixture) equal(got, want any) {
	f.t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		f.t.Errorf("-want +got:\n%s", diff)
	}
}

func must[T any](f *fixture) func(v T, err error) T {
	return func(v T, err error) T {
		f.t.Helper()
		if err != nil {
			f.t.Fatal(err)
		}
		return v
	}
}

// items returns the items of a page.
func items[T any](f *fixture) func(store.Page[T], error) []T {
	return func(p store.Page[T], err error) []T {
		f.t.Helper()
		if err != nil {
			f.t.Fatal(err)
		}
		return p.Items
	}
}

// cases returns the cases of a page that was read.
func (f *fixture) cases(p store.CasePage, err error) (all []cases.Case) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
	for _, row := range p.Items {
		all = append(all, must[cases.Case](f)(row.Case()))
	}
	return all
}

// entries returns the entries of a range.
func (f *fixture) entries(r store.Range, err error) []*event.Entry {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
	return r.Entries
}

func (f *fixture) newTenant(key string) (tenant int64) {
	f.t.Helper()
	f.update(func(tx *store.Tx) (err error) {
		tenant, err = tx.CreateTenant(f.t.Context(), key, "The "+key, start)
		return err
	})
	return tenant
}

var nextCase int64 = 1000_0000_0000_0000

// aType is the type of all cases here.
var aType = sync.OnceValue(func() *casetype.Type {
	t, err := casetype.Parse("kyc.json", []byte(`{"key": "kyc", "name_template": "{email}",
		"fields": {"type": "object", "properties": {
			"email": {"type": "string", "x-classification": "PRIVATE"}, "iban": {"type": "string", "x-classification": "RESTRICTED"}}},
		"states": [{"key": "open"}], "transitions": [{"key": "create", "to": "open"}]}`))
	if err != nil {
		panic(err)
	}
	return t
})

// aCase makes a case that is not saved.
func (f *fixture) aCase(tenant int64, n int64) cases.Case {
	return cases.Case{
		ID:             nextCase + tenant*1_000_000 + n,
		Tenant:         tenant,
		Type:           "kyc",
		TypeVersion:    1,
		Reference:      "KYC-" + string(rune('A'+n%26)) + id.New("r"),
		Name:           "Ada",
		State:          "open",
		Classification: casetype.Private,
		Data:           map[string]any{"email": "ada@example.org", "amount": json.Number("12.50")},
		Version:        1,
		Revision:       1,
		CreatedAt:      start,
		ModifiedAt:     start,
		OpenedAt:       start,
		LastActivity:   once,
	}
}

// insert saves cases.
func (f *fixture) insert(all ...cases.Case) {
	f.t.Helper()
	f.update(func(tx *store.Tx) error {
		for _, c := range all {
			if err := tx.InsertCase(f.t.Context(), c, aType()); err != nil {
				return err
			}
		}
		return nil
	})
}

// anEntry makes a journal entry of a case.
func anEntry(tenant, caseID, version int64) event.Entry {
	return event.Entry{
		Tenant: tenant, Subject: event.CaseSubject(caseID), Version: version, At: start,
		Actor: event.Actor{Source: event.API, Name: "robot", TokenID: "tok_1"},
		Facts: []event.Fact{event.CaseCreated.New(event.Creation{Transition: "start"})},
		Snapshot: event.Snapshot{Case: &event.Case{ID: caseID, Version: version, Name: "Ada", State: "open",
			Data: json.RawMessage(`{"email":"ada@example.org"}`), CreatedAt: start, ModifiedAt: start}},
	}
}

// appendEntry appends an entry in its own transaction, and returns its id.
func (f *fixture) appendEntry(e event.Entry) (entry int64) {
	f.t.Helper()
	f.update(func(tx *store.Tx) (err error) {
		entry, err = tx.Append(f.t.Context(), e)
		return err
	})
	return entry
}

// sequence assigns positions to all entries.
func (f *fixture) sequence() {
	f.t.Helper()
	must[int](f)(f.store.Sequence(f.t.Context()))
}
