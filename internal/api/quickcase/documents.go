package quickcase

import (
	"context"
	"io"
	"net/http"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/inbound"
)

// shownDocument is a document. Its last three members are the value of a field that names it.
type shownDocument struct {
	ID          string `json:"id"`
	UploadURL   string `json:"upload_url,omitempty"`
	DownloadURL string `json:"download_url,omitempty"`
	URL         string `json:"document_url"`
	BinaryURL   string `json:"document_binary_url"`
	Filename    string `json:"document_filename"`
}

func documentOf(d casework.StoredDocument) shownDocument {
	return shownDocument{ID: d.ID, URL: d.URL, BinaryURL: d.BinaryURL(), Filename: d.Filename}
}

// createDocument makes a document. Of its metadata, the filename alone counts: who may read it follows from the cases
// that name it.
func (h handler) createDocument(ctx context.Context, x *rest.Exchange) (any, error) {
	in, err := h.readObject(x)
	if err != nil {
		return nil, err
	}
	metadata, isObject := in["metadata"].(map[string]any)
	name, isText := metadata["filename"].(string)
	if !isObject || !isText && metadata["filename"] != nil {
		return nil, fault.In("quickcase.metadata_invalid", "The metadata of the document are not as described.",
			fault.Field{Path: "/metadata", Message: "is not an object with a filename, which is text"})
	}
	d, grant, err := h.services.Documents.Create(ctx, x.Principal, name)
	if err != nil {
		return nil, err
	}
	token, err := h.kernel.Seal(rest.UploadToken, grant)
	shown := documentOf(d)
	shown.UploadURL = d.BinaryURL() + "?upload=" + token
	return shown, err
}

func (h handler) getDocument(ctx context.Context, x *rest.Exchange) (any, error) {
	d, grant, err := h.services.Documents.Document(ctx, x.Principal, x.Request.PathValue("document"))
	if err != nil {
		return nil, err
	}
	token, err := h.kernel.Seal(rest.DownloadToken, grant)
	shown := documentOf(d)
	shown.DownloadURL = d.BinaryURL() + "?download=" + token
	return shown, err
}

// formOverhead is how many bytes of an upload are read beyond its limit, so that the store of files says what is wrong.
const formOverhead = 64 << 10

// upload takes the contents of a document, by the secret in its URL. A token is not needed, and not looked at.
func (h handler) upload(_ http.ResponseWriter, r *http.Request) {
	x := rest.ExchangeOf(r.Context())
	x.Header().Set("Cache-Control", "no-store")
	x.Request = r // with the values of its path
	d, err := h.uploaded(r.Context(), x)
	if err != nil {
		h.refuse(x, err)
		return
	}
	x.Header().Set("Content-Type", "application/json")
	x.WriteHeader(http.StatusOK)
	rest.Encode(x, documentOf(d))
}

func (h handler) uploaded(ctx context.Context, x *rest.Exchange) (d casework.StoredDocument, err error) {
	var grant casework.UploadGrant
	token := x.Request.URL.Query().Get("upload")
	if token == "" || h.kernel.Open(rest.UploadToken, token, &grant) != nil ||
		grant.Document != x.Request.PathValue("document") {
		return d, casework.URLInvalid()
	}
	inbound.Authenticated(ctx)
	body, err := x.Body(h.services.Documents.MaxUpload() + formOverhead)
	if err != nil {
		return d, err
	}
	return h.services.Documents.Upload(ctx, grant, casework.Upload{
		MediaType: x.Request.Header.Get("Content-Type"), Body: body,
	})
}

// download sends the contents of a document to who has the secret in its URL, or a token.
func (h handler) download(_ http.ResponseWriter, r *http.Request) {
	x := rest.ExchangeOf(r.Context())
	x.Request = r // with the values of its path
	d, contents, err := h.opened(r.Context(), x)
	if err != nil {
		x.Header().Set("Cache-Control", "no-store")
		h.refuse(x, err)
		return
	}
	defer contents.Close()
	rest.SendFile(x, r, rest.File{Name: d.Filename, MediaType: d.MediaType, SHA256: d.SHA256, At: d.At}, contents)
}

func (h handler) opened(ctx context.Context, x *rest.Exchange) (cases.FieldDocument, io.ReadCloser, error) {
	document := x.Request.PathValue("document")
	if token := x.Request.URL.Query().Get("download"); token != "" {
		var grant casework.DownloadGrant
		if h.kernel.Open(rest.DownloadToken, token, &grant) != nil || grant.Document != document {
			return cases.FieldDocument{}, nil, casework.URLInvalid()
		}
		return h.services.Documents.OpenGranted(ctx, grant)
	}
	if err := h.authorize(x, access.DownloadProof); err != nil {
		return cases.FieldDocument{}, nil, err
	}
	return h.services.Documents.Open(ctx, x.Principal, document)
}
