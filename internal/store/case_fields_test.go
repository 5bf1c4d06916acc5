package store_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/store"
)

// bill returns a case type with a field.
func bill(t *testing.T, amount string) *casetype.Type {
	t.Helper()
	parsed, err := casetype.Parse("bill", []byte(`{"key": "bill", "fields": {"type": "object",
		"properties": {"amount": `+amount+`}}, "states": [{"key": "open"}],
		"transitions": [{"key": "create", "to": "open"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// A process that is killed closes nothing. The second store is opened beside the first, which does no more.
func TestIndexingGoesOnAfterARestartInItsMiddle(t *testing.T) {
	const count = 1201 // three portions
	plain, indexed := bill(t, `{"type": "integer"}`), bill(t, `{"type": "integer", "indexed": true}`)
	for name, options := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options(t)
			first := open(t, o)
			owner := tenant(t, first)
			began := time.UnixMicro(1_700_000_000_000_000).UTC()
			update(t, first, func(tx *store.Tx) error {
				for i := range int64(count) {
					if err := tx.InsertCase(t.Context(), aBill(owner, i, began), plain); err != nil {
						return err
					}
				}
				return tx.IndexAgain(t.Context(), owner, "bill", []string{"amount"}, began)
			})
			indexBills(t, first, indexed, nil)
			indexBills(t, first, indexed, errors.New("the process stops"))

			second := open(t, o)
			task, more, err := second.NextFieldTask(t.Context(), began)
			if err != nil || !more || task.After.ID != 500 {
				t.Fatalf("the task goes on after the case %d, %t, %v; want 500", task.After.ID, more, err)
			}
			filter := store.CaseFilter{
				Type: "bill", Sort: "data.amount", Limit: 2 * count, Clearance: casetype.Restricted,
			}
			if _, err := second.Cases(t.Context(), owner, filter); err == nil {
				t.Error("a list is shown before all cases are indexed")
			}
			for more {
				indexBills(t, second, indexed, nil)
				if _, more, err = second.NextFieldTask(t.Context(), began); err != nil {
					t.Fatal(err)
				}
			}
			found, err := second.Cases(t.Context(), owner, filter)
			if err != nil || len(found.Items) != count {
				t.Fatalf("%d cases are found, %v; want %d", len(found.Items), err, count)
			}
			for i, row := range found.Items {
				if c, err := row.Case(); err != nil || c.ID != int64(i+1) {
					t.Fatalf("case %d has the id %d, %v", i, c.ID, err)
				}
			}
		})
	}
}

// aBill returns a case whose id and amount are one more than its place.
func aBill(owner, i int64, at time.Time) cases.Case {
	once := cases.Activity{At: at, By: 1}
	return cases.Case{
		Tenant: owner, ID: i + 1, Type: "bill", TypeVersion: 1, Reference: fmt.Sprint("B-", i), State: "open",
		Classification: casetype.Public, Data: map[string]any{"amount": json.Number(fmt.Sprint(i + 1))},
		Version: 1, Revision: 1, CreatedAt: at, ModifiedAt: at, OpenedAt: at, LastActivity: once,
	}
}

// indexBills indexes a portion of the bills, or fails with an error, if there is one, after a hundred.
func indexBills(t *testing.T, s *store.Store, by *casetype.Type, failure error) {
	t.Helper()
	task, more, err := s.NextFieldTask(t.Context(), time.UnixMicro(1_700_000_000_000_000))
	if err != nil || !more {
		t.Fatalf("there is a task: %t, %v", more, err)
	}
	done := 0
	err = s.IndexPortion(t.Context(), task, func(c cases.Case) ([]casetype.IndexedValue, error) {
		if done++; done > 100 && failure != nil {
			return nil, failure
		}
		return by.IndexedValues(c.Data, by), nil
	})
	if !errors.Is(err, failure) {
		t.Fatalf("a portion: %v, want %v", err, failure)
	}
}
