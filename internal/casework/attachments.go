package casework

import (
	"context"
	"encoding/hex"
	"errors"
	"io"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/store"
)

// Attachments lists a case's documents or proofs after one of them, oldest first.
func (s *Service) Attachments(ctx context.Context, p access.Principal, caseID int64, sort cases.Sort, after string, limit int) ([]cases.Attachment, error) {
	if err := s.permitCase(ctx, p, access.Operation("list-"+sort+"s"), caseID); err != nil {
		return nil, err
	}
	if err := checkAfter(after); err != nil {
		return nil, err
	}
	if _, _, err := s.find(ctx, s.store, p, caseID); err != nil {
		return nil, err
	}
	return s.store.Attachments(ctx, p.Tenant, caseID, sort, p.Clearance, after, page(limit))
}

// OpenAttachment returns a document or a proof with its contents, which the caller
// closes.
func (s *Service) OpenAttachment(ctx context.Context, p access.Principal, caseID int64, sort cases.Sort, attachment string) (cases.Attachment, io.ReadCloser, error) {
	if err := s.permitCase(ctx, p, access.Operation("download-"+sort), caseID); err != nil {
		return cases.Attachment{}, nil, err
	}
	if !word(attachment) {
		return cases.Attachment{}, nil, attachmentMissing(sort)
	}
	if _, _, err := s.find(ctx, s.store, p, caseID); err != nil {
		return cases.Attachment{}, nil, err
	}
	a, err := findAttachment(ctx, s.store, p, caseID, sort, attachment)
	if err != nil {
		return cases.Attachment{}, nil, err
	}
	contents, _, err := s.blobs.Open(ctx, a.Blob)
	if errors.Is(err, fault.NotFound) {
		// It is deleted just now, or its contents are lost.
		if _, gone := s.store.Attachment(ctx, p.Tenant, caseID, sort, attachment); gone != nil {
			return cases.Attachment{}, nil, gone
		}
		err = fault.Wrap(err, fault.Internal, "blob.lost", "The contents of %s are missing. Restore them from your backup.", a.ID)
	}
	return a, contents, err
}

// DeleteAttachment removes a document or a proof.
func (s *Service) DeleteAttachment(ctx context.Context, p access.Principal, caseID int64, sort cases.Sort, attachment string) error {
	if err := s.permitCase(ctx, p, access.Operation("delete-"+sort), caseID); err != nil {
		return err
	}
	if !word(attachment) {
		return attachmentMissing(sort)
	}
	var gone cases.Attachment
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		return s.touch(ctx, tx, p, caseID, func(cases.Case) (fact event.Fact, err error) {
			if gone, err = findAttachment(ctx, tx, p, caseID, sort, attachment); err != nil {
				return fact, err
			}
			return deleted(sort, gone), tx.DeleteAttachment(ctx, p.Tenant, caseID, sort, attachment)
		})
	})
	if err == nil {
		s.discard(ctx, gone.Blob)
	}
	return err
}

// attach saves the row of an attachment whose contents are kept already, and
// discards those if the row can't be. It is called within once. Check is asked
// inside the transaction.
func (s *Service) attach(ctx context.Context, p access.Principal, sort cases.Sort, a cases.Attachment, once Once, check func(cases.Case) error) (cases.Attachment, error) {
	complete := false // all that is left is the commit
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		err := s.touch(ctx, tx, p, a.CaseID, func(c cases.Case) (event.Fact, error) {
			if err := check(c); err != nil {
				return event.Fact{}, err
			}
			a.Version = c.Version
			return added(sort, a), tx.AddAttachment(ctx, p.Tenant, sort, a)
		})
		if err == nil {
			err = s.keep(ctx, tx, p, once, a)
		}
		complete = err == nil
		return err
	})
	if err == nil {
		return a, nil
	}
	if !complete { // else the commit may have happened, whatever it said; Clean looks later
		s.discard(ctx, a.Blob)
	}
	return cases.Attachment{}, err
}

// keepContents stores an attachment's contents and notes what they are.
func (s *Service) keepContents(ctx context.Context, a *cases.Attachment, contents io.Reader, limit int64) error {
	a.Blob = id.New("blob")
	info, err := s.blobs.Put(ctx, a.Blob, contents, limit)
	a.Size, a.SHA256 = info.Size, hex.EncodeToString(info.SHA256[:])
	return err
}

// discard deletes contents that nothing refers to any more, if it can: what it
// leaves, Clean finds. The caller's going away does not stop it.
func (s *Service) discard(ctx context.Context, blob string) {
	if err := s.blobs.Delete(context.WithoutCancel(ctx), blob); err != nil {
		s.Log.WarnContext(ctx, "contents left behind", "blob", blob, "code", fault.As(err).Code)
	}
}

func added(sort cases.Sort, a cases.Attachment) event.Fact {
	if sort == cases.Document {
		return marked(event.CaseDocumentsGenerated.New(event.Documents{Keys: []string{a.Key}, IDs: []string{a.ID}}), a)
	}
	return event.CaseProofsUploaded.New(event.Proofs{Keys: []string{a.Key}, IDs: []string{a.ID}})
}

func deleted(sort cases.Sort, a cases.Attachment) event.Fact {
	if sort == cases.Document {
		return marked(event.CaseDocumentsDeleted.New(event.Documents{Keys: []string{a.Key}, IDs: []string{a.ID}}), a)
	}
	return event.CaseProofsDeleted.New(event.Proofs{Keys: []string{a.Key}, IDs: []string{a.ID}})
}

// marked says in the journal who sees the attachment.
func marked(f event.Fact, a cases.Attachment) event.Fact {
	if a.Clearance != casetype.Public {
		f.Class = string(a.Clearance)
	}
	return f
}

// attachmentReader reads attachments; a store.Store does, and so does a store.Tx.
type attachmentReader interface {
	Attachment(ctx context.Context, tenant, caseID int64, sort cases.Sort, id string) (cases.Attachment, error)
}

// findAttachment returns an attachment of a case that the caller sees. One above
// their clearance is not there.
func findAttachment(ctx context.Context, r attachmentReader, p access.Principal, caseID int64, sort cases.Sort, id string) (cases.Attachment, error) {
	a, err := r.Attachment(ctx, p.Tenant, caseID, sort, id)
	if err == nil && !p.Clearance.Sees(a.Clearance) {
		a, err = cases.Attachment{}, fault.New(fault.NotFound, string(sort)+".not_found", "The case has no %s %q.", sort, id)
	}
	return a, err
}

func attachmentMissing(sort cases.Sort) error {
	return fault.New(fault.NotFound, string(sort)+".not_found", "The case has no such %s.", sort)
}
