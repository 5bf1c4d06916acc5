package storetest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

var changeTests = map[string]func(*fixture){
	"a change creates a case, and the next replaces it, each with its entry and its answer": func(f *fixture) {
		c := f.aCase(f.tenant, 1)
		first := f.change(c, 0, "first")
		f.noError(f.store.Commit(f.t.Context(), first))
		f.equal(must[cases.Case](f)(f.store.Case(f.t.Context(), f.tenant, c.ID)), c)

		before := c.Version
		c.Name, c.State, c.Version, c.Revision = "Grace", "closed", c.Version+1, c.Revision+1
		f.noError(f.store.Commit(f.t.Context(), f.change(c, before, "second")))
		f.equal(must[cases.Case](f)(f.store.Case(f.t.Context(), f.tenant, c.ID)), c)
		f.sequence()
		f.equal(versions(f.entries(f.store.Journal(f.t.Context(), 0, 9))), []int64{1, 2})
		for _, key := range []string{"first", "second"} {
			answer, found, err := f.store.Answered(f.t.Context(), f.onceKey(key), time.Time{})
			if err != nil || !found || string(answer.Body) != key {
				f.t.Errorf("%s: answer %q, %t, %v", key, answer.Body, found, err)
			}
		}
	},
	"a change of a case with another version saves nothing": func(f *fixture) {
		c := f.aCase(f.tenant, 1)
		f.insert(c)
		f.update(func(tx *store.Tx) error {
			_, err := tx.TouchCase(f.t.Context(), f.tenant, c.ID, once)
			return err
		})
		f.unsaved(f.change(c, c.Version, "k"), store.ErrCaseMoved)
		f.unsaved(f.change(f.aCase(f.tenant, 2), 1, "k"), store.ErrCaseMoved) // there is none
	},
	"a change with a reference that is taken saves nothing": func(f *fixture) {
		c, other := f.aCase(f.tenant, 1), f.aCase(f.tenant, 2)
		f.insert(c)
		other.Reference = c.Reference
		f.unsaved(f.change(other, 0, "k"), store.ErrReferenceTaken)
		f.unsaved(f.change(other, 0, ""), store.ErrReferenceTaken)
	},
	"a change with an id that is taken saves nothing": func(f *fixture) {
		c := f.aCase(f.tenant, 1)
		f.insert(c)
		c.Reference = "KYC-another"
		err := f.store.Commit(f.t.Context(), f.change(c, 0, "k"))
		f.wantFault(err, fault.Conflict, "store.duplicate")
		f.nothingOf("k")
	},
	"a change under a key that has an answer saves nothing": func(f *fixture) {
		c, other := f.aCase(f.tenant, 1), f.aCase(f.tenant, 2)
		f.noError(f.store.Commit(f.t.Context(), f.change(c, 0, "k")))
		again := c
		again.Version++
		for _, late := range []*store.Change{f.change(other, 0, "k"), f.change(again, c.Version, "k")} {
			if err := f.store.Commit(f.t.Context(), late); !errors.Is(err, store.ErrKeyAnswered) {
				f.t.Errorf("Commit = %v", err)
			}
		}
		f.equal(f.count(), 1)
		f.equal(must[cases.Case](f)(f.store.Case(f.t.Context(), f.tenant, c.ID)), c)
	},
	"a change whose rights were looked at before they changed saves nothing": func(f *fixture) {
		change := f.change(f.aCase(f.tenant, 1), 0, "k")
		change.Rights = store.Rights{Moment: f.store.RightsMoment(), Looked: time.Now()}
		f.store.SessionEnded(f.tenant)
		f.unsaved(change, store.ErrRightsChanged)
		change.Rights = store.Rights{Moment: f.store.RightsMoment(), Looked: time.Now()}
		f.store.SessionEnded(f.other) // of another tenant
		f.noError(f.store.Commit(f.t.Context(), change))
	},
	"of a thousand changes at once each is saved or refused for itself": func(f *fixture) {
		const n = 1000
		kinds := f.mixedChanges()
		var all sync.WaitGroup
		for i := range int64(n) {
			all.Go(func() {
				kind := kinds[i%int64(len(kinds))]
				if err := kind.try(i); !kind.ends(err) {
					f.t.Errorf("%s %d: %v", kind.name, i, err)
				}
			})
		}
		all.Wait()
		f.sequence()
		f.equal(f.count(), 2+n/len(kinds)*2)                                          // the two of before, those that are good, and the edited ones
		f.equal(len(f.entries(f.store.Journal(f.t.Context(), 0, n))), n/len(kinds)*3) // an edited case has two
	},
}

// mixedChange is a kind of change, with its expected error.
type mixedChange struct {
	name string
	try  func(i int64) error
	ends func(error) bool
}

