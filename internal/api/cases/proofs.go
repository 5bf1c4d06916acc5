package cases

import (
	"cmp"
	"context"
	"io"
	"mime"
	"mime/multipart"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
)

const (
	formOverhead = 64 << 10 // bytes of an upload's body beyond the file
	maxKey       = 100      // bytes of a proof's key
	binary       = "application/octet-stream"
)

type proofUpload struct {
	rest.InCase
	Key      string `query:"key" maxLength:"100" doc:"The key of the proof in the case type. In a form, it is the field key." example:"passport"`
	Filename string `query:"filename" maxLength:"255" doc:"The name of the file. In a form, the file has its own." example:"passport.pdf"`
	rest.IdempotencyHeader
}

// proofHandler has the operation that uploads proofs.
type proofHandler struct{ service casework.Services }

func (h proofHandler) register(k *rest.Kernel) {
	op := rest.Handle(k, rest.Operation{
		ID:      access.UploadProof,
		Pattern: "POST /v1/cases/{id}/proofs",
		Tag:     "proofs",
		Summary: "Upload a proof",
		Description: "Takes a form with the fields key and file, in this order, or the file itself as the body, with " +
			"its key and filename in the query. The file is streamed to the store and hashed on the way.",
		Problems: []int{http.StatusNotFound, http.StatusConflict, http.StatusRequestEntityTooLarge,
			http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity},
		Success: http.StatusCreated,
	}, h.uploadProof)
	file := &huma.Schema{Type: huma.TypeString, Format: "binary", Description: "The file."}
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"multipart/form-data": {Schema: &huma.Schema{Type: huma.TypeObject, Required: []string{"key", "file"},
			Properties: map[string]*huma.Schema{
				"key": {Type: huma.TypeString, Description: "The key of the proof in the case type.",
					Examples: []any{"passport"}},
				"file": file,
			}}},
		binary: {Schema: file},
	}}
}

func (h proofHandler) uploadProof(ctx context.Context, in *proofUpload) (*rest.PostAnswer[Attachment], error) {
	id, err := in.CaseID()
	if err != nil {
		return nil, err
	}
	x := rest.ExchangeOf(ctx)
	body, err := x.Body(h.service.Files.MaxUpload() + formOverhead)
	if err != nil {
		return nil, err
	}
	u, err := openUpload(x.Request.Header.Get("Content-Type"), in, body)
	if err != nil {
		return nil, err
	}
	return attach(ctx, "proofs", in.IdempotencyHeader, func(o authz.Once) (cases.Attachment, error) {
		return h.service.Files.UploadProof(ctx, rest.PrincipalOf(ctx), id, u, o)
	}, u.Key, u.Filename, u.MediaType)
}

// openUpload finds the file in a request. It reads up to the first byte of the file.
func openUpload(contentType string, in *proofUpload, body io.Reader) (casework.Upload, error) {
	sent, params, err := mime.ParseMediaType(cmp.Or(contentType, binary))
	if err != nil {
		return casework.Upload{}, fault.New(fault.UnsupportedMedia, "request.content_type",
			"The body's Content-Type %q is not a media type. Send one such as application/pdf.", contentType)
	}
	if sent == "multipart/form-data" {
		return openForm(body, multipart.NewReader(body, params["boundary"]), in)
	}
	if in.Key == "" {
		return casework.Upload{}, missing("query.key", "is missing; send ?key= and ?filename= with the file, or a form")
	}
	if in.Filename == "" {
		return casework.Upload{}, missing("query.filename", "is missing; send ?filename= with the file")
	}
	return casework.Upload{Key: in.Key, Filename: in.Filename, MediaType: mime.FormatMediaType(sent, params),
		Body: body}, nil
}

// openForm reads the fields in front of the file.
func openForm(body io.Reader, form *multipart.Reader, in *proofUpload) (casework.Upload, error) {
	u := casework.Upload{Key: in.Key}
	for {
		part, err := form.NextPart()
		switch {
		case err == io.EOF:
			return u, missing("/file", "is missing")
		case err != nil:
			return u, rest.Unreadable(err)
		case part.FormName() == "key" && u.Key == "":
			key, err := io.ReadAll(io.LimitReader(part, maxKey+1))
			if err != nil {
				return u, rest.Unreadable(err)
			}
			if len(key) == 0 || len(key) > maxKey {
				return u, missing("/key", "is empty, or longer than any key")
			}
			u.Key = string(key)
		case part.FormName() != "file":
			return u, missing("/"+part.FormName(), "is not a field of this form, or comes twice; it has key and file")
		case u.Key == "":
			return u, missing("/key", "is missing; it comes before the file")
		default:
			u.Filename = cmp.Or(part.FileName(), in.Filename)
			u.MediaType = cmp.Or(part.Header.Get("Content-Type"), binary)
			u.Body = &lastPart{part: part, form: form, body: body}
			return u, nil
		}
	}
}

func missing(path, message string) error {
	return fault.In("upload.invalid", "The upload is not as described: see fields.",
		fault.Field{Path: path, Message: message})
}

// lastPart reads the file in a form. It returns io.EOF only if the form ends with the file, so that an upload that
// was cut off, or has further parts, is not saved.
type lastPart struct {
	part *multipart.Part
	form *multipart.Reader
	body io.Reader // of the request, which holds the form
	end  error     // once reached
}

func (l *lastPart) Read(b []byte) (int, error) {
	if l.end != nil {
		return 0, l.end
	}
	n, err := l.part.Read(b)
	if err != io.EOF {
		return n, err
	}
	next, err := l.form.NextPart()
	if err == nil {
		err = missing("/"+next.FormName(), "comes after the file, which is the form's last field")
	}
	if err == io.EOF { // the rest means nothing, and is read so that the connection can be reused
		_, rest := io.Copy(io.Discard, l.body)
		err = cmp.Or(rest, err)
	}
	l.end = err
	return n, err
}
