package storetest

import (
	"errors"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/store"
)

// takeOwed takes an owed question for a time, and fails the test unless it is one of the version; 0: there is none.
func (f *fixture) takeOwed(by string, long time.Duration, alone bool, version int64) (q store.OwedQuestion) {
	f.t.Helper()
	f.update(func(tx *store.Tx) (err error) {
		q, _, err = tx.TakeOwed(f.t.Context(), by, long, alone)
		return err
	})
	f.equal(q.Version, version)
	return q
}

var owedTests = map[string]func(*fixture){
	"what is owed about a change is written with it, and left to others after its time": func(f *fixture) {
		c := f.aCase(f.tenant, 1)
		owed := store.OwedQuestion{
			Tenant: f.tenant, Case: c.ID, Version: 1, Transition: "open", WebhookID: "msg_1", Takes: 1,
			Cases: store.OwedCases{After: store.OwedCase{Revision: 1, StateSince: start}},
			Actor: event.Actor{Source: event.UI, Name: "Ada", UserID: 1}, Role: access.Caseworker, Further: "clerk officer",
			Clearance: casetype.Private, Context: "e30=", Holder: "one", For: time.Hour,
		}
		change := f.change(c, 0, "k")
		change.Owed = &owed
		f.noError(f.store.Commit(f.t.Context(), change))
		f.takeOwed("two", time.Hour, false, 0) // one has it
		f.takeOwed("one", time.Hour, true, 0)  // and may be asking

		taken := f.takeOwed("two", -time.Second, true, 1) // one is gone
		owed.Takes, owed.Holder, owed.For = 2, "two", 0
		f.equal(taken, owed)
		taken = f.takeOwed("three", time.Hour, false, 1) // the time of two is over
		f.equal(taken.Takes, 3)
		f.takeOwed("four", time.Hour, false, 0)
		f.update(func(tx *store.Tx) error { return tx.Asked(f.t.Context(), taken) })
		f.takeOwed("five", time.Hour, true, 0)
	},
	"nothing is owed about a change that is not saved": func(f *fixture) {
		change := f.change(f.aCase(f.tenant, 1), 1, "k") // there is none
		change.Owed = &store.OwedQuestion{Tenant: f.tenant, Case: 1, Version: 2, Transition: "open", Holder: "one"}
		f.unsaved(change, store.ErrCaseMoved)
		f.takeOwed("two", 0, true, 0)
	},
	"a version of a case is found in its history": func(f *fixture) {
		c := f.aCase(f.tenant, 1)
		f.noError(f.store.Commit(f.t.Context(), f.change(c, 0, "")))
		f.sequence()
		entry := must[*event.Entry](f)(f.store.VersionEntry(f.t.Context(), f.tenant, event.CaseSubject(c.ID), c.Version))
		f.equal(entry.Snapshot.Case.ID, c.ID)
		_, err := f.store.VersionEntry(f.t.Context(), f.other, event.CaseSubject(c.ID), c.Version)
		f.equal(errors.Is(err, store.ErrVersionGone), true)
	},
}
