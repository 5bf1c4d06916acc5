package storetest

import (
	"errors"
	"fmt"
	"time"

	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// aFieldDocument is a document that was uploaded, and that no case names.
func aFieldDocument(n int) cases.FieldDocument {
	return cases.FieldDocument{
		ID: fmt.Sprintf("fdoc_%02d", n), Owner: "token/tok_1", Filename: "pässport.pdf", MediaType: "application/pdf",
		Blob: fmt.Sprintf("blob_field_%02d", n), Size: 1 << 40, SHA256: "00ff",
		By: event.Actor{Source: event.API, Name: "robot", TokenID: "tok_1"},
		At: start, UnnamedSince: start.Add(time.Duration(n) * time.Hour),
	}
}

// addDocuments adds documents to the fixture's tenant.
func (f *fixture) addDocuments(all ...cases.FieldDocument) {
	f.t.Helper()
	f.update(func(tx *store.Tx) error {
		for _, d := range all {
			if err := tx.AddFieldDocument(f.t.Context(), f.tenant, d); err != nil {
				return err
			}
		}
		return nil
	})
}

// documentGone reports whether a document is gone.
func (f *fixture) documentGone(id string) bool {
	_, err := f.store.FieldDocument(f.t.Context(), f.tenant, id)
	return errors.Is(err, fault.NotFound)
}

// purged removes the documents that were unnamed since before a time, and returns their contents.
func (f *fixture) purged(before time.Time) (blobs []string) {
	f.t.Helper()
	f.update(func(tx *store.Tx) (err error) {
		var more bool
		blobs, more, err = tx.PurgeDocuments(f.t.Context(), before)
		f.equal(more, false)
		return err
	})
	return blobs
}

var fieldDocumentTests = map[string]func(*fixture){
	"a document of a field is uploaded once, and found in its tenant alone": func(f *fixture) {
		want, ctx := aFieldDocument(1), f.t.Context()
		empty := want
		empty.MediaType, empty.Blob, empty.Size, empty.SHA256 = "", "", 0, ""
		f.addDocuments(empty)
		f.equal(must[cases.FieldDocument](f)(f.store.FieldDocument(ctx, f.tenant, want.ID)), empty)
		for i, of := range []int64{f.other, f.tenant, f.tenant} {
			d := want
			if i == 2 {
				d.Blob = "blob_again"
			}
			f.update(func(tx *store.Tx) error {
				filled, err := tx.FillFieldDocument(ctx, of, d)
				f.equal(filled, i == 1)
				return err
			})
		}
		f.equal(must[cases.FieldDocument](f)(f.store.FieldDocument(ctx, f.tenant, want.ID)), want)
		_, err := f.store.FieldDocument(ctx, f.other, want.ID)
		f.wantFault(err, fault.NotFound, "field_document.not_found")
		f.equal(must[bool](f)(f.store.BlobUsed(ctx, want.Blob)), true)
		f.equal(must[bool](f)(f.store.BlobUsed(ctx, "blob_again")), false)
	},
	"the documents that no case names are counted by their owner": func(f *fixture) {
		ctx := f.t.Context()
		count := func(tenant int64, owner string, count, bytes int64) {
			f.t.Helper()
			n, size, err := f.store.UnnamedDocuments(ctx, tenant, owner)
			f.equal([]any{n, size, err}, []any{count, bytes, nil})
		}
		f.addDocuments(aFieldDocument(1), aFieldDocument(2), aFieldDocument(3))
		c := f.aCase(f.tenant, 1)
		f.insert(c)
		f.update(func(tx *store.Tx) error {
			if err := tx.NameDocuments(ctx, f.tenant, c.ID, []string{"fdoc_01"}); err != nil {
				return err
			}
			for _, id := range []string{"fdoc_01", "fdoc_02"} { // the first is a case's already
				if err := tx.OfferFieldDocument(ctx, f.tenant, id, "user/7"); err != nil {
					return err
				}
			}
			return tx.OfferFieldDocument(ctx, f.other, "fdoc_03", "user/7")
		})
		count(f.tenant, "token/tok_1", 1, 1<<40)
		count(f.tenant, "user/7", 1, 1<<40)
		count(f.other, "token/tok_1", 0, 0)
		f.equal(must[cases.FieldDocument](f)(f.store.FieldDocument(ctx, f.tenant, "fdoc_01")).Owner, "token/tok_1")
	},
	"a commit names documents, or nothing of it is saved": func(f *fixture) {
		ctx, waiting := f.t.Context(), aFieldDocument(3)
		waiting.Blob = ""
		f.addDocuments(aFieldDocument(1), aFieldDocument(2), waiting)
		for i, wrong := range []string{"fdoc_03", "fdoc_04"} {
			c := f.change(f.aCase(f.tenant, int64(10+i)), 0, "")
			c.Documents = []string{"fdoc_01", wrong}
			f.unsaved(c, store.ErrDocumentGone)
		}
		f.equal(must[[]int64](f)(f.store.DocumentCases(ctx, f.tenant, "fdoc_01")), []int64(nil))
		one, two := f.aCase(f.tenant, 1), f.aCase(f.tenant, 2)
		for _, c := range []cases.Case{one, two} {
			change := f.change(c, 0, "")
			change.Documents = []string{"fdoc_01"}
			if err := f.store.Commit(ctx, change); err != nil {
				f.t.Fatal(err)
			}
		}
		f.equal(must[[]int64](f)(f.store.DocumentCases(ctx, f.tenant, "fdoc_01")), []int64{one.ID, two.ID})
		f.equal(must[[]int64](f)(f.store.DocumentCases(ctx, f.other, "fdoc_01")), []int64(nil))
		d := must[cases.FieldDocument](f)(f.store.FieldDocument(ctx, f.tenant, "fdoc_01"))
		f.equal(d.UnnamedSince.IsZero(), true)
	},
	"documents that no case names are removed after a while": func(f *fixture) {
		ctx, waiting := f.t.Context(), aFieldDocument(2)
		waiting.Blob = ""
		f.addDocuments(aFieldDocument(1), waiting, aFieldDocument(3), aFieldDocument(4))
		f.update(func(tx *store.Tx) error { return tx.NameDocuments(ctx, f.tenant, 1, []string{"fdoc_01"}) })
		f.equal(f.purged(start.Add(4*time.Hour)), []string{"blob_field_03"})
		f.equal(f.purged(start.Add(4*time.Hour)), []string(nil))
		for n, gone := range []bool{false, true, true, false} {
			f.equal(f.documentGone(fmt.Sprintf("fdoc_%02d", n+1)), gone)
		}
	},
	"a document goes with the last case that names it": func(f *fixture) {
		ctx := f.t.Context()
		f.addDocuments(aFieldDocument(1), aFieldDocument(2), aFieldDocument(3))
		f.update(func(tx *store.Tx) error {
			if err := tx.NameDocuments(ctx, f.tenant, 1, []string{"fdoc_01", "fdoc_02", "fdoc_01"}); err != nil {
				return err
			}
			return tx.NameDocuments(ctx, f.tenant, 2, []string{"fdoc_01"})
		})
		drop := func(tenant, id int64, want ...string) {
			f.t.Helper()
			f.update(func(tx *store.Tx) error {
				blobs, err := tx.DropCaseDocuments(ctx, tenant, id)
				f.equal(blobs, want)
				return err
			})
		}
		drop(f.other, 1)
		drop(f.tenant, 1, "blob_field_02")
		f.equal(must[[]int64](f)(f.store.DocumentCases(ctx, f.tenant, "fdoc_01")), []int64{2})
		drop(f.tenant, 1)
		drop(f.tenant, 2, "blob_field_01")
		for n, gone := range []bool{true, true, false} {
			f.equal(f.documentGone(fmt.Sprintf("fdoc_%02d", n+1)), gone)
		}
	},
}
