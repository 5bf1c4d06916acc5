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
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/store"
)

// FieldDocuments are the files that are values of fields of type document. A document is its owner's alone until a case
// names it; then it is there for those who read a field that names it. It is safe for concurrent use.
type FieldDocuments struct {
	store     *store.Store
	guard     *authz.Guard
	now       func() time.Time
	blobs     blob.Store
	maxUpload int64 // bytes of one document
	contents  *contents
	known     *knownDocuments
}

// newFieldDocuments returns the use cases of documents, and lets the core know of these.
func newFieldDocuments(c Config, core *core, contents *contents) *FieldDocuments {
	core.documents = &knownDocuments{store: c.Store, core: core, path: c.Documents}
	return &FieldDocuments{
		store: c.Store, guard: c.Guard, now: c.Guard.Now, blobs: c.Blobs, maxUpload: c.MaxUpload, contents: contents,
		known: core.documents,
	}
}

// The bounds of documents.
const (
	maxUnnamed       = 200 // documents of one owner that no case names
	maxUnnamedOfSize = 16  // their bytes, in uploads of the greatest size
	uploadWithin     = 15 * time.Minute
	downloadWithin   = 5 * time.Minute
	unnamedAge       = 24 * time.Hour // from which documents that no case names are removed
)

// StoredDocument is a document as its owner and its readers see it.
type StoredDocument struct {
	cases.FieldDocument
	URL string // by which cases name it
}

// BinaryURL is the URL of its contents.
func (d StoredDocument) BinaryURL() string { return d.URL + binaryPath }

// binaryPath follows the URL of a document, in that of its contents.
const binaryPath = "/binary"

// UploadGrant is the right to upload the contents of a document: the content of a sealed URL. It ends with the rights
// of who it was made for.
type UploadGrant struct {
	Tenant     int64             `json:"t"`
	Document   string            `json:"d"`
	Expires    time.Time         `json:"e"`
	User       int64             `json:"u,omitempty"`
	Token      string            `json:"k,omitempty"`
	Role       access.Role       `json:"r"`
	Credential access.Credential `json:"c"`
}

// DownloadGrant is the right to read the contents of a document: the content of a sealed URL.
type DownloadGrant struct {
	Tenant   int64     `json:"t"`
	Document string    `json:"d"`
	Expires  time.Time `json:"e"`
}

// Create makes a document whose contents are to be uploaded.
func (s *FieldDocuments) Create(
	ctx context.Context, p access.Principal, name string,
) (StoredDocument, UploadGrant, error) {
	if err := s.guard.Permit(ctx, p, access.UploadProof); err != nil {
		return StoredDocument{}, UploadGrant{}, err
	}
	base, err := s.known.base(ctx, p.Tenant)
	if err != nil {
		return StoredDocument{}, UploadGrant{}, err
	}
	now := s.now()
	d := cases.FieldDocument{
		ID: id.New("fdoc"), Owner: starter(p), Filename: filename(name), By: p.Actor, At: now, UnnamedSince: now,
	}
	err = s.guard.Update(ctx, authz.NewMandate(p, access.UploadProof), func(tx *store.Tx) error {
		if err := tx.AddFieldDocument(ctx, p.Tenant, d); err != nil {
			return err
		}
		return s.bounded(ctx, tx, p.Tenant, d.Owner)
	})
	return StoredDocument{d, base + d.ID}, UploadGrant{
		Tenant: p.Tenant, Document: d.ID, Expires: now.Add(uploadWithin), User: p.Actor.UserID, Token: p.Actor.TokenID,
		Role: p.Role, Credential: p.Credential,
	}, err
}

// bounded checks whether an owner may have all the documents that they have and no case names.
func (s *FieldDocuments) bounded(ctx context.Context, tx *store.Tx, tenant int64, owner string) error {
	count, bytes, err := tx.UnnamedDocuments(ctx, tenant, owner)
	if err == nil && (count > maxUnnamed || bytes > maxUnnamedOfSize*s.maxUpload) {
		err = fault.New(fault.TooMany, "field_document.too_many",
			"You have %d documents with %d bytes that no case names. Name them in cases, or wait: they are removed "+
				"after a day.", count, bytes)
	}
	return err
}

// MaxUpload returns how many bytes one document may have.
func (s *FieldDocuments) MaxUpload() int64 { return s.maxUpload }

