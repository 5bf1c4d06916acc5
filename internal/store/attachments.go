package store

import (
	"context"
	"time"

	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
)

var commentColumns = columns[cases.Comment]{
	textColumn("id", func(c *cases.Comment) *string { return &c.ID }),
	intColumn("case_id", func(c *cases.Comment) *int64 { return &c.CaseID }),
	textColumn("text", func(c *cases.Comment) *string { return &c.Text }),
	textColumn("due", func(c *cases.Comment) *string { return &c.Due }),
	jsonColumn("actor", func(c *cases.Comment) *event.Actor { return &c.By }),
	timeColumn("at", func(c *cases.Comment) *time.Time { return &c.At }),
}

var attachmentColumns = columns[cases.Attachment]{
	textColumn("id", func(a *cases.Attachment) *string { return &a.ID }),
	intColumn("case_id", func(a *cases.Attachment) *int64 { return &a.CaseID }),
	textColumn("key", func(a *cases.Attachment) *string { return &a.Key }),
	textColumn("filename", func(a *cases.Attachment) *string { return &a.Filename }),
	textColumn("media_type", func(a *cases.Attachment) *string { return &a.MediaType }),
	textColumn("blob", func(a *cases.Attachment) *string { return &a.Blob }),
	intColumn("size", func(a *cases.Attachment) *int64 { return &a.Size }),
	textColumn("sha256", func(a *cases.Attachment) *string { return &a.SHA256 }),
	intColumn("version", func(a *cases.Attachment) *int64 { return &a.Version }),
	jsonColumn("actor", func(a *cases.Attachment) *event.Actor { return &a.By }),
	timeColumn("at", func(a *cases.Attachment) *time.Time { return &a.At }),
	textColumn("clearance", func(a *cases.Attachment) *casetype.Classification { return &a.Clearance }),
}

var (
	commentInsert = define(`insert into comments (tenant, ` + commentColumns.names() + `)
		values ($1, ` + commentColumns.parameters(2) + `)`)
	commentList = define(`select ` + commentColumns.names() + ` from comments
		where tenant = $1 and case_id = $2 and id > $3
		order by id limit $4`)
	commentsDrop = define(`delete from comments where tenant = $1 and case_id = $2`)

	attachmentInsert = define(`insert into attachments (tenant, sort, ` + attachmentColumns.names() + `)
		values ($1, $2, ` + attachmentColumns.parameters(3) + `)`)
	attachmentList = define(`select ` + attachmentColumns.names() + ` from attachments
		where tenant = $1 and case_id = $2 and sort = $3 and id > $4
			and ($6 >= 2 or clearance = 'PUBLIC')
			and ($6 >= 3 or clearance <> 'RESTRICTED')
		order by id limit $5`)
	attachmentGet = define(`select ` + attachmentColumns.names() + ` from attachments
		where tenant = $1 and case_id = $2 and sort = $3 and id = $4`)
	attachmentDrop  = define(`delete from attachments where tenant = $1 and case_id = $2 and sort = $3 and id = $4`)
	attachmentBlobs = define(`select blob from attachments where tenant = $1 and case_id = $2`)
	attachmentsDrop = define(`delete from attachments where tenant = $1 and case_id = $2`)
	blobUsed        = define(`select (select count(*) from attachments where blob = $1)
		+ (select count(*) from field_documents where blob = $1)`)
)

// AddComment saves a comment.
func (tx *Tx) AddComment(ctx context.Context, tenant int64, c cases.Comment) error {
	if err := tx.LockCase(ctx, tenant, c.CaseID); err != nil {
		return err
	}
	if _, err := commentColumns.exec(ctx, tx.q, commentInsert, &c, tenant); err != nil {
		return err
	}
	return tx.saveAround(ctx, tenant, c.CaseID)
}

// Comments lists a case's comments after one of them, oldest first.
func (r reader) Comments(
	ctx context.Context, tenant, caseID int64, after string, limit int,
) (Page[cases.Comment], error) {
	rows, err := r.q.query(ctx, commentList, tenant, caseID, after, limit+1)
	return collectPage(rows, err, limit, sized(commentColumns, func(c *cases.Comment) (cases.Comment, int, error) {
		return *c, len(c.Text), nil
	}))
}

// AddAttachment saves the row of a document or a proof.
func (tx *Tx) AddAttachment(ctx context.Context, tenant int64, sort cases.AttachmentKind, a cases.Attachment) error {
	if err := tx.requirePlace(ctx); err != nil {
		return err
	}
	if err := tx.LockCase(ctx, tenant, a.CaseID); err != nil {
		return err
	}
	if _, err := attachmentColumns.exec(ctx, tx.q, attachmentInsert, &a, tenant, string(sort)); err != nil {
		return err
	}
	return tx.saveAround(ctx, tenant, a.CaseID)
}

// AttachmentFilter selects the documents or the proofs of a case.
type AttachmentFilter struct {
	CaseID    int64
	Kind      cases.AttachmentKind
	Clearance casetype.Classification // attachments above it are left out
	After     string                  // the id of the last one of the page before
	Limit     int
}

// Attachments lists attachments, oldest first.
func (r reader) Attachments(ctx context.Context, tenant int64, f AttachmentFilter) ([]cases.Attachment, error) {
	rows, err := r.q.query(ctx, attachmentList, tenant, f.CaseID, string(f.Kind), f.After, f.Limit,
		f.Clearance.Level())
	return collect(rows, err, attachmentColumns.scan())
}

// Attachment finds a document or a proof of a case.
func (r reader) Attachment(
	ctx context.Context, tenant, caseID int64, sort cases.AttachmentKind, id string,
) (cases.Attachment, error) {
	rows, err := r.q.query(ctx, attachmentGet, tenant, caseID, string(sort), id)
	return one(rows, err, attachmentColumns.scan(), attachmentMissing(sort, id))
}

// CaseBlobs lists the contents that a case's attachments refer to.
func (r reader) CaseBlobs(ctx context.Context, tenant, caseID int64) ([]string, error) {
	rows, err := r.q.query(ctx, attachmentBlobs, tenant, caseID)
	return collect(rows, err, scanValue[string])
}

// BlobUsed reports whether an attachment, or a document of a field, refers to the contents.
func (r reader) BlobUsed(ctx context.Context, blob string) (bool, error) {
	rows, err := r.q.query(ctx, blobUsed, blob)
	n, err := one(rows, err, scanValue[int64], unanswered("store.blob"))
	return n > 0, err
}

// DeleteAttachment removes the row of a document or a proof. The caller deletes the contents after the commit.
func (tx *Tx) DeleteAttachment(ctx context.Context, tenant, caseID int64, sort cases.AttachmentKind, id string) error {
	if err := tx.LockCase(ctx, tenant, caseID); err != nil {
		return err
	}
	n, err := tx.q.exec(ctx, attachmentDrop, tenant, caseID, string(sort), id)
	if err == nil && n == 0 {
		err = attachmentMissing(sort, id)()
	}
	if err != nil {
		return err
	}
	return tx.saveAround(ctx, tenant, caseID)
}

func attachmentMissing(sort cases.AttachmentKind, id string) func() error {
	return notFound(string(sort)+".not_found", "The case has no %s %q.", sort, id)
}
