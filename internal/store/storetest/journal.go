package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/store"
)

func seqs(entries []*event.Entry) (seqs []int64) {
	for _, e := range entries {
		seqs = append(seqs, e.Seq)
	}
	return seqs
}

func upTo(n int64) (all []int64) {
	for i := range n {
		all = append(all, i+1)
	}
	return all
}

var journalTests = map[string]func(*fixture){
	"an entry is read back as it was appended": func(f *fixture) {
		f.equal(must[int64](f)(f.store.Head(f.t.Context())), int64(0))
		var want []*event.Entry
		for i, text := range append([]string{"a\x00b"}, strange...) {
			e := anEntry(f.tenant, int64(i), 1)
			raw, err := json.Marshal(map[string]any{"text": text})
			if err != nil {
				f.t.Fatal(err)
			}
			e.Snapshot.Case.Data, e.Snapshot.Case.Name, e.Actor.Name = raw, text, text
			if i%2 == 1 {
				e.Facts = nil
				e.Callback = &event.Callback{URL: "https://${CASEHOOK_VAR_X}", WebhookID: "msg_1", Attempts: 2, Warnings: []string{text}}
			}
			e.ID = f.appendEntry(e)
			e.Seq = int64(i + 1)
			want = append(want, &e)
		}
		f.sequence()
		f.equal(f.entries(f.store.Journal(f.t.Context(), 0, 99)), want)
		f.equal(must[int64](f)(f.store.Head(f.t.Context())), int64(len(want)))
	},
	"the journal is read in order, page by page, whole, by tenant and by lane": func(f *fixture) {
		for i := range int64(12) {
			tenant := f.tenant
			if i%3 == 0 {
				tenant = f.other
			}
			f.appendEntry(anEntry(tenant, i%2, i+1))
		}
		f.sequence()
		f.equal(seqs(f.entries(f.store.Journal(f.t.Context(), 0, 99))), upTo(12))
		f.equal(seqs(f.entries(f.store.Journal(f.t.Context(), 5, 3))), []int64{6, 7, 8})
		f.equal(seqs(f.entries(f.store.Journal(f.t.Context(), 12, 3))), []int64(nil))
		f.equal(seqs(f.entries(f.store.TenantJournal(f.t.Context(), f.other, 1, 2))), []int64{4, 7})
		f.equal(seqs(f.entries(f.store.Lane(f.t.Context(), f.tenant, store.Lane{Subject: "case/1", After: 2, UpTo: 11, Limit: 9}))), []int64{6, 8})
		f.equal(seqs(f.entries(f.store.Lane(f.t.Context(), f.tenant, store.Lane{Subject: "case/1", After: 2, UpTo: 12, Limit: 1}))), []int64{6})
		f.equal(seqs(f.entries(f.store.Lane(f.t.Context(), f.other, store.Lane{Subject: "case/1", After: 0, UpTo: 99, Limit: 9}))), []int64{4, 10})
	},
	"a tenant's newest entries are read newest first, and no more than fit": func(f *fixture) {
		for i := range int64(4) {
			f.appendEntry(anEntry(f.tenant, 1, i+1))
			f.appendEntry(anEntry(f.other, 1, i+1))
		}
		f.sequence()
		f.equal(seqs(must[[]*event.Entry](f)(f.store.Recent(f.t.Context(), f.tenant, 3))), []int64{7, 5, 3})
		large := anEntry(f.other, 2, 1)
		large.Snapshot.Case.Data = []byte(`"` + strings.Repeat("x", 9<<20) + `"`)
		for range 3 {
			f.appendEntry(large)
		}
		f.sequence()
		f.equal(len(must[[]*event.Entry](f)(f.store.Recent(f.t.Context(), f.other, 9))), 2)
	},
	"what is read at once is bounded by its size, and says that there is more": func(f *fixture) {
		large := anEntry(f.tenant, 2, 1)
		large.Snapshot.Case.Data = []byte(`"` + strings.Repeat("x", 5<<20) + `"`)
		for range 3 {
			f.appendEntry(large)
		}
		f.sequence()
		read := func(r store.Range, err error) {
			f.t.Helper()
			if err != nil || r.Last() != 2 || !r.More {
				f.t.Errorf("it read %v, more %v: %v", seqs(r.Entries), r.More, err)
			}
		}
		read(f.store.Journal(f.t.Context(), 0, 9))
		read(f.store.TenantJournal(f.t.Context(), f.tenant, 0, 9))
		read(f.store.TenantRange(f.t.Context(), f.tenant, 0, 3, 9))
		read(f.store.EntriesAt(f.t.Context(), f.tenant, []int64{1, 3, 2}))
		read(f.store.Lane(f.t.Context(), f.tenant, store.Lane{Subject: "case/2", After: 0, UpTo: 3, Limit: 9}))
		rest, err := f.store.Journal(f.t.Context(), 2, 9)
		f.equal(seqs(rest.Entries), []int64{3})
		if err != nil || rest.More {
			f.t.Errorf("the rest is not the end, or fails: %v", err)
		}
	},
	"entries are read at positions": func(f *fixture) {
		for i := range int64(6) {
			tenant := f.tenant
			if i == 3 {
				tenant = f.other
			}
			f.appendEntry(anEntry(tenant, 1, i+1))
		}
		f.sequence()
		for _, c := range []struct{ positions, want []int64 }{
			{nil, nil}, {[]int64{2, 5, 2}, []int64{5, 2}}, {[]int64{0, 4, 7, 6}, []int64{6}},
			{[]int64{1, 2, 3, 4, 5, 6}, []int64{6, 5, 3, 2, 1}},
		} {
			found, err := f.store.EntriesAt(f.t.Context(), f.tenant, c.positions)
			f.equal(seqs(found.Entries), c.want)
			if err != nil || found.More {
				f.t.Errorf("at %v: %v, %v", c.positions, found.More, err)
			}
		}
	},
	"a subject's history is read newest first, for its tenant": func(f *fixture) {
		for i := range int64(5) {
			f.appendEntry(anEntry(f.tenant, 1, i+1))
			f.appendEntry(anEntry(f.other, 1, i+10))
			f.appendEntry(anEntry(f.tenant, 2, i+20))
		}
		read := items[*event.Entry](f)
		first := read(f.store.History(f.t.Context(), f.tenant, "case/1", 1<<62, 3)) // needs no position
		rest := read(f.store.History(f.t.Context(), f.tenant, "case/1", first[2].ID, 3))
		var versions []int64
		for _, e := range append(first, rest...) {
			versions = append(versions, e.Version)
		}
		f.equal(versions, []int64{5, 4, 3, 2, 1})
	},
	"a case as one of a type is the newest entry of that type, whatever its data say": func(f *fixture) {
		for version, of := range []string{"lo_an", "kyc", "lo_an", "lo-an"} {
			e := anEntry(f.tenant, 1, int64(version+1))
			e.Snapshot.Case.Type = of
			f.appendEntry(e)
		}
		for version := range int64(25) {
			e := anEntry(f.tenant, 1, version+5)
			e.Snapshot.Case.Type, e.Snapshot.Case.Data = "other", []byte(`{"type":"lo_an"}`)
			f.appendEntry(e)
		}
		theirs := anEntry(f.other, 1, 99)
		theirs.Snapshot.Case.Type = "lo_an"
		f.appendEntry(theirs)
		for of, want := range map[string]int64{"lo_an": 3, "kyc": 2, "lo-an": 4, "other": 29, "ky": 0} {
			e, err := f.store.LastAs(f.t.Context(), f.tenant, 1, of)
			var version int64
			if e != nil {
				version = e.Version
			}
			if err != nil || version != want {
				f.t.Errorf("%s: version %d, %v; want %d", of, version, err, want)
			}
		}
	},
	"positions are dense, and a reader that pages while many write misses nothing": func(f *fixture) {
		const writers, each = 8, 40
		for i := range int64(4) {
			f.insert(f.aCase(f.tenant, i))
		}
		var ids sync.Map // of the entries that were committed
		var committed atomic.Int64
		ctx, stop := context.WithCancel(f.t.Context())
		var writing, sequencing sync.WaitGroup
		for w := range writers {
			writing.Go(func() {
				dice := rand.New(rand.NewPCG(1, uint64(w)))
				for range each {
					fails := dice.IntN(5) == 0
					var id int64
					err := f.store.Update(f.t.Context(), func(tx *store.Tx) error {
						c, err := tx.TouchCase(f.t.Context(), f.tenant, f.aCase(f.tenant, dice.Int64N(4)).ID, once)
						if err != nil {
							return err
						}
						if id, err = tx.Append(f.t.Context(), anEntry(f.tenant, c.ID, c.Version)); err == nil && fails {
							err = errGivenUp
						}
						return err
					})
					switch {
					case err == nil:
						ids.Store(id, true)
						committed.Add(1)
					case err != errGivenUp:
						f.t.Error(err)
					}
				}
			})
		}
		for range 3 {
			sequencing.Go(func() {
				for ctx.Err() == nil {
					if _, err := f.store.Sequence(f.t.Context()); err != nil {
						f.t.Error(err)
					}
				}
			})
		}
		var read []*event.Entry
		sequencing.Go(func() {
			for ctx.Err() == nil {
				read = append(read, f.readOn(read)...)
			}
		})
		writing.Wait()
		stop()
		sequencing.Wait()
		f.sequence()
		read = append(read, f.readOn(read)...)

		if int64(len(read)) != committed.Load() {
			f.t.Errorf("%d entries were read of %d", len(read), committed.Load())
		}
		last := map[string]*event.Entry{}
		for i, e := range read {
			if _, known := ids.LoadAndDelete(e.ID); !known {
				f.t.Errorf("entry %d was read twice, or never committed", e.ID)
			}
			if f.store.Nodes() && e.Seq != int64(i+1) {
				f.t.Errorf("entry %d has position %d, want %d", e.ID, e.Seq, i+1)
			}
			if before := last[e.Subject]; before != nil && (before.ID >= e.ID || before.Seq >= e.Seq || before.Version+1 != e.Version) {
				f.t.Errorf("%s: version %d (id %d) came after %d (id %d)", e.Subject, e.Version, e.ID, before.Version, before.ID)
			}
			last[e.Subject] = e
		}
	},
	"a transaction that commits late is not skipped": func(f *fixture) {
		if !f.store.Nodes() {
			return // there is one writer
		}
		for i := range int64(2) {
			f.insert(f.aCase(f.tenant, i))
		}
		begun, goOn, done := make(chan struct{}), make(chan struct{}), make(chan error)
		go func() {
			done <- f.store.Update(f.t.Context(), func(tx *store.Tx) error {
				_, err := tx.Append(f.t.Context(), anEntry(f.tenant, 0, 1)) // the lower id
				close(begun)
				<-goOn
				return err
			})
		}()
		<-begun
		f.appendEntry(anEntry(f.tenant, 1, 1))
		f.sequence()
		first := f.readOn(nil)
		f.equal(seqs(first), []int64{1})
		close(goOn)
		if err := <-done; err != nil {
			f.t.Fatal(err)
		}
		f.sequence()
		second := f.readOn(first)
		f.equal(seqs(second), []int64{2})
		f.equal([]string{first[0].Subject, second[0].Subject}, []string{"case/1", "case/0"})
		if first[0].ID < second[0].ID {
			f.t.Error("the late entry has the higher id: this test proves nothing")
		}
	},
	"more entries than one batch are numbered in one call": func(f *fixture) {
		const n = 2500
		f.update(func(tx *store.Tx) error {
			for i := range int64(n) {
				if _, err := tx.Append(f.t.Context(), anEntry(f.tenant, i, 1)); err != nil {
					return fmt.Errorf("entry %d: %w", i, err)
				}
			}
			return nil
		})
		numbered := must[int](f)(f.store.Sequence(f.t.Context()))
		if f.store.Nodes() {
			f.equal(numbered, n)
		}
		f.equal(must[int64](f)(f.store.Head(f.t.Context())), int64(n))
		f.equal(must[int](f)(f.store.Sequence(f.t.Context())), 0)
	},
}

// readOn reads the pages from the last read entry to the end of the journal.
func (f *fixture) readOn(read []*event.Entry) (more []*event.Entry) {
	after := int64(0)
	if len(read) > 0 {
		after = read[len(read)-1].Seq
	}
	for {
		page, err := f.store.Journal(f.t.Context(), after, 7)
		if err != nil {
			f.t.Error(err)
		}
		if len(page.Entries) == 0 {
			return more
		}
		more = slices.Concat(more, page.Entries)
		after = page.Last()
	}
}