// Upload saves the contents of a document, once. A document has the filename that it was made with.
func (s *FieldDocuments) Upload(ctx context.Context, grant UploadGrant, u Upload) (StoredDocument, error) {
	d, err := s.store.FieldDocument(ctx, grant.Tenant, grant.Document)
	if err != nil || !s.now().Before(grant.Expires) {
		return StoredDocument{}, URLInvalid()
	}
	if d.Blob != "" {
		return StoredDocument{}, uploaded()
	}
	var a cases.Attachment
	if err := s.contents.receive(ctx, &a, u, s.maxUpload); err != nil {
		return StoredDocument{}, err
	}
	d.MediaType, d.Blob, d.Size, d.SHA256 = a.MediaType, a.Blob, a.Size, a.SHA256
	complete := false // only the commit is left
	err = s.guard.Update(ctx, grant.mandate(), func(tx *store.Tx) error {
		filled, err := tx.FillFieldDocument(ctx, grant.Tenant, d)
		if err == nil && !filled {
			err = uploaded()
		}
		if err == nil {
			err = s.bounded(ctx, tx, grant.Tenant, d.Owner)
		}
		complete = err == nil
		return err
	})
	if err != nil {
		if !complete { // otherwise the commit may have happened; Clean removes leftovers later
			s.contents.discard(ctx, d.Blob)
		}
		return StoredDocument{}, err
	}
	base, err := s.known.base(ctx, grant.Tenant)
	return StoredDocument{d, base + d.ID}, err
}

// mandate returns the right to upload. The rights of its holder are looked up anew, since it may be long since.
func (g UploadGrant) mandate() *authz.Mandate {
	p := access.Principal{
		Tenant: g.Tenant, Actor: event.Actor{UserID: g.User, TokenID: g.Token}, Role: g.Role,
		Clearance: casetype.Public, Credential: g.Credential,
	}
	p.Credential.Moment = -1
	return authz.NewMandate(p, access.UploadProof)
}

// Document returns a document, and the right to download it.
func (s *FieldDocuments) Document(
	ctx context.Context, p access.Principal, document string,
) (StoredDocument, DownloadGrant, error) {
	if err := s.guard.Permit(ctx, p, access.DownloadProof); err != nil {
		return StoredDocument{}, DownloadGrant{}, err
	}
	d, err := s.known.readable(ctx, p, document)
	if err != nil {
		return StoredDocument{}, DownloadGrant{}, err
	}
	base, err := s.known.base(ctx, p.Tenant)
	return StoredDocument{d, base + d.ID},
		DownloadGrant{Tenant: p.Tenant, Document: d.ID, Expires: s.now().Add(downloadWithin)}, err
}

// Open returns a document with its contents, which the caller closes.
func (s *FieldDocuments) Open(
	ctx context.Context, p access.Principal, document string,
) (cases.FieldDocument, io.ReadCloser, error) {
	if err := s.guard.Permit(ctx, p, access.DownloadProof); err != nil {
		return cases.FieldDocument{}, nil, err
	}
	d, err := s.known.readable(ctx, p, document)
	if err != nil {
		return d, nil, err
	}
	return s.open(ctx, d)
}

// OpenGranted is Open for who has a URL to download.
func (s *FieldDocuments) OpenGranted(
	ctx context.Context, grant DownloadGrant,
) (cases.FieldDocument, io.ReadCloser, error) {
	d, err := s.store.FieldDocument(ctx, grant.Tenant, grant.Document)
	if err != nil || !s.now().Before(grant.Expires) {
		return d, nil, URLInvalid()
	}
	return s.open(ctx, d)
}

func (s *FieldDocuments) open(ctx context.Context, d cases.FieldDocument) (cases.FieldDocument, io.ReadCloser, error) {
	contents, _, err := s.blobs.Open(ctx, d.Blob)
	if errors.Is(err, fault.NotFound) {
		err = fault.Wrap(err, fault.Internal, "blob.lost",
			"The contents of the file %s are missing. Restore them from your backup.", d.ID)
	}
	return d, contents, err
}

// clean removes the documents that no case has named for a while.
func (s *FieldDocuments) clean(ctx context.Context) error {
	for more := true; more; {
		var gone []string
		err := s.store.Update(ctx, func(tx *store.Tx) (err error) {
			gone, more, err = tx.PurgeDocuments(ctx, s.now().Add(-unnamedAge))
			return err
		})
		if err != nil {
			return err
		}
		s.contents.discard(ctx, gone...)
	}
	return nil
}

