package casetype

import (
	"slices"
	"strconv"
	"strings"

	"github.com/casehook/casehook/internal/schema"
	"github.com/casehook/casehook/internal/weburl"
)

// documentType is the type of values that are documents.
const documentType = "document"

// The members of a document.
const (
	DocumentURL       = "document_url"
	DocumentBinaryURL = "document_binary_url"
	DocumentFilename  = "document_filename"
)

// HasDocuments reports whether the data may have documents.
func (t *Type) HasDocuments() bool { return t.documents }

// EachDocument calls visit with each document in the data, and its path. If the budget is spent it leaves the rest out.
func (t *Type) EachDocument(
	b *schema.Budget, data map[string]any, path string, visit func(path string, document map[string]any),
) {
	t.EditDocuments(b, data, path, func(at string, document map[string]any) (map[string]any, bool) {
		visit(at, document)
		return document, false
	})
}

// EditDocuments returns data in which each document is as edit returns it, if that reports a change. The data that are
// given are not changed. If the budget is spent the rest stays as it is; validation reports that.
func (t *Type) EditDocuments(
	b *schema.Budget, data map[string]any, path string,
	edit func(path string, document map[string]any) (map[string]any, bool),
) map[string]any {
	e := edition{budget: b, document: edit}
	edited, _ := e.of(t.places, data, path) // only ids have errors
	return edited
}

// anywhere are the prefixes that allow documents of any server.
var anywhere = []string{"http://", "https://"}

// AllowsDocument reports whether a document that is kept elsewhere may have a URL.
func (t *Type) AllowsDocument(url string) bool {
	canonical, err := weburl.Canonical(url)
	return err == nil && slices.ContainsFunc(t.DocumentURLs, func(prefix string) bool {
		return strings.HasPrefix(canonical, documentPrefix(prefix))
	})
}

// documentPrefix returns the canonical form of a prefix.
func documentPrefix(prefix string) string {
	if slices.Contains(anywhere, prefix) {
		return prefix
	}
	return weburl.Stored(prefix)
}

// checkDocumentURLs checks the prefixes of documents that are kept elsewhere.
func (c *checker) checkDocumentURLs() {
	for i, item := range items(c.root()["document_urls"]) {
		prefix := text(item)
		if slices.Contains(anywhere, prefix) {
			continue
		}
		if _, err := weburl.Base(prefix); err != nil {
			c.fault(pointer("/document_urls", strconv.Itoa(i)), "%s", err)
		}
	}
}
