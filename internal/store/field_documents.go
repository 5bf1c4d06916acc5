package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
)

var fieldDocumentColumns = columns[cases.FieldDocument]{
	textColumn("id", func(d *cases.FieldDocument) *string { return &d.ID }),
	textColumn("owner", func(d *cases.FieldDocument) *string { return &d.Owner }),
	textColumn("filename", func(d *cases.FieldDocument) *string { return &d.Filename }),
	textColumn("media_type", func(d *cases.FieldDocument) *string { return &d.MediaType }),
	textColumn("blob", func(d *cases.FieldDocument) *string { return &d.Blob }),
	intColumn("size", func(d *cases.FieldDocument) *int64 { return &d.Size }),
	textColumn("sha256", func(d *cases.FieldDocument) *string { return &d.SHA256 }),
	jsonColumn("actor", func(d *cases.FieldDocument) *event.Actor { return &d.By }),
	timeColumn("at", func(d *cases.FieldDocument) *time.Time { return &d.At }),
	timeColumn("unnamed_since", func(d *cases.FieldDocument) *time.Time { return &d.UnnamedSince }),
}

var (
	fieldDocumentInsert = define(`insert into field_documents (tenant, ` + fieldDocumentColumns.names() + `)
		values ($1, ` + fieldDocumentColumns.parameters(2) + `)`)
	fieldDocumentGet = define(`select ` + fieldDocumentColumns.names() + ` from field_documents
		where tenant = $1 and id = $2`)
	fieldDocumentFill = define(`update field_documents set media_type = $3, blob = $4, size = $5, sha256 = $6
		where tenant = $1 and id = $2 and blob = ''`)
	fieldDocumentOffer = define(`update field_documents set owner = $3
		where tenant = $1 and id = $2 and unnamed_since > 0`)
	fieldDocumentsUnnamed = define(`select count(*), cast(coalesce(sum(size), 0) as bigint) from field_documents
		where tenant = $1 and owner = $2 and unnamed_since > 0`)
	fieldDocumentsPurge = define(`delete from field_documents where unnamed_since > 0 and id in (
			select id from field_documents where unnamed_since > 0 and unnamed_since < $1
			order by unnamed_since limit $2)
		returning blob`)

	fieldDocumentName = define(`update field_documents set unnamed_since = 0
		where tenant = $1 and id = $2 and blob <> ''`)
	fieldDocumentUse = define(`insert into field_document_cases (tenant, document, case_id) values ($1, $2, $3)
		on conflict do nothing`)
	fieldDocumentCases = define(`select case_id from field_document_cases
		where tenant = $1 and document = $2 order by case_id limit $3`)

	// Another case that names a document while a case with it is deleted waits for its row, or is seen.
	fieldDocumentsLock = define(`update field_documents set size = size
		where tenant = $1 and id in (select document from field_document_cases where tenant = $1 and case_id = $2)`)
	fieldDocumentsDrop = define(`delete from field_documents
		where tenant = $1 and id in (select document from field_document_cases where tenant = $1 and case_id = $2)
			and not exists (select 1 from field_document_cases other
				where other.tenant = $1 and other.document = field_documents.id and other.case_id <> $2)
		returning blob`)
	fieldDocumentUsesDrop = define(`delete from field_document_cases where tenant = $1 and case_id = $2`)
)

// ErrDocumentGone means that a document which a change names was removed.
var ErrDocumentGone = fault.New(fault.Conflict, "field_document.gone",
	"A document that the case names was removed meanwhile; nothing was saved. Upload it again.")

// AddFieldDocument saves the row of a document that is to be uploaded.
func (tx *Tx) AddFieldDocument(ctx context.Context, tenant int64, d cases.FieldDocument) error {
	_, err := fieldDocumentColumns.exec(ctx, tx.q, fieldDocumentInsert, &d, tenant)
	return err
}