// URLInvalid returns the error of a URL to upload or download that is not valid, or no more.
func URLInvalid() error {
	return fault.New(fault.Forbidden, "field_document.url_invalid",
		"The URL is not valid, or not any more. Ask for another one.")
}

func uploaded() error {
	return fault.New(fault.Conflict, "field_document.uploaded",
		"The document was uploaded before. Make another document for other contents.")
}

func documentMissing(document string) error {
	return fault.New(fault.NotFound, "field_document.not_found", "There is no document %q.", document)
}

// knownDocuments finds documents, and decides who may read them.
type knownDocuments struct {
	store *store.Store
	core  *core
	path  string // at which documents are served: /quickcase/documents/
}

// base returns what the URLs of a tenant's documents begin with.
func (k *knownDocuments) base(ctx context.Context, tenant int64) (string, error) {
	publicURL, err := k.core.publicURL(ctx, k.store, tenant)
	return publicURL + k.path, err
}

// readable returns a document that was uploaded, if the caller may read it.
func (k *knownDocuments) readable(
	ctx context.Context, p access.Principal, document string,
) (cases.FieldDocument, error) {
	if !isDocumentID(document) {
		return cases.FieldDocument{}, documentMissing(document)
	}
	d, err := k.store.FieldDocument(ctx, p.Tenant, document)
	if err == nil && d.Blob == "" {
		err = documentMissing(document)
	}
	if err != nil {
		return d, err
	}
	reads, err := k.reads(ctx, p, d)
	if err == nil && !reads {
		err = documentMissing(document)
	}
	return d, err
}

// reads reports whether a caller may read a document: whoever reads a field of a case that names it, or its owner
// where no case names it.
func (k *knownDocuments) reads(ctx context.Context, p access.Principal, d cases.FieldDocument) (bool, error) {
	named := false
	if d.UnnamedSince.IsZero() {
		all, err := k.store.DocumentCases(ctx, p.Tenant, d.ID)
		if err != nil {
			return false, err
		}
		for _, caseID := range all {
			names, shows, err := k.namedBy(ctx, p, caseID, d.ID)
			if err != nil || shows {
				return shows, err
			}
			named = named || names
		}
	}
	return !named && d.Owner == starter(p), nil
}

// namedBy reports whether a case names a document, and whether the caller reads a field where it does.
func (k *knownDocuments) namedBy(
	ctx context.Context, p access.Principal, caseID int64, document string,
) (names, shows bool, err error) {
	c, err := k.store.Case(ctx, p.Tenant, caseID)
	if errors.Is(err, fault.NotFound) {
		return false, false, nil
	}
	if err != nil {
		return false, false, err
	}
	t, err := k.core.definitions.At(ctx, k.store, p.Tenant, c.Type, c.TypeVersion)
	if err != nil {
		return false, false, err
	}
	if !namesDocument(t.Type, c.Data, document) {
		return false, false, nil
	}
	newest, err := k.core.definitions.At(ctx, k.store, p.Tenant, c.Type, 0)
	if err != nil {
		return true, false, err
	}
	shown, visible := c.As(p.Sight(), t.Type)
	if !visible || authz.LeftOut(p, access.GetCase, newest.Type) != nil ||
		!p.Among(newest.Type.Access.States[c.State].Read) {
		return true, false, nil
	}
	return true, namesDocument(t.Type, shown.Data, document), nil
}

// rule returns what decides on the documents in the changes of a principal.
func (k *knownDocuments) rule(ctx context.Context, p access.Principal) *documentRule {
	return &documentRule{
		base:  func() (string, error) { return k.base(ctx, p.Tenant) },
		find:  func(id string) (cases.FieldDocument, error) { return k.store.FieldDocument(ctx, p.Tenant, id) },
		reads: func(d cases.FieldDocument) (bool, error) { return k.reads(ctx, p, d) },
		used: func(id string) (int, error) {
			all, err := k.store.DocumentCases(ctx, p.Tenant, id)
			return len(all), err
		},
		named: map[string]bool{},
	}
}

// offer leaves documents that callbacks put into a form to who fills it in.
func (k *knownDocuments) offer(ctx context.Context, pl *plan) error {
	if pl.documents == nil || len(pl.documents.offered) == 0 {
		return nil
	}
	return k.store.Update(ctx, func(tx *store.Tx) error {
		for _, document := range slices.Sorted(slices.Values(pl.documents.offered)) {
			if err := tx.OfferFieldDocument(ctx, pl.p.Tenant, document, starter(pl.p)); err != nil {
				return err
			}
		}
		return nil
	})
}
