package store

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
)

var (
	commentInsert = define(`insert into comments (id, tenant, case_id, text, actor, at) values ($1, $2, $3, $4, $5, $6)`)
	commentList   = define(`select id, case_id, text, actor, at from comments
		where tenant = $1 and case_id = $2 and id > $3 order by id limit $4`)
	commentsDrop = define(`delete from comments where tenant = $1 and case_id = $2`)

	attachmentInsert = define(`insert into attachments
		(id, tenant, case_id, sort, key, filename, media_type, blob, size, sha256, version, actor, at, clearance)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`)
	attachmentList = define(`select id, case_id, key, filename, media_type, blob, size, sha256, version, actor, at, clearance from attachments
		where tenant = $1 and case_id = $2 and sort = $3 and id > $4
		and ($6 >= 2 or clearance = 'PUBLIC') and ($6 >= 3 or clearance <> 'RESTRICTED') order by id limit $5`)
	attachmentGet = define(`select id, case_id, key, filename, media_type, blob, size, sha256, version, actor, at, clearance from attachments
		where tenant = $1 and case_id = $2 and sort = $3 and id = $4`)
	attachmentDrop  = define(`delete from attachments where tenant = $1 and case_id = $2 and sort = $3 and id = $4`)
	attachmentBlobs = define(`select blob from attachments where tenant = $1 and case_id = $2`)
	attachmentsDrop = define(`delete from attachments where tenant = $1 and case_id = $2`)
	blobUsed        = define(`select count(*) from attachments where blob = $1`)
)

// AddComment saves a comment.
func (tx *Tx) AddComment(ctx context.Context, tenant int64, c cases.Comment) error {
	by, err := json.Marshal(c.By)
	if err != nil {
		return err
	}
	_, err = tx.q.exec(ctx, commentInsert, c.ID, tenant, c.CaseID, c.Text, string(by), micros(c.At))
	return err
}

// Comments lists a case's comments after one of them, oldest first.
func (r reader) Comments(ctx context.Context, tenant, caseID int64, after string, limit int) (Page[cases.Comment], error) {
	rows, err := r.q.query(ctx, commentList, tenant, caseID, after, limit+1)
	return collectPage(rows, err, limit, func(rows *sql.Rows) (c cases.Comment, size int, err error) {
		var by []byte
		var at int64
		if err := rows.Scan(&c.ID, &c.CaseID, &c.Text, &by, &at); err != nil {
			return c, 0, err
		}
		c.At = fromMicros(at)
		return c, rowBytes + len(c.Text), json.Unmarshal(by, &c.By)
	})
}

// AddAttachment saves the row of a document or a proof.
func (tx *Tx) AddAttachment(ctx context.Context, tenant int64, sort cases.Sort, a cases.Attachment) error {
	by, err := json.Marshal(a.By)
	if err != nil {
		return err
	}
	_, err = tx.q.exec(ctx, attachmentInsert, a.ID, tenant, a.CaseID, string(sort), a.Key, a.Filename, a.MediaType,
		a.Blob, a.Size, a.SHA256, a.Version, string(by), micros(a.At), string(a.Clearance))
	return err
}

// Attachments lists those of a case's documents or proofs that the clearance
// sees, after one of them, oldest first.
func (r reader) Attachments(ctx context.Context, tenant, caseID int64, sort cases.Sort, clearance casetype.Classification, after string, limit int) ([]cases.Attachment, error) {
	rows, err := r.q.query(ctx, attachmentList, tenant, caseID, string(sort), after, limit, clearance.Level())
	return collect(rows, err, scanAttachment)
}

// Attachment finds a document or a proof of a case.
func (r reader) Attachment(ctx context.Context, tenant, caseID int64, sort cases.Sort, id string) (cases.Attachment, error) {
	rows, err := r.q.query(ctx, attachmentGet, tenant, caseID, string(sort), id)
	return one(rows, err, scanAttachment, attachmentMissing(sort, id))
}

// CaseBlobs lists the contents that a case's attachments refer to.
func (r reader) CaseBlobs(ctx context.Context, tenant, caseID int64) ([]string, error) {
	rows, err := r.q.query(ctx, attachmentBlobs, tenant, caseID)
	return collect(rows, err, scanValue[string])
}

// BlobUsed reports whether an attachment refers to the contents.
func (r reader) BlobUsed(ctx context.Context, blob string) (bool, error) {
	rows, err := r.q.query(ctx, blobUsed, blob)
	n, err := one(rows, err, scanValue[int64], notFound("store.blob", "No count."))
	return n > 0, err
}

// DeleteAttachment removes the row of a document or a proof; its contents are
// the caller's to delete once this is committed.
func (tx *Tx) DeleteAttachment(ctx context.Context, tenant, caseID int64, sort cases.Sort, id string) error {
	n, err := tx.q.exec(ctx, attachmentDrop, tenant, caseID, string(sort), id)
	if err == nil && n == 0 {
		err = attachmentMissing(sort, id)()
	}
	return err
}

func attachmentMissing(sort cases.Sort, id string) func() error {
	return notFound(string(sort)+".not_found", "The case has no %s %q.", sort, id)
}

func scanAttachment(rows *sql.Rows) (a cases.Attachment, err error) {
	var by []byte
	var at int64
	err = rows.Scan(&a.ID, &a.CaseID, &a.Key, &a.Filename, &a.MediaType, &a.Blob, &a.Size, &a.SHA256, &a.Version, &by, &at, &a.Clearance)
	if err != nil {
		return a, err
	}
	a.At = fromMicros(at)
	return a, json.Unmarshal(by, &a.By)
}
