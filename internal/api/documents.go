package api

import (
	"context"
	"net/http"

	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casework"
)

// NewDocument is the body that generates a document.
type NewDocument struct {
	Key string `json:"key" minLength:"1" maxLength:"100" doc:"Which document of the case type to generate." example:"summary"`
}

func (a *API) documents() {
	handleBody(a, status(http.StatusCreated, operation("generate-document", http.MethodPost, "/v1/cases/{id}/documents", "documents",
		"Generate a document", "Makes a PDF from the case by the template in its case type.", http.StatusNotFound, http.StatusConflict)), a.generateDocument)
	a.attachments(cases.Document, "documents", "document")
}

func (a *API) generateDocument(ctx context.Context, in *struct {
	InCase
	Idempotent
}, body NewDocument) (*created[Attachment], error) {
	id, err := in.caseID()
	if err != nil {
		return nil, err
	}
	return attached(ctx, "generate-document", "documents", in.Idempotent, func(o casework.Once) (cases.Attachment, error) {
		return a.service.GenerateDocument(ctx, principalOf(ctx), id, body.Key, o)
	})
}
