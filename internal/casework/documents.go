package casework

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/document"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/id"
)

// GenerateDocument makes a PDF from a case by the template of its type, and
// attaches it. The document says which version of the case it shows; if the
// content changes before it is attached, that is a conflict.
func (s *Service) GenerateDocument(ctx context.Context, p access.Principal, caseID int64, key string, once Once) (cases.Attachment, error) {
	if err := s.permitCase(ctx, p, "generate-document", caseID); err != nil {
		return cases.Attachment{}, err
	}
	var made cases.Attachment
	err := s.once(ctx, p, once, func() (err error) {
		made, err = s.generate(ctx, p, caseID, key, once)
		return err
	})
	return made, err
}

func (s *Service) generate(ctx context.Context, p access.Principal, caseID int64, key string, once Once) (cases.Attachment, error) {
	v, err := s.Case(ctx, p, caseID)
	if err != nil {
		return cases.Attachment{}, err
	}
	kind, ok := v.Definition.Document(key)
	if !ok {
		return cases.Attachment{}, fault.In("document.unknown_key", "The case type defines no such document.",
			fault.Field{Path: "/key", Message: fmt.Sprintf("is not a document of %s", v.Type)})
	}
	pdf, err := s.render(v, kind)
	if err != nil {
		return cases.Attachment{}, err
	}
	a := cases.Attachment{
		ID: id.New("doc"), CaseID: caseID, Key: key, Filename: filename(key + "-" + v.Reference + ".pdf"),
		MediaType: "application/pdf", By: p.Actor, At: s.now(),
		Clearance: v.Definition.DocumentClassification(kind, p.Clearance),
	}
	if err := s.keepContents(ctx, &a, bytes.NewReader(pdf), int64(len(pdf))); err != nil {
		return cases.Attachment{}, err
	}
	return s.attach(ctx, p, cases.Document, a, once, func(now cases.Case) error {
		if now.Revision != v.Revision {
			return versionConflict()
		}
		return nil
	})
}

// maxDocumentText bounds what a document's template may come to, in bytes.
const maxDocumentText = 512 << 10

// render fills the template. What comes from the case is text, never markup.
func (s *Service) render(v View, kind casetype.Document) ([]byte, error) {
	who := identity(v.Case, v.Definition)
	title := fmt.Sprintf("%s, %s, version %d", kind.Name, who.Reference, v.Version)
	text, err := casetype.Interpolate(kind.Template, v.Data, who, document.Escape, maxDocumentText)
	if errors.Is(err, casetype.ErrTooLong) {
		return nil, fault.In("document.too_long", fmt.Sprintf("The document would have more than %d KiB of text.", maxDocumentText>>10),
			fault.Field{Path: "/key", Message: fmt.Sprintf("names the document %s, whose template comes to that with this case's data", kind.Key)})
	}
	if err != nil {
		return nil, err
	}
	return document.Render(document.Doc{Title: title, Author: "Casehook", Created: s.now(), Text: text})
}
