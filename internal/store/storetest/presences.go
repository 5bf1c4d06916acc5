package storetest

import (
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/store"
)

var presenceTests = map[string]func(*fixture){
	"who is at a case is seen until they leave": func(f *fixture) {
		ctx := f.t.Context()
		ada := store.Presence{Owner: "user/1", Person: event.Person{UserID: 1, Name: "Ada"}, Since: start}
		bot := store.Presence{Owner: "token/a", Person: event.Person{Name: "Bot"}, Editing: true, Since: start}
		for _, p := range []store.Presence{ada, bot} {
			f.update(func(tx *store.Tx) error { return tx.SetPresence(ctx, f.tenant, 7, p) })
		}
		f.equal(must[[]store.Presence](f)(f.store.Presences(ctx, f.tenant, 7)), []store.Presence{bot, ada})
		f.equal(must[[]store.Presence](f)(f.store.Presences(ctx, f.other, 7)), []store.Presence(nil))
		later := ada
		later.Since, later.Editing = start.AddDate(0, 0, 1), true
		f.update(func(tx *store.Tx) error { return tx.SetPresence(ctx, f.tenant, 7, later) })
		f.update(func(tx *store.Tx) error { return tx.DeletePresence(ctx, f.tenant, 7, "token/a") })
		ada.Editing = true // and has been there since before
		f.equal(must[[]store.Presence](f)(f.store.Presences(ctx, f.tenant, 7)), []store.Presence{ada})
		f.update(func(tx *store.Tx) error { _, err := tx.PurgePresences(ctx); return err })
		f.equal(len(must[[]store.Presence](f)(f.store.Presences(ctx, f.tenant, 7))), 1)
	},
}
