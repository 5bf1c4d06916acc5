package storetest

import (
	"time"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/store"
)

// minutes is the time of an entry of history.
func minutes(n int) time.Time { return start.Add(time.Duration(n) * time.Minute) }

// purge removes what was committed before a minute, and gives who lost something.
func (f *fixture) purge(before int, heldSince time.Time) (expired []store.JournalLoss) {
	f.t.Helper()
	for r := (store.Removal{More: true}); r.More; {
		f.update(func(tx *store.Tx) (err error) {
			var some []store.JournalLoss
			some, r, err = tx.ExpireJournal(f.t.Context(), minutes(before), heldSince)
			expired = append(expired, some...)
			return err
		})
		if err := f.store.PurgeJournal(f.t.Context(), r.UpTo); err != nil {
			f.t.Fatal(err)
		}
	}
	return expired
}

func (f *fixture) floor() int64 {
	f.t.Helper()
	floor, _, err := f.store.Floor(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	return floor
}

// moved saves that an endpoint's cursor stands at a position.
func (f *fixture) moved(e string, epoch, position int64, park ...store.ParkedMessage) {
	f.t.Helper()
	f.equal(f.settle(store.Settlement{
		Tenant: f.tenant, Endpoint: e, Cursor: "cur_" + e, Epoch: epoch, Position: position, Park: park,
	}), []string(nil))
}

var retentionTests = map[string]func(*fixture){
	"old entries are removed up to the floor": func(f *fixture) {
		e, epoch := f.served(1)
		f.history(30)
		f.equal(f.purge(20, start), []store.JournalLoss(nil))
		f.equal(f.floor(), int64(0)) // the endpoint has been served nothing
		f.moved(e, epoch, 10, aParked("case/1", 8))
		f.purge(20, start)
		f.equal(f.floor(), int64(7)) // the lane needs its first message
		f.update(func(tx *store.Tx) error {
			_, err := tx.Settle(f.t.Context(), []store.Settlement{{Tenant: f.tenant, Endpoint: e, Cursor: "cur_" + e, Epoch: epoch, Position: 10, Unpark: []string{"case/1"}}})
			return err
		})
		f.purge(20, start)
		f.equal(f.floor(), int64(10))
		f.moved(e, epoch, 30)
		f.purge(20, start)
		f.equal(f.floor(), int64(20)) // young entries stay
		f.purge(999, start)
		f.equal(f.floor(), int64(29)) // and the last one, from which positions continue
		f.history(1)
		f.equal(f.floor(), int64(29))
		f.equal(must[int64](f)(f.store.Head(f.t.Context())), int64(31))
	},
	"a replay holds the floor": func(f *fixture) {
		e, epoch := f.served(1)
		f.history(30)
		f.moved(e, epoch, 30)
		f.update(func(tx *store.Tx) error {
			return tx.CreateReplay(f.t.Context(), store.Replay{ID: "rep_1", Tenant: f.tenant, Endpoint: e, Kind: "replay", After: 4, Until: 9, CreatedAt: start}, nil)
		})
		f.purge(20, start)
		f.equal(f.floor(), int64(4))
	},
	"a stopped endpoint is waited for, and then says what it lost": func(f *fixture) {
		e, epoch := f.served(1)
		f.history(30)
		f.moved(e, epoch, 5, aParked("case/1", 3))
		stored := must[endpoint.Endpoint](f)(f.store.Endpoint(f.t.Context(), f.tenant, e))
		stored.Status, stored.UpdatedAt = endpoint.Paused, minutes(7)
		f.update(func(tx *store.Tx) error { _, err := tx.UpdateEndpoint(f.t.Context(), stored); return err })
		f.equal(f.purge(20, minutes(7)), []store.JournalLoss(nil))
		f.equal(f.floor(), int64(2))
		expired := f.purge(20, minutes(8))
		f.equal(expired, []store.JournalLoss{{Tenant: f.tenant, Endpoint: e, From: minutes(5), To: minutes(19)}})
		f.equal([]any{f.floor(), f.position(e), f.parked(e)}, []any{int64(20), int64(20), []store.ParkedMessage{}})
		stored = must[endpoint.Endpoint](f)(f.store.Endpoint(f.t.Context(), f.tenant, e))
		f.equal([]time.Time{stored.ExpiredFrom, stored.ExpiredTo}, []time.Time{minutes(5), minutes(19)})
		f.purge(25, minutes(8)) // the record of the first loss stays
		stored = must[endpoint.Endpoint](f)(f.store.Endpoint(f.t.Context(), f.tenant, e))
		f.equal([]time.Time{stored.ExpiredFrom, stored.ExpiredTo}, []time.Time{minutes(5), minutes(24)})
	},
	"a stopped endpoint says what its replays lost": func(f *fixture) {
		e, epoch := f.served(1)
		f.history(30)
		f.moved(e, epoch, 30)
		for id, after := range map[string]int64{"rpl_1": 4, "rpl_2": 9} {
			f.replay(aReplay(f.tenant, e, id, after, 25))
		}
		stored := must[endpoint.Endpoint](f)(f.store.Endpoint(f.t.Context(), f.tenant, e))
		stored.Status, stored.UpdatedAt = endpoint.Paused, minutes(7)
		f.update(func(tx *store.Tx) error { _, err := tx.UpdateEndpoint(f.t.Context(), stored); return err })
		f.equal(f.purge(20, minutes(8)), []store.JournalLoss{
			{Tenant: f.tenant, Endpoint: e, From: minutes(4), To: minutes(19)},
		})
		f.equal(f.position(e), int64(30))
		for _, r := range must[[]store.Replay](f)(f.store.RunningReplays(f.t.Context(), f.tenant, e)) {
			f.equal(r.Position, int64(20))
		}
	},
	"what an active endpoint is owed never expires": func(f *fixture) {
		e, epoch := f.served(1)
		f.history(30)
		f.moved(e, epoch, 5)
		f.equal(f.purge(20, minutes(99999)), []store.JournalLoss(nil))
		f.equal(f.floor(), int64(5))
	},
	"old attempts are removed, but for those that a restart has to know of": func(f *fixture) {
		e, epoch := f.served(1)
		s := store.Settlement{Tenant: f.tenant, Endpoint: e, Cursor: "cur_" + e, Epoch: epoch, Position: 600}
		for i := range 1200 {
			a := anAttempt(f.tenant, e, int64(i+1), 0)
			if a.At = minutes(i); i%2 == 0 {
				a.Delivered, a.Status, a.Class = true, 200, ""
			}
			s.Attempts = append(s.Attempts, a)
		}
		f.settle(s)
		for after, first := int64(0), true; first || after > 0; first = false {
			f.update(func(tx *store.Tx) (err error) {
				after, err = tx.PurgeAttempts(f.t.Context(), after, minutes(1100))
				return err
			})
		}
		left := must[[]store.Attempt](f)(f.store.Attempts(f.t.Context(), f.tenant, e, 1<<62, 2000))
		f.equal(len(left), 100+250)
		f.equal(len(must[[]store.Place](f)(f.store.Settled(f.t.Context(), f.tenant, store.Cursor{ID: "cur_" + e, Position: 600}))), 300)
	},
}
