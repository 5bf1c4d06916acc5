package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/store"
)

const benchRows = 100

// BenchmarkRows reads lists of wide rows, and writes attempts, as deliveries do: benchRows rows
// at a time.
func BenchmarkRows(b *testing.B) {
	for name, options := range engines {
		b.Run(name, func(b *testing.B) {
			s := open(b, options(b))
			id := tenant(b, s)
			fillRows(b, s, id)
			lists := map[string]func() (int, error){
				"cases": func() (int, error) {
					p, err := s.Cases(b.Context(), id, store.CaseFilter{Limit: benchRows, Clearance: casetype.Restricted})
					return len(p.Items), err
				},
				"endpoints": func() (int, error) {
					p, err := s.Endpoints(b.Context(), id, "", benchRows)
					return len(p.Items), err
				},
				"attempts": func() (int, error) {
					all, err := s.Attempts(b.Context(), id, "ep_000", 1<<60, benchRows)
					return len(all), err
				},
				"users": func() (int, error) {
					all, err := s.Users(b.Context(), id, 0, benchRows)
					return len(all), err
				},
				"entries": func() (int, error) {
					p, err := s.TenantJournal(b.Context(), id, 0, benchRows)
					return len(p.Entries), err
				},
				"settled": func() (int, error) {
					return benchRows, s.Update(b.Context(), func(tx *store.Tx) error {
						_, err := tx.Settle(b.Context(), []store.Settlement{settlement(id, time.Now().UnixNano())})
						return err
					})
				},
			}
			for list, read := range lists {
				b.Run(list, func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						if n, err := read(); err != nil || n != benchRows {
							b.Fatal(n, err)
						}
					}
				})
			}
		})
	}
}

// fillRows saves benchRows rows of each kind.
func fillRows(b *testing.B, s *store.Store, id int64) {
	b.Helper()
	loan, err := casetype.Parse("kyc.json", []byte(`{"key": "kyc", "fields": {"type": "object",
		"properties": {"email": {"type": "string"}}}, "states": [{"key": "open"}],
		"transitions": [{"key": "create", "to": "open"}]}`))
	if err != nil {
		b.Fatal(err)
	}
	now := time.Now()
	update(b, s, func(tx *store.Tx) error {
		for n := range int64(benchRows) {
			c := cases.Case{ID: n + 1, Tenant: id, Type: "kyc", TypeVersion: 1, Reference: fmt.Sprint("KYC-", n),
				Name: "Ada", State: "open", Version: 1, Revision: 1, Classification: casetype.Public,
				CreatedAt: now, ModifiedAt: now, Data: map[string]any{"email": "ada@example.org"}}
			if err := tx.InsertCase(b.Context(), c, loan); err != nil {
				return err
			}
			e := endpoint.Endpoint{ID: fmt.Sprintf("ep_%03d", n), Tenant: id, URL: "https://example.org/hook",
				Status: endpoint.Active, Triggers: []string{"case_created"}, Clearance: casetype.Restricted,
				Reached: casetype.Restricted, Metadata: map[string]string{"team": "crm"}, Revision: 1,
				CreatedAt: now, UpdatedAt: now}
			if err := tx.CreateEndpoint(b.Context(), e, fmt.Sprintf("cur_%03d", n)); err != nil {
				return err
			}
			u := access.User{Tenant: id, Email: fmt.Sprint(n, "@example.org"), Name: "Ada", Role: access.Viewer,
				Clearance: casetype.Public, CreatedAt: now, UpdatedAt: now}
			if _, err := tx.CreateUser(b.Context(), u); err != nil {
				return err
			}
			_, err := tx.Append(b.Context(), event.Entry{Tenant: id, Subject: event.CaseSubject(c.ID), Version: 1,
				At: now, Actor: event.Actor{Source: event.API, Name: "robot"},
				Facts:    []event.Fact{event.CaseChanged.New(event.Changes{})},
				Snapshot: event.Snapshot{Case: &event.Case{ID: c.ID, Version: 1, Name: c.Name, State: c.State}}})
			if err != nil {
				return err
			}
		}
		if _, err := tx.Settle(b.Context(), []store.Settlement{settlement(id, 0)}); err != nil {
			return err
		}
		return nil
	})
	if _, err := s.Sequence(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// settlement has benchRows attempts.
func settlement(id, from int64) store.Settlement {
	st := store.Settlement{Tenant: id, Endpoint: "ep_000", Cursor: "cur_000"}
	for n := range int64(benchRows) {
		st.Attempts = append(st.Attempts, store.Attempt{
			Place:      store.Place{Seq: from + n, Message: fmt.Sprint("msg_", n)},
			Subject:    "case/1",
			Trigger:    "case_created",
			Number:     1,
			At:         time.Now(),
			Duration:   time.Millisecond,
			Address:    "192.0.2.1:443",
			Status:     200,
			Delivered:  true,
			Request:    "{}",
			Response:   "{}",
			BodySHA256: "0123456789abcdef"})
	}
	return st
}
