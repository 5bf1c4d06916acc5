package storetest

import (
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/store"
)

var listenerTests = map[string]func(*fixture){
	"somebody listens until their time is over, or they leave": func(f *fixture) {
		ctx := f.t.Context()
		const ada = access.Owner("token/ada")
		listens := func(tenant int64, want bool) {
			f.t.Helper()
			f.equal(must[bool](f)(f.store.Listens(ctx, tenant, ada)), want)
		}
		set := func(lasts time.Duration) {
			f.t.Helper()
			f.update(func(tx *store.Tx) error { return tx.SetListener(ctx, f.tenant, ada, lasts) })
		}
		listens(f.tenant, false)
		set(-time.Second)
		listens(f.tenant, false)
		set(time.Minute)
		listens(f.tenant, true)
		listens(f.other, false)
		f.update(func(tx *store.Tx) error { _, err := tx.PurgeListeners(ctx); return err })
		listens(f.tenant, true)
		f.noError(f.store.DropListener(ctx, f.tenant, ada))
		listens(f.tenant, false)
	},
}
