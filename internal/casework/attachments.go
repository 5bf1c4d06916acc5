package casework

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/blob"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/document"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/input"
	"github.com/casehook/casehook/internal/store"
)

// Files are the documents and proofs of cases. It is safe for concurrent use.
type Files struct {
	store     *store.Store
	guard     *authz.Guard
	now       func() time.Time
	blobs     blob.Store
	maxUpload int64           // bytes of one proof
	fonts     *document.Fonts // of documents
	core      *core
	contents  *contents
	cases     *Cases
	documents *FieldDocuments
}

func newFiles(c Config, core *core, contents *contents, cases *Cases, documents *FieldDocuments) *Files {
	return &Files{
		store:     c.Store,
		guard:     c.Guard,
		now:       c.Guard.Now,
		blobs:     c.Blobs,
		maxUpload: c.MaxUpload,
		fonts:     c.Fonts,
		core:      core,
		contents:  contents,
		cases:     cases,
		documents: documents,
	}
}

// attachmentOperations are the operations on each sort of attachments.
var attachmentOperations = map[cases.AttachmentKind]struct{ list, download, add, remove access.Operation }{
	cases.Document: {access.ListDocuments, access.DownloadDocument, access.GenerateDocument, access.DeleteDocument},
	cases.Proof:    {access.ListProofs, access.DownloadProof, access.UploadProof, access.DeleteProof},
}

// Attachments lists a case's documents or proofs after one of them, oldest first.
// The filter's clearance is that of the caller.
func (s *Files) Attachments(
	ctx context.Context, p access.Principal, f store.AttachmentFilter,
) ([]cases.Attachment, error) {
	p, err := s.guard.PermitCase(ctx, p, attachmentOperations[f.Kind].list, f.CaseID)
	if err != nil {
		return nil, err
	}
	if err := input.CheckAfter(f.After); err != nil {
		return nil, err
	}
	if _, _, err := s.core.find(ctx, s.store, p, f.CaseID); err != nil {
		return nil, err
	}
	f.Clearance, f.Limit = p.Clearance, input.Page(f.Limit)
	return s.store.Attachments(ctx, p.Tenant, f)
}

// OpenAttachment returns a document or a proof with its contents, which the caller
// closes.
func (s *Files) OpenAttachment(
	ctx context.Context, p access.Principal, caseID int64, sort cases.AttachmentKind, attachment string,
) (cases.Attachment, io.ReadCloser, error) {
	p, err := s.guard.PermitCase(ctx, p, attachmentOperations[sort].download, caseID)
	if err != nil {
		return cases.Attachment{}, nil, err
	}
	if !input.Word(attachment) {
		return cases.Attachment{}, nil, attachmentMissing(sort)
	}
	if _, _, err := s.core.find(ctx, s.store, p, caseID); err != nil {
		return cases.Attachment{}, nil, err
	}
	a, err := findAttachment(ctx, s.store, p, attachmentRef{caseID, sort, attachment})
	if err != nil {
		return cases.Attachment{}, nil, err
	}
	contents, _, err := s.blobs.Open(ctx, a.Blob)
	if errors.Is(err, fault.NotFound) {
		// The attachment was deleted just now, or its contents are lost.
		if _, gone := s.store.Attachment(ctx, p.Tenant, caseID, sort, attachment); gone != nil {
			return cases.Attachment{}, nil, gone
		}
		err = fault.Wrap(err, fault.Internal, "blob.lost",
			"The contents of the file %s are missing. Restore them from your backup.", a.ID)
	}
	return a, contents, err
}

// DeleteAttachment removes a document or a proof.
func (s *Files) DeleteAttachment(
	ctx context.Context, p access.Principal, caseID int64, sort cases.AttachmentKind, attachment string,
) error {
	p, err := s.guard.PermitCase(ctx, p, attachmentOperations[sort].remove, caseID)
	if err != nil {
		return err
	}
	return s.deleteAttachments(ctx, p, caseID, sort, []string{attachment})
}

// DeleteDocuments removes documents in one commit: all of them, or none.
func (s *Files) DeleteDocuments(ctx context.Context, p access.Principal, caseID int64, ids []string) error {
	p, err := s.guard.PermitCase(ctx, p, access.DeleteDocuments, caseID)
	if err != nil {
		return err
	}
	for i, id := range ids {
		if slices.Index(ids, id) < i {
			wrong := fault.New(fault.Invalid, "document.ids_invalid",
				"The request names a document twice. Name each document once.")
			wrong.Fields = []fault.Field{{Path: "query.id", Message: "names a document twice"}}
			return wrong
		}
	}
	return s.deleteAttachments(ctx, p, caseID, cases.Document, ids)
}

