package storetest

import (
	"time"

	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// history appends one entry a minute. Every second one is another tenant's, and the times of the last two are swapped.
func (f *fixture) history(n int) {
	f.t.Helper()
	for i := range n {
		tenant, minute := f.tenant, i
		if i%2 == 1 {
			tenant = f.other
		}
		if i >= n-2 {
			minute = 2*n - 3 - i
		}
		e := anEntry(tenant, int64(i), 1)
		e.At = start.Add(time.Duration(minute) * time.Minute)
		f.appendEntry(e)
	}
	f.sequence()
}

var positionTests = map[string]func(*fixture){
	"a time is a position": func(f *fixture) {
		f.equal(must[int64](f)(f.store.Before(f.t.Context(), start)), int64(0))
		f.history(10) // the entries 9 and 10 are of the minutes 9 and 8
		for minute, want := range map[float64]int64{-5: 0, 0: 0, 0.5: 1, 3: 3, 7: 7, 7.5: 8, 8: 8, 8.5: 8, 9: 8, 9.5: 10, 99: 10} {
			at := start.Add(time.Duration(minute * float64(time.Minute)))
			if got := must[int64](f)(f.store.Before(f.t.Context(), at)); got != want {
				f.t.Errorf("minute %v is after position %d, want %d", minute, got, want)
			}
		}
	},
	"the floor is where the journal begins": func(f *fixture) {
		floor := func() (int64, time.Time) {
			f.t.Helper()
			position, oldest, err := f.store.Floor(f.t.Context())
			if err != nil {
				f.t.Fatal(err)
			}
			return position, oldest
		}
		position, oldest := floor()
		f.equal([]any{position, oldest}, []any{int64(0), time.Time{}})
		f.history(5)
		position, oldest = floor()
		f.equal([]any{position, oldest}, []any{int64(0), start})
	},
	"a new endpoint may begin elsewhere than at the head": func(f *fixture) {
		f.history(10)
		e := anEndpoint(f.tenant, 1)
		f.create(e)
		f.equal(f.position(e.ID), int64(10))
		f.update(func(tx *store.Tx) error { return tx.StartAt(f.t.Context(), f.tenant, e.ID, 4) })
		f.equal(f.position(e.ID), int64(4))
		err := f.store.Update(f.t.Context(), func(tx *store.Tx) error { return tx.StartAt(f.t.Context(), f.other, e.ID, 2) })
		f.wantFault(err, fault.NotFound, "endpoint.not_found")
		f.equal(f.position(e.ID), int64(4))
	},
	"the lag counts the tenant's own": func(f *fixture) {
		e, epoch := f.served(1)
		lag := func() store.Lag { f.t.Helper(); return must[store.Lag](f)(f.store.Lag(f.t.Context(), f.tenant, e)) }
		f.equal(lag(), store.Lag{})
		f.history(10)
		f.equal(lag(), store.Lag{Stretch: store.Stretch{Entries: 5, Oldest: start}})
		f.settle(store.Settlement{Tenant: f.tenant, Endpoint: e, Cursor: "cur_" + e, Epoch: epoch, Position: 7,
			Park: []store.ParkedMessage{aParked("case/2", 3)}, Dead: []store.DeadMessage{aDead(5, 1)}})
		f.equal(lag(), store.Lag{Stretch: store.Stretch{Entries: 1, Oldest: start.Add(2 * time.Minute)}, Parked: 1, Dead: 1})
		f.settle(store.Settlement{Tenant: f.tenant, Endpoint: e, Cursor: "cur_" + e, Epoch: epoch, Position: 10, Unpark: []string{"case/2"}})
		f.equal(lag(), store.Lag{Dead: 1})
		_, err := f.store.Lag(f.t.Context(), f.other, e)
		f.wantFault(err, fault.NotFound, "endpoint.not_found")
	},
	"a great lag is estimated": func(f *fixture) {
		e, _ := f.served(1)
		f.update(func(tx *store.Tx) error {
			for i := range 1500 {
				entry := event.Entry{Tenant: f.other, Subject: "case/1", Version: int64(i), At: start}
				if i%3 == 0 {
					entry.Tenant = f.tenant
				}
				if _, err := tx.Append(f.t.Context(), entry); err != nil {
					return err
				}
			}
			return nil
		})
		f.sequence()
		f.equal(must[store.Lag](f)(f.store.Lag(f.t.Context(), f.tenant, e)), store.Lag{Stretch: store.Stretch{Entries: 501, Estimated: true, Oldest: start}})
	},
}
