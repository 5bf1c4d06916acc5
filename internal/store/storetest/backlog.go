package storetest

import (
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/observe"
	"github.com/casehook/casehook/internal/store"
)

var backlogTests = map[string]func(*fixture){
	"what some endpoints of a tenant are owed is counted": func(f *fixture) {
		first, epoch := f.served(1)
		second, _ := f.served(2)
		f.create(anEndpoint(f.other, 3))
		for i := range int64(10) {
			f.appendEntry(anEntry(f.tenant, i, 1))
		}
		f.sequence()
		f.settle(aSettlement(f.tenant, first, epoch, 7))
		f.replay(aReplay(f.tenant, first, "rpl_1", 0, 9))
		owed := func(ids ...string) map[string]store.Owed {
			all := map[string]store.Owed{}
			for _, o := range must[[]store.Owed](f)(f.store.OwedTo(f.t.Context(), f.tenant, ids)) {
				all[o.Endpoint] = o
			}
			return all
		}
		f.equal(owed(first, second, anEndpoint(f.other, 3).ID), map[string]store.Owed{
			first: {Endpoint: first, Position: 7, Parked: 1, Dead: 1}, second: {Endpoint: second},
		})
		f.equal(owed(), map[string]store.Owed{})
	},
	"BacklogCountsWhatIsOwed": func(f *fixture) {
		before := must[observe.Backlog](f)(f.store.Backlog(f.t.Context()))
		f.equal(before, observe.Backlog{Endpoints: map[string]int64{"active": 0, "paused": 0, "disabled": 0}})
		first, epoch := f.served(1)
		paused := anEndpoint(f.other, 2)
		paused.Status = endpoint.Paused
		f.create(paused)
		f.create(anEndpoint(f.other, 3))
		for i := range int64(10) {
			f.appendEntry(anEntry(f.tenant, i, 1))
		}
		f.sequence()
		f.settle(aSettlement(f.tenant, first, epoch, 7))
		f.replay(aReplay(f.tenant, first, "rpl_1", 0, 9))
		b := must[observe.Backlog](f)(f.store.Backlog(f.t.Context()))
		f.equal(b, observe.Backlog{
			Endpoints: map[string]int64{"active": 2, "paused": 1, "disabled": 0}, Parked: 1, Dead: 1, Lag: 3 + 10, FurthestBy: 10, Journal: 10,
		})
		f.update(func(tx *store.Tx) error { return tx.DeleteEndpoint(f.t.Context(), f.other, anEndpoint(f.other, 3).ID) })
		b = must[observe.Backlog](f)(f.store.Backlog(f.t.Context())) // without the one that is behind
		want := b
		want.Lag, want.FurthestBy = 3, 3
		f.equal(b, want)
		f.equal(b.Endpoints["active"], int64(1))
	},
}
