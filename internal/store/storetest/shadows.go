package storetest

import (
	"time"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/store"
)

var shadowTests = map[string]func(*fixture){
	"the last differences of each callback are kept, until their time is over": func(f *fixture) {
		ctx := f.t.Context()
		d := store.ShadowDifference{
			Tenant: f.tenant, At: start, Case: 7, Type: "kyc", OtherType: "loan", Transition: "submit",
			Question: "about_to_submit", Page: "1", Callback: "screening", URL: "https://next.example", URLClass: "PRIVATE",
			WebhookID: "msg_1", ShadowID: "msg_2", Status: 200, Live: "accepted", Verdict: "errors", Failure: "no",
			Duration: time.Second, Class: casetype.Private, CaseClass: casetype.Restricted,
			Changes: store.KeptChanges{More: 1, Changes: []store.KeptChange{{
				Change: event.Change{Path: "errors", Before: []byte(`["No."]`), After: []byte(`null`)},
			}}},
		}
		add := func(d store.ShadowDifference) {
			f.t.Helper()
			f.update(func(tx *store.Tx) error { return tx.AddShadowDifference(ctx, d) })
		}
		list := func(tenant, before int64, limit int) []store.ShadowDifference {
			f.t.Helper()
			return must[[]store.ShadowDifference](f)(
				f.store.ShadowDifferences(ctx, tenant, store.ShadowFilter{
					Type: "kyc", Transition: "submit", Before: before, Limit: limit,
				}))
		}
		add(d)
		got := list(f.tenant, 0, 10)
		d.ID = got[0].ID
		f.equal(got, []store.ShadowDifference{d})
		f.equal(list(f.other, 0, 10), []store.ShadowDifference(nil))
		f.equal(list(f.tenant, d.ID, 10), []store.ShadowDifference(nil))
		other := d
		other.Callback = ""
		add(other)
		for range store.MostShadowDifferences + 5 {
			add(d)
		}
		all := list(f.tenant, 0, 1000)
		f.equal(len(all), store.MostShadowDifferences+1)
		f.equal(len(list(f.tenant, all[0].ID, 3)), 3)
		purge := func(before time.Time) {
			f.update(func(tx *store.Tx) error { _, err := tx.PurgeShadowDifferences(ctx, before); return err })
		}
		purge(start)
		f.equal(len(list(f.tenant, 0, 1000)), store.MostShadowDifferences+1)
		purge(start.Add(time.Second))
		f.equal(list(f.tenant, 0, 10), []store.ShadowDifference(nil))
	},
}
