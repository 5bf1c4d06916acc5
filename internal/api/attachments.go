package api

import (
	"context"
	"io"
	"mime"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// Attachment is a file on a case.
type Attachment struct {
	ID          string `json:"id" doc:"Its id."`
	Key         string `json:"key" doc:"Which document or proof of the case type it is." example:"passport"`
	Filename    string `json:"filename" doc:"The name of the file." example:"passport.pdf"`
	MediaType   string `json:"media_type" doc:"What is in it, as the uploader said." example:"application/pdf"`
	Size        int64  `json:"size" doc:"Bytes." example:"48213"`
	SHA256      string `json:"sha256" doc:"The hash of its contents, in hexadecimal."`
	CaseVersion int64  `json:"case_version" doc:"The version of the case that it came with." example:"8"`
	By          Actor  `json:"by" doc:"Who added it."`
	At          Time   `json:"at" doc:"When."`
	ContentPath string `json:"content_path" doc:"Where its contents are." example:"/v1/cases/4539148803436467/proofs/prf_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f/content"`
}

// InAttachment is embedded in the parameters of what is about one attachment.
type InAttachment struct {
	InCase
	Attachment string `path:"attachment" maxLength:"100" doc:"The id of the file." example:"doc_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
}

// download is an answer that is a file.
type download struct {
	Body func(huma.Context)
}

// attachments registers what documents and proofs have in common: folder is
// where they are, and one is the word for one of them.
func (a *API) attachments(sort cases.Sort, folder, one string) {
	path := "/v1/cases/{id}/" + folder
	handle(a, operation("list-"+folder, http.MethodGet, path, folder, "List a case's "+folder, "The oldest first.", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			InCase
			Paging
		}) (*listed[Attachment], error) {
			return a.listAttachments(ctx, sort, folder, in.InCase, in.Paging)
		})
	op := handle(a, operation("download-"+one, http.MethodGet, path+"/{attachment}/content", folder, "Download a "+one,
		"Takes Range and If-None-Match where the store of files can seek.", http.StatusNotFound, http.StatusPreconditionFailed, http.StatusRequestedRangeNotSatisfiable),
		func(ctx context.Context, in *InAttachment) (*download, error) { return a.download(ctx, sort, in) })
	text := func(says string) *huma.Param {
		return &huma.Header{Description: says, Schema: &huma.Schema{Type: huma.TypeString}}
	}
	op.Responses["200"] = &huma.Response{
		Description: "The contents of the file.",
		Content:     map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}},
		Headers: map[string]*huma.Param{
			"Content-Disposition": text("attachment, with the name of the file."),
			"ETag":                text("The hash of the contents."),
		},
	}
	handle(a, operation("delete-"+one, http.MethodDelete, path+"/{attachment}", folder, "Delete a "+one,
		"The case gets its next version; the file is gone for good.", http.StatusNotFound),
		func(ctx context.Context, in *InAttachment) (*noContent, error) {
			id, err := in.caseID()
			if err != nil {
				return nil, err
			}
			return &noContent{}, a.service.DeleteAttachment(ctx, principalOf(ctx), id, sort, in.Attachment)
		})
}

func (a *API) listAttachments(ctx context.Context, sort cases.Sort, folder string, in InCase, p Paging) (*listed[Attachment], error) {
	id, err := in.caseID()
	if err != nil {
		return nil, err
	}
	after, name := "", folder+"/"+in.ID
	if err := a.cursors.open(name, p.Cursor, &after); err != nil {
		return nil, err
	}
	all, err := a.service.Attachments(ctx, principalOf(ctx), id, sort, after, p.Limit+1)
	if err != nil {
		return nil, err
	}
	show := func(at cases.Attachment) Attachment { return showAttachment(principalOf(ctx), folder, at) }
	return paged(a, name, p.Limit, all, show, func(at cases.Attachment) string { return at.ID })
}

// attached adds an attachment once and answers with it.
func attached(ctx context.Context, operation, folder string, in Idempotent,
	do func(casework.Once) (cases.Attachment, error), extra ...string) (*created[Attachment], error) {
	return create[Attachment](ctx, operation, in, func(at cases.Attachment) (store.Answer, error) {
		shown := showAttachment(principalOf(ctx), folder, at)
		return answer(http.StatusCreated, shown, "Location", shown.ContentPath)
	}, do, extra...)
}

func (a *API) download(ctx context.Context, sort cases.Sort, in *InAttachment) (*download, error) {
	id, err := in.caseID()
	if err != nil {
		return nil, err
	}
	file, contents, err := a.service.OpenAttachment(ctx, principalOf(ctx), id, sort, in.Attachment)
	if err != nil {
		return nil, err
	}
	return &download{func(hc huma.Context) {
		defer contents.Close()
		r, w := humago.Unwrap(hc)
		send(w, r, file, contents)
	}}, nil
}

// send streams a file. It is never shown in place: what people upload must not
// run as part of our site.
func send(w http.ResponseWriter, r *http.Request, file cases.Attachment, contents io.Reader) {
	h := w.Header()
	h.Set("Content-Type", file.MediaType)
	h.Set("Content-Disposition", "attachment")
	if named := mime.FormatMediaType("attachment", map[string]string{"filename": file.Filename}); named != "" {
		h.Set("Content-Disposition", named)
	}
	h.Set("Cache-Control", "private, no-cache")
	h.Set("ETag", `"`+file.SHA256+`"`)
	if seeker, ok := contents.(io.ReadSeeker); ok {
		http.ServeContent(&ranged{w}, r, "", file.At, seeker)
		return
	}
	if r.Method != http.MethodHead {
		io.Copy(w, contents) // whoever does not read to the end is gone
	}
}

// ranged returns a range that can't be served, and a condition that does not hold,
// the shape of all our problems.
type ranged struct{ http.ResponseWriter }

func (w *ranged) WriteHeader(status int) {
	var p *Problem
	switch status {
	case http.StatusRequestedRangeNotSatisfiable:
		p = newProblem(fault.New(fault.Invalid, "request.range", "The file has no such range of bytes."))
	case http.StatusPreconditionFailed:
		p = newProblem(fault.New(fault.Invalid, "request.precondition", "The file is not the one that If-Match or If-Unmodified-Since names."))
	default:
		w.ResponseWriter.WriteHeader(status)
		return
	}
	p.Status, p.Title = status, http.StatusText(status)
	p.write(w.ResponseWriter)
	w.ResponseWriter = &discard{header: http.Header{}} // of the text that would follow
}

func showAttachment(p access.Principal, folder string, at cases.Attachment) Attachment {
	return Attachment{
		ID: at.ID, Key: at.Key, Filename: at.Filename, MediaType: at.MediaType, Size: at.Size, SHA256: at.SHA256,
		CaseVersion: at.Version, By: showActor(p, at.By), At: Time(at.At),
		ContentPath: casePath(at.CaseID) + "/" + folder + "/" + at.ID + "/content",
	}
}
