package cases

import (
	"time"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
)

// Comment is a remark on a case. Comments are never changed.
type Comment struct {
	ID     string
	CaseID int64
	Text   string
	Due    string // the date on which it is due, as 2026-03-14; empty: it has none
	By     event.Actor
	At     time.Time
}

// Attachment is a file on a case: a document that Casehook generated from the case, or a proof that a person or a
// program uploaded.
type Attachment struct {
	ID        string
	CaseID    int64
	Key       string // of the document or proof in the case type
	Filename  string
	MediaType string
	Blob      string                  // where the contents are kept
	Size      int64                   // bytes
	SHA256    string                  // of the contents, in hexadecimal
	Version   int64                   // the case's version that it was added with
	Clearance casetype.Classification // that it needs: of a document by its fields, of a proof by its case
	By        event.Actor
	At        time.Time
}

// AttachmentKind tells documents from proofs.
type AttachmentKind string

// The kinds of attachments.
const (
	Document AttachmentKind = "document"
	Proof    AttachmentKind = "proof"
)

// FieldDocument is a file that was uploaded as the value of a field of type document. Cases name it by its URL.
type FieldDocument struct {
	ID           string
	Owner        string // the user or the token that may use it until a case names it
	Filename     string
	MediaType    string
	Blob         string // where the contents are kept; empty: it is not uploaded yet
	Size         int64  // bytes
	SHA256       string // of the contents, in hexadecimal
	By           event.Actor
	At           time.Time
	UnnamedSince time.Time // zero: a case names it
}
