package store_test

import (
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/store"
)

// BenchmarkSubmit saves a case's content and its journal entry in one
// transaction, as a submission does.
func BenchmarkSubmit(b *testing.B) {
	for name, options := range engines {
		b.Run(name, func(b *testing.B) {
			s := open(b, options(b))
			id := tenant(b, s)
			loan, err := casetype.Parse("kyc.json",
				[]byte(`{"key": "kyc", "fields": {"type": "object", "properties": {"email": {"type": "string"}}},
				"states": [{"key": "open"}], "transitions": [{"key": "create", "to": "open"}]}`))
			if err != nil {
				b.Fatal(err)
			}
			var last atomic.Int64
			b.ReportAllocs()
			b.SetParallelism(16)
			b.RunParallel(func(pb *testing.PB) {
				n := last.Add(1)
				c := cases.Case{ID: n,
					Tenant:      id,
					Type:        "kyc",
					TypeVersion: 1,
					Reference:   strings.Repeat("x", int(n)),
					Name:        "Ada",
					State:       "open",
					Version:     1,
					Revision:    1,
					CreatedAt:   time.Now(),
					ModifiedAt:  time.Now(),
					Data: map[string]any{
						"email": "ada@example.org", "amount": json.Number("12.50"),
						"note": strings.Repeat("long ", 40)}}
				update(b, s, func(tx *store.Tx) error { return tx.InsertCase(b.Context(), c, loan) })
				for pb.Next() {
					update(b, s, func(tx *store.Tx) (err error) {
						if c, err = tx.UpdateCase(b.Context(), c, loan); err != nil {
							return err
						}
						_, err = tx.Append(b.Context(), event.Entry{Tenant: id, Subject: event.CaseSubject(c.ID),
							Version: c.Version, At: c.ModifiedAt,
							Actor: event.Actor{Source: event.API, Name: "robot"},
							Facts: []event.Fact{event.CaseChanged.New(event.Changes{})},
							Snapshot: event.Snapshot{Case: &event.Case{ID: c.ID, Version: c.Version, Name: c.Name,
								State: c.State,
								Data:  json.RawMessage(`{"email":"ada@example.org"}`)}}})
						return err
					})
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "submits/s")
		})
	}
}
