package api

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// NewDocument is the body that generates one document, or several.
type NewDocument struct {
	Key  string   `json:"key,omitempty" minLength:"1" maxLength:"100" doc:"Which document of the case type to generate." example:"summary"`
	Keys []string `json:"keys,omitempty" minItems:"1" maxItems:"100" doc:"In the place of key: several, which are generated in this order, in one commit, all of them or none." example:"[\"summary\", \"contract\"]"`
}

// maxDocumentKey bounds the keys of a list, in bytes.
const maxDocumentKey = 100

// generation is what the body asks for.
func (b NewDocument) generation(caseID int64) (casework.Generation, error) {
	g := casework.Generation{CaseID: caseID, Keys: b.Keys}
	if b.Key != "" {
		g.Keys, g.Single = []string{b.Key}, true
	}
	if (b.Key == "") == (len(b.Keys) == 0) {
		return g, fault.In("request.body_invalid", "The request's body is not as described: see fields.", fault.Field{Path: "/key", Message: "or keys says which documents to generate: one of them, not both"})
	}
	for i, key := range b.Keys {
		if len(key) > maxDocumentKey {
			return g, fault.In("request.body_invalid", "The request's body is not as described: see fields.",
				fault.Field{Path: "/keys/" + strconv.Itoa(i), Message: fmt.Sprintf("is longer than %d bytes", maxDocumentKey)})
		}
	}
	return g, nil
}

// GeneratedDocuments are documents that were generated together.
type GeneratedDocuments struct {
	Items []Attachment `json:"items" doc:"The documents, in the order of their keys."`
}

// generated is one document, or a list of those that were generated together.
type generated struct{}

// Schema is that of the one, or of the list.
func (generated) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{
		r.Schema(reflect.TypeFor[Attachment](), true, ""), r.Schema(reflect.TypeFor[GeneratedDocuments](), true, ""),
	}}
}

func (a *API) documents() {
	handleBody(a, status(http.StatusCreated, operation("generate-document", http.MethodPost, "/v1/cases/{id}/documents", "documents",
		"Generate documents", "Makes a PDF from the case by the template in its case type, and answers with it. For several keys it makes one of "+
			"each, in one commit, and answers with a list: all of them, or none.", http.StatusNotFound, http.StatusConflict)), a.generateDocument)
	handle(a, operation("delete-documents", http.MethodDelete, "/v1/cases/{id}/documents", "documents", "Delete documents",
		"All of them, in one commit, or none.", http.StatusNotFound), a.deleteDocuments)
	a.attachments(cases.Document, "documents", "document")
}

func (a *API) generateDocument(ctx context.Context, in *struct {
	InCase
	Idempotent
}, body NewDocument) (*created[generated], error) {
	id, err := in.caseID()
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
			shown[i] = showAttachment(principalOf(ctx), "documents", at)
		}
		if g.Single {
			return answer(http.StatusCreated, shown[0], "Location", shown[0].ContentPath)
		}
		return answer(http.StatusCreated, GeneratedDocuments{shown}, "Location", casePath(id)+"/documents")
	}
	return create[generated](ctx, "generate-document", in.Idempotent, render, func(o casework.Once) ([]cases.Attachment, error) {
		return a.service.GenerateDocuments(ctx, principalOf(ctx), g, o)
	})
}

// DocumentIDs names documents of a case.
type DocumentIDs struct {
	InCase
	IDs []string `query:"id,explode" required:"true" minItems:"1" maxItems:"100" doc:"The ids of the documents; once for each." example:"[\"doc_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f\"]"`
}

func (a *API) deleteDocuments(ctx context.Context, in *DocumentIDs) (*noContent, error) {
	id, err := in.caseID()
	if err != nil {
		return nil, err
	}
	return &noContent{}, a.service.DeleteDocuments(ctx, principalOf(ctx), id, in.IDs)
}
