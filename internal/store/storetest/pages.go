package storetest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/store"
)

// sizes draws the sizes of items, in bytes: most are small, some fill a page alone.
func sizes(r *rand.Rand, n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = 10 + r.IntN([]int{100, 100_000, 3 << 20, 9 << 20}[r.IntN(4)])
	}
	return all
}

// pages reads a list page by page, and checks that each page is full, ends at the size, or is the last.
func pages[T any](f *fixture, limit int, size func(T) int, read func(limit int) (store.Page[T], error)) (all []T) {
	f.t.Helper()
	for {
		p, err := read(limit)
		if err != nil {
			f.t.Fatal(err)
		}
		before, whole := 0, 0 // bytes
		for _, item := range p.Items {
			before, whole = whole, whole+size(item)
		}
		switch {
		case before > store.PageBytes:
			f.t.Errorf("limit %d: a page has %d bytes before its last item", limit, before)
		case p.More && len(p.Items) < limit && whole < store.PageBytes-len(p.Items)<<10:
			f.t.Errorf("limit %d: a page ends at %d bytes and %d items, although there is more", limit, whole,
				len(p.Items))
		case len(p.Items) == 0 && (p.More || len(all) > 0), len(p.Items) > limit:
			f.t.Errorf("limit %d: a page has %d items, more: %v", limit, len(p.Items), p.More)
		}
		all = append(all, p.Items...)
		if !p.More || f.t.Failed() {
			return all
		}
	}
}

var pageTests = map[string]func(*fixture){
	"pages of cases that end at a size meet without gap or overlap": func(f *fixture) {
		var want []int64
		for i, size := range sizes(rand.New(rand.NewPCG(29, 1)), 14) {
			c := f.aCase(f.tenant, int64(i))
			c.CreatedAt = start.Add(time.Duration(i/3) * time.Microsecond) // many share a time
			c.Data = map[string]any{"note": strings.Repeat("x", size)}
			f.insert(c, f.aCase(f.other, int64(i)))
			want = append([]int64{c.ID}, want...)
		}
		for _, limit := range []int{1, 3, 200} {
			filter := store.CaseFilter{Clearance: casetype.Restricted}
			size := func(c cases.Case) int { return len(c.Data["note"].(string)) }
			all := pages(f, limit, size, func(limit int) (store.Page[cases.Case], error) {
				filter.Limit = limit
				p, err := f.store.Cases(f.t.Context(), f.tenant, filter)
				shown := store.Page[cases.Case]{Items: f.cases(p, err), More: p.More}
				if last := len(shown.Items) - 1; last >= 0 {
					filter.After = store.Position{CreatedAt: shown.Items[last].CreatedAt, ID: shown.Items[last].ID}
				}
				return shown, err
			})
			var got []int64
			for _, c := range all {
				got = append(got, c.ID)
			}
			f.equal(got, want)
		}
	},
	"pages of a history that end at a size meet without gap or overlap": func(f *fixture) {
		for i, size := range sizes(rand.New(rand.NewPCG(29, 2)), 14) {
			e := anEntry(f.tenant, 1, int64(i+1))
			e.Snapshot.Case.Data = fmt.Appendf(nil, `"%s"`, strings.Repeat("x", size))
			f.appendEntry(e)
			f.appendEntry(anEntry(f.tenant, 2, int64(i+1)))
		}
		f.sequence()
		read := map[string]func(before int64, limit int) (store.Page[*event.Entry], error){
			"history": func(before int64, limit int) (store.Page[*event.Entry], error) {
				return f.store.History(f.t.Context(), f.tenant, "case/1", before, limit)
			},
			"entries": func(before int64, limit int) (store.Page[*event.Entry], error) {
				return f.store.Entries(f.t.Context(), f.tenant, "case/1", before, limit)
			},
		}
		for name, read := range read {
			for _, limit := range []int{1, 3, 200} {
				before := int64(1 << 62)
				size := func(e *event.Entry) int { return len(e.Snapshot.Case.Data) }
				all := pages(f, limit, size, func(limit int) (store.Page[*event.Entry], error) {
					p, err := read(before, limit)
					if last := len(p.Items) - 1; last >= 0 {
						before = p.Items[last].ID
					}
					return p, err
				})
				for i, e := range all {
					if e.Version != int64(14-i) {
						f.t.Fatalf("%s, limit %d: entry %d has version %d", name, limit, i, e.Version)
					}
				}
				f.equal(len(all), 14)
			}
		}
	},
	"parts of the journal that end at a size meet without gap or overlap": func(f *fixture) {
		for i, size := range sizes(rand.New(rand.NewPCG(29, 3)), 14) {
			e := anEntry(f.tenant, 1, int64(i+1))
			e.Snapshot.Case.Data = fmt.Appendf(nil, `"%s"`, strings.Repeat("x", size))
			f.appendEntry(e)
		}
		f.sequence()
		for name, read := range map[string]func(after int64, limit int) (store.Range, error){
			"all": func(after int64, limit int) (store.Range, error) { return f.store.Journal(f.t.Context(), after, limit) },
			"tenant": func(after int64, limit int) (store.Range, error) {
				return f.store.TenantJournal(f.t.Context(), f.tenant, after, limit)
			},
			"feed": func(after int64, limit int) (store.Range, error) {
				return f.store.FeedRange(f.t.Context(), f.tenant, after, 99, limit)
			},
			"lane": func(after int64, limit int) (store.Range, error) {
				return f.store.Lane(f.t.Context(), f.tenant, store.Lane{Subject: "case/1", After: after, UpTo: 99, Limit: limit})
			},
		} {
			for _, limit := range []int{1, 3, 500} {
				var got []int64
				for more := true; more && !f.t.Failed(); {
					part, err := read(int64(len(got)), limit)
					if err != nil || len(part.Entries) == 0 && len(got) < 14 {
						f.t.Fatalf("%s, limit %d: after %d entries it read %d: %v", name, limit, len(got), len(part.Entries), err)
					}
					got, more = append(got, seqs(part.Entries)...), part.More
				}
				f.equal(got, upTo(14))
			}
		}
	},
	"pages of case types with large definitions have them all": func(f *fixture) {
		f.update(func(tx *store.Tx) error {
			for i := range 9 {
				t := store.CaseType{
					Key: fmt.Sprintf("type_%d", i), Version: 1, CreatedAt: start,
					Definition: []byte(strings.Repeat("x", 1<<20)),
				}
				if err := tx.CreateCaseType(f.t.Context(), f.tenant, t); err != nil {
					return err
				}
			}
			return nil
		})
		after := ""
		size := func(t store.CaseType) int { return len(t.Definition) }
		all := pages(f, 100, size, func(limit int) (store.Page[store.CaseType], error) {
			p, err := f.store.CaseTypes(f.t.Context(), f.tenant, after, limit)
			if last := len(p.Items) - 1; last >= 0 {
				after = p.Items[last].Key
			}
			return p, err
		})
		for i, t := range all {
			f.equal(t.Key, fmt.Sprintf("type_%d", i))
		}
		f.equal(len(all), 9)
	},
}
