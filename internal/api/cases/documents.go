package cases

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// NewDocument is the body that generates one document, or several.
type NewDocument struct {
	Key  string   `json:"key,omitempty" minLength:"1" maxLength:"100" doc:"The key of the document in the case type." example:"summary"`
	Keys []string `json:"keys,omitempty" minItems:"1" maxItems:"100" doc:"In the place of key: several, which are generated in this order, in one commit, all of them or none." example:"[\"summary\", \"contract\"]"`
}

// maxDocumentKey bounds the keys of a list, in bytes.
const maxDocumentKey = 100

// generation returns the documents that the body asks for.
func (b NewDocument) generation(caseID int64) (casework.Generation, error) {
	g := casework.Generation{CaseID: caseID, Keys: b.Keys}
	if b.Key != "" {
		g.Keys, g.Single = []string{b.Key}, true
	}
	if (b.Key == "") == (len(b.Keys) == 0) {
		return g, fault.In("request.body_invalid", "The request's body is not as described: see fields.",
			fault.Field{Path: "/key", Message: "and /keys can't be sent together: send one of them"})
	}
	for i, key := range b.Keys {
		if len(key) > maxDocumentKey {
			return g, fault.In("request.body_invalid", "The request's body is not as described: see fields.",
				fault.Field{Path: "/keys/" + strconv.Itoa(i),
					Message: fmt.Sprintf("is longer than %d bytes", maxDocumentKey)})
		}
	}
	return g, nil
}

// GeneratedDocuments are documents that were generated together.
type GeneratedDocuments struct {
	Items []Attachment `json:"items" doc:"The documents, in the order of their keys."`
}

// generation describes the answer: one document, or a list of documents that were generated together.
type generation struct{}

// Schema describes both forms.
func (generation) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{
		r.Schema(reflect.TypeFor[Attachment](), true, ""), r.Schema(reflect.TypeFor[GeneratedDocuments](), true, ""),
	}}
}

// documentHandler has the operations that generate and delete documents.
type documentHandler struct{ service casework.Services }

func (h documentHandler) register(k *rest.Kernel) {
	rest.HandleBody(k, rest.Operation{
		ID:      access.GenerateDocument,
		Pattern: "POST /v1/cases/{id}/documents",
		Tag:     "documents",
		Summary: "Generate documents",
		Description: "Makes a PDF from the case by the template in its case type, and answers with it. For several " +
			"keys it makes one of each, in one commit, and answers with a list: all of them, or none.",
		Problems: []int{http.StatusNotFound, http.StatusConflict},
		Success:  http.StatusCreated,
	}, h.generateDocument)
	rest.Handle(k, rest.Operation{
		ID: access.DeleteDocuments, Pattern: "DELETE /v1/cases/{id}/documents", Tag: "documents",
		Summary:     "Delete documents",
		Description: "All of them, in one commit, or none.",
		Problems:    []int{http.StatusNotFound},
	}, h.deleteDocuments)
}

func (h documentHandler) generateDocument(ctx context.Context, in *struct {
	rest.InCase
	rest.IdempotencyHeader
}, body NewDocument) (*rest.PostAnswer[generation], error) {
	id, err := in.CaseID()
	if err != nil {
		return nil, err
	}
	g, err := body.generation(id)
	if err != nil {
		return nil, err
	}
	render := func(made []cases.Attachment) (store.Answer, error) {
		shown := make([]Attachment, len(made))
		for i, at := range made {
			shown[i] = showAttachment(rest.PrincipalOf(ctx), "documents", at)
		}
		if g.Single {
			return rest.Answer(http.StatusCreated, shown[0], "Location", shown[0].ContentPath)
		}
		return rest.Answer(http.StatusCreated, GeneratedDocuments{shown}, "Location", casePath(id)+"/documents")
	}
	return rest.Create[generation](ctx, in.IdempotencyHeader, render, func(o authz.Once) ([]cases.Attachment, error) {
		return h.service.Files.GenerateDocuments(ctx, rest.PrincipalOf(ctx), g, o)
	})
}

// DocumentIDs names documents of a case.
type DocumentIDs struct {
	rest.InCase
	IDs []string `query:"id,explode" required:"true" minItems:"1" maxItems:"100" doc:"The ids of the documents; once for each." example:"[\"doc_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f\"]"`
}

func (h documentHandler) deleteDocuments(ctx context.Context, in *DocumentIDs) (*rest.NoContent, error) {
	id, err := in.CaseID()
	if err != nil {
		return nil, err
	}
	return &rest.NoContent{}, h.service.Files.DeleteDocuments(ctx, rest.PrincipalOf(ctx), id, in.IDs)
}
