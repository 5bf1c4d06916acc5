package storetest

import (
	"time"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// failing is a change to the next version of an endpoint's health.
func failing(base int64, reason string) store.HealthChange {
	return store.HealthChange{Base: base, Health: endpoint.Health{
		Version: base + 1, Since: start, Counted: start.Add(time.Second), Reason: reason, Notable: true,
		Breaker: endpoint.Unconnected,
	}}
}

// saying adds a fact to a change of health.
func saying(tenant int64, id string, c store.HealthChange, fact event.Kind[event.NoDetails]) store.HealthChange {
	c.Reported = true
	c.Entry = &event.Entry{
		Tenant:   tenant,
		Subject:  event.EndpointSubject(id),
		Version:  c.Version,
		At:       start,
		Actor:    event.Actor{Source: event.System},
		Facts:    []event.Fact{fact.New(event.NoDetails{})},
		Snapshot: event.Snapshot{Endpoint: &event.Endpoint{ID: id, Since: c.Since, Reason: c.Reason}},
	}
	return c
}

// fares settles changes of an endpoint's health.
func (f *fixture) fares(id string, epoch int64, changes ...store.HealthChange) {
	f.t.Helper()
	f.settle(store.Settlement{Tenant: f.tenant, Endpoint: id, Cursor: "cur_" + id, Epoch: epoch, Health: changes})
}

func (f *fixture) endpoint(id string) endpoint.Endpoint {
	f.t.Helper()
	return must[endpoint.Endpoint](f)(f.store.Endpoint(f.t.Context(), f.tenant, id))
}

// factsAbout lists the facts about an endpoint, newest first.
func (f *fixture) factsAbout(id string) (facts []string) {
	f.t.Helper()
	for _, e := range items[*event.Entry](f)(f.store.History(f.t.Context(), f.tenant, event.EndpointSubject(id),
		1<<62, 99)) {
		facts = append(facts, e.Facts[0].Name)
	}
	return facts
}

var healthTests = map[string]func(*fixture){
	"health is saved with its facts, once": func(f *fixture) {
		id, epoch := f.served(1)
		f.equal(f.endpoint(id).Health, endpoint.Health{})
		first, second := failing(0, "503"), saying(f.tenant, id, failing(1, "504"), event.EndpointFailing)
		for range 2 { // the second time as if the first had been reported lost
			f.fares(id, epoch, first, second)
			f.equal(f.endpoint(id).Health, second.Health)
			f.equal(f.factsAbout(id), []string{"endpoint.failing"})
		}
		f.equal(f.endpoint(id).Revision, int64(1)) // health is not a setting
		back := saying(f.tenant, id, store.HealthChange{Base: 2, Health: endpoint.Health{Version: 3}}, event.EndpointRecovered)
		back.Reported = false
		f.fares(id, epoch, back)
		f.equal(f.endpoint(id).Health, endpoint.Health{Version: 3})
		f.equal(f.factsAbout(id), []string{"endpoint.recovered", "endpoint.failing"})
	},
	"health of another version is not written over": func(f *fixture) {
		id, epoch := f.served(1)
		f.fares(id, epoch, failing(0, "503"))
		f.fares(id, epoch, saying(f.tenant, id, failing(0, "late"), event.EndpointFailing), saying(f.tenant, id, failing(4, "early"), event.EndpointFailing))
		f.equal(f.endpoint(id).Health, failing(0, "503").Health)
		f.equal(f.factsAbout(id), []string(nil))
	},
	"who has lost the lease says nothing of an endpoint's health": func(f *fixture) {
		id, epoch := f.served(1)
		f.fares(id, epoch+1, saying(f.tenant, id, failing(0, "503"), event.EndpointFailing))
		f.equal(f.endpoint(id).Health, endpoint.Health{})
		f.equal(f.factsAbout(id), []string(nil))
	},
	"one batch has the health of many endpoints, each at several cursors": func(f *fixture) {
		one, epoch := f.served(1)
		two, _ := f.served(2)
		f.settle(
			store.Settlement{Tenant: f.tenant, Endpoint: one, Cursor: "cur_" + one, Epoch: epoch, Health: []store.HealthChange{saying(f.tenant, one, failing(1, "b"), event.EndpointFailing)}},
			store.Settlement{Tenant: f.tenant, Endpoint: two, Cursor: "cur_" + two, Epoch: epoch, Health: []store.HealthChange{failing(0, "c")}},
			store.Settlement{Tenant: f.tenant, Endpoint: one, Cursor: "cur_replay", Epoch: epoch, Health: []store.HealthChange{failing(0, "a")}},
		)
		f.equal([]string{f.endpoint(one).Health.Reason, f.endpoint(two).Health.Reason}, []string{"b", "c"})
		f.equal(f.factsAbout(one), []string{"endpoint.failing"})
	},
	"disabling stops an active endpoint once, and not one that was changed": func(f *fixture) {
		id, epoch := f.served(1)
		end := saying(f.tenant, id, failing(0, "410 Gone"), event.EndpointDisabled)
		end.Disable, end.Revision = true, 2
		f.fares(id, epoch, end)
		f.equal(f.endpoint(id).Status, endpoint.Active)
		f.equal(f.endpoint(id).Health, endpoint.Health{})
		f.equal(f.factsAbout(id), []string(nil))
		end.Revision = 1
		changed := f.store.EndpointsChanged()
		for range 2 {
			f.fares(id, epoch, end)
			got := f.endpoint(id)
			f.equal([]any{got.Status, got.Revision, got.Health}, []any{endpoint.Disabled, int64(2), end.Health})
			f.equal(f.factsAbout(id), []string{"endpoint.disabled"})
		}
		select {
		case <-changed:
		default:
			f.t.Error("nobody is woken by it")
		}
		f.equal(f.position(id), int64(0)) // the cursor stays
	},
	"a paused endpoint is not disabled": func(f *fixture) {
		id, epoch := f.served(1)
		e := f.endpoint(id)
		e.Status = endpoint.Paused
		f.update(func(tx *store.Tx) error { _, err := tx.UpdateEndpoint(f.t.Context(), e); return err })
		end := saying(f.tenant, id, failing(0, "410 Gone"), event.EndpointDisabled)
		end.Disable, end.Revision = true, 2
		f.fares(id, epoch, end)
		f.equal(f.endpoint(id).Status, endpoint.Paused)
		f.equal(f.factsAbout(id), []string(nil))
	},
	"who does something about a failing endpoint gives it its time again": func(f *fixture) {
		id, epoch := f.served(1)
		recount := func(tenant int64) {
			f.update(func(tx *store.Tx) error { return tx.Recount(f.t.Context(), tenant, id) })
		}
		recount(f.tenant) // nothing to do
		f.fares(id, epoch, failing(0, "503"))
		recount(f.other)
		f.equal(f.endpoint(id).Health, failing(0, "503").Health)
		recount(f.tenant)
		want := failing(0, "503").Health
		want.Version, want.Counted, want.Notable, want.Breaker = 2, time.Time{}, false, endpoint.Closed
		f.equal(f.endpoint(id).Health, want)
		f.fares(id, epoch, failing(1, "of before")) // late changes of a worker are ignored
		f.equal(f.endpoint(id).Health, want)
	},
	"the last contact is looked up": func(f *fixture) {
		id, epoch := f.served(1)
		f.equal(must[store.LastContact](f)(f.store.LastContact(f.t.Context(), f.tenant, id)), store.LastContact{})
		failed, early, late := anAttempt(f.tenant, id, 3, 0), anAttempt(f.tenant, id, 1, 0), anAttempt(f.tenant, id, 2, 0)
		early.Delivered, early.At = true, start.Add(2*time.Minute) // a retry: delivered after its successors
		late.Delivered, late.At = true, start.Add(time.Minute)
		failed.At = start.Add(3 * time.Minute)
		f.settle(store.Settlement{Tenant: f.tenant, Endpoint: id, Cursor: "cur_" + id, Epoch: epoch, Attempts: []store.Attempt{late, early, failed}})
		f.equal(must[store.LastContact](f)(f.store.LastContact(f.t.Context(), f.tenant, id)), store.LastContact{Attempt: failed.At, Delivered: early.At})
		_, err := f.store.LastContact(f.t.Context(), f.other, id)
		f.wantFault(err, fault.NotFound, "endpoint.not_found")
	},
}
