package storetest

import (
	"time"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/store"
)

var countTests = map[string]func(*fixture){
	"attempts are counted by endpoint, classification and time": func(f *fixture) {
		all := []store.Settlement{}
		for n, class := range []casetype.Classification{casetype.Public, casetype.Restricted, casetype.Restricted} {
			e := anEndpoint(f.tenant, n+1)
			e.Reached = class
			f.create(e)
			all = append(all, f.tries(e.ID, n+1))
		}
		all[0].Again = true
		all = append(all, f.tries("ep_deleted", 7))
		f.settle(all...)
		f.settle(all[0], f.tries(all[2].Endpoint, 0))
		f.equal(f.counts(all[0].Endpoint, time.Minute), []store.DeliveryCount{counted(0, 1, 1), counted(1, 1, 0)})
		f.equal(f.counts(all[0].Endpoint, time.Hour), []store.DeliveryCount{counted(0, 2, 1)})
		f.equal(f.counts("ep_deleted", time.Hour), []store.DeliveryCount{counted(0, 14, 1)})
		f.equal(f.counts("ep_none", time.Hour), []store.DeliveryCount{})
		f.equal(f.total(f.tenant, casetype.Public), []store.DeliveryCount{counted(0, 1, 1), counted(1, 1, 0)})
		f.equal(f.total(f.tenant, casetype.Restricted), []store.DeliveryCount{
			counted(0, 2+3+7, 4), counted(1, 2+3+7, 0),
		})
		f.equal(f.total(f.tenant, casetype.Public, casetype.Restricted), []store.DeliveryCount{
			counted(0, 1+2+3+7, 5), counted(1, 1+2+3+7, 0),
		})
		f.equal(f.total(f.tenant), []store.DeliveryCount{})
		f.equal(f.total(f.other, casetype.Public, casetype.Restricted), []store.DeliveryCount{})
	},
	"counts are removed in portions": func(f *fixture) {
		const spans = 700 // each of a minute and of an hour, for the endpoint and in total
		s := f.tries("ep_1", 0)
		s.Attempts = nil
		for n := range spans {
			a := anAttempt(f.tenant, "ep_1", int64(n), 0)
			a.At = start.Add(time.Duration(n) * time.Hour)
			s.Attempts = append(s.Attempts, a)
		}
		f.settle(s)
		now, rounds := start.Add(spans*time.Hour), 0
		for more := true; more; rounds++ {
			f.update(func(tx *store.Tx) (err error) {
				more, err = tx.PurgeCounts(f.t.Context(), now)
				return err
			})
		}
		if rounds < 2 {
			f.t.Error("all were removed at once")
		}
		end := now.Add(time.Hour)
		read := func(span time.Duration) []store.DeliveryCount {
			return must[[]store.DeliveryCount](f)(
				f.store.EndpointCounts(f.t.Context(), f.tenant, "ep_1",
					store.CountPeriod{Span: span, Until: end}))
		}
		f.equal(len(read(time.Minute)), 5)
		f.equal(len(read(time.Hour)), spans)
		f.update(func(tx *store.Tx) error {
			_, err := tx.PurgeCounts(f.t.Context(), end.Add(60*24*time.Hour))
			return err
		})
		f.equal(len(read(time.Minute)), 0)
	},
}

// tries returns a settlement of one failure, and of n deliveries both in the same minute and in the next one. Its lease
// is lost.
func (f *fixture) tries(endpoint string, n int) store.Settlement {
	s := store.Settlement{Tenant: f.tenant, Endpoint: endpoint, Cursor: "cur_" + endpoint, Epoch: 99}
	s.Attempts = []store.Attempt{anAttempt(f.tenant, endpoint, 0, 0)}
	for i := range 2 * n {
		a := anAttempt(f.tenant, endpoint, int64(i)+1, 0)
		a.Delivered, a.At = true, start.Add(time.Duration(i%2)*time.Minute)
		s.Attempts = append(s.Attempts, a)
	}
	return s
}

// counted is the count of a minute after start's.
func counted(minute int, delivered, failed int64) store.DeliveryCount {
	return store.DeliveryCount{
		Start:     start.Truncate(time.Hour).Add(time.Duration(minute) * time.Minute),
		Delivered: delivered, Failed: failed, Duration: time.Duration(delivered+failed) * 1500 * time.Microsecond,
	}
}

func (f *fixture) counts(endpoint string, span time.Duration) []store.DeliveryCount {
	f.t.Helper()
	return must[[]store.DeliveryCount](f)(f.store.EndpointCounts(f.t.Context(), f.tenant, endpoint,
		store.CountPeriod{Span: span, Since: start.Truncate(span), Until: start.Add(time.Hour)}))
}

func (f *fixture) total(tenant int64, reached ...casetype.Classification) []store.DeliveryCount {
	f.t.Helper()
	return must[[]store.DeliveryCount](f)(f.store.TotalCounts(f.t.Context(), tenant, reached,
		store.CountPeriod{Span: time.Minute, Since: start.Truncate(time.Minute), Until: start.Add(time.Hour)}))
}