// mixedChanges are kinds of changes. Two of them are saved: new cases, and edits of their own cases.
func (f *fixture) mixedChanges() []mixedChange {
	ctx := f.t.Context()
	taken, moved := f.aCase(f.tenant, 100_001), f.aCase(f.tenant, 100_002)
	f.insert(taken, moved)
	f.noError(f.store.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.TouchCase(ctx, f.tenant, moved.ID, once)
		return err
	}))
	moment := store.Rights{Moment: f.store.RightsMoment(), Looked: time.Now()}
	f.store.SessionEnded(f.tenant)
	commit := func(c cases.Case, from int64) error { return f.store.Commit(ctx, f.change(c, from, "")) }
	is := func(want error) func(error) bool {
		return func(err error) bool { return errors.Is(err, want) }
	}
	return []mixedChange{
		{"good", func(i int64) error { return commit(f.aCase(f.tenant, i), 0) }, is(nil)},
		{"edit", func(i int64) error {
			c := f.aCase(f.tenant, i)
			if err := commit(c, 0); err != nil {
				return err
			}
			c.Version, c.Revision = 2, 2
			return commit(c, 1)
		}, is(nil)},
		{"reference taken", func(i int64) error {
			c := f.aCase(f.tenant, i)
			c.Reference = taken.Reference
			return commit(c, 0)
		}, is(store.ErrReferenceTaken)},
		{"moved", func(int64) error { return commit(moved, moved.Version) }, is(store.ErrCaseMoved)},
		{"rights changed", func(i int64) error {
			change := f.change(f.aCase(f.tenant, i), 0, "")
			change.Rights = moment
			return f.store.Commit(ctx, change)
		}, is(store.ErrRightsChanged)},
		{"cancelled", func(i int64) error {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return f.store.Commit(ctx, f.change(f.aCase(f.tenant, i), 0, ""))
		}, func(err error) bool { return errors.Is(err, fault.Unavailable) }},
		{"panic", func(int64) error {
			return f.store.Update(ctx, func(*store.Tx) error { panic("a bug") })
		}, func(err error) bool { return err != nil && fault.As(err).Kind == fault.Internal }},
		{"no such tenant", func(i int64) error {
			c := f.aCase(f.tenant, i)
			c.Tenant = 4711
			return commit(c, 0)
		}, func(err error) bool { return errors.Is(err, fault.Conflict) }},
	}
}

// change returns a change that saves a case, with an answer under key unless it is empty.
func (f *fixture) change(c cases.Case, from int64, key string) *store.Change {
	change := &store.Change{Case: c, Type: aType(), From: from, Entry: anEntry(c.Tenant, c.ID, c.Version)}
	if key != "" {
		change.Answer = &store.NewAnswer{
			OnceKey: f.onceKey(key),
			Answer:  store.Answer{Request: "r", Status: 201, Body: []byte(key)},
			By:      "here",
			Now:     start,
		}
	}
	return change
}

func (f *fixture) onceKey(key string) store.OnceKey {
	return store.OnceKey{Tenant: f.tenant, Token: "tok_1", Operation: string(access.CreateCase), Key: key}
}

// unsaved commits a change that must be refused without a trace.
func (f *fixture) unsaved(c *store.Change, want error) {
	f.t.Helper()
	before := f.count()
	if err := f.store.Commit(f.t.Context(), c); !errors.Is(err, want) {
		f.t.Errorf("Commit = %v, want %v", err, want)
	}
	f.equal(f.count(), before)
	f.nothingOf("k")
}

// nothingOf fails if there is an entry, or an answer under the key.
func (f *fixture) nothingOf(key string) {
	f.t.Helper()
	f.sequence()
	f.equal(len(f.entries(f.store.Journal(f.t.Context(), 0, 9))), 0)
	if _, found, err := f.store.Answered(f.t.Context(), f.onceKey(key), time.Time{}); found || err != nil {
		f.t.Errorf("there is an answer: %t, %v", found, err)
	}
}

// count counts the first tenant's cases.
func (f *fixture) count() (n int) {
	f.t.Helper()
	filter := store.CaseFilter{Clearance: casetype.Restricted, Limit: 200}
	for {
		page, err := f.store.Cases(f.t.Context(), f.tenant, filter)
		f.noError(err)
		n += len(page.Items)
		if !page.More {
			return n
		}
		last := must[cases.Case](f)(page.Items[len(page.Items)-1].Case())
		filter.After = store.Position{CreatedAt: last.CreatedAt, ID: last.ID}
	}
}

func versions(entries []*event.Entry) (all []int64) {
	for _, e := range entries {
		all = append(all, e.Version)
	}
	return all
}
