package storetest

import (
	"fmt"

	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

func aComment(caseID int64, n int) cases.Comment {
	return cases.Comment{ID: fmt.Sprintf("com_%d_%02d", caseID, n), CaseID: caseID, Text: fmt.Sprint("comment ", n), Due: "2026-03-14",
		By: event.Actor{Source: event.UI, Name: "Ada", UserID: 7, Address: "::1"}, At: start}
}

func anAttachment(caseID int64, n int) cases.Attachment {
	return cases.Attachment{ID: fmt.Sprintf("att_%d_%02d", caseID, n),
		CaseID:    caseID,
		Key:       "passport",
		Filename:  "pässport.pdf",
		MediaType: "application/pdf",
		Blob:      fmt.Sprintf("blob_%d_%02d", caseID, n),
		Clearance: casetype.Public,
		Size:      1 << 40,
		SHA256:    "00ff",
		Version:   3,
		By:        event.Actor{Source: event.API, Name: "robot", TokenID: "tok_1"},
		At:        start}
}

var attachmentTests = map[string]func(*fixture){
	"comments are listed oldest first, page by page, for their case and tenant": func(f *fixture) {
		var want []cases.Comment
		for n := range 5 {
			c := aComment(1, n)
			if n < len(strange) {
				c.Text = strange[n]
			}
			want = append(want, c)
		}
		f.update(func(tx *store.Tx) error {
			for _, c := range append(want, aComment(2, 1)) {
				if err := tx.AddComment(f.t.Context(), f.tenant, c); err != nil {
					return err
				}
			}
			return nil
		})
		list := func(tenant int64, after string) []cases.Comment {
			return items[cases.Comment](f)(f.store.Comments(f.t.Context(), tenant, 1, after, 3))
		}
		f.equal(list(f.tenant, ""), want[:3])
		f.equal(list(f.tenant, want[2].ID), want[3:])
		f.equal(list(f.other, ""), []cases.Comment(nil))
	},
	"attachments above a clearance are not listed": func(f *fixture) {
		var want []cases.Attachment
		for i, class := range casetype.Classifications() {
			a := anAttachment(1, i)
			a.Clearance = class
			f.update(func(tx *store.Tx) error { return tx.AddAttachment(f.t.Context(), f.tenant, cases.Document, a) })
			want = append(want, a)
			for j, clearance := range casetype.Classifications() {
				got := must[[]cases.Attachment](f)(f.store.Attachments(f.t.Context(), f.tenant, store.AttachmentFilter{
					CaseID: 1, Kind: cases.Document, Clearance: clearance, Limit: 9,
				}))
				f.equal(got, want[:min(i, j)+1])
			}
		}
	},
	"documents and proofs are listed, found and deleted apart from each other": func(f *fixture) {
		document, proof, second := anAttachment(1, 1), anAttachment(1, 2), anAttachment(1, 3)
		f.update(func(tx *store.Tx) error {
			if err := tx.AddAttachment(f.t.Context(), f.tenant, cases.Document, document); err != nil {
				return err
			}
			if err := tx.AddAttachment(f.t.Context(), f.tenant, cases.Proof, proof); err != nil {
				return err
			}
			return tx.AddAttachment(f.t.Context(), f.tenant, cases.Proof, second)
		})
		list := func(tenant int64, sort cases.AttachmentKind, after string, limit int) []cases.Attachment {
			return must[[]cases.Attachment](f)(f.store.Attachments(f.t.Context(), tenant, store.AttachmentFilter{
				CaseID: 1, Kind: sort, Clearance: casetype.Restricted, After: after, Limit: limit,
			}))
		}
		f.equal(list(f.tenant, cases.Document, "", 9), []cases.Attachment{document})
		f.equal(list(f.tenant, cases.Proof, "", 1), []cases.Attachment{proof})
		f.equal(list(f.tenant, cases.Proof, proof.ID, 9), []cases.Attachment{second})
		f.equal(list(f.other, cases.Proof, "", 9), []cases.Attachment(nil))
		f.equal(must[cases.Attachment](f)(f.store.Attachment(f.t.Context(), f.tenant, 1, cases.Proof, proof.ID)), proof)
		for _, wrong := range []struct {
			tenant, id int64
			sort       cases.AttachmentKind
		}{{f.tenant, 1, cases.Document}, {f.other, 1, cases.Proof}, {f.tenant, 2, cases.Proof}} {
			_, err := f.store.Attachment(f.t.Context(), wrong.tenant, wrong.id, wrong.sort, proof.ID)
			f.wantFault(err, fault.NotFound, string(wrong.sort)+".not_found")
			f.refused(fault.NotFound, string(wrong.sort)+".not_found", func(tx *store.Tx) error {
				return tx.DeleteAttachment(f.t.Context(), wrong.tenant, wrong.id, wrong.sort, proof.ID)
			})
		}
		f.update(func(tx *store.Tx) error {
			return tx.DeleteAttachment(f.t.Context(), f.tenant, 1, cases.Proof, proof.ID)
		})
		f.equal(list(f.tenant, cases.Proof, "", 9), []cases.Attachment{second})
	},
	"contents are known to be used as long as an attachment refers to them": func(f *fixture) {
		a := anAttachment(1, 1)
		f.update(func(tx *store.Tx) error { return tx.AddAttachment(f.t.Context(), f.tenant, cases.Proof, a) })
		f.equal(must[bool](f)(f.store.BlobUsed(f.t.Context(), a.Blob)), true)
		f.equal(must[bool](f)(f.store.BlobUsed(f.t.Context(), "blob_none")), false)
		f.equal(must[[]string](f)(f.store.CaseBlobs(f.t.Context(), f.tenant, 1)), []string{a.Blob})
		f.equal(must[[]string](f)(f.store.CaseBlobs(f.t.Context(), f.other, 1)), []string(nil))
		f.update(func(tx *store.Tx) error { return tx.DeleteAttachment(f.t.Context(), f.tenant, 1, cases.Proof, a.ID) })
		f.equal(must[bool](f)(f.store.BlobUsed(f.t.Context(), a.Blob)), false)
	},
}
