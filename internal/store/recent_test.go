package store

import (
	"context"
	"errors"
	"slices"
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

func TestWrittenEntriesAreBounded(t *testing.T) {
	var w writtenEntries
	for id := range int64(maxRecent + 10) {
		w.add(&event.Entry{ID: id})
	}
	if len(w.byID) != maxRecent || len(w.order) != maxRecent {
		t.Errorf("%d and %d entries are kept, want %d", len(w.byID), len(w.order), maxRecent)
	}
	if _, ok := w.at([]position{{5, 20}, {6, 9}}); ok {
		t.Error("an entry is found that was dropped")
	}
	if found, ok := w.at([]position{{5, 20}, {6, 10}}); !ok || found[0].Seq != 5 || found[1].ID != 10 {
		t.Errorf("found: %v, %v", found, ok)
	}
	if w.add(&event.Entry{Facts: []event.Fact{{Data: make([]byte, maxRecentBytes)}}}); len(w.byID)+w.bytes != 0 {
		t.Errorf("%d entries of %d bytes are kept", len(w.byID), w.bytes)
	}
}

func TestRecentEntriesAreBoundedAndWithoutGaps(t *testing.T) {
	entries := func(from, to int64) (all []*event.Entry) {
		for seq := from; seq <= to; seq++ {
			all = append(all, &event.Entry{Seq: seq})
		}
		return all
	}
	seqs := func(found Range) (all []int64) {
		for _, e := range found.Entries {
			all = append(all, e.Seq)
		}
		return all
	}
	var r recentEntries
	r.add(entries(1, maxRecent+10))
	if len(r.all) != maxRecent {
		t.Errorf("%d entries are kept, want %d", len(r.all), maxRecent)
	}
	for _, after := range []int64{0, 9, maxRecent + 10} { // removed, the one before those kept, the last
		if found, ok := r.after(after, 5); ok {
			t.Errorf("after %d: %v", after, seqs(found))
		}
	}
	if found, ok := r.after(10, 2); !ok || !slices.Equal(seqs(found), []int64{11, 12}) || !found.More {
		t.Errorf("after 10: %v, %v", seqs(found), found.More)
	}
	r.add(entries(2000, 2001))
	if found, ok := r.after(1999, 5); !ok || !slices.Equal(seqs(found), []int64{2000, 2001}) || found.More {
		t.Errorf("after a gap: %v, %v", seqs(found), ok)
	}
	if found, ok := r.after(maxRecent, 5); ok {
		t.Errorf("across a gap: %v", seqs(found))
	}
	large := entries(2002, 2003)
	for _, e := range large {
		e.Facts = []event.Fact{{Data: make([]byte, maxRecentBytes)}}
	}
	if r.add(large); len(r.all) != 0 || r.bytes != 0 {
		t.Errorf("%d entries of %d bytes are kept", len(r.all), r.bytes)
	}
}
