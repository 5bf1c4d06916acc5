package storetest

import (
	"context"
	"errors"
	"sync"

	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

var errGivenUp = errors.New("given up")

var transactions = map[string]func(*fixture){
	"a function that fails or panics leaves nothing, and the others of its time remain": func(f *fixture) {
		var wg sync.WaitGroup
		for i := range int64(60) {
			wg.Go(func() {
				err := f.store.Update(f.t.Context(), func(tx *store.Tx) error {
					if err := tx.InsertCase(f.t.Context(), f.aCase(f.tenant, i), aType()); err != nil {
						return err
					}
					if _, err := tx.Append(f.t.Context(), anEntry(f.tenant, i, 1)); err != nil {
						return err
					}
					switch i % 3 {
					case 1:
						return errGivenUp
					case 2:
						panic("a bug")
					}
					return nil
				})
				switch i % 3 {
				case 0:
					if err != nil {
						f.t.Errorf("case %d: %v", i, err)
					}
				case 1:
					if err != errGivenUp {
						f.t.Errorf("case %d: %v, want the function's own error", i, err)
					}
				case 2:
					if err == nil || fault.As(err).Kind != fault.Internal {
						f.t.Errorf("case %d: %v after a panic", i, err)
					}
				}
			})
		}
		wg.Wait()
		f.sequence()
		f.equal(len(f.cases(f.store.Cases(f.t.Context(), f.tenant, store.CaseFilter{Clearance: casetype.Restricted, Limit: 99}))), 20)
		f.equal(len(f.entries(f.store.Journal(f.t.Context(), 0, 99))), 20)
	},
	"a statement that fails leaves nothing of what came before it": func(f *fixture) {
		taken := f.aCase(f.tenant, 1)
		f.insert(taken)
		f.refused(fault.Conflict, "case.reference_taken", func(tx *store.Tx) error {
			if err := tx.InsertCase(f.t.Context(), f.aCase(f.tenant, 2), aType()); err != nil {
				return err
			}
			return tx.InsertCase(f.t.Context(), taken, aType())
		})
		f.equal(len(f.cases(f.store.Cases(f.t.Context(), f.tenant, store.CaseFilter{Clearance: casetype.Restricted, Limit: 9}))), 1)
	},
	"a transaction reads what it wrote, and others don't until it commits": func(f *fixture) {
		c := f.aCase(f.tenant, 1)
		f.update(func(tx *store.Tx) error {
			if err := tx.InsertCase(f.t.Context(), c, aType()); err != nil {
				return err
			}
			f.equal(must[cases.Case](f)(tx.Case(f.t.Context(), f.tenant, c.ID)), c)
			_, err := f.store.Case(f.t.Context(), f.tenant, c.ID)
			f.wantFault(err, fault.NotFound, "case.not_found")
			return nil
		})
	},
	"many who change one case each get a version of their own": func(f *fixture) {
		const n = 50
		c := f.aCase(f.tenant, 1)
		f.insert(c)
		var wg sync.WaitGroup
		versions := make(chan int64, n)
		for range n {
			wg.Go(func() {
				for {
					seen, err := f.store.Case(f.t.Context(), f.tenant, c.ID)
					if err != nil {
						f.t.Error(err)
						return
					}
					seen.Name += "x"
					err = f.store.Update(f.t.Context(), func(tx *store.Tx) error {
						saved, err := tx.UpdateCase(f.t.Context(), seen, aType())
						if err != nil {
							return err
						}
						seen.Version = saved.Version
						_, err = tx.Append(f.t.Context(), anEntry(f.tenant, c.ID, saved.Version))
						return err
					})
					if errors.Is(err, fault.Conflict) {
						continue
					}
					if err != nil {
						f.t.Error(err)
					}
					versions <- seen.Version
					return
				}
			})
		}
		wg.Wait()
		close(versions)
		seen := map[int64]bool{}
		for v := range versions {
			seen[v] = true
		}
		f.equal(len(seen), n)
		last := must[cases.Case](f)(f.store.Case(f.t.Context(), f.tenant, c.ID))
		f.equal([]int64{last.Version, last.Revision, int64(len(last.Name))}, []int64{n + 1, n + 1, n + 3})
	},
	"an update whose caller has gone does nothing": func(f *fixture) {
		ctx, cancel := context.WithCancel(f.t.Context())
		cancel()
		err := f.store.Update(ctx, func(tx *store.Tx) error { return tx.InsertCase(ctx, f.aCase(f.tenant, 1), aType()) })
		f.wantFault(err, fault.Unavailable, "store.cancelled")
		f.equal(len(f.cases(f.store.Cases(f.t.Context(), f.tenant, store.CaseFilter{Clearance: casetype.Restricted, Limit: 9}))), 0)
	},
	"readers who give up don't spoil the connections of others": func(f *fixture) {
		for i := range int64(200) {
			f.appendEntry(anEntry(f.tenant, i, 1))
		}
		f.sequence()
		var wg sync.WaitGroup
		for i := range 40 {
			wg.Go(func() {
				ctx, cancel := context.WithCancel(f.t.Context())
				wg.Go(cancel) // somewhere in the middle
				for range 5 {
					if got, err := f.store.Journal(ctx, 0, 1000); err != nil {
						f.wantFault(err, fault.Unavailable, "store.cancelled")
					} else if len(got.Entries) != 200 {
						f.t.Errorf("reader %d got %d entries of 200", i, len(got.Entries))
					}
				}
			})
		}
		wg.Wait()
		for range 40 {
			f.equal(len(f.entries(f.store.Journal(f.t.Context(), 0, 1000))), 200)
		}
	},
	"waiters wake after a commit that appended, and only then": func(f *fixture) {
		wake, committed, changed := f.store.Wake(), f.store.Committed(), f.store.EndpointsChanged()
		f.insert(f.aCase(f.tenant, 1))
		err := f.store.Update(f.t.Context(), func(tx *store.Tx) error {
			_, err := tx.Append(f.t.Context(), anEntry(f.tenant, 1, 1))
			return errors.Join(err, errGivenUp)
		})
		if !errors.Is(err, errGivenUp) {
			f.t.Fatal(err)
		}
		select {
		case <-wake:
			f.t.Error("woken although nothing was appended")
		default:
		}
		f.update(func(tx *store.Tx) error {
			_, err := tx.Append(f.t.Context(), anEntry(f.tenant, 1, 1))
			select {
			case <-wake:
				f.t.Error("woken before the commit")
			default:
			}
			return err
		})
		<-wake
		<-committed
		select {
		case <-changed:
			f.t.Error("woken for a changed endpoint although none changed")
		default:
		}
		f.update(func(tx *store.Tx) error { return tx.CreateEndpoint(f.t.Context(), anEndpoint(f.tenant, 1), "cur_1") })
		<-changed
	},
	"a closed store refuses, and closes again": func(f *fixture) {
		for range 2 {
			if err := f.store.Close(); err != nil {
				f.t.Fatal(err)
			}
		}
		if err := f.store.Update(f.t.Context(), func(*store.Tx) error { return nil }); err == nil {
			f.t.Error("a closed store accepted an update")
		}
	},
	"updates under way are finished when the store closes": func(f *fixture) {
		begun, results := make(chan struct{}), make(chan error, 1)
		go func() {
			results <- f.store.Update(f.t.Context(), func(tx *store.Tx) error {
				close(begun)
				_, err := tx.Next(f.t.Context(), f.tenant, "n")
				return err
			})
		}()
		<-begun
		if err := f.store.Close(); err != nil {
			f.t.Error(err)
		}
		if err := <-results; err != nil {
			f.t.Error(err)
		}
	},
}
