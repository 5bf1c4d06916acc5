package storetest

import (
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

var attachmentPlaceTests = map[string]func(*fixture){
	"the place of attachments is claimed once, and moves by one command at a time": func(f *fixture) {
		ctx := f.t.Context()
		_, err := f.store.AttachmentPlace(ctx)
		f.wantFault(err, fault.NotFound, "store.attachment_place")
		at := store.AttachmentPlace{Place: "disk"}
		f.equal(must[store.AttachmentPlace](f)(f.store.ClaimAttachmentPlace(ctx, "disk")), at)
		f.equal(must[store.AttachmentPlace](f)(f.store.ClaimAttachmentPlace(ctx, "database")), at)

		moving := store.AttachmentPlace{Place: "disk", Target: "database"}
		f.noError(f.store.MoveAttachmentPlace(ctx, at, moving))
		f.wantFault(f.store.MoveAttachmentPlace(ctx, at, moving), fault.Conflict, "attachments.moved")
		moved := store.AttachmentPlace{Place: "database", Former: "disk"}
		f.noError(f.store.MoveAttachmentPlace(ctx, moving, moved))
		f.equal(must[store.AttachmentPlace](f)(f.store.AttachmentPlace(ctx)), moved)
	},
	"rows with contents are saved only where contents are, and while they stay there": func(f *fixture) {
		ctx := f.t.Context()
		at := must[store.AttachmentPlace](f)(f.store.ClaimAttachmentPlace(ctx, "disk"))
		f.store.KeepAttachmentsIn("disk")
		document := aFieldDocument(1)
		document.Blob = ""
		add := func(n int) func(*store.Tx) error {
			return func(tx *store.Tx) error {
				return tx.AddAttachment(ctx, f.tenant, cases.Proof, anAttachment(1, n))
			}
		}
		fill := func(tx *store.Tx) error {
			_, err := tx.FillFieldDocument(ctx, f.tenant, aFieldDocument(1))
			return err
		}
		f.update(add(1))
		f.addDocuments(document)
		for _, next := range []store.AttachmentPlace{{Place: "disk", Target: "database"}, {Place: "database"}} {
			f.noError(f.store.MoveAttachmentPlace(ctx, at, next))
			at = next
			f.refused(fault.Unavailable, "attachments.moving", add(2))
			f.refused(fault.Unavailable, "attachments.moving", fill)
		}
		f.noError(f.store.MoveAttachmentPlace(ctx, at, store.AttachmentPlace{Place: "disk", Former: "database"}))
		f.update(add(2))
		f.update(fill)
	},
	"contents are listed and counted over all tenants, page by page": func(f *fixture) {
		ctx := f.t.Context()
		one, two, document := anAttachment(1, 1), anAttachment(2, 2), aFieldDocument(1)
		one.Size, two.Size = 3, 4
		document.Blob, document.Size, document.SHA256 = "blob_3", 5, "ff"
		absent := aFieldDocument(2)
		absent.Blob, absent.Size, absent.SHA256 = "", 0, "" // it is not uploaded yet
		f.update(func(tx *store.Tx) error {
			if err := tx.AddAttachment(ctx, f.tenant, cases.Proof, one); err != nil {
				return err
			}
			if err := tx.AddAttachment(ctx, f.other, cases.Document, two); err != nil {
				return err
			}
			if err := tx.AddFieldDocument(ctx, f.tenant, absent); err != nil {
				return err
			}
			return tx.AddFieldDocument(ctx, f.tenant, document)
		})
		want := []store.Content{{Blob: one.Blob, Size: 3, SHA256: "00ff"}, {Blob: two.Blob, Size: 4, SHA256: "00ff"},
			{Blob: "blob_3", Size: 5, SHA256: "ff"}}
		f.equal(must[[]store.Content](f)(f.store.Contents(ctx, "", 2)), want[:2])
		f.equal(must[[]store.Content](f)(f.store.Contents(ctx, two.Blob, 2)), want[2:])
		count, bytes, err := f.store.CountContents(ctx)
		f.noError(err)
		f.equal([]int64{count, bytes}, []int64{3, 12})
	},
	"live nodes are counted where there may be several": func(f *fixture) {
		ctx := f.t.Context()
		f.equal(must[int64](f)(f.store.LiveNodes(ctx)), int64(0))
		f.update(func(tx *store.Tx) error { _, err := tx.Claim(ctx, "node_1", store.MaxLease); return err })
		want := int64(0)
		if f.store.Nodes() {
			want = 1
		}
		f.equal(must[int64](f)(f.store.LiveNodes(ctx)), want)
	},
}
