package storetest

import (
	"fmt"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

var viewTests = map[string]func(*fixture){
	"a view is its owner's, or shared with the tenant": func(f *fixture) {
		ctx := f.t.Context()
		own := access.View{ID: "view_1", Owner: "user/1", Name: "Mine & <Ünïcödé>", Page: "/cases", Query: "a=b", CreatedAt: start}
		shared := access.View{ID: "view_2", Owner: "user/2", Name: "All", Page: "/cases", Shared: true, CreatedAt: start}
		others := access.View{ID: "view_3", Owner: "user/2", Name: "Theirs", Page: "/cases", CreatedAt: start}
		for _, v := range []access.View{own, shared, others} {
			f.update(func(tx *store.Tx) error { return tx.CreateView(ctx, f.tenant, v) })
		}
		f.equal(must[[]access.View](f)(f.store.Views(ctx, f.tenant, "user/1")), []access.View{own, shared})
		f.equal(len(must[[]access.View](f)(f.store.Views(ctx, f.other, "user/1"))), 0)
		f.equal(must[access.View](f)(f.store.View(ctx, f.tenant, "view_2", "user/1")), shared)
		for _, do := range []func(tx *store.Tx) error{
			func(tx *store.Tx) error { _, err := tx.View(ctx, f.tenant, "view_3", "user/1"); return err },
			func(tx *store.Tx) error { _, err := tx.View(ctx, f.other, "view_1", "user/1"); return err },
			func(tx *store.Tx) error { return tx.DeleteView(ctx, f.other, "view_1") },
		} {
			f.refused(fault.NotFound, "view.not_found", do)
		}
		f.update(func(tx *store.Tx) error { return tx.DeleteView(ctx, f.tenant, "view_1") })
		f.equal(must[[]access.View](f)(f.store.Views(ctx, f.tenant, "user/1")), []access.View{shared})
	},
	"an owner has 100 views at most": func(f *fixture) {
		ctx := f.t.Context()
		view := func(n int) access.View {
			return access.View{ID: fmt.Sprintf("view_%03d", n), Owner: "user/1", Name: "One", Page: "/cases", CreatedAt: start}
		}
		f.update(func(tx *store.Tx) error {
			for n := range 100 {
				if err := tx.CreateView(ctx, f.tenant, view(n)); err != nil {
					return err
				}
			}
			return nil
		})
		f.refused(fault.Conflict, "view.too_many", func(tx *store.Tx) error { return tx.CreateView(ctx, f.tenant, view(100)) })
	},
}
