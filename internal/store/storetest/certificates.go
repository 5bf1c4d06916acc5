package storetest

import (
	"errors"

	"github.com/casehook/casehook/internal/store"
)

var certificateTests = map[string]func(*fixture){
	"certificates are replaced and removed by their names": func(f *fixture) {
		ctx := f.t.Context()
		get := func(name string) string {
			data, found, err := f.store.Certificate(ctx, name)
			f.noError(err)
			if !found {
				return "none"
			}
			return string(data)
		}
		f.equal(get("a.example"), "none")
		f.update(func(tx *store.Tx) error {
			return errors.Join(tx.PutCertificate(ctx, "a.example", []byte("one")),
				tx.PutCertificate(ctx, "b.example", []byte("other")))
		})
		f.update(func(tx *store.Tx) error { return tx.PutCertificate(ctx, "a.example", []byte("two")) })
		f.equal([]string{get("a.example"), get("b.example"), get("c.example")}, []string{"two", "other", "none"})
		f.update(func(tx *store.Tx) error {
			return errors.Join(tx.DeleteCertificate(ctx, "a.example"), tx.DeleteCertificate(ctx, "c.example"))
		})
		f.equal([]string{get("a.example"), get("b.example")}, []string{"none", "other"})
	},
}