func (s *Files) deleteAttachments(
	ctx context.Context, p access.Principal, caseID int64, sort cases.AttachmentKind, ids []string,
) error {
	if slices.ContainsFunc(ids, func(id string) bool { return !input.Word(id) }) {
		return attachmentMissing(sort)
	}
	var gone []cases.Attachment
	m := authz.NewMandate(p, attachmentOperations[sort].remove)
	err := s.guard.Update(ctx, m, func(tx *store.Tx) error {
		gone = nil
		return s.core.touch(ctx, tx, m, caseID, func(cases.Case) (event.Fact, error) {
			for _, id := range ids {
				a, err := findAttachment(ctx, tx, p, attachmentRef{caseID, sort, id})
				if err != nil {
					return event.Fact{}, err
				}
				if err := tx.DeleteAttachment(ctx, p.Tenant, caseID, sort, id); err != nil {
					return event.Fact{}, err
				}
				gone = append(gone, a)
			}
			return deleted(sort, gone), nil
		})
	})
	if err == nil {
		s.contents.discard(ctx, blobsOf(gone)...)
	}
	return err
}

// addition has files of one case whose contents are stored.
type addition struct {
	sort   cases.AttachmentKind
	files  []cases.Attachment     // attach fills in their versions
	answer func() any             // the stored answer of the request, once files are complete
	check  func(cases.Case) error // is asked inside the transaction
}

// attach saves the rows of files, and discards their contents if the rows can't be
// saved. It is called within once.
func (s *Files) attach(ctx context.Context, p access.Principal, add addition, once authz.Once) error {
	complete := false // only the commit is left
	m := authz.NewMandate(p, attachmentOperations[add.sort].add)
	err := s.guard.Update(ctx, m, func(tx *store.Tx) error {
		err := s.core.touch(ctx, tx, m, add.files[0].CaseID, func(c cases.Case) (event.Fact, error) {
			if err := add.check(c); err != nil {
				return event.Fact{}, err
			}
			for i := range add.files {
				add.files[i].Version = c.Version
				if err := tx.AddAttachment(ctx, p.Tenant, add.sort, add.files[i]); err != nil {
					return event.Fact{}, err
				}
			}
			return added(add.sort, add.files), nil
		})
		if err == nil {
			err = s.guard.Keep(ctx, tx, p, once, add.answer())
		}
		complete = err == nil
		return err
	})
	if err != nil && !complete { // otherwise the commit may have happened; Clean removes leftovers later
		s.contents.discard(ctx, blobsOf(add.files)...)
	}
	return err
}

func blobsOf(files []cases.Attachment) []string {
	blobs := make([]string, len(files))
	for i, a := range files {
		blobs[i] = a.Blob
	}
	return blobs
}

func added(sort cases.AttachmentKind, files []cases.Attachment) event.Fact {
	if sort == cases.Document {
		return documents(event.CaseDocumentsGenerated, files)
	}
	return event.CaseProofsUploaded.New(proofs(files))
}

func deleted(sort cases.AttachmentKind, files []cases.Attachment) event.Fact {
	if sort == cases.Document {
		return documents(event.CaseDocumentsDeleted, files)
	}
	return event.CaseProofsDeleted.New(proofs(files))
}

func proofs(files []cases.Attachment) (p event.Proofs) {
	for _, a := range files {
		p.Keys, p.IDs = append(p.Keys, a.Key), append(p.IDs, a.ID)
	}
	return p
}

// documents returns a fact about documents, with their classifications.
func documents(kind event.Kind[event.Documents], files []cases.Attachment) event.Fact {
	var d event.Documents
	highest := casetype.Public
	for _, a := range files {
		d.Keys, d.IDs, d.Classes = append(d.Keys, a.Key), append(d.IDs, a.ID), append(d.Classes, string(a.Clearance))
		highest = casetype.Higher(highest, a.Clearance)
	}
	if !slices.ContainsFunc(files, func(a cases.Attachment) bool { return a.Clearance != highest }) {
		d.Classes = nil
	}
	fact := kind.New(d)
	if highest != casetype.Public {
		fact.Class = string(highest)
	}
	return fact
}

// attachmentReader reads attachments; a store.Store does, and so does a store.Tx.
type attachmentReader interface {
	Attachment(
		ctx context.Context, tenant, caseID int64, sort cases.AttachmentKind, id string,
	) (cases.Attachment, error)
}

// attachmentRef names an attachment.
type attachmentRef struct {
	caseID int64
	kind   cases.AttachmentKind
	id     string
}

// findAttachment returns an attachment of a case that the caller sees. An attachment above
// their clearance is not found.
func findAttachment(
	ctx context.Context, r attachmentReader, p access.Principal, ref attachmentRef,
) (cases.Attachment, error) {
	a, err := r.Attachment(ctx, p.Tenant, ref.caseID, ref.kind, ref.id)
	if err == nil && !p.Clearance.Sees(a.Clearance) {
		return cases.Attachment{}, attachmentNotFound(ref.kind, ref.id)
	}
	return a, err
}

func attachmentNotFound(kind cases.AttachmentKind, id string) error {
	return fault.New(fault.NotFound, string(kind)+".not_found", "The case has no %s %q.", kind, id)
}

func attachmentMissing(sort cases.AttachmentKind) error {
	return fault.New(fault.NotFound, string(sort)+".not_found", "The case has no %s with this id.", sort)
}
