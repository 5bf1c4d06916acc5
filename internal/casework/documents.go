package casework

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/document"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/id"
)

// Generation says which documents to make from a case.
type Generation struct {
	CaseID int64
	Keys   []string // of the documents in the case type
	Single bool     // there is one key, which was not sent as a list: faults are at /key
}

// path is where a key was sent.
func (g Generation) path(i int) string {
	if g.Single {
		return "/key"
	}
	return "/keys/" + strconv.Itoa(i)
}

// GenerateDocuments makes PDFs from a case by the templates of its type, and
// attaches them in one commit: all of them, or none. The documents say which version
// of the case they show; if the content changes before they are attached, that is a
// conflict.
func (s *Files) GenerateDocuments(
	ctx context.Context, p access.Principal, g Generation, once authz.Once,
) ([]cases.Attachment, error) {
	p, err := s.guard.PermitCase(ctx, p, access.GenerateDocument, g.CaseID)
	if err != nil {
		return nil, err
	}
	var made []cases.Attachment
	err = s.guard.Once(ctx, p, once, func() (err error) {
		made, err = s.generate(ctx, p, g, once)
		return err
	})
	return made, err
}

func (s *Files) generate(
	ctx context.Context, p access.Principal, g Generation, once authz.Once,
) ([]cases.Attachment, error) {
	v, err := s.cases.caseView(ctx, p, g.CaseID)
	if err != nil {
		return nil, err
	}
	// A document is kept at a level, so that it has no fields that only some roles may read.
	v.Case, _ = v.Case.As(p.Clearance, v.Definition)
	kinds, err := g.kinds(v)
	if err != nil {
		return nil, err
	}
	made := make([]cases.Attachment, 0, len(kinds))
	for i, kind := range kinds {
		a, err := s.keepDocument(ctx, p, v, kind, g.path(i))
		if err != nil {
			s.contents.discard(ctx, blobsOf(made)...)
			return nil, err
		}
		made = append(made, a)
	}
	unchanged := func(now cases.Case) error {
		if now.Revision != v.Revision {
			return versionConflict()
		}
		return nil
	}
	answer := func() any { return made }
	if err := s.attach(ctx, p, addition{cases.Document, made, answer, unchanged}, once); err != nil {
		return nil, err
	}
	return made, nil
}

// notDocument returns the fault of a key that is not of a document of the case's type.
func notDocument(v View) string {
	if len(v.Definition.Documents) == 0 {
		return fmt.Sprintf("is not a document of %s, which has none", v.Type)
	}
	var keys []string
	for _, kind := range v.Definition.Documents {
		keys = append(keys, kind.Key)
	}
	return fmt.Sprintf("is not a document of %s; there are: %s", v.Type, listed(keys))
}

// kinds finds the documents in the case's type. The error names all wrong keys.
func (g Generation) kinds(v View) ([]casetype.Document, error) {
	kinds := make([]casetype.Document, len(g.Keys))
	code, detail := "document.unknown_key",
		"The case type does not define this document: see fields. Name one that it defines."
	var wrong []fault.Field
	for i, key := range g.Keys {
		kind, ok := v.Definition.Document(key)
		if !ok {
			wrong = append(wrong, fault.Field{Path: g.path(i), Message: notDocument(v)})
		}
		kinds[i] = kind
	}
	if len(wrong) == 0 {
		code, detail = "document.keys_invalid",
			"The request has to name the documents to generate: at least one, and each once."
		if len(g.Keys) == 0 {
			wrong = append(wrong, fault.Field{Path: "/keys", Message: "is empty"})
		}
		for i, key := range g.Keys {
			if first := slices.Index(g.Keys, key); first < i {
				wrong = append(wrong, fault.Field{Path: g.path(i), Message: "repeats " + g.path(first)})
			}
		}
	}
	if len(wrong) > 0 {
		return nil, fault.In(code, detail, wrong...)
	}
	return kinds, nil
}

// keepDocument renders a document and stores its contents, which are held in memory
// no longer.
func (s *Files) keepDocument(
	ctx context.Context, p access.Principal, v View, kind casetype.Document, path string,
) (cases.Attachment, error) {
	pdf, err := s.render(ctx, v, kind, path)
	if ctx.Err() != nil {
		err = fault.Wrap(ctx.Err(), fault.Unavailable, "document.cancelled",
			"The request was cancelled before its documents were generated. Send it again.")
	}
	if err != nil {
		return cases.Attachment{}, err
	}
	a := cases.Attachment{
		ID: id.New("doc"), CaseID: v.ID, Key: kind.Key, Filename: filename(kind.Key + "-" + v.Reference + ".pdf"),
		MediaType: "application/pdf", By: p.Actor, At: s.now(),
		Clearance: v.Definition.DocumentClassification(kind, p.Clearance),
	}
	return a, s.contents.keep(ctx, &a, bytes.NewReader(pdf), int64(len(pdf)))
}

// maxDocumentText bounds the text that a document's template may produce, in bytes.
const maxDocumentText = 512 << 10

// render fills the template, whose key was sent at path. Values of the case are inserted as text,
// never as markup.
func (s *Files) render(ctx context.Context, v View, kind casetype.Document, path string) ([]byte, error) {
	who := identity(v.Case, v.Definition)
	title := fmt.Sprintf("%s, %s, version %d", kind.Name, who.Reference, v.Version)
	text, err := casetype.Interpolate(kind.Template, v.Data, who, document.Escape, maxDocumentText)
	if errors.Is(err, casetype.ErrTooLong) {
		return nil, fault.In("document.too_long",
			fmt.Sprintf("The document would have more than %d KiB of text. Shorten the template or the "+
				"data.", maxDocumentText>>10),
			fault.Field{
				Path: path,
				Message: fmt.Sprintf("names the document %s, whose template comes to that with this case's data",
					kind.Key),
			})
	}
	if err != nil {
		return nil, err
	}
	pdf, err := s.fonts.Render(ctx, document.Doc{Title: title, Author: "Casehook", Created: s.now(), Text: text})
	if f := (*fault.Error)(nil); errors.As(err, &f) && f.Kind == fault.Unprocessable {
		f.Fields = []fault.Field{{
			Path: path, Message: fmt.Sprintf("names the document %s, which can't be made of this case", kind.Key),
		}}
	}
	return pdf, err
}
