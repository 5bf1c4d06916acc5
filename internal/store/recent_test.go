package store

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
)

// TestRecentEntriesAreThoseThatWereCommitted: what a follower gets from memory is what is in the journal, without the
// entries of transactions that failed, and without those that were removed.
func TestRecentEntriesAreThoseThatWereCommitted(t *testing.T) {
	for engine, s := range openBoth(t) {
		t.Run(engine, func(t *testing.T) { checkRecent(t, s) })
	}
}

func checkRecent(t *testing.T, s *Store) {
	var tenant int64
	refused := errors.New("refused")
	appends := func(version int64, after error) {
		t.Helper()
		err := s.Update(t.Context(), func(tx *Tx) (err error) {
			if tenant == 0 {
				if tenant, err = tx.CreateTenant(t.Context(), "acme", "Acme", time.Now()); err != nil {
					return err
				}
			}
			_, err = tx.Append(t.Context(), event.Entry{
				Tenant: tenant, Subject: "case/1", Version: version, At: time.Now(),
				Actor: event.Actor{Source: event.API, Name: "<test> & Söhne"},
			})
			return errors.Join(err, after)
		})
		if !errors.Is(err, after) {
			t.Fatal(err)
		}
	}
	appends(1, nil)
	appends(2, refused)
	appends(2, nil)
	appends(3, nil)
	loan, err := casetype.Parse("kyc.json", []byte(`{"key": "kyc", "fields": {"type": "object", "properties": {}},
		"states": [{"key": "open"}], "transitions": [{"key": "create", "to": "open"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	opened := Change{
		Case: cases.Case{ID: 1, Tenant: tenant, Type: "kyc", TypeVersion: 1, State: "open", Version: 1, Revision: 1,
			CreatedAt: time.Now(), ModifiedAt: time.Now()},
		Type: loan,
		Entry: event.Entry{Tenant: tenant, Subject: "case/1", Version: 1, At: time.Now(),
			Facts: []event.Fact{event.CaseChanged.New(event.Changes{})}},
	}
	if err := s.Commit(t.Context(), &opened); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Sequence(t.Context()); err != nil {
		t.Fatal(err)
	}
	kept, ok, err := s.engine.follow(t.Context(), 0, 10)
	if !ok || err != nil {
		t.Fatalf("nothing is in memory: %v", err)
	}
	read := func(after int64) Range {
		t.Helper()
		found, err := s.reader.Journal(context.WithoutCancel(t.Context()), after, 10)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if diff := cmp.Diff(read(0), kept); diff != "" || len(kept.Entries) != 4 {
		t.Errorf("%d entries (-database +memory):\n%s", len(kept.Entries), diff)
	}
	if err := s.PurgeJournal(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	followed, err := s.Journal(t.Context(), 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(read(0), followed); diff != "" {
		t.Errorf("after a removal (-database +memory):\n%s", diff)
	}
}

func TestRecentEntriesAreBounded(t *testing.T) {
	var r recentEntries
	for id := range int64(maxRecent + 10) {
		r.add(&event.Entry{ID: id})
	}
	if len(r.byID) != maxRecent || len(r.order) != maxRecent {
		t.Errorf("%d and %d entries are kept, want %d", len(r.byID), len(r.order), maxRecent)
	}
	if _, ok := r.at([]position{{5, 20}, {6, 9}}); ok {
		t.Error("an entry is found that was dropped")
	}
	if found, ok := r.at([]position{{5, 20}, {6, 10}}); !ok || found[0].Seq != 5 || found[1].ID != 10 {
		t.Errorf("found: %v, %v", found, ok)
	}
	if r.add(&event.Entry{Facts: []event.Fact{{Data: make([]byte, maxRecentBytes)}}}); len(r.byID)+r.bytes != 0 {
		t.Errorf("%d entries of %d bytes are kept", len(r.byID), r.bytes)
	}
}

// On SQLite, a follower gets a part of the journal from memory only if all of it is there.
func TestAFollowerGetsNothingAcrossAGap(t *testing.T) {
	e := &sqliteEngine{kept: new(recentEntries)}
	for _, id := range []int64{11, 12, 13, 20, 21} {
		e.kept.add(&event.Entry{ID: id, Seq: id})
	}
	for _, test := range []struct {
		after int64
		limit int
		want  []int64
		more  bool
	}{
		{9, 5, nil, false}, {10, 2, []int64{11, 12}, true}, {10, 3, []int64{11, 12, 13}, true}, {10, 4, nil, false},
		{13, 5, nil, false}, {19, 5, []int64{20, 21}, false}, {21, 5, nil, false},
	} {
		found, ok, _ := e.follow(t.Context(), test.after, test.limit)
		var got []int64
		for _, entry := range found.Entries {
			got = append(got, entry.Seq)
		}
		if diff := cmp.Diff(test.want, got); diff != "" || ok != (test.want != nil) {
			t.Errorf("after %d, up to %d: %v (-want +got):\n%s", test.after, test.limit, ok, diff)
		}
		if ok && found.More != test.more {
			t.Errorf("after %d, up to %d: more is %v", test.after, test.limit, found.More)
		}
	}
	e.forget(20)
	if found, ok, _ := e.follow(t.Context(), 19, 5); ok {
		t.Errorf("a removed entry is found: %v", found)
	}
}