// FieldDocument finds a document.
func (r reader) FieldDocument(ctx context.Context, tenant int64, id string) (cases.FieldDocument, error) {
	rows, err := r.q.query(ctx, fieldDocumentGet, tenant, id)
	return one(rows, err, fieldDocumentColumns.scan(),
		notFound("field_document.not_found", "There is no document %q.", id))
}

// FillFieldDocument saves what was uploaded. It reports false if that was done before, or the document is gone.
func (tx *Tx) FillFieldDocument(ctx context.Context, tenant int64, d cases.FieldDocument) (bool, error) {
	if err := tx.requirePlace(ctx); err != nil {
		return false, err
	}
	n, err := tx.q.exec(ctx, fieldDocumentFill, tenant, d.ID, d.MediaType, d.Blob, d.Size, d.SHA256)
	return n > 0, err
}

// OfferFieldDocument makes a document that no case names another's.
func (tx *Tx) OfferFieldDocument(ctx context.Context, tenant int64, id, owner string) error {
	_, err := tx.q.exec(ctx, fieldDocumentOffer, tenant, id, owner)
	return err
}

// UnnamedDocuments counts an owner's documents that no case names, and their bytes.
func (r reader) UnnamedDocuments(ctx context.Context, tenant int64, owner string) (count, bytes int64, err error) {
	rows, err := r.q.query(ctx, fieldDocumentsUnnamed, tenant, owner)
	sums, err := one(rows, err, func(rows *sql.Rows) (s [2]int64, err error) {
		err = rows.Scan(&s[0], &s[1])
		return s, err
	}, unanswered("store.field_documents"))
	return sums[0], sums[1], err
}

// MostDocumentCases bounds the cases that name one document.
const MostDocumentCases = 100

// DocumentCases lists the cases that name, or once named, a document: up to MostDocumentCases.
func (r reader) DocumentCases(ctx context.Context, tenant int64, id string) ([]int64, error) {
	rows, err := r.q.query(ctx, fieldDocumentCases, tenant, id, MostDocumentCases)
	return collect(rows, err, scanValue[int64])
}

// NameDocuments records that a case names documents. It returns ErrDocumentGone if one was removed.
func (tx *Tx) NameDocuments(ctx context.Context, tenant, caseID int64, ids []string) error {
	return carryOut(ctx, tx.q, namesDocuments(tenant, caseID, ids))
}

func namesDocuments(tenant, caseID int64, ids []string) (all []step) {
	for _, id := range ids {
		all = append(all,
			step{statement: fieldDocumentName, args: []any{tenant, id}, missed: ErrDocumentGone},
			step{statement: fieldDocumentUse, args: []any{tenant, id, caseID}})
	}
	return all
}

// DropCaseDocuments removes the documents that a case alone names, and returns their contents, which the caller deletes
// after the commit.
func (tx *Tx) DropCaseDocuments(ctx context.Context, tenant, caseID int64) ([]string, error) {
	if _, err := tx.q.exec(ctx, fieldDocumentsLock, tenant, caseID); err != nil {
		return nil, err
	}
	rows, err := tx.q.query(ctx, fieldDocumentsDrop, tenant, caseID)
	blobs, err := collect(rows, err, scanValue[string])
	if err == nil {
		_, err = tx.q.exec(ctx, fieldDocumentUsesDrop, tenant, caseID)
	}
	return blobs, err
}

// PurgeDocuments removes a portion of the documents that no case has named since before a time, and returns their
// contents; documents that were never uploaded have none.
func (tx *Tx) PurgeDocuments(ctx context.Context, before time.Time) (blobs []string, more bool, err error) {
	rows, err := tx.q.query(ctx, fieldDocumentsPurge, micros(before), purgeBatch)
	all, err := collect(rows, err, scanValue[string])
	for _, blob := range all {
		if blob != "" {
			blobs = append(blobs, blob)
		}
	}
	return blobs, len(all) == purgeBatch, err
}
