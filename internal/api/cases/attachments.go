package cases

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/store"
)

// Attachment is a file on a case.
type Attachment struct {
	ID          string     `json:"id" doc:"Its id."`
	Key         string     `json:"key" doc:"The key of the document or proof in the case type." example:"passport"`
	Filename    string     `json:"filename" doc:"The name of the file." example:"passport.pdf"`
	MediaType   string     `json:"media_type" doc:"Its media type, as the uploader declared it." example:"application/pdf"`
	Size        int64      `json:"size" doc:"Bytes." example:"48213"`
	SHA256      string     `json:"sha256" doc:"The hash of its contents, in hexadecimal."`
	CaseVersion int64      `json:"case_version" doc:"The version of the case that it came with." example:"8"`
	By          rest.Actor `json:"by" doc:"The actor who added it."`
	At          rest.Time  `json:"at" doc:"When."`
	ContentPath string     `json:"content_path" doc:"Where its contents are." example:"/v1/cases/4539148803436467/proofs/prf_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f/content"`
}

// InAttachment is embedded in the parameters of operations on one attachment.
type InAttachment struct {
	rest.InCase
	Attachment string `path:"attachment" maxLength:"100" doc:"The id of the file." example:"doc_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
}

// download is an answer that is a file.
type download struct {
	Body func(huma.Context)
}

// attachmentHandler has the operations that documents and proofs have in common.
type attachmentHandler struct {
	kernel       *rest.Kernel
	service      casework.Services
	kind         cases.AttachmentKind
	folder, noun string // the path, and the singular

	list, download, remove access.Operation
}

func (h attachmentHandler) register() {
	path := "/v1/cases/{id}/" + h.folder
	rest.Handle(h.kernel, rest.Operation{
		ID: h.list, Pattern: "GET " + path, Tag: h.folder,
		Summary:     "List a case's " + h.folder,
		Description: "The oldest first.",
		Problems:    []int{http.StatusNotFound},
	}, h.listAll)
	op := rest.Handle(h.kernel, rest.Operation{
		ID: h.download, Pattern: "GET " + path + "/{attachment}/content", Tag: h.folder,
		Summary:     "Download a " + h.noun,
		Description: "Takes Range and If-None-Match where the store of files can seek.",
		Problems:    []int{http.StatusNotFound, http.StatusPreconditionFailed, http.StatusRequestedRangeNotSatisfiable},
	}, h.open)
	op.Responses["200"] = fileResponse()
	rest.Handle(h.kernel, rest.Operation{
		ID: h.remove, Pattern: "DELETE " + path + "/{attachment}", Tag: h.folder,
		Summary:     "Delete a " + h.noun,
		Description: "The case gets its next version; the file is gone for good.",
		Problems:    []int{http.StatusNotFound},
	}, h.delete)
}

// fileResponse describes an answer that is a file.
func fileResponse() *huma.Response {
	text := func(description string) *huma.Param {
		return &huma.Header{Description: description, Schema: &huma.Schema{Type: huma.TypeString}}
	}
	contents := &huma.Schema{Type: huma.TypeString, Format: "binary"}
	return &huma.Response{
		Description: "The contents of the file.",
		Content:     map[string]*huma.MediaType{"application/octet-stream": {Schema: contents}},
		Headers: map[string]*huma.Param{
			"Content-Disposition": text("attachment, with the name of the file."),
			"ETag":                text("The hash of the contents."),
		},
	}
}

func (h attachmentHandler) listAll(ctx context.Context, in *struct {
	rest.InCase
	rest.Paging
}) (*rest.PageAnswer[Attachment], error) {
	id, err := in.CaseID()
	if err != nil {
		return nil, err
	}
	after, name := "", h.folder+"/"+in.ID
	if err := h.kernel.Open(name, in.Cursor, &after); err != nil {
		return nil, err
	}
	all, err := h.service.Files.Attachments(ctx, rest.PrincipalOf(ctx), store.AttachmentFilter{
		CaseID: id, Kind: h.kind, After: after, Limit: in.Limit + 1,
	})
	if err != nil {
		return nil, err
	}
	show := func(at cases.Attachment) Attachment { return showAttachment(rest.PrincipalOf(ctx), h.folder, at) }
	pager := rest.NewPager(h.kernel, name, show, func(at cases.Attachment) string { return at.ID })
	return pager.PageOfList(all, in.Limit)
}

func (h attachmentHandler) delete(ctx context.Context, in *InAttachment) (*rest.NoContent, error) {
	id, err := in.CaseID()
	if err != nil {
		return nil, err
	}
	return &rest.NoContent{}, h.service.Files.DeleteAttachment(ctx, rest.PrincipalOf(ctx), id, h.kind, in.Attachment)
}

// attach adds an attachment, once per key, and answers with it.
func attach(ctx context.Context, folder string, in rest.IdempotencyHeader,
	do func(authz.Once) (cases.Attachment, error), extra ...string) (*rest.PostAnswer[Attachment], error) {
	return rest.Create[Attachment](ctx, in, func(at cases.Attachment) (store.Answer, error) {
		shown := showAttachment(rest.PrincipalOf(ctx), folder, at)
		return rest.Answer(http.StatusCreated, shown, "Location", shown.ContentPath)
	}, do, extra...)
}

func (h attachmentHandler) open(ctx context.Context, in *InAttachment) (*download, error) {
	id, err := in.CaseID()
	if err != nil {
		return nil, err
	}
	file, contents, err := h.service.Files.OpenAttachment(ctx, rest.PrincipalOf(ctx), id, h.kind, in.Attachment)
	if err != nil {
		return nil, err
	}
	return &download{func(hc huma.Context) {
		defer contents.Close()
		r, w := humago.Unwrap(hc)
		rest.SendFile(w, r, rest.File{
			Name: file.Filename, MediaType: file.MediaType, SHA256: file.SHA256, At: file.At,
		}, contents)
	}}, nil
}

func showAttachment(p access.Principal, folder string, at cases.Attachment) Attachment {
	return Attachment{
		ID:          at.ID,
		Key:         at.Key,
		Filename:    at.Filename,
		MediaType:   at.MediaType,
		Size:        at.Size,
		SHA256:      at.SHA256,
		CaseVersion: at.Version,
		By:          rest.ShowActor(p, at.By),
		At:          rest.Time(at.At),
		ContentPath: casePath(at.CaseID) + "/" + folder + "/" + at.ID + "/content",
	}
}
