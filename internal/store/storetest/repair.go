package storetest

import (
	"time"

	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// waits parks lanes, and gives up messages, for the live cursor of an endpoint.
func (f *fixture) waits(e string, epoch int64) {
	f.t.Helper()
	alone := aParked("msg_8_1", 8)
	alone.Subject = "case/9"
	unknown := store.ParkedMessage{Lane: "case/5", Seq: 3}
	f.settle(store.Settlement{Tenant: f.tenant, Endpoint: e, Cursor: "cur_" + e, Epoch: epoch, Position: 9,
		Park: []store.ParkedMessage{aParked("case/1", 3), aParked("case/2", 4), alone, unknown},
		Dead: []store.DeadMessage{aDead(7, 0), aDead(5, 1), aDead(5, 0)}})
}

func (f *fixture) deadIn(e string, state store.DeadState) []store.Place {
	f.t.Helper()
	var places []store.Place
	for _, d := range must[[]store.DeadMessage](f)(f.store.Dead(f.t.Context(), f.tenant, store.DeadFilter{
		Endpoint: e, State: state, Limit: 99,
	})) {
		f.equal(d.State, state)
		places = append(places, d.Place)
	}
	return places
}

var repairTests = map[string]func(*fixture){
	"parked lanes are listed, page by page, with what waits behind them": func(f *fixture) {
		for i := range int64(6) { // versions 3 and up come behind position 3
			e := anEntry(f.tenant, 1, i+1)
			f.appendEntry(e)
		}
		f.sequence()
		e, epoch := f.served(1)
		f.waits(e, epoch)
		list := must[[]store.ParkedLane](f)
		all := list(f.store.ParkedLanes(f.t.Context(), f.tenant, e, store.LanePlace{}, 9))
		f.equal(len(all), 3)
		want := aParked("case/1", 3)
		f.equal(all[0], store.ParkedLane{ParkedMessage: want, Cursor: "cur_" + e, Behind: 3})
		f.equal([]int64{all[1].Behind, all[2].Behind}, []int64{0, 0})
		f.equal(list(f.store.ParkedLanes(f.t.Context(), f.tenant, e, all[0].Place(), 1)), all[1:2])
		f.equal(len(list(f.store.ParkedLanes(f.t.Context(), f.other, e, store.LanePlace{}, 9))), 0)
	},
	"a repair request stays until it is carried out": func(f *fixture) {
		e, epoch := f.served(1)
		f.waits(e, epoch)
		before := f.claim("node", time.Hour)[0].Requests
		ask := func(tenant int64, messages []string, drop bool) (n int64) {
			f.update(func(tx *store.Tx) (err error) {
				n, err = tx.RequestRepairs(f.t.Context(), tenant, e, messages, drop)
				return err
			})
			return n
		}
		f.equal(ask(f.tenant, []string{"msg_3_1", "msg_none"}, false), int64(1))
		f.equal(f.claim("node", time.Hour)[0].Requests, before+1)
		f.equal(ask(f.other, nil, true), int64(0))
		requests := func() []store.RepairRequest {
			f.t.Helper()
			return must[[]store.RepairRequest](f)(f.store.RepairRequests(f.t.Context(), f.tenant, e))
		}
		f.equal(requests(), []store.RepairRequest{{Cursor: "cur_" + e, Message: "msg_3_1"}})
		f.equal(ask(f.tenant, nil, true), int64(3)) // a later request counts
		f.equal(len(requests()), 3)
		lanes := must[[]store.ParkedLane](f)(f.store.ParkedLanes(f.t.Context(), f.tenant, e, store.LanePlace{}, 1))
		f.equal(lanes[0].Requested, "drop")
		carryOut := func(all ...store.RepairRequest) {
			f.settle(store.Settlement{Tenant: f.tenant, Endpoint: e, Cursor: "cur_" + e, Epoch: epoch, Repaired: all})
		}
		carryOut(store.RepairRequest{Message: "msg_3_1"}, store.RepairRequest{Message: "msg_4_1", Drop: true})
		f.equal(len(requests()), 2)
		carryOut(store.RepairRequest{Message: "msg_3_1", Drop: true}, store.RepairRequest{Message: "msg_8_1", Drop: true})
		f.equal(requests(), []store.RepairRequest(nil))
	},
	"dead messages are tried again by a replay, in a range of their own": func(f *fixture) {
		f.history(10)
		e, epoch := f.served(1)
		f.waits(e, epoch)
		r := store.Replay{ID: "rpl_1", Tenant: f.tenant, Endpoint: e, Kind: store.ReplayRetry, State: store.ReplayRunning, CreatedAt: start}
		f.refused(fault.NotFound, "message.not_dead", func(tx *store.Tx) error {
			_, err := tx.RetryDead(f.t.Context(), r, []string{"msg_none"})
			return err
		})
		f.update(func(tx *store.Tx) (err error) {
			r, err = tx.RetryDead(f.t.Context(), r, []string{"msg_5_1", "msg_7_0", "msg_none"})
			return err
		})
		f.equal([]int64{r.After, r.Until, r.Messages}, []int64{4, 7, 2})
		f.equal(f.replayed(r), r)
		f.equal(len(must[[]store.Place](f)(f.store.ReplayMessages(f.t.Context(), r.ID))), 2)
		f.equal(f.deadIn(e, store.Retrying), []store.Place{aPlace(5, 1), aPlace(7, 0)})
		f.equal(f.deadIn(e, store.Given), []store.Place{aPlace(5, 0)})
		f.equal(len(must[[]store.Place](f)(f.store.Settled(f.t.Context(), f.tenant, store.Cursor{ID: r.ID}))), 0)
		s := replayed(r, epoch, 5, aPlace(5, 1))
		f.settle(s)
		f.equal(f.deadIn(e, store.DeliveredAfterAll), []store.Place{aPlace(5, 1)})
		f.update(func(tx *store.Tx) error { return tx.CancelReplay(f.t.Context(), f.tenant, e, r.ID, start) })
		f.equal(f.deadIn(e, store.Given), []store.Place{aPlace(5, 0), aPlace(7, 0)})
		second := store.Replay{ID: "rpl_2", Tenant: f.tenant, Endpoint: e, Kind: store.ReplayRetry}
		f.update(func(tx *store.Tx) (err error) { second, err = tx.RetryDead(f.t.Context(), second, nil); return err })
		f.equal(second.Messages, int64(2))
	},
	"dead messages whose entries have been removed are not tried again": func(f *fixture) {
		e, epoch := f.served(1)
		f.history(10)
		f.waits(e, epoch)
		f.moved(e, epoch, 9)
		f.settle(store.Settlement{Tenant: f.tenant, Endpoint: e, Cursor: "cur_" + e, Epoch: epoch, Unpark: []string{"case/1", "case/2", "msg_8_1", "case/5"}})
		f.purge(6, start)
		f.equal(f.floor(), int64(6))
		r := store.Replay{ID: "rpl_1", Tenant: f.tenant, Endpoint: e, Kind: store.ReplayRetry}
		f.refused(fault.NotFound, "message.not_dead", func(tx *store.Tx) error {
			_, err := tx.RetryDead(f.t.Context(), r, []string{"msg_5_0", "msg_5_1"})
			return err
		})
		f.update(func(tx *store.Tx) (err error) { r, err = tx.RetryDead(f.t.Context(), r, nil); return err })
		f.equal([]int64{r.After, r.Until, r.Messages}, []int64{6, 7, 1})
		f.equal(f.deadIn(e, store.Given), []store.Place{aPlace(5, 0), aPlace(5, 1)})
	},
	"dropped messages stay listed, and stay settled": func(f *fixture) {
		e, epoch := f.served(1)
		f.waits(e, epoch)
		drop := func(messages []string) (n int64) {
			f.update(func(tx *store.Tx) (err error) { n, err = tx.DropDead(f.t.Context(), f.tenant, e, messages); return err })
			return n
		}
		f.equal(drop([]string{"msg_5_0", "msg_none"}), int64(1))
		f.equal(drop([]string{"msg_5_0"}), int64(0))
		f.equal(drop(nil), int64(2))
		f.equal(f.deadIn(e, store.Dropped), []store.Place{aPlace(5, 0), aPlace(5, 1), aPlace(7, 0)})
		f.equal(len(must[[]store.DeadMessage](f)(f.store.Dead(f.t.Context(), f.tenant, store.DeadFilter{
			Endpoint: e, State: store.Dropped, After: aPlace(5, 0), Limit: 99,
		}))), 2)
		f.equal(len(must[[]store.Place](f)(f.store.Settled(f.t.Context(), f.tenant, store.Cursor{ID: "cur_" + e}))), 3)
		d := aDead(8, 0)
		d.State = store.Dropped
		f.settle(store.Settlement{Tenant: f.tenant, Endpoint: e, Cursor: "cur_" + e, Epoch: epoch,
			Dead: []store.DeadMessage{d}})
		f.equal(len(f.deadIn(e, store.Dropped)), 4)
	},
	"what a replay settles again is counted once": func(f *fixture) {
		e, epoch := f.served(1)
		r := f.replay(aReplay(f.tenant, e, "rpl_1", 0, 9))
		s := replayed(r, epoch, 5, aPlace(4, 0))
		s.Dead = []store.DeadMessage{aDead(5, 0)}
		f.settle(s)
		s.Again = true
		f.settle(s)
		got := f.replayed(r)
		f.equal([]int64{got.Delivered, got.Dead}, []int64{1, 1})
	},
}
